//! Outputs: printed at their pace, in pages, with alarms between the lines, and spoilt by faults.

use std::time::Duration;

use super::fault::CliFault;
use super::garbage;
use super::query::Query;
use super::shell::{Act, Shell, Waiting};

/// The pager's line; the residue moves back over it.
const PAGER: &str = "---- More ( Press 'Q' to break ) ----";
/// What it leaves behind: back, blanks over it, back. The next line follows on the same one.
const RESIDUE: &str = "\x1b[37D                                     \x1b[37D";
/// Bytes handed over at once.
const CHUNK: usize = 8 * 1_024;

impl Shell {
    /// Answers a query, or fails to.
    pub(super) fn display(&mut self, query: Query) {
        let fault = self.console.fault();
        if fault == Some(CliFault::TimedOut) {
            let acts = self.time_out();
            self.acts.extend(acts);
            return;
        }
        let text = if fault == Some(CliFault::Busy) {
            "  Failure: System is busy, please retry after a while\n".to_owned()
        } else {
            let chassis = self.console.plant.chassis(self.console.olt);
            query.answer(&chassis, self.console.plant.now())
        };
        self.asks_onus = query.asks_onus();
        self.rest = text.lines().map(str::to_owned).collect();
        self.interrupt();
        self.left = self.settings.page.filter(|_| !self.settings.machine);
        self.spoil(fault);
        let before = self.console.pace().before;
        if !before.is_zero() {
            self.flush();
            self.acts.push(Act::Pause(before));
        }
        self.print();
    }

    /// Puts alarm blocks between the lines.
    fn interrupt(&mut self) {
        let Some(every) = self.console.config.alarm_every_lines.filter(|_| self.settings.alarms) else {
            return;
        };
        let lines = std::mem::take(&mut self.rest);
        for (i, line) in lines.into_iter().enumerate() {
            if i > 0 && i.is_multiple_of(every.max(1)) {
                let now = self.console.plant.now();
                let block = self.console.plant.chassis(self.console.olt).unasked(self.unasked, now);
                self.unasked += 1;
                self.rest.extend(block.lines().map(str::to_owned));
            }
            self.rest.push_back(line);
        }
    }

    /// Makes the coming output what a fault makes of it.
    fn spoil(&mut self, fault: Option<CliFault>) {
        match fault {
            Some(CliFault::HangMidLine | CliFault::CloseMidTable) => {
                let half = self.rest.len().div_ceil(2);
                self.rest.truncate(half);
                if let Some(last) = self.rest.back_mut() {
                    last.truncate(last.len() / 2);
                }
                self.left = None;
                self.end = fault;
            }
            Some(CliFault::HangAfterOutput | CliFault::Flood(_)) => {
                self.left = None;
                self.end = fault;
            }
            Some(CliFault::HangAtPager) => {
                self.left = Some(3.min(self.rest.len().saturating_sub(1)).max(1));
                // A page needs something behind it.
                self.rest.push_back(String::new());
                self.end = fault;
            }
            Some(CliFault::AnsiGarbage) => {
                for (i, line) in self.rest.iter_mut().enumerate() {
                    *line = garbage::spoil(line, i);
                }
            }
            _ => {}
        }
    }

    /// Prints the rest, or a page of it.
    fn print(&mut self) {
        let pace = self.console.pace();
        let wait = pace.per_line
            + if self.asks_onus {
                pace.per_optics
            } else {
                Duration::ZERO
            };
        while let Some(line) = self.rest.pop_front() {
            if !wait.is_zero() {
                self.flush();
                self.acts.push(Act::Pause(wait));
            }
            let cut = self.rest.is_empty() && matches!(self.end, Some(CliFault::HangMidLine | CliFault::CloseMidTable));
            self.write(&line);
            if !cut {
                self.write(self.eol);
            }
            if let Some(left) = &mut self.left {
                *left = left.saturating_sub(1);
                if *left == 0 && !self.rest.is_empty() {
                    return self.page();
                }
            }
            if self.out.len() >= CHUNK {
                self.flush();
            }
        }
        self.left = None;
        self.ended();
    }

    fn page(&mut self) {
        self.write(PAGER);
        self.waiting = Waiting::Pager;
        if self.end == Some(CliFault::HangAtPager) {
            self.waiting = Waiting::Dead;
        }
    }

    pub(super) fn turn_page(&mut self, key: u8) {
        self.left = match key {
            b' ' => self.settings.page,
            b'\r' => Some(1),
            b'q' | b'Q' | 0x03 => {
                self.rest.clear();
                None
            }
            _ => return,
        };
        self.after_cr = key == b'\r';
        self.write(RESIDUE);
        self.waiting = Waiting::Command;
        self.print();
    }

    /// What follows an output.
    fn ended(&mut self) {
        match self.end.take() {
            Some(CliFault::HangMidLine | CliFault::HangAfterOutput) => self.waiting = Waiting::Dead,
            Some(CliFault::CloseMidTable) => {
                self.waiting = Waiting::Dead;
                self.flush();
                self.acts.push(Act::Cut);
            }
            Some(CliFault::Flood(bytes)) => {
                self.flush();
                let row = b"  0/ 1/0    0  48575443A1B2C3D4  active      online   normal   match    no \r\n".to_vec();
                self.acts.push(Act::Flood { row, bytes });
                self.finish();
            }
            _ => self.finish(),
        }
    }
}
