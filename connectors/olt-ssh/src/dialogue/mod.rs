//! The dialogue with an OLT's command line, without the line: bytes and instants in, what to send and what came of it out.
//!
//! ```text
//!            prompt, then quiet          begin                    prompt, then quiet
//!  Greeting ───────────────────▶ Ready ─────────▶ Running ─────────────────────────▶ Ready
//!      │                           │  leave          │ pager: blank · { <cr> }: Enter · (y/n)[n]: as told
//!      │                           └──────▶ Leaving ─┴─▶ Over: the line was closed, or a limit or a refusal ended it
//! ```
//!
//! - One command at a time. A prompt ends an answer only after the echo of its command: several may be queued from before.
//! - Nothing is answered but the three kinds of question; `y` only where the command in flight is known to ask.
//! - Every wait has a limit: of silence, of time in all, of bytes and of questions.
//!
//! No network, no clock: the owner of the line calls [`Dialogue::received`], and [`Dialogue::elapsed`] at [`Dialogue::deadline`].

mod outcome;

use std::fmt;
use std::time::Instant;

pub use outcome::{Failure, Limits, NotBegun, Outcome};

use crate::decode::{prompt, text_of};

/// Bytes of a command at most.
const COMMAND_BYTES_MAX: usize = 512;
/// Bytes of the last line that are looked at for a question or the end of the session.
const TAIL_BYTES_MAX: usize = 1_024;
/// Bytes of a line that may be a prompt: pager residue, a host name and a mode.
const PROMPT_LINE_BYTES_MAX: usize = 300;
/// What a pager says.
const PAGER: &[u8] = b"---- More ( Press 'Q' to break ) ----";
/// Levels between a profile and the end of a session, with room.
const QUITS_MAX: u32 = 8;

#[derive(PartialEq, Eq)]
enum State {
    Greeting,
    Ready,
    Running(Running),
    Leaving { quits: u32 },
    Over,
}

#[derive(PartialEq, Eq)]
struct Running {
    /// Letters of the command, without blanks.
    command: Vec<u8>,
    /// How many of them were echoed.
    echoed: usize,
    /// Whether it asks for confirmation, and that is given.
    confirm: bool,
    /// A parameter was asked for and the command broken off.
    broken: bool,
    questions: u32,
    begun: Instant,
}

/// One session's dialogue.
pub struct Dialogue {
    limits: Limits,
    state: State,
    host: Option<String>,
    /// What came since the command.
    bytes: Vec<u8>,
    /// Up to where pagers were looked for and questions answered.
    seen: usize,
    /// Where the last line begins.
    line: usize,
    /// A prompt stood at the end of what came, here.
    prompt: Option<usize>,
    /// When the last byte came.
    last: Instant,
    /// When the shell was opened, or leaving begun: no dribble of bytes makes either last for ever.
    since: Instant,
}

impl fmt::Debug for Dialogue {
    /// Neither the command nor its answer: there may be a password in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Greeting => "greeting",
            State::Ready => "ready",
            State::Running(_) => "running",
            State::Leaving { .. } => "leaving",
            State::Over => "over",
        };
        write!(f, "Dialogue({state}, {} bytes)", self.bytes.len())
    }
}

impl Dialogue {
    /// A shell was opened now.
    pub fn new(limits: Limits, now: Instant) -> Self {
        let bytes = Vec::new();
        Self {
            limits,
            state: State::Greeting,
            host: None,
            bytes,
            seen: 0,
            line: 0,
            prompt: None,
            last: now,
            since: now,
        }
    }

    /// The host name in the prompts, once learnt.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Whether a command may begin.
    pub fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// Whether the session is over.
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Begins a command; returns what to send. `confirm` only for one that is known to ask `(y/n)` and shall be done.
    ///
    /// # Errors
    /// When another is in flight, or a character of it would mean something else (`?` opens the help in the middle of a line).
    pub fn begin(&mut self, command: &str, confirm: bool, now: Instant) -> Result<Vec<u8>, NotBegun> {
        if self.state != State::Ready {
            return Err(NotBegun::NotReady);
        }
        let plain = |byte: u8| byte == b' ' || (byte.is_ascii_graphic() && !matches!(byte, b'?' | b'!'));
        if command.trim_ascii().is_empty() || command.len() > COMMAND_BYTES_MAX || !command.bytes().all(plain) {
            return Err(NotBegun::BadCharacter);
        }
        let letters = command.bytes().filter(|byte| *byte != b' ').collect();
        self.state = State::Running(Running {
            command: letters,
            echoed: 0,
            confirm,
            broken: false,
            questions: 0,
            begun: now,
        });
        self.forget(now);
        Ok([command.as_bytes(), b"\n"].concat())
    }

    /// Begins to leave; returns what to send.
    ///
    /// # Errors
    /// When a command is in flight.
    pub fn leave(&mut self, now: Instant) -> Result<&'static [u8], NotBegun> {
        if self.state != State::Ready {
            return Err(NotBegun::NotReady);
        }
        self.state = State::Leaving { quits: 1 };
        self.since = now;
        self.forget(now);
        Ok(QUIT)
    }

    /// Bytes came.
    pub fn received(&mut self, bytes: &[u8], now: Instant) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        if self.state == State::Over || bytes.is_empty() {
            return outcomes;
        }
        self.last = now;
        if self.state == State::Ready {
            // Late prompts and unasked alarms; only the end of the session matters.
            self.bytes.clear();
            (self.seen, self.line, self.prompt) = (0, 0, None);
        }
        if self.bytes.len() + bytes.len() > self.limits.bytes_max {
            self.fail(Failure::TooMuch, &mut outcomes);
            return outcomes;
        }
        // What is new, from the beginning of its line: a text may be cut anywhere.
        let from = self.line.max(self.bytes.len().saturating_sub(TAIL_BYTES_MAX));
        self.take(bytes);
        if let Some(failure) = self.refusal(from) {
            self.fail(failure, &mut outcomes);
            return outcomes;
        }
        self.pages(&mut outcomes);
        self.tail(&mut outcomes);
        outcomes
    }

    /// Time passed: to be called at [`Self::deadline`].
    pub fn elapsed(&mut self, now: Instant) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return outcomes;
        }
        let settled = self.prompt.is_some() && now >= self.last + self.limits.settle;
        match &mut self.state {
            State::Greeting if settled => {
                self.state = State::Ready;
                outcomes.push(Outcome::Ready);
            }
            State::Greeting => self.fail(Failure::NoPrompt, &mut outcomes),
            State::Running(running) if settled => {
                let broken = running.broken;
                self.state = State::Ready;
                let bytes = std::mem::take(&mut self.bytes);
                outcomes.push(if broken {
                    Outcome::Failed(Failure::Incomplete)
                } else {
                    Outcome::Answered(bytes)
                });
            }
            State::Leaving { quits } if settled && *quits < QUITS_MAX => {
                *quits += 1;
                self.forget(now);
                outcomes.push(Outcome::Send(QUIT));
            }
            State::Running(running) if now >= running.begun + self.limits.total => {
                self.fail(Failure::TooSlow, &mut outcomes);
            }
            State::Running(_) | State::Leaving { .. } => self.fail(Failure::Silent, &mut outcomes),
            State::Ready | State::Over => {}
        }
        outcomes
    }

    /// When [`Self::elapsed`] must be called, unless bytes come before.
    pub fn deadline(&self) -> Option<Instant> {
        let settled = self.prompt.map(|_| self.last + self.limits.settle);
        match &self.state {
            State::Greeting => {
                let end = self.since + self.limits.login;
                Some(settled.map_or(end, |settled| settled.min(end)))
            }
            State::Running(running) => {
                let silent = settled.unwrap_or(self.last + self.limits.silence);
                Some(silent.min(running.begun + self.limits.total))
            }
            State::Leaving { .. } => {
                let silent = settled.unwrap_or(self.last + self.limits.silence);
                Some(silent.min(self.since + self.limits.total))
            }
            State::Ready | State::Over => None,
        }
    }

    /// The line was closed.
    pub fn closed(&mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        match self.state {
            State::Over => {}
            State::Leaving { .. } => {
                self.state = State::Over;
                outcomes.push(Outcome::Left);
            }
            _ => self.fail(Failure::Closed, &mut outcomes),
        }
        outcomes
    }

    fn forget(&mut self, now: Instant) {
        self.bytes.clear();
        (self.seen, self.line, self.prompt, self.last) = (0, 0, None, now);
    }

    fn fail(&mut self, failure: Failure, outcomes: &mut Vec<Outcome>) {
        self.state = State::Over;
        self.bytes = Vec::new();
        (self.seen, self.line, self.prompt) = (0, 0, None);
        outcomes.push(Outcome::Failed(failure));
    }

    /// Takes bytes in: the last line, the echo, and whether a prompt still is one.
    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.bytes.push(byte);
            if byte == b'\n' {
                self.line = self.bytes.len();
            } else if self.prompt.is_some_and(|prompt| prompt >= self.line) && !matches!(byte, b' ' | b'\r') {
                // Something follows on the prompt's own line: an echo, or no prompt at all.
                self.prompt = None;
            }
            if let State::Running(running) = &mut self.state {
                running.echo(byte);
            }
            if self.prompt.is_none() && matches!(byte, b'>' | b'#' | b'%') {
                self.prompt_here();
            }
        }
    }

    /// Whether the last line is a prompt so far.
    fn prompt_here(&mut self) {
        let echoed = match &self.state {
            State::Running(running) => !self.limits.echo || running.echoed == running.command.len(),
            _ => true,
        };
        let line = &self.bytes[self.line..];
        if !echoed || line.len() > PROMPT_LINE_BYTES_MAX {
            return;
        }
        let text = text_of(line);
        let Some((host, "")) = prompt(shown(&text)) else {
            return;
        };
        if self.state == State::Greeting {
            self.host = Some(host.to_owned());
        } else if self.host.as_deref() != Some(host) {
            return;
        }
        self.prompt = Some(self.bytes.len());
    }

    /// Texts that end a session, whatever it does; those of a login only while it lasts.
    fn refusal(&self, from: usize) -> Option<Failure> {
        let text = text_of(&self.bytes[from..]);
        let in_login = self.state == State::Greeting;
        if let Some(failure) = in_login.then(|| Failure::in_login(&text)).flatten() {
            return Some(failure);
        }
        let ended = |line: &str| {
            shown(line)
                .trim_ascii_start()
                .starts_with("Configuration console time out")
        };
        text.lines().any(ended).then_some(Failure::Ended)
    }

    /// Answers pagers wherever they stand: an alarm may be printed after one.
    fn pages(&mut self, outcomes: &mut Vec<Outcome>) {
        while self.state != State::Over {
            let rest = &self.bytes[self.seen..];
            let Some(at) = rest.windows(PAGER.len()).position(|window| window == PAGER) else {
                self.seen = self.seen.max(self.bytes.len().saturating_sub(PAGER.len() - 1));
                return;
            };
            self.seen += at + PAGER.len();
            self.answer(b" ", outcomes);
        }
    }

    /// Answers a question at the end of what came.
    fn tail(&mut self, outcomes: &mut Vec<Outcome>) {
        let line = &self.bytes[self.line..];
        if line.len() > TAIL_BYTES_MAX || !line.trim_ascii_end().ends_with(b":") {
            return;
        }
        let text = text_of(line);
        let text = shown(&text).trim_ascii();
        let asks = text.starts_with('{') && text.ends_with("}:");
        let confirms = text.ends_with("(y/n)[n]:") || text.ends_with("(y/n) [n]:") || text.ends_with("(y/n)[y]:");
        let reply: &'static [u8] = match (&mut self.state, asks, confirms) {
            (State::Running(_), true, _) if text.contains("<cr>") => ENTER,
            (State::Running(running), true, _) => {
                running.broken = true;
                BREAK
            }
            (State::Running(running), _, true) => {
                if running.confirm {
                    YES
                } else {
                    NO
                }
            }
            (State::Leaving { .. }, _, true) => YES,
            (State::Leaving { .. }, true, _) => ENTER,
            _ => return,
        };
        // What was answered is a line of its own, so that its rest (a blank) is not asked again.
        self.line = self.bytes.len();
        self.seen = self.bytes.len();
        self.answer(reply, outcomes);
    }

    fn answer(&mut self, reply: &'static [u8], outcomes: &mut Vec<Outcome>) {
        if let State::Running(running) = &mut self.state {
            running.questions += 1;
            if running.questions > self.limits.questions_max {
                self.fail(Failure::TooManyQuestions, outcomes);
                return;
            }
        }
        outcomes.push(Outcome::Send(reply));
    }
}

const QUIT: &[u8] = b"quit\n";
const ENTER: &[u8] = b"\n";
const BREAK: &[u8] = b"\x03";
const YES: &[u8] = b"y\n";
const NO: &[u8] = b"n\n";

impl Running {
    /// Follows the echo, blanks and line ends aside: a long command is echoed wrapped.
    fn echo(&mut self, byte: u8) {
        if self.echoed == self.command.len() || byte.is_ascii_whitespace() || byte.is_ascii_control() {
            return;
        }
        if !byte.eq_ignore_ascii_case(&self.command[self.echoed]) {
            self.echoed = 0;
        }
        if byte.eq_ignore_ascii_case(&self.command[self.echoed]) {
            self.echoed += 1;
        }
    }
}

/// The part of a line that still shows: what a carriage return or an escape wrote over is gone.
fn shown(line: &str) -> &str {
    let line = line.trim_ascii_end();
    let from = line.rfind(['\r', '\x1b']).map_or(0, |at| at + 1);
    let rest = &line[from..];
    match rest.strip_prefix('[') {
        Some(rest) if from > 0 => rest
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start_matches('D'),
        _ => rest,
    }
}
