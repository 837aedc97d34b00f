//! The thread's commits, beside its processing: one transactional producer on a thread of its own.
//!
//! Every commit goes in one order, and the order is the fence (design §5): all fast outputs acknowledged; begin; exact
//! outputs, slots and markers, all acknowledged; the offsets, under metadata of a membership that has not been broken since
//! the cut; commit. After any failure the producer is given up: the next one, of the same transactional id, ends whatever
//! this one left open.

mod worker;

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use log::{Commit, CommitState, LogError};
use rdkafka::consumer::BaseConsumer;
use topology::Topic;

use crate::lane::Lane;
use crate::member::MemberContext;
use crate::metrics::GroupMetrics;
use crate::shared::Shared;
use worker::Worker;

/// One commit, and what must hold for it.
pub(crate) struct Job {
    pub(crate) commit: Commit,
    pub(crate) input: Topic,
    /// Everything sent through it before the cut is acknowledged first.
    pub(crate) lane: Arc<Lane>,
    pub(crate) sent: u64,
    pub(crate) consumer: Arc<BaseConsumer<MemberContext>>,
    /// [`MemberContext::breaks`] at the cut.
    pub(crate) breaks: u64,
    pub(crate) begun: Instant,
}

/// One transactional producer and its thread. Dropped, the thread ends by itself, as late as librdkafka lets it.
pub(crate) struct Committer {
    inbox: SyncSender<Job>,
    progress: Arc<Progress>,
}

#[derive(Default)]
struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ready: bool,
    running: bool,
    /// The first failure, until somebody was told.
    failure: Option<LogError>,
    failed: bool,
}

impl Committer {
    /// Starts the thread; the brokers need not answer yet.
    pub(crate) fn start(shared: Arc<Shared>, transactional_id: &str, metrics: GroupMetrics) -> Result<Self, LogError> {
        let progress = Arc::new(Progress::default());
        let (inbox, jobs) = sync_channel(1);
        let worker = Worker::new(shared, transactional_id, progress.clone(), metrics)?;
        thread::Builder::new()
            .name("log-commit".to_owned())
            .spawn(move || worker.run(&jobs))
            .map_err(|error| LogError::backend("starting the thread of commits", error))?;
        Ok(Self { inbox, progress })
    }

    /// Waits until the producer's predecessors are fenced and their transactions ended.
    pub(crate) fn wait_ready(&self, limit: Duration) -> Result<(), LogError> {
        let state = self.progress.wait(limit, |state| state.ready || state.failed);
        match (state.ready, state.failed) {
            (_, true) => Err(LogError::ProducerEnded),
            (true, false) => Ok(()),
            (false, false) => Err(LogError::Timeout(limit)),
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.progress.lock().failed
    }

    pub(crate) fn begin(&self, job: Job) -> Result<(), LogError> {
        let mut state = self.progress.lock();
        if state.running {
            return Err(LogError::Unusable(
                "a commit is running: wait until commit_state answers idle before the next".to_owned(),
            ));
        }
        if state.failed || self.inbox.try_send(job).is_err() {
            return Err(LogError::ProducerEnded);
        }
        state.running = true;
        Ok(())
    }

    /// Waits for the running commit without taking its answer.
    pub(crate) fn wait_idle(&self, limit: Duration) -> bool {
        !self.progress.wait(limit, |state| !state.running).running
    }

    pub(crate) fn state(&self, wait: Duration) -> Result<CommitState, LogError> {
        let mut state = self.progress.wait(wait, |state| !state.running);
        if state.running {
            return Ok(CommitState::Running);
        }
        match state.failure.take() {
            Some(error) => Err(error),
            None => Ok(CommitState::Idle),
        }
    }
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, limit: Duration, until: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if until(&state) || left.is_zero() {
                return state;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}
