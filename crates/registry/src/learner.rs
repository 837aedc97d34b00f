//! The thread that teaches a codec the ids it met and did not know.
//!
//! Each wanted id is asked for with a backoff of its own. Before anything is learned the ids known already are asked for too:
//! a registry that has forgotten or changed one of them has lost its memory, and what it says of another id need not be what
//! the record's writer meant. Then the partition goes on waiting.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use schemas::{Codec, RegisteredSchema, SchemaOwner, schema_owner};

use crate::{Registry, RegistryError, metric};

/// How soon a wanted id is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_LAST: Duration = Duration::from_secs(30);
/// How often the ids known are compared with the registry's when nothing is wanted.
const VERIFY_EVERY: Duration = Duration::from_secs(60);

/// What is known of the registry, for `/ready` and the board.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistryStatus {
    /// What is wrong with it at present; `None` if it answered as it should, or was not asked yet.
    pub problem: Option<String>,
    /// Ids that partitions wait for.
    pub wanted: Vec<u32>,
}

/// The thread; dropping it stops it.
pub struct Learner {
    status: Arc<Mutex<RegistryStatus>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    /// Starts the thread that teaches this codec.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn spawn_learner(self: Arc<Self>, codec: Arc<Codec>) -> std::io::Result<Learner> {
        let (stop, stopped) = channel();
        let status = Arc::new(Mutex::new(RegistryStatus::default()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut work = Work {
            registry: self,
            codec,
            status: Arc::clone(&status),
            asked: HashMap::new(),
            verified: Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("schema-learner".into())
            .spawn(move || work.run(&runtime, &stopped))?;
        Ok(Learner {
            status,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Learner {
    /// What is known of the registry.
    pub fn status(&self) -> RegistryStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Learner {
    fn drop(&mut self) {
        // The closed channel is the signal; a request under way ends by its own time-out.
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that learns schemas has panicked");
        }
    }
}

struct Asked {
    next: Instant,
    wait: Duration,
}

struct Work {
    registry: Arc<Registry>,
    codec: Arc<Codec>,
    status: Arc<Mutex<RegistryStatus>>,
    asked: HashMap<u32, Asked>,
    verified: Instant,
}

impl Work {
    fn run(&mut self, runtime: &tokio::runtime::Runtime, stopped: &Receiver<()>) {
        while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            let wanted = self.codec.wanted();
            self.asked.retain(|id, _| wanted.contains(id));
            let now = Instant::now();
            let due: Vec<_> = wanted
                .iter()
                .copied()
                .filter(|id| self.asked.get(id).is_none_or(|a| a.next <= now))
                .collect();
            if !due.is_empty() || now >= self.verified + VERIFY_EVERY {
                let problem = runtime.block_on(self.turn(&due)).err();
                self.report(problem.as_ref());
            }
            metrics::gauge!(metric::IDS_WANTED).set(u32::try_from(wanted.len()).unwrap_or(u32::MAX));
            self.status.lock().unwrap_or_else(PoisonError::into_inner).wanted = wanted;
        }
    }

    /// Compares what is known, then learns what is wanted.
    async fn turn(&mut self, due: &[u32]) -> Result<(), RegistryError> {
        for &id in due {
            self.defer(id);
        }
        self.verified = Instant::now();
        let forgotten = self.registry.verify(&self.codec.registered()).await?;
        if let Some(first) = forgotten.first() {
            return Err(RegistryError::IdsChanged {
                id: first.id,
                before: first.record.name().to_owned(),
                now: "nothing".into(),
            });
        }
        for &id in due {
            match self.registry.client.schema(id).await? {
                Some(json) => self.learn(id, json)?,
                None => tracing::warn!(
                    id,
                    "the registry does not have a schema id that a record carries: it waits"
                ),
            }
        }
        Ok(())
    }

    fn learn(&self, id: u32, json: String) -> Result<(), RegistryError> {
        match schema_owner(&json) {
            SchemaOwner::Ours(record) => {
                let schema = RegisteredSchema { id, record, json };
                match self.codec.learn(&schema) {
                    Ok(_) => {
                        tracing::info!(id, record = record.name(), "schema id learned");
                        self.registry.remember(&[schema])?;
                    }
                    Err(error) => tracing::error!(%error, "a schema cannot be learned: its records wait"),
                }
            }
            SchemaOwner::Newer(name) => {
                tracing::error!(
                    id,
                    name,
                    "a newer build writes a record that this one does not have: upgrade this part"
                );
            }
            SchemaOwner::Foreign(name) => match self.codec.learn_foreign(id, &name) {
                Ok(_) => tracing::warn!(id, name, "a schema id is of somebody else's record: dead letters"),
                Err(error) => tracing::error!(%error, "a schema cannot be learned: its records wait"),
            },
        }
        Ok(())
    }

    fn defer(&mut self, id: u32) {
        let asked = self.asked.entry(id).or_insert(Asked {
            next: Instant::now(),
            wait: RETRY_FIRST,
        });
        asked.next = Instant::now() + asked.wait;
        asked.wait = (asked.wait * 2).min(RETRY_LAST);
    }

    /// Said once for each change, not for each attempt.
    fn report(&self, problem: Option<&RegistryError>) {
        let changed = matches!(problem, Some(RegistryError::IdsChanged { .. }));
        metrics::gauge!(metric::IDS_CHANGED).set(u8::from(changed));
        let text = problem.map(ToString::to_string);
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if status.problem != text {
            match problem {
                Some(error) if error.is_transient() => {
                    let error: &dyn std::error::Error = error;
                    tracing::warn!(error, "going on with the schema ids known");
                }
                Some(error) => {
                    tracing::error!(%error, "nothing is learned from this registry; records with unknown ids wait")
                }
                None => tracing::info!("the schema registry answers as before"),
            }
        }
        status.problem = text;
    }
}
