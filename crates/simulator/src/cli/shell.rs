//! One session: bytes typed in, what to write and when out. No network, no clock but the box's.
//!
//! ```text
//!            line           {…}: where smart, and once more if incomplete
//!  Command ───────▶ read ──▶ Question ──▶ answer ──▶ Pager ──▶ … ──▶ prompt ──▶ Command
//!     │                                     └────────────────────────▶┘
//!     └─ quit ▶ Logout ─ y ▶ closed
//! ```

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::console::Console;
use super::fault::CliFault;
use super::garbage;
use super::login::Login;
use super::query::{Error, Mode, Query, Wrong, wrong};

/// The pager's line; the residue moves back over it.
const PAGER: &str = "---- More ( Press 'Q' to break ) ----";
/// What it leaves behind: back, blanks over it, back. The next line follows on the same one.
const RESIDUE: &str = "\x1b[37D                                     \x1b[37D";
/// Letters of a command line; more are not taken.
const LINE_MAX: usize = 512;
/// Width of the screen, whatever the client says.
const WIDTH: usize = 80;
/// Wrong answers to one question before the box loses patience.
const ANSWERS_MAX: usize = 3;
/// Bytes handed over at once.
const CHUNK: usize = 8 * 1_024;

/// What the line is to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Write(Vec<u8>),
    Pause(Duration),
    /// The row again and again, so many bytes of it.
    Flood {
        row: Vec<u8>,
        bytes: u64,
    },
    /// End in good order.
    Close,
    /// Cut the connection.
    Cut,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Waiting {
    Command,
    /// A complete command that the box asks about, so many times more.
    Question {
        command: String,
        times: u8,
    },
    /// A command that lacks something.
    Missing {
        command: String,
        question: &'static str,
        wrong: usize,
    },
    Logout,
    Pager,
    /// A first login is asked for a new password.
    NewPassword,
    /// Nothing any more.
    Dead,
}

/// How a session is set up. All of it lasts for the session only.
#[derive(Debug, Clone, Copy)]
struct Settings {
    /// Asks `{ … }:` questions.
    smart: bool,
    /// Asks `(y/n)`.
    interactive: bool,
    /// Prints alarms.
    alarms: bool,
    /// Machine mode: no echo, no pages.
    machine: bool,
    /// Lines of a page; `None` is without end.
    page: Option<usize>,
    idle: Option<Duration>,
}

/// One session.
pub(crate) struct Shell {
    console: Arc<Console>,
    mode: Mode,
    settings: Settings,
    waiting: Waiting,
    line: String,
    after_cr: bool,
    eol: &'static str,
    /// Lines that are still to print, and how many fit on the page.
    rest: VecDeque<String>,
    left: Option<usize>,
    /// Each line of the rest costs a question to an ONU.
    asks_onus: bool,
    /// What comes instead of the next prompt.
    end: Option<CliFault>,
    unasked: usize,
    out: Vec<u8>,
    acts: Vec<Act>,
}

impl Shell {
    /// A session in user mode. `\r\r\n` ends the lines of an MA5680T's telnet.
    pub(crate) fn new(console: Arc<Console>, telnet: bool) -> Self {
        let old = console.plant.chassis(console.olt).firmware.is_old();
        let settings = Settings {
            smart: true,
            interactive: true,
            alarms: true,
            machine: false,
            page: Some(console.config.page_lines.max(2)),
            idle: Some(console.config.idle_timeout),
        };
        Self {
            console,
            mode: Mode::User,
            settings,
            waiting: Waiting::Command,
            line: String::new(),
            after_cr: false,
            eol: if old && telnet { "\r\r\n" } else { "\r\n" },
            rest: VecDeque::new(),
            left: None,
            asks_onus: false,
            end: None,
            unasked: 0,
            out: Vec::new(),
            acts: Vec::new(),
        }
    }

    /// What stands on the screen after the login.
    pub(crate) fn greet(&mut self, login: &Login) -> Vec<Act> {
        let (text, prompts) = {
            let chassis = self.console.plant.chassis(self.console.olt);
            let now = self.console.plant.now();
            (login.text(&chassis, now), chassis.firmware.prompts)
        };
        if !login.admitted {
            self.lines(&text);
            return self.close();
        }
        let fault = self.console.fault();
        if fault == Some(CliFault::HangAtBanner) {
            let half: String = text.lines().take(2).map(|l| format!("{l}\n")).collect();
            self.lines(&half);
            self.waiting = Waiting::Dead;
            return self.done();
        }
        self.lines(&text);
        if fault == Some(CliFault::FirstLogin) {
            self.say("  It is the first time that the user logs in. The password must be changed");
            self.write(self.eol);
            self.write("  Do you want to change the password? (YES/NO): ");
            self.waiting = Waiting::NewPassword;
            return self.done();
        }
        for _ in 0..prompts {
            self.write(self.eol);
            self.prompt();
        }
        self.done()
    }

    /// Takes what was typed.
    pub(crate) fn input(&mut self, bytes: &[u8]) -> Vec<Act> {
        for &byte in bytes {
            if self.waiting == Waiting::Dead {
                break;
            }
            self.key(byte);
        }
        self.done()
    }

    /// The session was idle for too long.
    pub(crate) fn time_out(&mut self) -> Vec<Act> {
        self.write(self.eol);
        self.say("  Please check whether system data has been changed, and save data in time");
        self.say("  Configuration console time out, please retry to log on");
        self.close()
    }

    /// For how long it may be idle.
    pub(crate) fn idle(&self) -> Option<Duration> {
        self.settings.idle.filter(|_| self.waiting != Waiting::Dead)
    }

    fn key(&mut self, byte: u8) {
        if self.waiting == Waiting::Pager {
            return self.turn_page(byte);
        }
        let line_feed_of_pair = byte == b'\n' && self.after_cr;
        self.after_cr = byte == b'\r';
        match byte {
            _ if line_feed_of_pair => {}
            b'\r' | b'\n' => {
                let line = std::mem::take(&mut self.line);
                // A command that will be asked about is completed with a blank.
                if self.waiting == Waiting::Command && self.settings.smart && self.will_ask(&line) {
                    self.write(" ");
                }
                self.write(self.eol);
                self.entered(&line);
            }
            0x03 => {
                self.line.clear();
                self.waiting = Waiting::Command;
                self.finish();
            }
            0x08 | 0x7F => self.rub_out(),
            b' '..=b'~' if self.line.len() < LINE_MAX => self.letter(byte),
            _ => {}
        }
    }

    fn rub_out(&mut self) {
        if self.line.pop().is_some() && !self.settings.machine {
            self.write("\x08 \x08");
        }
    }

    fn letter(&mut self, byte: u8) {
        self.line.push(char::from(byte));
        if self.console.has(CliFault::HangAtEcho) && self.line == "dis" {
            self.waiting = Waiting::Dead;
            return;
        }
        if self.settings.machine {
            return;
        }
        // Behind the prompt: a long line goes on at the left edge.
        if self.line.len() > 1 && (self.line.len() + self.prompt_text().len() - 1).is_multiple_of(WIDTH) {
            self.write("\r\n");
        }
        self.out.push(byte);
    }

    fn entered(&mut self, line: &str) {
        match std::mem::replace(&mut self.waiting, Waiting::Command) {
            Waiting::Command => self.command(line.trim(), self.settings.smart),
            Waiting::Question { command, times } if line.trim().is_empty() => {
                if times > 1 {
                    return self.ask(command, "{ <cr>||<K> }:", times - 1);
                }
                self.write(self.eol);
                self.say("  Command:");
                self.say(&format!("          {command} "));
                self.command(&command, false);
            }
            Waiting::Question { .. } => self.error(line, Error::Parameter, 0),
            Waiting::Missing {
                command,
                question,
                wrong,
            } => self.missing(&command, line.trim(), question, wrong),
            Waiting::Logout if line.trim().eq_ignore_ascii_case("y") => {
                self.say("  Configuration console exit, please retry to log on");
                self.waiting = Waiting::Dead;
                self.flush();
                self.acts.push(Act::Close);
            }
            Waiting::NewPassword if !line.trim().eq_ignore_ascii_case("no") => {
                self.write("  New Password: ");
                self.waiting = Waiting::NewPassword;
            }
            Waiting::Logout | Waiting::NewPassword => self.finish(),
            Waiting::Pager | Waiting::Dead => {}
        }
    }

    /// Runs a command. `smart`: it may ask first.
    fn command(&mut self, command: &str, smart: bool) {
        let words: Vec<&str> = command.split_whitespace().collect();
        let Some((&first, rest)) = words.split_first() else {
            return self.finish();
        };
        if smart && self.asks_of_setting(command) {
            return self.ask(command.to_owned(), "{ <cr>||<K> }:", 1);
        }
        if first != "display" {
            self.console.door.ran(&name(&words));
            return match self.setting(&words) {
                Ok(()) => {
                    if self.waiting == Waiting::Command {
                        self.finish();
                    }
                }
                Err(at) => self.refuse(command, at, smart),
            };
        }
        let firmware = self.console.plant.chassis(self.console.olt).firmware;
        match Query::read(self.mode, &firmware, rest) {
            Err(at) => {
                self.console.door.ran(&name(&words));
                self.refuse(command, at, smart);
            }
            Ok(query) => match query.question().filter(|_| smart) {
                // The whole list of an old box is asked about twice.
                Some(question) => {
                    let twice = firmware.is_old() && query == Query::List(None);
                    self.ask(command.to_owned(), question, 1 + u8::from(twice));
                }
                None => {
                    self.console.door.ran(&name(&words));
                    self.display(query);
                }
            },
        }
    }

    fn will_ask(&self, command: &str) -> bool {
        let words: Vec<&str> = command.split_whitespace().collect();
        let firmware = self.console.plant.chassis(self.console.olt).firmware;
        match words.split_first() {
            Some((&"display", rest)) => {
                Query::read(self.mode, &firmware, rest).is_ok_and(|query| query.question().is_some())
            }
            _ => false,
        }
    }

    /// On an old box even `undo smart` asks.
    fn asks_of_setting(&self, command: &str) -> bool {
        command == "undo smart" && self.console.plant.chassis(self.console.olt).firmware.is_old()
    }

    fn ask(&mut self, command: String, question: &str, times: u8) {
        self.write(question);
        self.write(" ");
        self.waiting = Waiting::Question { command, times };
    }

    fn refuse(&mut self, command: &str, at: Wrong, smart: bool) {
        if let Some(question) = at.question.filter(|_| smart) {
            self.write(question);
            self.write(" ");
            self.waiting = Waiting::Missing {
                command: command.to_owned(),
                question,
                wrong: 0,
            };
            return;
        }
        self.error(command, at.kind, at.word);
    }

    /// An answer to a question for something that is missing.
    fn missing(&mut self, command: &str, answer: &str, question: &'static str, wrong: usize) {
        if !answer.is_empty() {
            let whole = format!("{command} {answer}");
            self.write(self.eol);
            self.say("  Command:");
            self.say(&format!("          {whole} "));
            return self.command(&whole, false);
        }
        if wrong + 1 >= ANSWERS_MAX {
            self.say("  Reenter times have reached the upper limit.");
            return self.finish();
        }
        self.write(question);
        self.write(" ");
        self.waiting = Waiting::Missing {
            command: command.to_owned(),
            question,
            wrong: wrong + 1,
        };
    }

    /// A caret under the word, and what is wrong with it.
    fn error(&mut self, command: &str, kind: Error, word: usize) {
        let starts = command
            .char_indices()
            .filter(|&(i, c)| c != ' ' && (i == 0 || command.as_bytes()[i - 1] == b' '));
        let column = starts.map(|(i, _)| i).nth(word).unwrap_or(command.len());
        let column = self.prompt_text().len() + column;
        // A place written with strokes is echoed without its blanks.
        if kind == Error::Parameter && command.contains('/') {
            let joined = command
                .rsplit_once(' ')
                .map_or(command.to_owned(), |(a, b)| format!("{a}{b}"));
            self.say(&format!(" {joined}"));
        }
        self.say(&format!("{:column$}^", ""));
        self.say(&format!("  {}, the error locates at '^'", kind.text()));
        self.finish();
    }

    /// Everything but `display`.
    fn setting(&mut self, words: &[&str]) -> Result<(), Wrong> {
        let enabled = self.mode != Mode::User;
        let in_config = matches!(self.mode, Mode::Config | Mode::Gpon(_));
        match *words {
            ["enable"] if !enabled => self.mode = Mode::Enable,
            ["enable"] => {}
            ["undo", "smart"] => self.settings.smart = false,
            ["smart"] => self.settings.smart = true,
            ["disable"] if enabled => self.mode = Mode::User,
            ["config"] if self.mode == Mode::Enable => self.mode = Mode::Config,
            ["diagnose"] if enabled => self.mode = Mode::Diagnose,
            ["interface", "gpon", at] if in_config => return self.enter_board(at),
            ["return"] if enabled => self.mode = Mode::Enable,
            ["quit"] => self.quit(),
            ["scroll"] => self.scroll(None),
            ["scroll", lines] => match lines.parse::<usize>() {
                Ok(lines @ 10..=512) => self.scroll(Some(lines)),
                _ => return wrong(Error::Parameter, 1),
            },
            ["undo", "interactive"] if enabled => self.settings.interactive = false,
            ["interactive"] if enabled => self.settings.interactive = true,
            ["infoswitch", "cli", word] if enabled => match word.to_ascii_lowercase().as_str() {
                "on" => self.settings.alarms = true,
                "off" => self.settings.alarms = false,
                _ => return wrong(Error::Parameter, 2),
            },
            ["undo", "alarm", "output", "all"] if in_config => self.settings.alarms = false,
            ["undo", "idle-timeout"] if enabled => self.settings.idle = None,
            ["idle-timeout", minutes] if enabled => match minutes.parse::<u64>() {
                Ok(minutes @ 1..=255) => self.settings.idle = Some(Duration::from_secs(minutes * 60)),
                _ => return wrong(Error::Parameter, 1),
            },
            ["mmi-mode", "enable" | "original-output"] if in_config => self.settings.machine = true,
            ["undo", "mmi-mode"] | ["mmi-mode", "disable"] if in_config => self.settings.machine = false,
            ["sysname", host] if in_config => host.clone_into(&mut self.console.plant.chassis(self.console.olt).host),
            _ => return wrong(Error::Unknown, 0),
        }
        Ok(())
    }

    fn enter_board(&mut self, at: &str) -> Result<(), Wrong> {
        let Some(slot) = at.strip_prefix("0/").and_then(|s| s.parse::<u8>().ok()) else {
            return wrong(Error::Parameter, 2);
        };
        if self.console.plant.chassis(self.console.olt).boards.contains_key(&slot) {
            self.mode = Mode::Gpon(slot);
        } else {
            self.say("  Failure: The board does not exist");
        }
        Ok(())
    }

    /// Longer pages or none, where the firmware has an ear for it.
    fn scroll(&mut self, lines: Option<usize>) {
        if self.console.plant.chassis(self.console.olt).firmware.scrolls() {
            self.settings.page = lines;
        }
    }

    fn quit(&mut self) {
        match self.mode {
            Mode::Gpon(_) => self.mode = Mode::Config,
            Mode::Config | Mode::Diagnose => self.mode = Mode::Enable,
            Mode::User | Mode::Enable if self.settings.interactive => {
                self.say("  Check whether system data has been changed. Please save data before logout.");
                self.write("  Are you sure to log out? (y/n)[n]:");
                self.waiting = Waiting::Logout;
            }
            Mode::User | Mode::Enable => {
                self.waiting = Waiting::Logout;
                self.entered("y");
            }
        }
    }

    /// Answers a query, or fails to.
    fn display(&mut self, query: Query) {
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
        let pace = self.console.config.pace;
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

    fn turn_page(&mut self, key: u8) {
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

    fn finish(&mut self) {
        self.write(self.eol);
        self.prompt();
        self.waiting = Waiting::Command;
    }

    fn prompt(&mut self) {
        let prompt = self.prompt_text();
        self.write(&prompt);
    }

    fn prompt_text(&self) -> String {
        let chassis = self.console.plant.chassis(self.console.olt);
        let host = &chassis.host;
        match self.mode {
            Mode::User => format!("{host}>"),
            Mode::Enable => format!("{host}#"),
            Mode::Config => format!("{host}(config)#"),
            Mode::Gpon(slot) => format!("{host}(config-if-gpon-0/{slot})#"),
            Mode::Diagnose => format!("{host}(diagnose)%%"),
        }
    }

    fn close(&mut self) -> Vec<Act> {
        self.waiting = Waiting::Dead;
        self.flush();
        self.acts.push(Act::Close);
        self.done()
    }

    fn lines(&mut self, text: &str) {
        for line in text.lines() {
            self.say(line);
        }
    }

    fn say(&mut self, line: &str) {
        self.write(line);
        self.write(self.eol);
    }

    fn write(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn flush(&mut self) {
        if !self.out.is_empty() {
            self.acts.push(Act::Write(std::mem::take(&mut self.out)));
        }
    }

    fn done(&mut self) -> Vec<Act> {
        self.flush();
        std::mem::take(&mut self.acts)
    }
}

/// A command without its places, numbers and serials.
fn name(words: &[&str]) -> String {
    let plain = |w: &&&str| !w.contains(|c: char| c.is_ascii_digit());
    words.iter().filter(plain).copied().collect::<Vec<_>>().join(" ")
}
