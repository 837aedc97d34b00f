//! The one thread that writes: takes everything waiting into one batch, syncs it, shows it to readers, and then answers.
//!
//! ```text
//! queue ─▶ segments ready? ─▶ batch: records, rows, positions ─▶ fsync ─▶ ends move, readers wake ─▶ answers
//! ```
//!
//! While one batch syncs the next one gathers: no artificial delay. A message is whole in one batch, and order in the queue
//! is order in the log: a commit is durable no earlier than what was emitted before it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fjall::PersistMode;
use model::Micros;

use super::batch::{Answer, Batch};
use super::last::LastValues;
use super::queue::{Job, Taken};
use super::shared::Shared;
use super::store::Store;
use super::usage::free_bytes;
use crate::clock::Stamp;
use crate::handles::{Backend, Message};
use crate::{CrashPoint, LogError, crash_point};

/// Why nothing is written for now.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Refusal {
    #[error("only {free} bytes are free on its disk, {reserve} are kept in reserve: free some space")]
    DiskNearlyFull { free: u64, reserve: u64 },
    #[error("its disk refused an earlier write: start the process again once the disk is in order")]
    Broken,
    #[error(transparent)]
    Cause(Arc<LogError>),
}

impl Refusal {
    pub(super) fn to_error(&self) -> LogError {
        match self {
            // Trying again does not help: whoever depends on writing has to end.
            Self::Broken => LogError::Unusable(format!("the log cannot be written: {self}")),
            _ => LogError::backend("the log cannot be written", self.clone()),
        }
    }
}

pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Arc<Store>,
    pub(super) stamp: Stamp,
    pub(super) last: LastValues,
    /// A batch failed half-way: what is on disk is not known until the folder is opened again.
    broken: bool,
}

impl Writer {
    pub(super) fn start(
        shared: Arc<Shared>,
        store: Arc<Store>,
        last: LastValues,
        not_before: Micros,
    ) -> Result<JoinHandle<Result<(), LogError>>, LogError> {
        let stamp = Stamp::new(shared.config.clock.clone(), not_before);
        let writer = Self {
            shared,
            store,
            stamp,
            last,
            broken: false,
        };
        std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|e| LogError::backend("starting the log's writer", e))
    }

    fn run(mut self) -> Result<(), LogError> {
        let shared = self.shared.clone();
        let result = catch_unwind(AssertUnwindSafe(|| self.serve())).unwrap_or_else(|_| {
            Err(LogError::Unusable(
                "the writer of the log panicked: start the process again".to_owned(),
            ))
        });
        if let Err(error) = &result {
            tracing::error!(%error, "the log's writer ends");
        }
        // Nobody waits for an answer that will not come.
        shared.close();
        while let Taken::Jobs(jobs) = shared.queue.take(Duration::ZERO) {
            jobs.into_iter().for_each(|job| refuse(job, || LogError::Closed));
        }
        result
    }

    fn serve(&mut self) -> Result<(), LogError> {
        let every = self.shared.config.maintain_every;
        loop {
            if let Err(error) = self.maintain() {
                tracing::error!(%error, "retention of the log could not be applied, trying again");
            }
            if !self.serve_until(Instant::now() + every) {
                break;
            }
        }
        if self.broken {
            return Err(Refusal::Broken.to_error());
        }
        self.store
            .db
            .persist(PersistMode::SyncAll)
            .map_err(|e| LogError::backend("closing the log", e))?;
        self.note_ends()
    }

    /// Answers `false` once nothing is left and nothing will come.
    fn serve_until(&mut self, until: Instant) -> bool {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            match self.shared.queue.take(left) {
                Taken::Jobs(jobs) => self.serve_jobs(jobs),
                Taken::Nothing => return true,
                Taken::Closed => return false,
            }
        }
    }

    fn serve_jobs(&mut self, jobs: Vec<Job>) {
        let mut messages = Vec::with_capacity(jobs.len());
        let mut maintain = Vec::new();
        for job in jobs {
            match job {
                Job::Message(message) => messages.push(message),
                Job::Maintain(ticket) => maintain.push(ticket),
            }
        }
        if !messages.is_empty() {
            self.write(messages);
        }
        for ticket in maintain {
            let result = self.maintain();
            ticket.answer(result);
        }
    }

    /// One batch.
    fn write(&mut self, messages: Vec<Message>) {
        let began = Instant::now();
        let batch = match self.check_writable().and_then(|()| Batch::begin(self, &messages)) {
            Ok(batch) => batch,
            Err(refusal) => {
                self.shared.metrics.write_failures.increment(1);
                tracing::error!(error = %refusal, records = messages.len(), "the log refuses to write");
                return messages
                    .into_iter()
                    .for_each(|m| refuse(Job::Message(m), || refusal.to_error()));
            }
        };
        let batch = batch.fill(self, messages);
        if let Err(refusal) = self.commit(batch, began) {
            self.shared.metrics.write_failures.increment(1);
            tracing::error!(error = %refusal, "the log's disk refused a write: only reading goes on");
        }
    }

    pub(super) fn check_writable(&self) -> Result<(), Refusal> {
        if self.broken {
            return Err(Refusal::Broken);
        }
        let reserve = self.shared.disk_reserve();
        match free_bytes(&self.shared.config) {
            Ok(free) if free < reserve => Err(Refusal::DiskNearlyFull { free, reserve }),
            Ok(_) => Ok(()),
            Err(error) => Err(Refusal::Cause(Arc::new(error))),
        }
    }

    pub(super) fn commit(&mut self, batch: Batch, began: Instant) -> Result<(), Refusal> {
        let Batch { write, mut effects, .. } = batch;
        let has_commit = effects.has_commit;
        let passing = |point| {
            if has_commit {
                crash_point(point);
            }
        };
        passing(CrashPoint::BeforeCommit);
        let is_empty = write.is_empty();
        // First into the journal's buffer, then to disk.
        let written = write.commit().and_then(|()| {
            passing(CrashPoint::InsideCommit);
            if is_empty {
                Ok(())
            } else {
                self.store.db.persist(PersistMode::SyncData)
            }
        });
        if let Err(error) = written {
            self.broken = true;
            let refusal = Refusal::Cause(Arc::new(LogError::backend("writing a batch", error)));
            effects.answers.into_iter().for_each(|answer| answer.fail(&refusal));
            return Err(refusal);
        }
        if !is_empty {
            let metrics = &self.shared.metrics;
            metrics.fsyncs.increment(1);
            #[allow(clippy::cast_precision_loss, reason = "a number of records is far below 2^52")]
            metrics.batch_records.record(effects.stored.len() as f64);
            metrics.commit_seconds.record(began.elapsed());
        }
        effects.publish(&self.shared, &self.store);
        self.shared.changes().tell();
        passing(CrashPoint::AfterCommit);
        effects.answers.into_iter().for_each(Answer::give);
        Ok(())
    }
}

/// Answers a job that is not done.
fn refuse(job: Job, why: impl Fn() -> LogError) {
    match job {
        Job::Message(Message::Append(append)) => Answer::refused_append(append, why()).give(),
        Job::Message(Message::Commit { lane, ticket, .. }) => {
            lane.end();
            ticket.answer(Err(why()));
        }
        Job::Message(Message::Positions { ticket, .. } | Message::Barrier(ticket)) | Job::Maintain(ticket) => {
            ticket.answer(Err(why()));
        }
    }
}
