//! The line under the dialogue: bytes out, bytes in, by SSH or telnet.

use futures_util::FutureExt;
use thiserror::Error;

use super::ssh::SshLine;
use super::telnet::TelnetLine;
use crate::dialogue::Failure;

/// What came over the line.
#[derive(Debug)]
pub enum Received {
    /// Bytes of the device.
    Bytes(Vec<u8>),
    /// It was closed.
    Closed,
    /// The session is over by this.
    Failed(Failure),
}

/// The line is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the line is closed")]
pub struct SendError;

/// One of the two.
#[derive(Debug)]
pub enum Line {
    /// A shell over SSH.
    Ssh(Box<SshLine>),
    /// Telnet.
    Telnet(TelnetLine),
}

impl Line {
    /// The first prompt came.
    pub fn logged_in(&mut self) {
        match self {
            Self::Ssh(_) => {}
            Self::Telnet(line) => line.logged_in(),
        }
    }

    /// An answer of so many bytes is expected at most.
    pub fn expect(&mut self, bytes: usize) {
        match self {
            Self::Ssh(line) => line.expect(bytes),
            Self::Telnet(_) => {}
        }
    }

    /// Sends bytes; may wait for as long as the peer takes none.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        match self {
            Self::Ssh(line) => line.send(bytes).await,
            Self::Telnet(line) => line.send(bytes).await,
        }
    }

    /// Waits for what comes next. Dropped while it waits, nothing is lost.
    pub async fn receive(&mut self) -> Received {
        match self {
            Self::Ssh(line) => line.receive().await,
            Self::Telnet(line) => line.receive().await,
        }
    }

    /// What came already; `None` when one would have to wait for it.
    pub fn received_already(&mut self) -> Option<Received> {
        self.receive().now_or_never()
    }

    /// Ends it, as politely as the peer lets it.
    pub async fn close(self) {
        match self {
            Self::Ssh(line) => line.close().await,
            Self::Telnet(line) => line.close().await,
        }
    }
}
