//! One OLT: waits for what is due, opens a session, reads, says what came of it.

use std::collections::HashMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use metrics::{counter, gauge, histogram};
use model::{Micros, PollFailure};
use schemas::{AnyRecord, DeadLetter, PollFailed};
use tokio::sync::{Semaphore, watch};
use topology::Topic;

use super::config::Device;
use super::metric;
use super::outbox::{Batch, Outbox};
use super::plan::{Intervals, Next, Plan, Task};
use super::read::{Memory, NotDone, Reader, Said, Shell, Unread};
use super::records::About;
use super::ways::Ways;
use crate::decode::Answer;
use crate::session::{
    self, Class, Ended, FilePins, Gates, Negotiated, Permit, Pins as _, Profile, RunError, Session, SessionLimits,
    Transport, Verdict,
};

/// A session is kept while the next read is nearer than this: OLTs end an idle one after 5 minutes.
const KEEP: Duration = Duration::from_secs(240);
/// With more OLTs than sessions, one is given back unless the next read is as near as this …
const KEEP_CROWDED: Duration = Duration::from_secs(5);
/// … and does what is due within this.
const AHEAD_CROWDED: Duration = Duration::from_secs(20);
/// How often a stopped gate is looked at again: a person may have reset it.
const STOPPED: Duration = Duration::from_secs(10);
/// First reads are spread over this for each OLT, up to the interval of the states.
const SPREAD: Duration = Duration::from_millis(50);
/// What else is starting gets going first.
const START: Duration = Duration::from_secs(1);
/// How long a read may go on when the connector is told to stop.
const FINISH: Duration = Duration::from_secs(3);
/// Longest detail of a failure, in bytes.
const DETAIL_BYTES_MAX: usize = 512;
/// An answer of one command and version that is not understood is kept for people this often.
const UNREAD_EVERY: Duration = Duration::from_secs(3_600);
/// Kinds of such answers that are remembered.
const UNREAD_MAX: usize = 1_024;

/// What the tasks of all OLTs share.
pub(crate) struct Shared {
    /// There are more OLTs than sessions.
    pub crowded: bool,
    pub slots: Semaphore,
    pub gates: Gates,
    pub pins: FilePins,
    pub limits: SessionLimits,
    pub intervals: Intervals,
    pub ways: Ways,
    pub unread: UnreadBudget,
    /// Complete reads of the states of an OLT.
    pub states_read: AtomicU64,
}

/// Which answers were kept for people not long ago.
#[derive(Default)]
pub(crate) struct UnreadBudget(Mutex<HashMap<(String, String), Instant>>);

impl UnreadBudget {
    fn allows(&self, version: &str, command: &str, now: Instant) -> bool {
        // Without the place: every board answers alike.
        let words: Vec<_> = command
            .split(' ')
            .filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
            .collect();
        let key = (version.to_owned(), words.join(" "));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, at| now.saturating_duration_since(*at) < UNREAD_EVERY);
        if kept.contains_key(&key) || kept.len() >= UNREAD_MAX {
            return false;
        }
        kept.insert(key, now);
        true
    }
}

impl Shell for Session {
    async fn run(&mut self, command: &str) -> Result<Said, RunError> {
        let said = Session::run(self, command, false).await?;
        let sent_at = micros_of(said.sent_at);
        let took = i64::try_from(said.took.as_micros()).unwrap_or(i64::MAX);
        Ok(Said {
            bytes: said.bytes,
            sent_at,
            answered_at: sent_at.plus(took),
        })
    }
}

/// Failures without a good read between.
#[derive(Debug, Default)]
struct Streak {
    in_a_row: u32,
    since: Option<Micros>,
}

/// The task of one OLT.
pub(crate) struct Poller {
    device: Device,
    root: Arc<str>,
    way: &'static str,
    plan: Plan,
    memory: Memory,
    streak: Streak,
    shared: Arc<Shared>,
    outbox: Outbox,
    stop: watch::Receiver<bool>,
}

impl Poller {
    /// `olts`: how many there are, over whose first reads the start is spread.
    pub fn new(device: Device, olts: usize, shared: Arc<Shared>, outbox: Outbox, stop: watch::Receiver<bool>) -> Self {
        let spread = SPREAD.saturating_mul(u32::try_from(olts).unwrap_or(u32::MAX));
        let spread = spread.min(shared.intervals.state).mul_f64(rand::random_range(0.0..1.0));
        Self {
            root: device.root.shared(),
            way: match device.target.transport {
                Transport::Ssh(_) => "ssh",
                Transport::Telnet => "telnet",
            },
            plan: Plan::new(shared.intervals, Instant::now() + START + spread),
            memory: Memory::default(),
            streak: Streak::default(),
            device,
            shared,
            outbox,
            stop,
        }
    }

    /// Works until it is told to stop.
    pub async fn run(mut self) {
        while !*self.stop.borrow() {
            let shared = self.shared.clone();
            if let Next::Wait(until) = self.plan.next(Instant::now(), Duration::ZERO) {
                self.sleep_until(until).await;
                continue;
            }
            let permit = match shared.gates.ask(&self.root) {
                Ok(permit) => permit,
                Err(Verdict::Wait(until)) => {
                    self.sleep_until(until).await;
                    continue;
                }
                Err(Verdict::Stopped(Class::HostKeyChanged)) if self.is_unpinned() => {
                    tracing::info!(
                        root = &*self.root,
                        "its host key was forgotten by a person: the next one is trusted"
                    );
                    shared.gates.reset(&self.root);
                    continue;
                }
                Err(_) => {
                    self.sleep_until(Instant::now() + STOPPED).await;
                    continue;
                }
            };
            let slot = tokio::select! {
                slot = shared.slots.acquire() => slot,
                () = stopped(&mut self.stop) => return,
            };
            let ended = self.session(&permit).await;
            permit.release(ended, rand::random_range(0.0..1.0));
            drop(slot);
        }
    }

    /// Whether a person has removed the pinned host key.
    fn is_unpinned(&self) -> bool {
        matches!(self.shared.pins.get(&self.device.target.name), Ok(None))
    }

    /// Sleeps, unless told to stop.
    async fn sleep_until(&mut self, until: Instant) {
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            () = stopped(&mut self.stop) => {}
        }
    }

    /// One session, from login to log-out.
    async fn session(&mut self, permit: &Permit) -> Ended {
        let shared = self.shared.clone();
        let asked = now();
        let opening = session::open(&self.device.target, &shared.pins, &shared.limits);
        let mut stop = self.stop.clone();
        let opened = tokio::select! {
            opened = opening => opened,
            () = stopped(&mut stop) => return Ended::GivenUp,
        };
        let mut session = match opened {
            Ok(session) => session,
            Err(error) => {
                let class = error.class();
                counter!(metric::LOGINS, "outcome" => class.name()).increment(1);
                self.failed("login", failure_of(class), &error, asked).await;
                return Ended::Failed {
                    class,
                    retry_after: error.retry_after(),
                };
            }
        };
        counter!(metric::LOGINS, "outcome" => "ok").increment(1);
        permit.logged_in();
        let about = self.about(&session);
        let open = gauge!(metric::SESSIONS, "security" => self.security());
        open.increment(1.0);
        let ended = match prepare(&mut session).await {
            Ok(()) => self.reads(&mut session, &about, permit).await,
            Err(error) => {
                self.failed("login", failure_of(error.class()), &error, asked).await;
                ended(&error)
            }
        };
        if !matches!(ended, Ended::Failed { .. })
            && let Err(error) = session.leave().await
        {
            tracing::debug!(
                root = &*self.root,
                error = &error as &dyn Error,
                "the session was not left as it should be"
            );
        }
        open.decrement(1.0);
        ended
    }

    /// Reads while something is due soon.
    async fn reads(&mut self, session: &mut Session, about: &About, permit: &Permit) -> Ended {
        let (keep, ahead) = match self.shared.crowded {
            true => (KEEP_CROWDED, AHEAD_CROWDED),
            false => (KEEP, Duration::ZERO),
        };
        loop {
            if *self.stop.borrow() {
                return Ended::GivenUp;
            }
            match self.plan.next(Instant::now(), ahead) {
                Next::Wait(until) if until.saturating_duration_since(Instant::now()) > keep => return Ended::Well,
                Next::Wait(until) => self.sleep_until(until).await,
                Next::Read(task) => {
                    let mut stop = self.stop.clone();
                    let read = self.read(task, session, about);
                    tokio::pin!(read);
                    // A session that is cut in the middle of an answer stays on the device for minutes: it may end.
                    let read = tokio::select! {
                        read = &mut read => Some(read),
                        () = stopped(&mut stop) => tokio::time::timeout(FINISH, &mut read).await.ok(),
                    };
                    match read {
                        Some(ControlFlow::Continue(true)) => permit.worked(),
                        Some(ControlFlow::Continue(false)) => {}
                        Some(ControlFlow::Break(ended)) => return ended,
                        None => return Ended::GivenUp,
                    }
                }
            }
        }
    }

    /// One read; whether it went well, or how the session ended by it.
    async fn read(&mut self, task: Task, session: &mut Session, about: &About) -> ControlFlow<Ended, bool> {
        let (asked, begun) = (now(), Instant::now());
        let shared = self.shared.clone();
        let version_before = self.memory.version.clone();
        let mut reader = Reader {
            shell: session,
            root: &self.root,
            way: self.way,
            day_first: self.device.day_first,
            about,
            ways: &shared.ways,
            memory: &mut self.memory,
        };
        let read = reader.read(task).await;
        let ended = Instant::now();
        let word = task.as_str();
        let outcome =
            |outcome: &'static str| counter!(metric::READS, "read" => word, "outcome" => outcome).increment(1);
        match read {
            Ok(done) => {
                outcome(if done.complete { "complete" } else { "incomplete" });
                histogram!(metric::READ_SECONDS, "read" => word).record((ended - begun).as_secs_f64());
                counter!(metric::ROWS, "read" => word).increment(done.rows as u64);
                self.plan.done(task, begun, ended);
                if version_before.is_some() && self.memory.version != version_before {
                    self.plan.renewed(ended);
                }
                if matches!(task, Task::State | Task::Inventory) {
                    self.plan.ports(&self.memory.live_ports, ended);
                }
                if task == Task::State && done.complete {
                    self.shared.states_read.fetch_add(1, Ordering::Relaxed);
                }
                self.streak = Streak::default();
                self.publish(Topic::Observations, done.records).await;
                self.keep_unread(done.unread).await;
                ControlFlow::Continue(true)
            }
            Err(NotDone::Answer(answer @ (Answer::Unsupported | Answer::BadCommand))) => {
                outcome("unsupported");
                self.plan.unknown(task, ended);
                tracing::info!(
                    root = &*self.root,
                    read = word,
                    ?answer,
                    "this version does not know the command"
                );
                ControlFlow::Continue(true)
            }
            Err(NotDone::Answer(answer)) => {
                outcome("failed");
                self.plan.failed(task, begun, ended, answer.retry_after());
                let class = if answer.retry_after().is_some() {
                    PollFailure::Busy
                } else {
                    PollFailure::Incomplete
                };
                self.failed(word, class, &Refused(answer), asked).await;
                ControlFlow::Continue(true)
            }
            Err(NotDone::Run(error)) => {
                outcome("failed");
                self.plan.failed(task, begun, ended, error.retry_after());
                self.failed(word, failure_of(error.class()), &error, asked).await;
                if error.is_fatal() {
                    return ControlFlow::Break(self::ended(&error));
                }
                ControlFlow::Continue(false)
            }
        }
    }

    /// Says that something failed, in the log and to people.
    async fn failed(&mut self, read: &str, class: PollFailure, error: &(dyn Error + Send + Sync), asked: Micros) {
        let at = now();
        self.streak.in_a_row = self.streak.in_a_row.saturating_add(1);
        let since = *self.streak.since.get_or_insert(at);
        let mut detail = chain(error);
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        tracing::warn!(
            root = &*self.root,
            read,
            class = class.as_str(),
            in_a_row = self.streak.in_a_row,
            error = detail,
            "an OLT could not be read"
        );
        let record = PollFailed {
            root: self.root.to_string(),
            way: self.way.to_owned(),
            read: read.to_owned(),
            class: class.as_str().to_owned(),
            detail,
            in_a_row: i32::try_from(self.streak.in_a_row).unwrap_or(i32::MAX),
            since,
            started_at: asked,
            received_at: at,
        };
        self.publish(Topic::Observations, vec![record.into()]).await;
    }

    async fn publish(&self, topic: Topic, records: Vec<AnyRecord>) {
        let key = self.root.clone();
        self.outbox.send(Batch { topic, key, records }).await;
    }

    /// Keeps answers that were not understood, so that a person can teach the reader.
    async fn keep_unread(&self, unread: Vec<Unread>) {
        let version = self.memory.version.as_deref().unwrap_or("unknown");
        for Unread { command, text, issues } in unread {
            counter!(metric::UNREAD, "version" => version.to_owned()).increment(1);
            if !self.shared.unread.allows(version, &command, Instant::now()) {
                continue;
            }
            tracing::warn!(
                root = &*self.root,
                version,
                command,
                ?issues,
                "an answer was not understood: kept as dead letter"
            );
            let at = now();
            let header = |text: &str| serde_bytes::ByteBuf::from(text);
            let letter = DeadLetter {
                topic: "olt-ssh".to_owned(),
                partition: 0,
                offset: at.0,
                key: self.root.as_bytes().to_vec(),
                value: Some(text.into_bytes()),
                headers: [
                    ("command".to_owned(), header(&command)),
                    ("version".to_owned(), header(version)),
                ]
                .into(),
                reason: "unread_answer".to_owned(),
                errors: issues,
                appended_at: at,
            };
            self.publish(Topic::DeadLetters, vec![letter.into()]).await;
        }
    }

    fn about(&self, session: &Session) -> About {
        let host = session.host();
        About {
            host: (!host.is_empty()).then(|| host.to_owned()),
            security: session.negotiated().map(words_of),
            legacy: session.negotiated().is_none_or(|negotiated| negotiated.legacy),
        }
    }

    fn security(&self) -> &'static str {
        match self.device.target.transport {
            Transport::Ssh(Profile::Modern) => "modern",
            Transport::Ssh(Profile::Legacy) => "legacy",
            Transport::Telnet => "telnet",
        }
    }
}

/// A device that answered a read with an error of its own.
#[derive(Debug, thiserror::Error)]
#[error("the device answered with an error: {0:?}")]
struct Refused(Answer);

/// Until it is told to stop, or nobody is left who could tell.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Easy answers, and the mode in which every read is known.
async fn prepare(session: &mut Session) -> Result<(), RunError> {
    session.set_up().await?;
    if !session.config().await? {
        tracing::debug!("the user is not let into the configuration mode: some reads will not be known");
    }
    Ok(())
}

/// The word that records have; in which stage time ran out stands in the detail.
fn failure_of(class: Class) -> PollFailure {
    match class {
        Class::Unreachable => PollFailure::Unreachable,
        Class::Algorithms => PollFailure::Algorithms,
        Class::HostKeyChanged => PollFailure::HostKeyChanged,
        Class::Pins => PollFailure::Pins,
        Class::Refused => PollFailure::Refused,
        Class::Methods => PollFailure::Methods,
        Class::Locked => PollFailure::Locked,
        Class::TooManySessions => PollFailure::TooManySessions,
        Class::FirstLogin => PollFailure::FirstLogin,
        Class::Timeout(_) => PollFailure::Timeout,
        Class::Closed => PollFailure::Closed,
        Class::Protocol => PollFailure::Protocol,
        Class::TooMuch => PollFailure::TooMuch,
        Class::Busy => PollFailure::Busy,
        Class::Command => PollFailure::Unsupported,
    }
}

/// What was agreed on, for people.
fn words_of(negotiated: &Negotiated) -> String {
    let Negotiated {
        kex,
        host_key,
        cipher,
        mac,
        ..
    } = negotiated;
    let agreed = [Some(kex), Some(host_key), Some(cipher), mac.as_ref()];
    agreed
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn ended(error: &RunError) -> Ended {
    Ended::Failed {
        class: error.class(),
        retry_after: error.retry_after(),
    }
}

/// An error and its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn now() -> Micros {
    connector_kit::now()
}

fn micros_of(time: SystemTime) -> Micros {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
