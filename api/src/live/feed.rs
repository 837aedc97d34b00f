//! The thread that brings the log's records into the live view.
//!
//! Start (and start again after the log was away): note the ends of all topics, read the exact ones from their beginning
//! and the fast ones from two minutes back, all to the noted ends; then the view is ready. Fast records wait until the
//! exact ones are in, so that events are shown with the names and sites of what they happened to.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use log::{Log, LogError, Start, Stored, Tail};
use model::{Micros, Offset};
use topology::Topic;

use super::LiveView;
use super::held::Held;
use super::state::LiveState;
use crate::metrics_names as names;
use crate::time::now;

/// The fast topics are read from this far back (design §10).
const FAST_BACK_US: i64 = 120 * Micros::SECOND;
/// Events a partition that are fetched for the first screen, if the two minutes hold fewer.
const EVENTS_BACK: u64 = 200;
/// The ledger is read from this far back: its rows come every 10 s, and a listener that is silent for a minute is said to be.
const LEDGER_BACK_US: i64 = 120 * Micros::SECOND;
/// Records a poll brings at most; also what is applied under one lock.
const POLL_MAX: usize = 2_048;
/// Changes are published at most this often.
const PUBLISH_EVERY: Duration = Duration::from_millis(5);
const IDLE_WAIT: Duration = Duration::from_millis(200);
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

pub(super) struct Feed {
    log: Arc<dyn Log>,
    view: Weak<LiveView>,
}

/// Why following ends.
enum End {
    Stopped,
    Failed(LogError),
}

impl From<LogError> for End {
    fn from(error: LogError) -> Self {
        Self::Failed(error)
    }
}

impl Feed {
    pub(super) fn new(log: Arc<dyn Log>, view: Weak<LiveView>) -> Self {
        Self { log, view }
    }

    pub(super) fn run(self) {
        let mut backoff = BACKOFF.0;
        loop {
            let began = Instant::now();
            match self.follow() {
                Ok(()) | Err(End::Stopped) => return,
                Err(End::Failed(LogError::Closed)) => return tracing::info!("the live view ends: the log is closed"),
                Err(End::Failed(error)) => {
                    metrics::counter!(names::LIVE_RESTARTS).increment(1);
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the live view lost the log and reads it again"
                    );
                }
            }
            if began.elapsed() > BACKOFF.1 {
                backoff = BACKOFF.0;
            }
            // Nothing comes through now, which must be said while we wait.
            if let Ok(view) = self.view() {
                self.apply(&view, &[]);
                view.publish();
            }
            // A little of chance, so that many instances do not come back at once.
            std::thread::sleep(backoff.mul_f64(0.5 + rand::random::<f64>() / 2.0));
            backoff = (backoff * 2).min(BACKOFF.1);
        }
    }

    fn follow(&self) -> Result<(), End> {
        let mut held = Held::default();
        let mut tail = self.load(&mut held)?;
        let mut published = Instant::now();
        loop {
            let view = self.view()?;
            let pending = view.read().has_changes();
            let wait = if pending {
                PUBLISH_EVERY.saturating_sub(published.elapsed())
            } else {
                IDLE_WAIT
            };
            drop(view);
            let records = held.pass(tail.poll(POLL_MAX, wait)?, self.log.codec())?;
            let view = self.view()?;
            view.set_waiting(held.reason());
            self.apply(&view, &records);
            if published.elapsed() >= PUBLISH_EVERY {
                view.publish();
                published = Instant::now();
            }
        }
    }

    /// Reads everything that was there when it began.
    fn load(&self, held: &mut Held) -> Result<Box<dyn Tail>, End> {
        let began = Instant::now();
        let mut ends = Vec::new();
        for topic in LiveState::EXACT_TOPICS.into_iter().chain(LiveState::FAST_TOPICS) {
            ends.push((topic, self.log.ends(topic)?));
        }
        let mut starts: Vec<_> = LiveState::EXACT_TOPICS.iter().map(|&t| (t, Start::Beginning)).collect();
        for topic in LiveState::FAST_TOPICS {
            starts.push((topic, Start::Offsets(self.fast_start(topic)?)));
        }
        starts.push((Topic::Ledger, Start::At(now().plus(-LEDGER_BACK_US))));
        let mut tail = self.log.tail(&starts)?;
        self.view()?.write(LiveState::begin_load);
        let (mut waiting, mut exact) = (Vec::<Stored>::new(), 0_usize);
        while !reached(tail.as_ref(), &ends) {
            let records = held.pass(tail.poll(POLL_MAX, IDLE_WAIT)?, self.log.codec())?;
            let (fast, rows): (Vec<_>, Vec<_>) = records
                .into_iter()
                .partition(|r| LiveState::FAST_TOPICS.contains(&r.record.topic));
            exact += rows.len();
            waiting.extend(fast);
            self.apply(&*self.view()?, &rows);
        }
        let view = self.view()?;
        view.write(LiveState::end_load);
        // Over partitions, in the order of their append; within a partition they are in it already.
        waiting.sort_by_key(|s| s.appended_at);
        waiting.chunks(POLL_MAX).for_each(|chunk| self.apply(&view, chunk));
        view.write(|state| state.system.replaying(false));
        view.publish();
        view.ready.store(true, Ordering::Release);
        let entities = view.read().shown_entities();
        metrics::gauge!(names::LIVE_ENTITIES).set(entities as f64);
        tracing::info!(entities, rows = exact, events = waiting.len(), took = ?began.elapsed(), "the live view is ready");
        Ok(tail)
    }

    /// Offsets of a fast topic two minutes back, or of the last events if there were few.
    fn fast_start(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        let since = now().plus(-FAST_BACK_US);
        let recent = self.log.tail(&[(topic, Start::At(since))])?;
        let (starts, ends) = (self.log.starts(topic)?, self.log.ends(topic)?);
        let offsets = (0..self.log.partitions())
            .zip(starts.iter().zip(&ends))
            .map(|(partition, (&start, &end))| {
                let few = end.saturating_sub(EVENTS_BACK);
                recent.position(topic, partition).min(few).max(start)
            });
        Ok(offsets.collect())
    }

    fn apply(&self, view: &LiveView, records: &[Stored]) {
        let codec = self.log.codec();
        view.write(|state| state.apply(records, codec, now()));
    }

    fn view(&self) -> Result<Arc<LiveView>, End> {
        let view = self.view.upgrade().ok_or(End::Stopped)?;
        if view.stop.load(Ordering::Acquire) {
            Err(End::Stopped)
        } else {
            Ok(view)
        }
    }
}

impl LiveView {
    fn write(&self, change: impl FnOnce(&mut LiveState)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}

fn reached(tail: &dyn Tail, ends: &[(Topic, Vec<Offset>)]) -> bool {
    ends.iter().all(|(topic, offsets)| {
        (0..)
            .zip(offsets)
            .all(|(partition, &end)| tail.position(*topic, partition) >= end)
    })
}
