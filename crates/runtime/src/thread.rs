//! One stream thread: poll, process, send fast outputs at once, commit beside the processing, tick, restore.
//!
//! No async, no sleep: it waits in the log's calls only. A failure anywhere drops everything since the last good commit;
//! there is no partial roll-back. `turn` is one round of the loop, so that the schedule simulation runs this very code.

mod committing;
mod restoring;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::{Headers, LogError, Polled, Record, Stored, TaskLog};
use model::{Offset, Partition};
use schemas::{Codec, Tick};
use topology::Topic;

use crate::chain::Chain;
use crate::clock::ObserverGap;
use crate::metrics::{self as names, ThreadMetrics};
use crate::mutation::Mutation;
use crate::policy::{Clock, CommitPolicy, POLL_RECORDS_MAX, WATCHDOG, backoff};
use crate::restore::OnTorn;
use crate::status::{PartitionState, Row, ThreadStatus};
use crate::task::{Cut, Panicked, Stop, Task};

/// Makes the chain of a task; called at every restore.
pub type ChainFactory<E> = Arc<dyn Fn() -> Chain<E> + Send + Sync>;
/// Gives the log's codec as it is now: it may have learned schema ids.
pub type CodecSource = Box<dyn Fn() -> Arc<Codec> + Send>;

const RECOVER_FIRST: Duration = Duration::from_millis(50);
const RECOVER_LAST: Duration = Duration::from_secs(10);
/// Longest wait for input, so that a stop is noticed.
const IDLE_WAIT: Duration = Duration::from_millis(100);
/// Longest wait for input while something waits for the running commit.
const BUSY_WAIT: Duration = Duration::from_millis(1);
/// One wait for a running commit where there is nothing better to do.
const COMMIT_WAIT: Duration = Duration::from_millis(20);
/// How long a commit may take before partitions are given back (design: within 5 s, or its effects are dropped).
const REVOKE_WAIT: Duration = Duration::from_secs(5);
/// What may wait behind a running commit, in cuts; then the thread stops reading.
const CUTS_WAITING_MAX: usize = 4;

/// How a thread works.
#[derive(Debug, Clone, Copy)]
pub struct ThreadConfig {
    /// Generation of `observations`.
    pub generation: u32,
    /// Partitions of every topic.
    pub partitions: u32,
    /// When to cut.
    pub commit: CommitPolicy,
    /// What to do with a restore that does not add up.
    pub on_torn: OnTorn,
    /// How often a caught-up partition gets a tick; `None`: never (somebody else writes them).
    pub tick_every: Option<Duration>,
}

/// What a turn asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Go on at once.
    Worked,
    /// Come again after this long: the log was away.
    Pause(Duration),
}

struct Running {
    since: Duration,
    begun: Instant,
    cuts: Vec<(Partition, Cut, usize)>,
}

enum Owned<E> {
    Restoring {
        attempt: u32,
        not_before: Duration,
        since: Instant,
    },
    Running(Box<RunningTask<E>>),
    Waiting,
}

struct RunningTask<E> {
    task: Task<E>,
    next_tick: Duration,
    /// Waiting until this schema id is known.
    blocked: Option<u32>,
}

/// One thread's tasks over one [`TaskLog`].
pub struct StreamThread<E> {
    log: Box<dyn TaskLog>,
    codec_source: CodecSource,
    codec: Arc<Codec>,
    chain: ChainFactory<E>,
    clock: Arc<dyn Clock>,
    config: ThreadConfig,
    owned: BTreeMap<Partition, Owned<E>>,
    running: Option<Running>,
    last_cut: Duration,
    /// Set after a failure: when to try again.
    recover_at: Option<Duration>,
    failures: u32,
    panics: BTreeMap<(Partition, Offset), (u32, Panicked)>,
    fast: Vec<Record>,
    metrics: ThreadMetrics,
    status: ThreadStatus,
}

impl<E: Send + 'static> StreamThread<E> {
    /// A thread that owns nothing yet.
    pub fn new(
        log: Box<dyn TaskLog>,
        codec_source: CodecSource,
        chain: ChainFactory<E>,
        clock: Arc<dyn Clock>,
        config: ThreadConfig,
    ) -> Self {
        Self {
            log,
            codec: codec_source(),
            codec_source,
            chain,
            last_cut: clock.now(),
            clock,
            config,
            owned: BTreeMap::new(),
            running: None,
            recover_at: None,
            failures: 0,
            panics: BTreeMap::new(),
            fast: Vec::new(),
            metrics: ThreadMetrics::new(),
            status: ThreadStatus::default(),
        }
    }

    pub(crate) fn status(&self) -> ThreadStatus {
        self.status.clone()
    }

    /// Waits for something and works it off.
    ///
    /// # Errors
    /// When the log was closed: the end of this thread. Anything else is dealt with here.
    pub fn turn(&mut self) -> Result<Turn, LogError> {
        self.status.turned();
        if let Some(at) = self.recover_at {
            let now = self.clock.now();
            if now < at {
                return Ok(Turn::Pause(at - now));
            }
            return match self.log.recover() {
                Ok(()) => {
                    self.recover_at = None;
                    // What is still owned is assigned anew by the next poll.
                    self.status.forget_all();
                    self.status.failed(None);
                    Ok(Turn::Worked)
                }
                Err(error) => self.fail(error),
            };
        }
        match self.work() {
            Ok(()) => Ok(Turn::Worked),
            Err(error) => self.fail(error),
        }
    }

    /// The task of a partition, if it runs here.
    pub fn task(&self, partition: Partition) -> Option<&Task<E>> {
        match self.owned.get(&partition)? {
            Owned::Running(running) => Some(&running.task),
            Owned::Restoring { .. } | Owned::Waiting => None,
        }
    }

    /// What an owned partition is doing, and why it waits if it does.
    pub fn state(&self, partition: Partition) -> Option<PartitionState> {
        self.owned
            .contains_key(&partition)
            .then(|| self.status.read().0.get(&partition).map(|s| s.state.clone()))?
    }

    fn work(&mut self) -> Result<(), LogError> {
        self.watch_commit(Duration::ZERO)?;
        let now = self.clock.now();
        self.restore_due(now)?;
        self.unblock_learned()?;
        if self.running.is_some() && self.waiting_cuts() >= CUTS_WAITING_MAX {
            return self.watch_commit(COMMIT_WAIT);
        }
        let wait = self.poll_wait(now);
        let mut polled = self.log.poll(POLL_RECORDS_MAX, wait)?;
        self.rebalance(&polled);
        let records = std::mem::take(&mut polled.records);
        self.process(&records)?;
        self.tick(&polled.caught_up)?;
        self.stand_still(&polled.damaged)?;
        if !polled.revoking.is_empty() {
            // Given back by the next poll: what is committed now, nobody does again.
            self.commit_and_wait(REVOKE_WAIT)?;
        } else if self.is_due() {
            self.cut()?;
        }
        Ok(())
    }

    fn rebalance(&mut self, polled: &Polled) {
        for partition in polled.revoked.iter().chain(&polled.lost) {
            tracing::info!(partition, lost = polled.lost.contains(partition), "partition given up");
            self.owned.remove(partition);
            self.panics.retain(|(p, _), _| p != partition);
            self.status.forget(*partition);
            self.metrics.set(names::SCHEMA_WAITS, *partition, 0);
        }
        let now = self.clock.now();
        for &partition in &polled.assigned {
            tracing::info!(partition, "partition assigned");
            self.owned.insert(partition, restoring(now));
            self.status.update(partition, |row| *row = Row::restoring());
        }
    }

    fn process(&mut self, records: &[Stored]) -> Result<(), LogError> {
        for stored in records {
            let partition = stored.record.partition;
            let Some(Owned::Running(running)) = self.owned.get_mut(&partition) else {
                continue;
            };
            if running.blocked.is_some() {
                continue;
            }
            match running.task.process(stored, &self.codec, &mut self.fast) {
                Ok(None) => {}
                Ok(Some(processed)) => {
                    for record in self.fast.drain(..) {
                        self.log.emit(record)?;
                        self.metrics.fast_outputs.increment(1);
                    }
                    if let Some(gap) = processed.gap {
                        self.report_gap(partition, gap);
                    }
                    if processed.commit_now {
                        // Whatever follows a condemned record may be seen only once the condemnation stands.
                        self.commit_and_wait(WATCHDOG)?;
                    }
                }
                Err(Stop::UnknownSchema(id)) => self.block(partition, id),
                Err(Stop::Panicked(panicked)) => self.panicked(partition, panicked),
            }
        }
        Ok(())
    }

    fn report_gap(&mut self, partition: Partition, gap: ObserverGap) {
        match gap {
            ObserverGap::Began { from } => {
                self.metrics.gaps.increment(1);
                self.metrics.set(names::OBSERVER_GAP, partition, 1);
                tracing::warn!(
                    partition,
                    from = from.0,
                    "observer-gap: nothing was observed since, delays stood still"
                );
            }
            ObserverGap::Ended { from, to } => {
                self.metrics.set(names::OBSERVER_GAP, partition, 0);
                tracing::info!(partition, from = from.0, to = to.0, "observer-gap ended");
            }
        }
    }

    fn tick(&mut self, caught_up: &[Partition]) -> Result<(), LogError> {
        let Some(every) = self.config.tick_every else {
            return Ok(());
        };
        let now = self.clock.now();
        for (&partition, owned) in &mut self.owned {
            let Owned::Running(running) = owned else { continue };
            let reads_the_end = caught_up.contains(&partition) && running.blocked.is_none();
            let may = reads_the_end || running.task.chain.mutation.is(Mutation::TickBeforeCaughtUp);
            if !may || now < running.next_tick {
                continue;
            }
            running.next_tick = now + every;
            let tick = Tick {
                sent_at: self.clock.wall(),
            };
            let value = self.codec.encode(&tick.into()).expect("a tick holds one number");
            self.log.emit(Record {
                topic: Topic::Observations,
                partition,
                key: Bytes::new(),
                value: Some(value.into()),
                headers: Headers::default(),
            })?;
            self.metrics.ticks.increment(1);
        }
        Ok(())
    }

    fn poll_wait(&self, now: Duration) -> Duration {
        let mut wait = IDLE_WAIT;
        if self.tasks().any(Task::is_changed) {
            let interval_left = self
                .last_cut
                .saturating_add(self.config.commit.interval)
                .saturating_sub(now);
            wait = if self.running.is_some() {
                BUSY_WAIT
            } else {
                interval_left.min(wait)
            };
        } else if self.running.is_some() {
            wait = COMMIT_WAIT;
        }
        for owned in self.owned.values() {
            let at = match owned {
                Owned::Restoring { not_before, .. } => *not_before,
                Owned::Running(running) if running.blocked.is_none() && self.config.tick_every.is_some() => {
                    running.next_tick
                }
                Owned::Running(_) | Owned::Waiting => continue,
            };
            wait = wait.min(at.saturating_sub(now).max(Duration::from_millis(1)));
        }
        wait
    }

    /// Drops everything since the last good commit; the log's clients are made anew by the next turns.
    fn fail(&mut self, error: LogError) -> Result<Turn, LogError> {
        if matches!(error, LogError::Closed) {
            return Err(error);
        }
        let wait = backoff(self.failures, RECOVER_FIRST, RECOVER_LAST);
        self.failures = self.failures.saturating_add(1);
        self.metrics.recoveries.increment(1);
        if self.running.take().is_some() {
            self.metrics.failed.increment(1);
        }
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            ?wait,
            "dropping everything since the last commit, and restoring"
        );
        for &partition in self.owned.keys() {
            self.status
                .update(partition, |row| row.state = PartitionState::Restoring);
        }
        self.status.failed(Some(error.to_string()));
        self.owned.clear();
        self.fast.clear();
        self.recover_at = Some(self.clock.now() + wait);
        Ok(Turn::Pause(wait))
    }
}

fn restoring<E>(now: Duration) -> Owned<E> {
    Owned::Restoring {
        attempt: 0,
        not_before: now,
        since: Instant::now(),
    }
}
