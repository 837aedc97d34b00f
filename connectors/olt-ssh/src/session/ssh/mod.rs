//! The line over SSH: one connection, one channel, a terminal and a shell.
//!
//! What may hang is bounded from outside: every wait of the opening by the two deadlines, the library's own task by the leash.

mod algorithms;
mod handler;
mod leash;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, AuthResult, Config, Handle, KeyboardInteractiveAuthResponse};
use russh::{Channel, ChannelMsg, Disconnect, MethodKind, MethodSet};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

pub use self::algorithms::Negotiated;
use self::handler::{Client, Notes};
use self::leash::Leash;
use super::error::OpenError;
use super::line::{Received, SendError};
use super::pins::Pin;
use super::target::{Profile, Stage, Target};
use crate::dialogue::Failure;

/// Bytes of everything up to the shell: a key exchange is a few kB.
const LOGIN_BYTES_MAX: usize = 1 << 20;
/// What the peer may send before we have taken it: with the buffer below, what a session holds at most.
const WINDOW_BYTES: u32 = 256 * 1_024;
const PACKET_BYTES: u32 = 32 * 1_024;
const PACKETS_BUFFERED: usize = 16;
/// A row in a packet of its own has as many bytes around it.
const OVERHEAD: usize = 4;
/// Columns and rows of the terminal. The device takes no notice.
const TERMINAL: (u32, u32) = (200, 0);
/// Letters of what a peer names, in an error.
const NAMES_MAX: usize = 300;
/// Until the peer has taken our good-bye.
const GOOD_BYE: Duration = Duration::from_secs(1);

/// A connection whose host key is trusted. No password was sent yet.
pub struct Connected {
    handle: Handle<Client>,
    leash: Leash,
    notes: Notes,
    host_key: Pin,
}

/// A shell.
pub struct SshLine {
    channel: Channel<client::Msg>,
    handle: Handle<Client>,
    leash: Leash,
    notes: Notes,
    /// What came before the shell was said to be there.
    early: VecDeque<Vec<u8>>,
}

/// Connects to what is behind `stream`: when this returns, it has proved that it holds the trusted host key, or with none the one
/// it shows.
pub async fn connect(
    stream: TcpStream,
    profile: Profile,
    pinned: Option<&Pin>,
    until: Instant,
) -> Result<Connected, OpenError> {
    let notes = Notes::default();
    let client = Client {
        trusted: pinned.cloned(),
        rsa_bits_min: algorithms::rsa_bits_min(profile),
        notes: notes.clone(),
    };
    let config = Config {
        client_id: handler::client_id(),
        preferred: algorithms::preferred(profile, pinned),
        gex: algorithms::gex(),
        window_size: WINDOW_BYTES,
        maximum_packet_size: PACKET_BYTES,
        channel_buffer_size: PACKETS_BUFFERED,
        // No keep-alives: some boxes end the session at one. Silence is the dialogue's matter.
        keepalive_interval: None,
        inactivity_timeout: None,
        nodelay: true,
        ..Config::default()
    };
    let (leash, leashed) = leash::leash(stream, LOGIN_BYTES_MAX);
    let connecting = client::connect_stream(Arc::new(config), leashed, client);
    let handle = match timeout_at(until, Box::pin(connecting)).await {
        Err(_) if leash.had_version() => return Err(OpenError::Timeout(Stage::KeyExchange)),
        Err(_) => return Err(OpenError::Timeout(Stage::Version)),
        Ok(Ok(handle)) => handle,
        Ok(Err(error)) => {
            return Err(refused_key(&notes, pinned).unwrap_or_else(|| connect_error(error, &leash, &notes)));
        }
    };
    let host_key = notes.look().offered.clone();
    let host_key = host_key.ok_or_else(|| broken(Stage::KeyExchange, "no host key was shown"))?;
    Ok(Connected {
        handle,
        leash,
        notes,
        host_key,
    })
}

/// Why we did not take the host key, if that was it.
fn refused_key(notes: &Notes, pinned: Option<&Pin>) -> Option<OpenError> {
    let notes = notes.look();
    match (notes.weak_bits, &notes.offered, pinned) {
        (Some((bits, min)), ..) => Some(OpenError::WeakHostKey { bits, min }),
        (None, Some(offered), Some(pinned)) if offered != pinned => Some(OpenError::HostKeyChanged {
            pinned: pinned.clone(),
            offered: offered.clone(),
        }),
        _ => None,
    }
}

fn connect_error(error: russh::Error, leash: &Leash, notes: &Notes) -> OpenError {
    let stage = if leash.had_version() {
        Stage::KeyExchange
    } else {
        Stage::Version
    };
    if leash.is_over() {
        return OpenError::TooMuch;
    }
    if let Some(failure) = notes.look().said {
        return OpenError::Login(failure);
    }
    match error {
        russh::Error::NoCommonAlgo { kind, theirs, .. } => OpenError::Algorithms {
            kind: format!("{kind:?}").to_ascii_lowercase(),
            theirs: printable(&theirs.join(",")),
        },
        russh::Error::Disconnect | russh::Error::HUP | russh::Error::IO(_) => OpenError::Closed(stage),
        error => broken(stage, &error.to_string()),
    }
}

fn broken(stage: Stage, problem: &str) -> OpenError {
    OpenError::Protocol {
        stage,
        problem: printable(problem),
    }
}

/// What a peer had a hand in, fit for a log line.
fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    text.chars().map(plain).take(NAMES_MAX).collect()
}

impl Connected {
    /// The host key that it has proved to hold: the trusted one, or with none the first that was shown.
    pub fn host_key(&self) -> &Pin {
        &self.host_key
    }

    /// Name, password, terminal, shell.
    pub async fn log_in(mut self, target: &Target, until: Instant) -> Result<(SshLine, Negotiated), OpenError> {
        let authenticated = timeout_at(until, Box::pin(self.authenticate(target))).await;
        authenticated.unwrap_or(Err(OpenError::Timeout(Stage::Authentication)))?;
        let negotiated = {
            let mut notes = self.notes.look();
            // A banner that was no obstacle means nothing for what comes later.
            notes.said = None;
            notes.negotiated.clone()
        };
        let negotiated = negotiated.ok_or_else(|| broken(Stage::Shell, "no key exchange was seen"))?;
        let line = timeout_at(until, Box::pin(self.shell())).await;
        Ok((line.unwrap_or(Err(OpenError::Timeout(Stage::Shell)))?, negotiated))
    }

    /// One method, one try.
    async fn authenticate(&mut self, target: &Target) -> Result<(), OpenError> {
        let none = self.handle.authenticate_none(&target.user).await;
        let methods = match none.map_err(|error| self.lost(error))? {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure { remaining_methods, .. } => remaining_methods,
        };
        if methods.is_empty() && self.handle.is_closed() {
            return Err(self.lost(russh::Error::Disconnect));
        }
        if methods.contains(&MethodKind::Password) {
            self.by_password(target).await
        } else if methods.contains(&MethodKind::KeyboardInteractive) {
            self.by_keyboard(target).await
        } else {
            Err(OpenError::Methods {
                methods: names_of(&methods),
            })
        }
    }

    async fn by_password(&mut self, target: &Target) -> Result<(), OpenError> {
        let password = target.password.expose();
        let answer = self.handle.authenticate_password(&target.user, password).await;
        match answer.map_err(|error| self.lost(error))? {
            AuthResult::Success => Ok(()),
            AuthResult::Failure {
                remaining_methods,
                partial_success,
            } => Err(self.refused(&remaining_methods, partial_success).await),
        }
    }

    /// Answers one hidden question. Anything else is not what a password is for.
    async fn by_keyboard(&mut self, target: &Target) -> Result<(), OpenError> {
        let mut answer = self
            .handle
            .authenticate_keyboard_interactive_start(&target.user, None)
            .await;
        let mut answered = false;
        loop {
            match answer.map_err(|error| self.lost(error))? {
                KeyboardInteractiveAuthResponse::Success => return Ok(()),
                KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods,
                    partial_success,
                } => return Err(self.refused(&remaining_methods, partial_success).await),
                KeyboardInteractiveAuthResponse::InfoRequest {
                    prompts, instructions, ..
                } => {
                    if let Some(failure) = Failure::in_login(&instructions) {
                        return Err(OpenError::Login(failure));
                    }
                    let replies = match prompts.as_slice() {
                        // Some end with a request that asks nothing.
                        [] => Vec::new(),
                        [prompt] if !prompt.echo && !answered => {
                            answered = true;
                            vec![target.password.expose().to_owned()]
                        }
                        // Asked again after the password: it was not taken.
                        [prompt] if !prompt.echo => return Err(OpenError::Login(Failure::Refused)),
                        _ => {
                            return Err(OpenError::Methods {
                                methods: "keyboard-interactive with more than a password".to_owned(),
                            });
                        }
                    };
                    answer = self.handle.authenticate_keyboard_interactive_respond(replies).await;
                }
            }
        }
    }

    /// What a failure means after the password was sent.
    async fn refused(&mut self, methods: &MethodSet, partial_success: bool) -> OpenError {
        if partial_success {
            return OpenError::Methods {
                methods: format!("{} besides the password", names_of(methods)),
            };
        }
        if methods.is_empty() {
            // The library says the same of a line that was cut: its task knows better, once it has ended.
            self.end().await;
            let notes = self.notes.look();
            if let (None, false) = (notes.said, notes.ended) {
                drop(notes);
                return self.lost(russh::Error::Disconnect);
            }
        }
        OpenError::Login(self.notes.look().said.unwrap_or(Failure::Refused))
    }

    async fn end(&mut self) {
        if let Ok(Err(error)) = timeout(GOOD_BYE, &mut self.handle).await {
            tracing::trace!(%error, "the connection ended");
        }
    }

    /// The connection is gone in the middle of the authentication.
    fn lost(&self, error: russh::Error) -> OpenError {
        if self.leash.is_over() {
            return OpenError::TooMuch;
        }
        if let Some(failure) = self.notes.look().said {
            return OpenError::Login(failure);
        }
        match error {
            russh::Error::SendError
            | russh::Error::RecvError
            | russh::Error::Disconnect
            | russh::Error::HUP
            | russh::Error::IO(_) => OpenError::Closed(Stage::Authentication),
            error => broken(Stage::Authentication, &error.to_string()),
        }
    }

    async fn shell(self) -> Result<SshLine, OpenError> {
        let closed = |_| {
            let said = self.notes.look().said;
            said.map_or(OpenError::Closed(Stage::Shell), OpenError::Login)
        };
        let mut channel = match self.handle.channel_open_session().await {
            Ok(channel) => channel,
            // Too many shells of this user, or no resources: the same to us.
            Err(russh::Error::ChannelOpenFailure(_)) => return Err(OpenError::Login(Failure::TooManySessions)),
            Err(error) => return Err(closed(error)),
        };
        let (columns, rows) = TERMINAL;
        channel
            .request_pty(true, "vt100", columns, rows, 0, 0, &[])
            .await
            .map_err(closed)?;
        channel.request_shell(true).await.map_err(closed)?;
        let mut early = VecDeque::new();
        // Two replies. A device that speaks has opened the shell, whatever it replied.
        let mut replies = 0;
        while replies < 2 && early.is_empty() {
            match channel.wait().await {
                Some(ChannelMsg::Data { data }) => early.push_back(data.to_vec()),
                Some(ChannelMsg::Success) => replies += 1,
                // No terminal: it may do without. No shell: it has no command line for us.
                Some(ChannelMsg::Failure) if replies == 0 => replies += 1,
                Some(ChannelMsg::Failure) => return Err(broken(Stage::Shell, "the shell was refused")),
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => return Err(closed(russh::Error::Disconnect)),
                Some(_) => {}
            }
        }
        Ok(SshLine {
            channel,
            handle: self.handle,
            leash: self.leash,
            notes: self.notes,
            early,
        })
    }
}

fn names_of(methods: &MethodSet) -> String {
    let names: Vec<&str> = methods.iter().map(<&str>::from).collect();
    if names.is_empty() {
        "none that is known".to_owned()
    } else {
        names.join(", ")
    }
}

impl SshLine {
    /// An answer of so many bytes is expected at most.
    pub fn expect(&mut self, bytes: usize) {
        self.leash
            .allow(bytes.saturating_mul(OVERHEAD).saturating_add(LOGIN_BYTES_MAX));
    }

    /// Sends bytes; waits while the peer's window is shut.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.channel.data(bytes).await.map_err(|_| SendError)
    }

    /// Waits for bytes of the device. Dropped while it waits, nothing is lost.
    pub async fn receive(&mut self) -> Received {
        if let Some(bytes) = self.early.pop_front() {
            return Received::Bytes(bytes);
        }
        loop {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => {
                    return Received::Bytes(data.to_vec());
                }
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None if self.leash.is_over() => {
                    return Received::Failed(Failure::TooMuch);
                }
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => {
                    let said = self.notes.look().said;
                    return said.map_or(Received::Closed, Received::Failed);
                }
                Some(_) => {}
            }
        }
    }

    /// Says good-bye, and ends the connection whether that is heard or not.
    pub async fn close(self) {
        let good_bye = async {
            self.handle.disconnect(Disconnect::ByApplication, "", "").await?;
            self.handle.await
        };
        if let Ok(Err(error)) = timeout(GOOD_BYE, good_bye).await {
            tracing::trace!(%error, "the connection was closed already");
        }
        drop(self.leash);
    }
}

impl std::fmt::Debug for SshLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SshLine")
    }
}
