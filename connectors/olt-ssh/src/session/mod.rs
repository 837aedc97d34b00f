//! One session with an OLT: the line under the dialogue, by SSH or telnet, with a deadline on everything.
//!
//! ```text
//!  open ── TCP, version, key exchange ──▶ host key trusted? ──▶ name and password ──▶ shell ──▶ first prompt ──▶ Session
//!          └──────── connect: 10 s ────────┘      └──────────────── login: 20 s ─────────────────┘
//!  Session ── set_up ── run, run, … (30 s of silence, 10 min in all) ── leave
//! ```
//!
//! - One session, one command at a time. When OLTs may be logged in to at all: [`Gates`].
//! - The first host key a device shows is trusted ([`Pins`]); no password goes to a device that shows another.
//! - A refused password ends it: no other method, no second try. [`OpenError::retry_after`] is `None` then.
//! - Whatever the peer does, nothing waits past its deadline and nothing of it is kept but the answer in progress.
//! - Futures here may be dropped at any await; a session whose `run` was dropped is over.

mod error;
mod gate;
mod gates;
mod line;
mod pins;
mod said;
mod ssh;
mod target;
mod telnet;

use std::fmt;
use std::time::SystemTime;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

pub use error::{Class, OpenError, RunError};
pub use gate::{Breaker, Ended, Gate, GateLimits, Verdict};
pub use gates::{GateView, Gates, Permit};
pub use pins::{FilePins, NotAPin, Pin, Pins, PinsError};
pub use said::{Mode, Said};
pub use ssh::Negotiated;
pub use target::{Profile, SessionLimits, Stage, Target, Transport};

use self::line::{Line, Received};
use self::said::{busy, mode_of};
use crate::decode::error_in;
use crate::dialogue::{Dialogue, Failure, NotBegun, Outcome};

/// Bytes that may wait between two commands (alarms nobody asked for); more is no device that waits.
const IDLE_BYTES_MAX: usize = 1 << 20;
/// What is sent after the login, each harmless where it is not known: no `{ <cr> }` questions, long pages, no alarms in between.
///
/// Not `undo alarm output all`: it is of the configuration, and one source alone says that it is of the session.
const SET_UP: [&str; 4] = ["enable", "undo smart", "scroll 512", "infoswitch cli OFF"];

/// A session whose prompt is known.
pub struct Session {
    line: Line,
    dialogue: Dialogue,
    limits: SessionLimits,
    negotiated: Option<Negotiated>,
    mode: Option<Mode>,
    /// When the last byte came.
    last: Instant,
    /// When the login, or the command in flight, must be over.
    until: Instant,
    /// Bytes that came since the last command.
    idle: usize,
    /// What ended it.
    over: Option<Failure>,
}

/// What came of [`Session::set_up`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUp {
    /// Commands that this version does not know, or refused.
    pub refused: Vec<&'static str>,
}

/// Opens a session: it stands at its first prompt when this returns.
///
/// # Errors
/// [`OpenError`] says what to count it as and when to come back. Nothing of it is tried again here.
pub async fn open(target: &Target, pins: &dyn Pins, limits: &SessionLimits) -> Result<Session, OpenError> {
    // Before anything else: where nobody can be trusted, nobody is bothered.
    let pinned = match target.transport {
        Transport::Ssh(_) => pins.get(&target.name)?,
        Transport::Telnet => None,
    };
    let connect_by = Instant::now() + limits.connect;
    let stream = timeout_at(connect_by, TcpStream::connect(target.address))
        .await
        .map_err(|_| OpenError::Timeout(Stage::Tcp))?
        .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
        .map_err(OpenError::Unreachable)?;
    let (line, negotiated, login_by) = match target.transport {
        Transport::Ssh(profile) => {
            let connected = ssh::connect(stream, profile, pinned.as_ref(), connect_by).await?;
            if pinned.is_none() {
                pins.put(&target.name, connected.host_key())?;
                tracing::info!(olt = %target.name, host_key = %connected.host_key(), "first host key trusted");
            }
            let login_by = Instant::now() + limits.login;
            let (line, negotiated) = connected.log_in(target, login_by).await?;
            (Line::Ssh(Box::new(line)), Some(negotiated), login_by)
        }
        Transport::Telnet => {
            let login_by = Instant::now() + limits.login;
            let line = telnet::open(stream, target, login_by).await?;
            (Line::Telnet(line), None, login_by)
        }
    };
    let mut session = Session::new(line, negotiated, limits, login_by);
    session.first_prompt().await?;
    tracing::debug!(olt = %target.name, host = session.host(), "session opened");
    Ok(session)
}

impl Session {
    fn new(line: Line, negotiated: Option<Negotiated>, limits: &SessionLimits, login_by: Instant) -> Self {
        let now = Instant::now();
        let mut of_dialogue = limits.dialogue.clone();
        of_dialogue.login = login_by.saturating_duration_since(now);
        Self {
            line,
            dialogue: Dialogue::new(of_dialogue, now.into_std()),
            limits: limits.clone(),
            negotiated,
            mode: None,
            last: now,
            until: login_by,
            idle: 0,
            over: None,
        }
    }

    async fn first_prompt(&mut self) -> Result<(), OpenError> {
        match self.drive().await {
            End::Ready => {
                self.line.logged_in();
                Ok(())
            }
            End::Failed(Failure::Closed) => Err(OpenError::Closed(Stage::Prompt)),
            End::Failed(Failure::NoPrompt) => Err(OpenError::Timeout(Stage::Prompt)),
            End::Failed(Failure::TooMuch) => Err(OpenError::TooMuch),
            End::Failed(failure) => Err(OpenError::Login(failure)),
            End::Answered(_) | End::Left | End::Stalled => Err(OpenError::Closed(Stage::Prompt)),
        }
    }

    /// Runs one command and waits for its whole answer. `confirm` only for a command that is known to ask `(y/n)` and shall be
    /// done.
    ///
    /// # Errors
    /// [`RunError::is_fatal`] says whether the session is over; [`RunError::retry_after`] when to come back.
    pub async fn run(&mut self, command: &str, confirm: bool) -> Result<Said, RunError> {
        self.drain()?;
        self.line.expect(self.limits.dialogue.bytes_max);
        let begun = Instant::now();
        let bytes = self
            .dialogue
            .begin(command, confirm, begun.into_std())
            .map_err(RunError::NotBegun)?;
        let sent_at = SystemTime::now();
        (self.last, self.idle) = (begun, 0);
        self.until = begun + self.limits.dialogue.total;
        if !self.send(&bytes).await {
            return Err(self.stalled());
        }
        let bytes = match self.drive().await {
            End::Answered(bytes) => bytes,
            End::Failed(Failure::Incomplete) => return Err(RunError::Incomplete),
            End::Failed(failure) => return Err(self.over(failure)),
            End::Stalled => return Err(self.stalled()),
            // The dialogue says neither while a command is in flight.
            End::Ready | End::Left => return Err(self.over(Failure::Closed)),
        };
        self.mode = mode_of(self.host(), &bytes).or(self.mode.take());
        match busy(&bytes) {
            Some(answer) => Err(RunError::Busy { answer }),
            None => Ok(Said {
                bytes,
                sent_at,
                took: self.last - begun,
            }),
        }
    }

    /// Sends what makes an answer easier to read: `enable`, no questions, long pages, no alarms in between. What a version does
    /// not know is left out.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn set_up(&mut self) -> Result<SetUp, RunError> {
        let mut refused = Vec::new();
        for command in SET_UP {
            match self.run(command, false).await {
                Ok(said) if error_in(&said.bytes).is_none() => {}
                Ok(_) | Err(RunError::Incomplete | RunError::Busy { .. }) => refused.push(command),
                Err(error) => return Err(error),
            }
        }
        Ok(SetUp { refused })
    }

    /// Goes to `(config)#`, which some reads need, from wherever it stands; whether it got there. A user who may only read may
    /// not be let in.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn config(&mut self) -> Result<bool, RunError> {
        let there = Some(Mode::Under("config".to_owned()));
        if self.mode == there {
            return Ok(true);
        }
        if matches!(self.mode, Some(Mode::Under(_))) {
            self.run("return", false).await?;
        }
        self.run("config", false).await?;
        Ok(self.mode == there)
    }

    /// Leaves through every mode and its question, so that the device forgets the session at once.
    ///
    /// # Errors
    /// When it did not end as it should; it is over all the same.
    pub async fn leave(mut self) -> Result<(), RunError> {
        let left = timeout(self.limits.leave, self.quit()).await;
        let left = left.unwrap_or(Err(RunError::NotLeft));
        self.line.close().await;
        left
    }

    async fn quit(&mut self) -> Result<(), RunError> {
        self.drain()?;
        let begun = Instant::now();
        self.until = begun + self.limits.leave;
        let bytes = self.dialogue.leave(begun.into_std()).map_err(RunError::NotBegun)?;
        if !self.send(bytes).await {
            return Err(self.stalled());
        }
        match self.drive().await {
            End::Left => Ok(()),
            End::Stalled => Err(self.stalled()),
            End::Failed(Failure::Silent | Failure::TooSlow) => Err(RunError::NotLeft),
            End::Failed(failure) => Err(self.over(failure)),
            End::Ready | End::Answered(_) => Err(RunError::NotBegun(NotBegun::NotReady)),
        }
    }

    /// The host name in the prompts.
    pub fn host(&self) -> &str {
        self.dialogue.host().unwrap_or_default()
    }

    /// Where it stands, once a command was answered.
    pub fn mode(&self) -> Option<&Mode> {
        self.mode.as_ref()
    }

    /// What was agreed to over SSH; `None` over telnet, which has nothing of it.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.negotiated.as_ref()
    }

    /// Whether it can still be used, as far as one knows without asking.
    pub fn is_ready(&mut self) -> bool {
        self.drain().is_ok() && self.dialogue.is_ready()
    }

    /// Takes what came while nobody asked, and notices that the session was ended meanwhile. Does not wait.
    fn drain(&mut self) -> Result<(), RunError> {
        while self.over.is_none() && self.dialogue.is_ready() {
            let Some(received) = self.line.received_already() else {
                return Ok(());
            };
            self.idle += if let Received::Bytes(bytes) = &received {
                bytes.len()
            } else {
                0
            };
            let outcomes = self.take(received);
            if let Some(Outcome::Failed(failure)) = outcomes.into_iter().next_back() {
                self.over(failure);
            } else if self.idle > IDLE_BYTES_MAX {
                self.over(Failure::TooMuch);
            }
        }
        match self.over {
            Some(failure) => Err(RunError::Over { failure, sent: false }),
            None => Ok(()),
        }
    }

    fn take(&mut self, received: Received) -> Vec<Outcome> {
        match received {
            Received::Bytes(bytes) => {
                self.last = Instant::now();
                self.dialogue.received(&bytes, self.last.into_std())
            }
            Received::Closed => self.dialogue.closed(),
            Received::Failed(failure) => {
                self.dialogue.closed();
                vec![Outcome::Failed(failure)]
            }
        }
    }

    /// A deadline passed. What waits to be read came before: if we were held up, the prompt was not the last one.
    fn elapsed(&mut self) -> Vec<Outcome> {
        let waiting = self.line.received_already();
        let mut outcomes = waiting.map_or_else(Vec::new, |received| self.take(received));
        outcomes.extend(self.dialogue.elapsed(Instant::now().into_std()));
        outcomes
    }

    /// Moves bytes and time until something comes of it.
    async fn drive(&mut self) -> End {
        loop {
            let deadline = self.dialogue.deadline().map(Instant::from_std);
            // Time goes first: a peer that never stops sending does not hold it up.
            let outcomes = tokio::select! {
                biased;
                () = wait_until(deadline) => self.elapsed(),
                received = self.line.receive() => self.take(received),
            };
            for outcome in outcomes {
                match outcome {
                    Outcome::Send(bytes) => {
                        if !self.send(bytes).await {
                            return End::Stalled;
                        }
                    }
                    Outcome::Ready => return End::Ready,
                    Outcome::Answered(bytes) => return End::Answered(bytes),
                    Outcome::Left => return End::Left,
                    Outcome::Failed(failure) => return End::Failed(failure),
                }
            }
        }
    }

    /// Whether it was taken in time. A line that is closed takes nothing, and says so when it is read.
    async fn send(&mut self, bytes: &[u8]) -> bool {
        let by = (Instant::now() + self.limits.send).min(self.until);
        match timeout_at(by, self.line.send(bytes)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::trace!(%error, "not sent");
                true
            }
            Err(_) => false,
        }
    }

    fn stalled(&mut self) -> RunError {
        self.over(Failure::Silent);
        RunError::Stalled
    }

    /// It is over, by this, from now on.
    fn over(&mut self, failure: Failure) -> RunError {
        self.dialogue.closed();
        self.over = Some(failure);
        RunError::Over { failure, sent: true }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?}, {:?})", self.host(), self.dialogue)
    }
}

/// What ends a wait.
enum End {
    Ready,
    Answered(Vec<u8>),
    Left,
    Failed(Failure),
    Stalled,
}

async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
