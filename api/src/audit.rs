//! Who did or tried what, on the topic `audit`. One thread writes; nobody waits for it except a write that must be audited
//! before it is answered. A flood of equal denials becomes one entry a second with its number.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hashbrown::HashMap;
use log::{Headers, Log, LogError, Producer, Record};
use schemas::AuditEntry;
use tokio::sync::oneshot;
use topology::{Topic, partition_of};

use crate::auth::Caller;
use crate::metrics_names as names;
use crate::time::now;

/// Entries that wait to be written; more are counted and left out (only denials come in such numbers).
const QUEUE_MAX: usize = 4_096;
/// Equal denials within this time are one entry.
const SAME_WITHIN: Duration = Duration::from_secs(1);
/// Different denials held back at a time.
const HELD_MAX: usize = 1_024;
const WRITE_WITHIN: Duration = Duration::from_secs(10);

struct Message {
    /// `None`: write what is held back.
    entry: Option<AuditEntry>,
    written: Option<oneshot::Sender<bool>>,
}

/// Writes audit entries. Cheap to clone; the thread ends with the last clone.
#[derive(Clone)]
pub struct Audit {
    queue: SyncSender<Message>,
}

impl Audit {
    /// Starts the thread.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(log: Arc<dyn Log>) -> std::io::Result<Self> {
        let (queue, messages) = sync_channel(QUEUE_MAX);
        std::thread::Builder::new()
            .name("audit".into())
            .spawn(move || Writer::new(log).run(&messages))?;
        Ok(Self { queue })
    }

    /// An entry, written soon.
    pub fn tell(&self, entry: AuditEntry) {
        if self
            .queue
            .try_send(Message {
                entry: Some(entry),
                written: None,
            })
            .is_err()
        {
            metrics::counter!(names::AUDIT_DROPPED).increment(1);
        }
    }

    /// An entry, durable when this answers `true`.
    pub async fn write(&self, entry: AuditEntry) -> bool {
        self.ask(Some(entry)).await
    }

    /// Writes what is held back: at the end of serving.
    pub async fn flush(&self) {
        if !self.ask(None).await {
            tracing::warn!("the last audit entries may not have been written");
        }
    }

    async fn ask(&self, entry: Option<AuditEntry>) -> bool {
        let (written, answer) = oneshot::channel();
        let mut message = Message {
            entry,
            written: Some(written),
        };
        let deadline = Instant::now() + WRITE_WITHIN;
        while let Err(back) = self.queue.try_send(message) {
            let std::sync::mpsc::TrySendError::Full(back) = back else {
                return false;
            };
            if Instant::now() >= deadline {
                return false;
            }
            message = back;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        answer.await.unwrap_or(false)
    }

    /// A caller was refused something.
    pub fn denied(&self, caller: &Caller, action: &str, target: Option<&str>) {
        self.tell(AuditEntry {
            outcome: "denied".into(),
            ..entry(Some(caller), action, target)
        });
    }
}

/// An entry about something that was done; change `outcome` where it was not.
pub fn entry(caller: Option<&Caller>, action: &str, target: Option<&str>) -> AuditEntry {
    AuditEntry {
        actor: caller.map_or_else(|| "anonymous".into(), |c| c.user.clone()),
        tenant: caller.map_or_else(|| model::Tenant::DEFAULT.into(), |c| c.tenant.clone()),
        role: caller.map(|c| c.role.as_str().into()),
        action: cut(action),
        target: target.map(cut),
        outcome: "done".into(),
        detail: None,
        remote: None,
        at: now(),
    }
}

/// At most 256 characters of what a client sent, without control characters.
pub fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(256).collect()
}

type Same = (String, String, Option<String>, Option<String>);

struct Writer {
    log: Arc<dyn Log>,
    producer: Option<Box<dyn Producer>>,
    held: HashMap<Same, (AuditEntry, u64)>,
    held_since: Instant,
}

impl Writer {
    fn new(log: Arc<dyn Log>) -> Self {
        Self {
            log,
            producer: None,
            held: HashMap::new(),
            held_since: Instant::now(),
        }
    }

    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            match messages.recv_timeout(SAME_WITHIN) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.release(),
            }
            if self.held_since.elapsed() >= SAME_WITHIN || self.held.len() >= HELD_MAX {
                self.release();
            }
        }
    }

    fn take(&mut self, message: Message) {
        let done = match message.entry {
            None => {
                self.release();
                true
            }
            // Nobody waits for a denial: equal ones are held back for a moment.
            Some(entry) if message.written.is_none() && entry.outcome == "denied" => {
                let same = (
                    entry.actor.clone(),
                    entry.action.clone(),
                    entry.target.clone(),
                    entry.remote.clone(),
                );
                self.held.entry(same).or_insert((entry, 0)).1 += 1;
                true
            }
            Some(entry) => self.write(&entry),
        };
        if message.written.is_some_and(|written| written.send(done).is_err()) {
            tracing::debug!("a request was given up while its audit entry was written");
        }
    }

    fn release(&mut self) {
        self.held_since = Instant::now();
        for (_, (mut entry, count)) in std::mem::take(&mut self.held) {
            if count > 1 {
                let times = format!("{count} times");
                entry.detail = Some(entry.detail.map_or(times.clone(), |d| format!("{d}, {times}")));
            }
            self.write(&entry);
        }
    }

    fn write(&mut self, entry: &AuditEntry) -> bool {
        match self.try_write(entry) {
            Ok(()) => true,
            Err(error) => {
                self.producer = None;
                metrics::counter!(names::AUDIT_DROPPED).increment(1);
                tracing::error!(
                    error = &*error,
                    actor = entry.actor,
                    action = entry.action,
                    outcome = entry.outcome,
                    "an audit entry could not be written"
                );
                false
            }
        }
    }

    fn try_write(&mut self, entry: &AuditEntry) -> Result<(), Box<dyn std::error::Error>> {
        let value = self.log.codec().encode(&entry.clone().into())?;
        let producer = match &self.producer {
            Some(producer) => producer,
            None => self.producer.insert(self.log.producer("api-audit")?),
        };
        let record = Record {
            topic: Topic::Audit,
            partition: partition_of(&entry.actor, self.log.partitions()),
            key: Bytes::copy_from_slice(entry.actor.as_bytes()),
            value: Some(value.into()),
            headers: Headers::default(),
        };
        producer
            .send_and_wait(record, Instant::now() + WRITE_WITHIN)
            .map(drop)
            .map_err(|e: LogError| e.into())
    }
}
