//! Log to store.
//!
//! - reads: `device-events`, `device-status`, `inventory`, `ledger`, `measurements`, `rollups-hour`, `rollups-day`, `read-requests`,
//!   `alarms`, `alarm-transitions`, `incidents`, `rules`, as group `persist`
//! - writes: tables `device_events`; `status`, `status_by_group`; `entities`, `groups`, `serials`; `ledger`; `samples_raw`,
//!   `latest_by_group`; `rollup_hourly`; `rollup_daily`, `rollup_monthly`; `alarms`; `alarm_events`; `incidents`, `incidents_by_month`;
//!   `alert_rules`, `silences`; answers in `observations`; dead letters
//! - key: the row's own; one thread writes all rows of an entity, for one partition has all its records
//! - state: none but the position; what an entity was before is its row in the store
//! - time: none; write times and ends of rows come from the records
//! - guarantee: a position moves when all rows before it are durable; a repeat writes the same rows; nothing is skipped
//!
//! A store that is away delays the views and nothing else: this waits, for as long as it takes.

mod alarms;
mod core;
mod dead_letter;
mod metric;
mod plan;
mod rebuild;
mod recompute;
mod requests;
mod session;
mod status;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use log::{Log, LogError};
use store::rows::DERIVED_TABLES;
use store::{Store, StoreError, TableDef};
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::watch;
use topology::{Group, Topic};

pub use crate::core::{
    Change, Refusal, Removal, Removed, Request, change_of, derived_keys, keys_of_entity, keys_of_status, rows_of,
};
pub use crate::rebuild::{RebuildCounts, rebuild};
pub use crate::recompute::{RecomputeCounts, recompute};
use crate::session::{Context, Retry, Session, Stepped};
pub use crate::status::PersistStatus;

/// Longest wait for records; how soon a stop is noticed.
const POLL_WAIT: Duration = Duration::from_millis(100);

/// What persist needs.
pub struct PersistConfig {
    /// Where records come from.
    pub log: Arc<dyn Log>,
    /// Where rows go to.
    pub store: Arc<dyn Store>,
    /// What the store's calls run on.
    pub runtime: Handle,
    /// Threads among which the partitions are shared; at least one.
    pub threads: u32,
}

/// An operating error of persist.
#[derive(Debug, Error)]
pub enum PersistError {
    /// The log failed.
    #[error("persist cannot read the log")]
    Log(#[from] LogError),
    /// The store failed.
    #[error("persist cannot write the store")]
    Store(#[from] StoreError),
    /// A thread could not be started.
    #[error("cannot start a thread of persist")]
    Thread(#[from] std::io::Error),
    /// Nobody listens any more.
    #[error("cannot say how far it is")]
    Say(#[source] std::io::Error),
    /// A bug.
    #[error("a thread of persist ended in a panic")]
    Panicked,
}

/// A running persist. Dropped without a join, it stops by itself.
pub struct PersistHandle {
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
    status: Arc<PersistStatus>,
}

impl PersistHandle {
    /// Asks it to finish what it has in hand; returns at once.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits for its end, under 5 s after a stop: what the store has not taken by then is read again next time.
    ///
    /// # Errors
    /// When a thread ended in a panic.
    pub fn join(self) -> Result<(), PersistError> {
        let ends: Vec<_> = self.threads.into_iter().map(JoinHandle::join).collect();
        if ends.iter().all(Result::is_ok) {
            Ok(())
        } else {
            Err(PersistError::Panicked)
        }
    }

    /// How far it is.
    pub fn status(&self) -> Arc<PersistStatus> {
        Arc::clone(&self.status)
    }
}

/// Starts persist on threads of its own.
///
/// # Errors
/// When a thread cannot be started. A log or a store that is away is no error: it waits for them.
pub fn spawn(config: PersistConfig) -> Result<PersistHandle, PersistError> {
    let of = config.threads.max(1);
    let (stop, stopping) = watch::channel(false);
    let status = Arc::new(PersistStatus::new(of));
    let mut threads = Vec::new();
    for thread in 0..of {
        let context = Context {
            log: Arc::clone(&config.log),
            store: Arc::clone(&config.store),
            runtime: config.runtime.clone(),
            thread,
            status: Arc::clone(&status),
            stopping: stopping.clone(),
            sends_letters: true,
        };
        let running = status.run();
        let work = move || {
            let _running = running;
            run(&context, of);
        };
        threads.push(
            std::thread::Builder::new()
                .name(format!("persist-{thread}"))
                .spawn(work)?,
        );
    }
    Ok(PersistHandle { stop, threads, status })
}

/// Sessions one after the other, until a stop or the end of the log.
fn run(context: &Context, of: u32) {
    let mut retry = Retry::new();
    while !context.is_stopping() {
        match session(context, of, &mut retry) {
            Ok(()) => return,
            Err(LogError::Closed) => {
                tracing::info!(thread = context.thread, "persist ends: the log is closed");
                return;
            }
            Err(error) => {
                context.failed("log", &error);
                context.rest(retry.next());
            }
        }
    }
}

fn session(context: &Context, of: u32, retry: &mut Retry) -> Result<(), LogError> {
    let mut session = Session::new(context, of)?;
    while !context.is_stopping() {
        match session.step(POLL_WAIT)? {
            Stepped::Idle => {}
            Stepped::Did { .. } => *retry = Retry::new(),
            Stepped::Stopped => return Ok(()),
        }
    }
    Ok(())
}

/// What persist is, as data.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// Its group.
    pub group: Group,
    /// Topics it reads.
    pub reads: &'static [Topic],
    /// Tables it writes, each from one topic.
    pub writes: &'static [(Topic, &'static [&'static str])],
}

/// Says what it reads and writes.
pub fn describe() -> Description {
    Description {
        group: Group::Persist,
        reads: Group::Persist.spec().reads,
        writes: &[
            (Topic::DeviceEvents, &["device_events"]),
            (Topic::DeviceStatus, &["status", "status_by_group"]),
            (Topic::Inventory, &["entities", "groups", "serials"]),
            (Topic::Ledger, &["ledger"]),
            (Topic::Measurements, &["samples_raw", "latest_by_group"]),
            (Topic::RollupsHour, &["rollup_hourly"]),
            (Topic::RollupsDay, &["rollup_daily", "rollup_monthly"]),
            (Topic::Alarms, &["alarms"]),
            (Topic::AlarmTransitions, &["alarm_events"]),
            (Topic::Incidents, &["incidents", "incidents_by_month"]),
            (Topic::Rules, &["alert_rules", "silences"]),
        ],
    }
}

/// Every table that comes from the log.
pub fn tables() -> &'static [&'static TableDef] {
    DERIVED_TABLES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_is_written_from_one_topic_that_is_read() {
        let description = describe();
        let mut written: Vec<_> = description
            .writes
            .iter()
            .flat_map(|(_, tables)| tables.iter().copied())
            .collect();
        assert!(
            description
                .writes
                .iter()
                .all(|(topic, _)| description.reads.contains(topic))
        );
        let mut expected: Vec<_> = tables().iter().map(|t| t.name).collect();
        written.sort_unstable();
        expected.sort_unstable();
        assert_eq!(written, expected);
    }
}
