//! Makes what was written durable, on a thread of its own, so that intake does not wait for the disk. One sync covers
//! everything written before it.

use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use metrics::{Counter, Histogram};

use crate::OnDurable;

/// Rest between syncs that nobody waits for.
const REST: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Work {
    /// The file written last. Of an earlier one the whole content was handed over before.
    files: Vec<Arc<File>>,
    waiting: Vec<Arc<dyn OnDurable>>,
    running: bool,
    failed: Option<String>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    work: Mutex<Work>,
    changed: Condvar,
}

pub(super) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Starts the thread. `folder` is synced with the files: a new file's name is in it.
    pub fn start(folder: File, syncs: Counter, took: Histogram) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let thread = std::thread::Builder::new()
            .name("spool-sync".to_owned())
            .spawn(move || serve(&theirs, &folder, &syncs, &took))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Something was written to this file; those who wait are told once it is durable, or never if the disk fails.
    pub fn written(&self, file: &Arc<File>, waiting: &mut Vec<Arc<dyn OnDurable>>) {
        let mut work = self.work();
        if !work.files.iter().any(|f| Arc::ptr_eq(f, file)) {
            work.files.push(file.clone());
        }
        work.waiting.append(waiting);
        drop(work);
        self.shared.changed.notify_all();
    }

    /// What the last sync failed with, until one succeeds.
    pub fn failure(&self) -> Option<String> {
        self.work().failed.clone()
    }

    /// Waits until everything handed over is durable, or the deadline passes.
    pub fn finish(&self, deadline: Instant) {
        let mut work = self.work();
        while work.running || !work.files.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            work = self
                .shared
                .changed
                .wait_timeout(work, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn work(&self) -> std::sync::MutexGuard<'_, Work> {
        self.shared.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.work().closed = true;
        self.shared.changed.notify_all();
        if self.thread.take().is_some_and(|t| t.join().is_err()) {
            tracing::error!("the spool's sync thread panicked");
        }
    }
}

fn serve(shared: &Shared, folder: &File, syncs: &Counter, took: &Histogram) {
    let mut rested = Instant::now();
    while let Some((files, waiting)) = next(shared, rested) {
        let began = Instant::now();
        let result = files
            .iter()
            .try_for_each(|f| f.sync_data())
            .and_then(|()| folder.sync_all());
        syncs.increment(1);
        took.record(began.elapsed());
        if let Err(error) = &result {
            tracing::error!(%error, "the spool's disk refuses to sync: what is in the spool may not survive a power cut, informs are not answered");
        } else {
            waiting.iter().for_each(|w| w.durable());
        }
        let mut work = shared.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.failed = result.err().map(|e| e.to_string());
        work.running = false;
        drop(work);
        shared.changed.notify_all();
        rested = Instant::now() + REST;
    }
}

type Taken = (Vec<Arc<File>>, Vec<Arc<dyn OnDurable>>);

/// The next work; while nobody waits for it, not before `rested`.
fn next(shared: &Shared, rested: Instant) -> Option<Taken> {
    let mut work = shared.work.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let rest = rested.saturating_duration_since(Instant::now());
        let due = !work.files.is_empty() && (!work.waiting.is_empty() || rest.is_zero());
        if due || work.closed {
            break;
        }
        work = if work.files.is_empty() {
            shared.changed.wait(work).unwrap_or_else(PoisonError::into_inner)
        } else {
            let waited = shared.changed.wait_timeout(work, rest);
            waited.unwrap_or_else(PoisonError::into_inner).0
        };
    }
    if work.files.is_empty() {
        return None;
    }
    work.running = true;
    Some((std::mem::take(&mut work.files), std::mem::take(&mut work.waiting)))
}
