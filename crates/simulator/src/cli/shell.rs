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
use super::login::Login;
use super::query::{Error, Mode, Query};
use super::settings::Settings;

/// Letters of a command line; more are not taken.
const LINE_MAX: usize = 512;
/// Width of the screen, whatever the client says.
const WIDTH: usize = 80;

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
pub(super) enum Waiting {
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

/// One session.
pub(crate) struct Shell {
    pub(super) console: Arc<Console>,
    pub(super) mode: Mode,
    pub(super) settings: Settings,
    pub(super) waiting: Waiting,
    line: String,
    pub(super) after_cr: bool,
    pub(super) eol: &'static str,
    /// Lines that are still to print, and how many fit on the page.
    pub(super) rest: VecDeque<String>,
    pub(super) left: Option<usize>,
    /// Each line of the rest costs a question to an ONU.
    pub(super) asks_onus: bool,
    /// What comes instead of the next prompt.
    pub(super) end: Option<CliFault>,
    pub(super) unasked: usize,
    pub(super) out: Vec<u8>,
    pub(super) acts: Vec<Act>,
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

    pub(super) fn entered(&mut self, line: &str) {
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
    pub(super) fn command(&mut self, command: &str, smart: bool) {
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

    pub(super) fn finish(&mut self) {
        for _ in 0..self.console.config.prompts.max(1) {
            self.write(self.eol);
            self.prompt();
        }
        self.waiting = Waiting::Command;
    }

    pub(super) fn prompt(&mut self) {
        let prompt = self.prompt_text();
        self.write(&prompt);
    }

    pub(super) fn prompt_text(&self) -> String {
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

    pub(super) fn close(&mut self) -> Vec<Act> {
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

    pub(super) fn say(&mut self, line: &str) {
        self.write(line);
        self.write(self.eol);
    }

    pub(super) fn write(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn flush(&mut self) {
        if !self.out.is_empty() {
            self.acts.push(Act::Write(std::mem::take(&mut self.out)));
        }
    }

    pub(super) fn done(&mut self) -> Vec<Act> {
        self.flush();
        std::mem::take(&mut self.acts)
    }
}

/// A command without its places, numbers and serials.
fn name(words: &[&str]) -> String {
    let plain = |w: &&&str| !w.contains(|c: char| c.is_ascii_digit());
    words.iter().filter(plain).copied().collect::<Vec<_>>().join(" ")
}
