//! What a dialogue is given, and what comes of it.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::decode::BYTES_MAX;

/// How long and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From the shell's opening to its first prompt.
    pub login: Duration,
    /// Between two bytes of an answer: slow commands are silent for long.
    pub silence: Duration,
    /// Of one answer in all.
    pub total: Duration,
    /// Quiet after a prompt, before it is taken for the last one.
    pub settle: Duration,
    /// Bytes of one answer.
    pub bytes_max: usize,
    /// Questions and pages of one answer.
    pub questions_max: u32,
    /// Whether the device echoes. In its machine mode it does not.
    pub echo: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(20),
            silence: Duration::from_secs(30),
            total: Duration::from_secs(600),
            settle: Duration::from_millis(150),
            bytes_max: BYTES_MAX,
            questions_max: 50_000,
            echo: true,
        }
    }
}

/// What comes of bytes and time.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Send this now.
    Send(&'static [u8]),
    /// The first prompt stands there: commands may begin.
    Ready,
    /// The answer of the command in flight, echo and prompt included, for [`crate::decode::read`].
    Answered(Vec<u8>),
    /// The session was left as it should be.
    Left,
    /// The command, or the session if [`Failure::is_fatal`], is over.
    Failed(Failure),
}

impl fmt::Debug for Outcome {
    /// Not the answer: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(bytes) => write!(f, "Send({:?})", String::from_utf8_lossy(bytes)),
            Self::Ready => f.write_str("Ready"),
            Self::Answered(bytes) => write!(f, "Answered({} bytes)", bytes.len()),
            Self::Left => f.write_str("Left"),
            Self::Failed(failure) => write!(f, "Failed({failure:?})"),
        }
    }
}

/// Why a command or a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Failure {
    /// Name or password.
    #[error("the device refuses the name or the password: correct it, it is not tried again")]
    Refused,
    /// The user, by itself, for a time.
    #[error("the device has locked the user")]
    Locked,
    /// Too many sessions of this user, or the one before is not yet forgotten.
    #[error("the device allows no further session of this user")]
    TooManySessions,
    /// It wants a new password at the first login.
    #[error("the device wants a decision at the first login: log in once by hand")]
    FirstLogin,
    /// It ended the session, after its idle time.
    #[error("the device ended the session")]
    Ended,
    /// The line was closed.
    #[error("the line was closed")]
    Closed,
    /// No prompt after the login.
    #[error("no prompt came in time after the login")]
    NoPrompt,
    /// No byte for too long.
    #[error("the device fell silent in the middle of an answer")]
    Silent,
    /// Too long in all.
    #[error("the answer took too long in all")]
    TooSlow,
    /// Too many bytes.
    #[error("the answer is longer than what is read")]
    TooMuch,
    /// Too many questions.
    #[error("the device asks without end")]
    TooManyQuestions,
    /// It asked for a parameter that cannot be left out. The session goes on.
    #[error("the command is incomplete: the device asks for more")]
    Incomplete,
}

impl Failure {
    /// Whether the session is over with it.
    pub fn is_fatal(self) -> bool {
        self != Self::Incomplete
    }

    /// What a text means that a device says during the login, if it ends it.
    pub fn in_login(text: &str) -> Option<Self> {
        const TEXTS: [(&str, Failure); 4] = [
            ("Reenter times have reached the upper limit", Failure::TooManySessions),
            ("Username or password invalid", Failure::Refused),
            ("Username or Domain invalid", Failure::Refused),
            ("YES/NO", Failure::FirstLogin),
        ];
        let said = TEXTS.iter().find(|(said, _)| text.contains(said));
        said.map(|(_, failure)| *failure)
            .or_else(|| text.lines().any(says_locked).then_some(Self::Locked))
    }

    /// When to try again; never by itself where that would lock the user out.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Refused | Self::FirstLogin | Self::Incomplete => None,
            Self::TooManySessions => Some(Duration::from_secs(60)),
            // R018 locks for 10 to 30 min.
            Self::Locked => Some(Duration::from_secs(1_800)),
            // A closed session is forgotten after about 8 s.
            _ => Some(Duration::from_secs(10)),
        }
    }
}

/// Whether a line says that the user is locked, and not when users are. No recording has it: by its words, at the beginning of a
/// line.
fn says_locked(line: &str) -> bool {
    const BEGINNINGS: [&str; 5] = ["the user", "user ", "the account", "account ", "your account"];
    const ENDS: [&str; 3] = [" is locked", " has been locked", " was locked"];
    let line = line.trim_ascii().to_ascii_lowercase();
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning)) && ENDS.iter().any(|end| line.contains(end))
}

/// Why a command cannot begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotBegun {
    /// Another is in flight, or the session is over or not yet there.
    #[error("the session is not ready for a command")]
    NotReady,
    /// It holds a character that changes the meaning of a command line, or is too long.
    #[error("the command holds a character that a device's command line would take for something else")]
    BadCharacter,
}
