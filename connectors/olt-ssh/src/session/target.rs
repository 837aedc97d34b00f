//! What is spoken with, and for how long at most.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use model::Secret;

use crate::dialogue;

/// One OLT and how to log in to it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name, under which its host key is pinned.
    pub name: String,
    /// Where its command line listens.
    pub address: SocketAddr,
    /// What is spoken there.
    pub transport: Transport,
    /// A user of the device; reading is enough.
    pub user: String,
    /// The user's password.
    pub password: Secret,
}

/// What carries the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// SSH with one of two lists of algorithms.
    Ssh(Profile),
    /// Telnet, for boxes without SSH. The password crosses the network in clear: never chosen by itself.
    Telnet,
}

/// Algorithms that are offered to a device. Chosen per device, never for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// What is thought safe today, RSA host keys from 2,048 bits.
    #[default]
    Modern,
    /// Also what old boxes need: SHA-1 key exchanges, CBC ciphers, `hmac-sha1`, `ssh-rsa` from 1,024 bits.
    Legacy,
}

/// How long each part of a session may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLimits {
    /// TCP, version string and key exchange together.
    pub connect: Duration,
    /// Authentication, shell and first prompt together.
    pub login: Duration,
    /// Until the line takes what we send: a few hundred bytes at most.
    pub send: Duration,
    /// The log-out, with its questions.
    pub leave: Duration,
    /// Of the dialogue. Its `login` is what is left of ours.
    pub dialogue: dialogue::Limits,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            login: Duration::from_secs(20),
            send: Duration::from_secs(10),
            leave: Duration::from_secs(10),
            dialogue: dialogue::Limits::default(),
        }
    }
}

/// Where a session hung when its time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// The TCP connection.
    Tcp,
    /// The peer's version string.
    Version,
    /// The key exchange.
    KeyExchange,
    /// Name and password.
    Authentication,
    /// Channel, terminal and shell.
    Shell,
    /// The first prompt.
    Prompt,
    /// A command was to be sent.
    Sending,
    /// An answer.
    Answer,
    /// The log-out.
    Leaving,
}

impl Stage {
    /// Every stage, in the order they are passed.
    pub const ALL: [Self; 9] = [
        Self::Tcp,
        Self::Version,
        Self::KeyExchange,
        Self::Authentication,
        Self::Shell,
        Self::Prompt,
        Self::Sending,
        Self::Answer,
        Self::Leaving,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::Tcp => "the TCP connection",
            Self::Version => "the version string",
            Self::KeyExchange => "the key exchange",
            Self::Authentication => "the authentication",
            Self::Shell => "the shell",
            Self::Prompt => "the first prompt",
            Self::Sending => "taking a command",
            Self::Answer => "an answer",
            Self::Leaving => "the log-out",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadlines_are_those_that_operators_are_told() {
        let limits = SessionLimits::default();
        let answer = (limits.dialogue.silence, limits.dialogue.total);
        assert_eq!(
            (limits.connect, limits.login, answer),
            (
                Duration::from_secs(10),
                Duration::from_secs(20),
                (Duration::from_secs(30), Duration::from_secs(600))
            )
        );
    }
}
