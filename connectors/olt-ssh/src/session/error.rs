//! Why a session could not be opened, or a command not be run; what to count it as and when to come back.

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::pins::{Pin, PinsError};
use super::target::Stage;
use crate::decode::Answer;
use crate::dialogue::{Failure, NotBegun};

/// After a login of which one does not know how it ended.
const UNCLEAR_LOGIN_PAUSE: Duration = Duration::from_secs(60);

/// What went wrong, for counting: few and closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Nobody answers at the address.
    Unreachable,
    /// No algorithm in common, or a host key too short.
    Algorithms,
    /// Another host key than the one that is trusted.
    HostKeyChanged,
    /// The trusted host keys cannot be read or written.
    Pins,
    /// Name or password refused.
    Refused,
    /// The device asks for a login that this connector does not do.
    Methods,
    /// The user is locked for a while.
    Locked,
    /// No further session of this user.
    TooManySessions,
    /// A decision at the first login.
    FirstLogin,
    /// A deadline passed.
    Timeout(Stage),
    /// The peer closed the line.
    Closed,
    /// The peer breaks the protocol.
    Protocol,
    /// More bytes or questions than are taken.
    TooMuch,
    /// The device is busy.
    Busy,
    /// The command is not one that can be sent, or lacks a parameter.
    Command,
}

impl Class {
    /// A word for metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Algorithms => "algorithms",
            Self::HostKeyChanged => "host_key_changed",
            Self::Pins => "pins",
            Self::Refused => "refused",
            Self::Methods => "methods",
            Self::Locked => "locked",
            Self::TooManySessions => "too_many_sessions",
            Self::FirstLogin => "first_login",
            Self::Timeout(Stage::Tcp) => "timeout_tcp",
            Self::Timeout(Stage::Version) => "timeout_version",
            Self::Timeout(Stage::KeyExchange) => "timeout_key_exchange",
            Self::Timeout(Stage::Authentication) => "timeout_authentication",
            Self::Timeout(Stage::Shell) => "timeout_shell",
            Self::Timeout(Stage::Prompt) => "timeout_prompt",
            Self::Timeout(Stage::Sending) => "timeout_sending",
            Self::Timeout(Stage::Answer) => "timeout_answer",
            Self::Timeout(Stage::Leaving) => "timeout_leaving",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
            Self::TooMuch => "too_much",
            Self::Busy => "busy",
            Self::Command => "command",
        }
    }

    /// How long to leave the device alone at least; `None`: until a person has acted.
    ///
    /// 60 s after "Reenter times", 30 min for a locked user (R018 locks for 10 to 30), 10 min where only a changed setting
    /// here or on the device helps but asking costs no login.
    pub fn retry_after(self) -> Option<Duration> {
        let seconds = match self {
            Self::HostKeyChanged | Self::Refused | Self::Methods | Self::FirstLogin => return None,
            Self::Locked => 1_800,
            Self::Algorithms | Self::Pins => 600,
            Self::TooManySessions | Self::Busy => 60,
            // A session that was cut is forgotten by the device after about 8 s.
            Self::Unreachable | Self::Timeout(_) | Self::Closed | Self::Protocol | Self::TooMuch => 10,
            Self::Command => 0,
        };
        Some(Duration::from_secs(seconds))
    }

    fn of(failure: Failure) -> Self {
        match failure {
            Failure::Refused => Self::Refused,
            Failure::Locked => Self::Locked,
            Failure::TooManySessions => Self::TooManySessions,
            Failure::FirstLogin => Self::FirstLogin,
            Failure::NoPrompt => Self::Timeout(Stage::Prompt),
            Failure::Silent | Failure::TooSlow => Self::Timeout(Stage::Answer),
            Failure::TooMuch | Failure::TooManyQuestions => Self::TooMuch,
            Failure::Incomplete => Self::Command,
            Failure::Ended | Failure::Closed => Self::Closed,
        }
    }
}

/// Why there is no session. Holds no password and no text of the peer but names of algorithms and fingerprints.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No TCP connection.
    #[error("no connection to the device")]
    Unreachable(#[source] io::Error),
    /// Nothing in common.
    #[error("no {kind} in common: the device offers {theirs}; `profile = \"legacy\"` in its `ssh` allows more")]
    Algorithms {
        /// Of what kind.
        kind: String,
        /// What the device offers.
        theirs: String,
    },
    /// A host key that anybody could have broken.
    #[error(
        "the device's host key has {bits} bits, and {min} are the least: renew it, or set `profile = \"legacy\"` in its `ssh`"
    )]
    WeakHostKey {
        /// Its length.
        bits: u32,
        /// The least.
        min: u32,
    },
    /// Perhaps another device, perhaps somebody in between.
    #[error("the host key changed from {pinned} to {offered}: if that is right, remove the old one")]
    HostKeyChanged {
        /// The trusted one.
        pinned: Pin,
        /// The one that was shown.
        offered: Pin,
    },
    /// Trusted keys unknown: nobody is trusted.
    #[error("the trusted host keys cannot be used")]
    Pins(#[from] PinsError),
    /// It wants a key, a second factor or more than one answer.
    #[error("the device wants another login than by password: it takes {methods}")]
    Methods {
        /// What it takes.
        methods: String,
    },
    /// A name or password that cannot be typed.
    #[error("the {what} holds a control character, which cannot be typed over telnet")]
    Untypable {
        /// `user` or `password`.
        what: &'static str,
    },
    /// It took too long.
    #[error("the device did not finish {0} in time")]
    Timeout(Stage),
    /// The peer closed the line.
    #[error("the device closed the line during {0}")]
    Closed(Stage),
    /// More than a login can need.
    #[error("the device sends more than a login can need")]
    TooMuch,
    /// SSH broken.
    #[error("the device breaks the protocol during {stage}: {problem}")]
    Protocol {
        /// When.
        stage: Stage,
        /// What is wrong, in the words of the library.
        problem: String,
    },
    /// What the device says: the name or the password refused, no further session, the user locked, a decision at the first
    /// login. Nothing of it is tried again by another method.
    #[error(transparent)]
    Login(Failure),
}

impl OpenError {
    /// What to count it as.
    pub fn class(&self) -> Class {
        match self {
            Self::Unreachable(_) => Class::Unreachable,
            Self::Algorithms { .. } | Self::WeakHostKey { .. } => Class::Algorithms,
            Self::HostKeyChanged { .. } => Class::HostKeyChanged,
            Self::Pins(_) => Class::Pins,
            Self::Methods { .. } | Self::Untypable { .. } => Class::Methods,
            Self::Timeout(stage) => Class::Timeout(*stage),
            Self::Closed(_) => Class::Closed,
            Self::TooMuch => Class::TooMuch,
            Self::Protocol { .. } => Class::Protocol,
            Self::Login(failure) => Class::of(*failure),
        }
    }

    /// How long to leave the device alone at least; `None`: until a person has acted.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            // Perhaps it was the password that displeased, and some boxes count.
            Self::Closed(Stage::Authentication) | Self::Timeout(Stage::Authentication) => Some(UNCLEAR_LOGIN_PAUSE),
            _ => self.class().retry_after(),
        }
    }
}

/// Why a command has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RunError {
    /// It was not sent. The session goes on.
    #[error(transparent)]
    NotBegun(NotBegun),
    /// It lacks a parameter. The session goes on.
    #[error("the command is incomplete: the device asks for more")]
    Incomplete,
    /// The device is busy. The session goes on.
    #[error("the device is busy")]
    Busy {
        /// For seconds or for minutes.
        answer: Answer,
    },
    /// The session is over.
    #[error("the session is over")]
    Over {
        /// Why.
        #[source]
        failure: Failure,
        /// Whether the command was sent: what it should change may be changed.
        sent: bool,
    },
    /// The session is over: the line did not take what was to be sent.
    #[error("the device did not take what was sent in time")]
    Stalled,
    /// The session is over for us; the device may keep it until its idle time has passed.
    #[error("the device did not finish the log-out in time")]
    NotLeft,
}

impl RunError {
    /// What to count it as.
    pub fn class(&self) -> Class {
        match self {
            Self::NotBegun(_) | Self::Incomplete => Class::Command,
            Self::Busy { .. } => Class::Busy,
            Self::Over { failure, .. } => Class::of(*failure),
            Self::Stalled => Class::Timeout(Stage::Sending),
            Self::NotLeft => Class::Timeout(Stage::Leaving),
        }
    }

    /// Whether the session is over with it.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::NotBegun(problem) => *problem == NotBegun::NotReady,
            Self::Incomplete | Self::Busy { .. } => false,
            Self::Over { .. } | Self::Stalled | Self::NotLeft => true,
        }
    }

    /// How long to leave the device alone at least; `None`: until a person has acted.
    pub fn retry_after(&self) -> Option<Duration> {
        let least = self.class().retry_after()?;
        match self {
            Self::Busy { answer } => answer.retry_after().map(|wait| wait.max(least)).or(Some(least)),
            _ => Some(least),
        }
    }
}
