//! The line over telnet: options, login, bytes. Chosen for a device by hand, because its password crosses the network in clear.

mod login;
mod options;

use model::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use self::login::{Login, LoginDialogue, Step};
use self::options::Options;
use super::error::OpenError;
use super::line::{Received, SendError};
use super::target::{Stage, Target};
use crate::dialogue::Failure;

const PIECE_BYTES: usize = 16 * 1_024;

/// Bytes of a login at most: warnings and banners in front of the questions.
const LOGIN_BYTES_MAX: usize = 64 * 1_024;

/// A telnet connection.
#[derive(Debug)]
pub struct TelnetLine {
    stream: TcpStream,
    piece: Vec<u8>,
    options: Options,
    /// Until the first prompt: a question asked again is a refusal.
    login: Option<LoginDialogue>,
}

/// Logs in: name and password are given when this returns, and nothing after them was read.
pub async fn open(stream: TcpStream, target: &Target, until: Instant) -> Result<TelnetLine, OpenError> {
    for (what, text) in [("user", target.user.as_str()), ("password", target.password.expose())] {
        if text.chars().any(char::is_control) {
            return Err(OpenError::Untypable { what });
        }
    }
    let mut line = TelnetLine {
        stream,
        piece: Vec::with_capacity(PIECE_BYTES),
        options: Options::new(),
        login: Some(LoginDialogue::new()),
    };
    let said = timeout_at(until, line.say(&target.user, &target.password)).await;
    said.unwrap_or(Err(OpenError::Timeout(Stage::Authentication)))?;
    Ok(line)
}

impl TelnetLine {
    /// Answers the login's questions.
    async fn say(&mut self, user: &str, password: &Secret) -> Result<(), OpenError> {
        let stage = Stage::Authentication;
        let mut came = 0;
        loop {
            let data = match self.read().await {
                Received::Bytes(data) => data,
                Received::Closed => return Err(OpenError::Closed(stage)),
                Received::Failed(Failure::TooMuch) => return Err(OpenError::TooMuch),
                Received::Failed(failure) => return Err(OpenError::Login(failure)),
            };
            came += data.len();
            if came > LOGIN_BYTES_MAX {
                return Err(OpenError::TooMuch);
            }
            let Some(login) = &mut self.login else {
                return Ok(());
            };
            let reply = match login.received(&data) {
                Step::None => continue,
                Step::SendName => user,
                Step::SendPassword => password.expose(),
                Step::Failed(failure) => return Err(OpenError::Login(failure)),
            };
            let done = login.stands() == Login::Told;
            let typed = Options::sent(format!("{reply}\n").as_bytes());
            self.stream
                .write_all(&typed)
                .await
                .map_err(|_| OpenError::Closed(stage))?;
            if done {
                return Ok(());
            }
        }
    }

    /// The first prompt came.
    pub fn logged_in(&mut self) {
        self.login = None;
    }

    /// Sends bytes of the dialogue.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        let sent = Options::sent(bytes);
        self.stream.write_all(&sent).await.map_err(|_| SendError)
    }

    /// Waits for bytes of the device. Dropped while it waits, nothing is lost.
    pub async fn receive(&mut self) -> Received {
        let received = self.read().await;
        let (Received::Bytes(data), Some(login)) = (&received, &mut self.login) else {
            return received;
        };
        match login.received(data) {
            Step::Failed(failure) => Received::Failed(failure),
            _ => received,
        }
    }

    async fn read(&mut self) -> Received {
        loop {
            self.piece.clear();
            match self.stream.read_buf(&mut self.piece).await {
                Ok(0) | Err(_) => return Received::Closed,
                Ok(_) => {}
            }
            let mut data = Vec::with_capacity(self.piece.len());
            let Ok(reply) = self.options.received(&self.piece, &mut data) else {
                return Received::Failed(Failure::TooMuch);
            };
            // A few bytes into an idle connection. A peer that takes none of them gets none: it does not hold us up.
            if !reply.is_empty() && self.stream.try_write(&reply).is_err() {
                return Received::Closed;
            }
            if !data.is_empty() {
                return Received::Bytes(data);
            }
        }
    }

    /// Ends the connection.
    pub async fn close(mut self) {
        if let Err(error) = self.stream.shutdown().await {
            tracing::trace!(%error, "the telnet connection was closed already");
        }
    }
}
