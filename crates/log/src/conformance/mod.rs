//! What every backend promises, as checks over a [`Factory`]. A backend's tests make one `#[test]` of each with
//! [`conformance_suite!`](crate::conformance_suite).

#![allow(clippy::unwrap_used, reason = "checks of a test suite: a panic is their verdict")]

mod commits;
mod reading;
mod sending;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::{Offset, Partition};
use topology::{Group, Topic};

pub use commits::*;
pub use reading::*;
pub use sending::*;

use crate::{CommitState, Headers, Log, Polled, Record, Start, Stored, TaskLog, ThreadSlot};

/// Partitions of the logs the suite works on.
pub const PARTITIONS: u32 = 4;
/// How long anything may take.
pub const WAIT: Duration = Duration::from_secs(20);
/// The only thread of a group.
pub const ALONE: ThreadSlot = ThreadSlot { index: 0, of: 1 };

/// How a backend is brought into the situations the suite asks about.
pub trait Factory {
    /// The backend.
    type Log: Log;

    /// A new, empty log with [`PARTITIONS`] partitions.
    fn open(&self) -> Arc<Self::Log>;

    /// A new, empty log that [`Factory::outlive_retention`] will be asked of.
    fn open_brief(&self) -> Arc<Self::Log> {
        self.open()
    }

    /// The log as after a restart of the process: the old one and all its handles are gone.
    fn reopen(&self, log: Arc<Self::Log>) -> Arc<Self::Log>;

    /// Takes its partitions away from the members of a slot, as after a pause longer than their session.
    fn declare_lost(&self, log: &Self::Log, group: Group, slot: ThreadSlot);

    /// From now on sends fail, or no longer do.
    fn fail_sends(&self, log: &Self::Log, fail: bool);

    /// How long a reader may take until it sees what is there.
    fn read_wait(&self) -> Duration {
        Duration::ZERO
    }

    /// Waits until what was decided can be read: a commit may stand a moment before readers see it.
    fn settle(&self, _log: &Self::Log) {}

    /// Whether partition p goes to thread p modulo their number; else to any, evenly.
    fn assigns_by_slot(&self) -> bool {
        true
    }

    /// Lets retention drop what was appended to partition 0 of `observations` so far. What comes later is kept.
    fn outlive_retention(&self, log: &Self::Log);
}

/// Makes one `#[test]` of each check. `$factory` is an expression for a fresh [`Factory`].
#[macro_export]
macro_rules! conformance_suite {
    ($factory:expr) => {
        $crate::conformance_suite!(@ $factory;
            a_partition_is_one_order,
            everything_of_a_record_comes_back,
            acknowledged_is_readable,
            a_failed_send_leaves_no_gap,
            a_record_too_large_is_not_sent,
            many_producers_keep_each_order,
            a_closed_log_says_so,
            a_tail_starts_where_it_is_told,
            a_waiting_reader_is_woken,
            an_offset_no_longer_kept_is_an_error,
            compaction_keeps_the_last_value_of_each_key,
            a_consumer_resumes_where_it_committed,
            two_consumers_share_partitions,
            a_commit_is_there_as_a_whole,
            nothing_of_a_refused_commit_is_seen,
            fast_outputs_are_readable_before_their_commit,
            a_commit_after_a_failed_emit_does_not_stand,
            records_come_only_after_a_seek,
            threads_of_a_process_have_their_partitions,
            a_restart_resumes_from_the_commit,
            a_recovered_thread_is_assigned_again,
            two_members_share_partitions,
            a_paused_owner_commits_nothing,
        );
    };
    (@ $factory:expr; $($check:ident),+ $(,)?) => {
        $(#[test]
        fn $check() {
            $crate::conformance::$check(&$factory);
        })+
    };
}

fn record(topic: Topic, partition: Partition, key: &str, value: &str) -> Record {
    let value = Some(Bytes::copy_from_slice(value.as_bytes()));
    Record {
        topic,
        partition,
        key: Bytes::copy_from_slice(key.as_bytes()),
        value,
        headers: Headers::default(),
    }
}

fn text(stored: &Stored) -> String {
    stored
        .record
        .value
        .as_ref()
        .map_or("-".to_owned(), |v| String::from_utf8_lossy(v).into_owned())
}

fn texts(stored: &[Stored]) -> Vec<String> {
    stored.iter().map(text).collect()
}

fn deadline() -> Instant {
    Instant::now() + WAIT
}

/// Sends values `from..to` and waits for the last.
fn send_numbers(log: &impl Log, topic: Topic, partition: Partition, numbers: std::ops::Range<u32>) {
    let producer = log.producer("numbers").unwrap();
    let mut last = 0;
    for number in numbers {
        last = producer
            .send(record(topic, partition, "k", &number.to_string()), None)
            .unwrap();
    }
    producer.wait(last, deadline()).unwrap();
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

/// Everything readable of one partition now.
fn content(log: &impl Log, topic: Topic, partition: Partition) -> Vec<Stored> {
    let ends = log.ends(topic).unwrap();
    let mut tail = log.tail(&[(topic, Start::Beginning)]).unwrap();
    let mut all = Vec::new();
    while (0..).zip(&ends).any(|(p, end)| tail.position(topic, p) < *end) {
        all.extend(
            tail.poll(100, WAIT)
                .unwrap()
                .into_iter()
                .filter(|s| s.record.partition == partition),
        );
    }
    all
}

/// Polls until `done` says so, and answers everything that came.
fn poll_until(task: &mut dyn TaskLog, done: impl FnMut(&Polled) -> bool) -> Polled {
    poll_beside(task, None, done)
}

/// The same while another member of the group goes on polling: a rebalance needs all of them.
fn poll_beside(
    task: &mut dyn TaskLog,
    mut other: Option<&mut dyn TaskLog>,
    mut done: impl FnMut(&Polled) -> bool,
) -> Polled {
    let until = deadline();
    let mut all = Polled::default();
    loop {
        if let Some(other) = &mut other {
            other.poll(0, Duration::ZERO).unwrap();
        }
        let polled = task.poll(100, Duration::from_millis(50)).unwrap();
        all.assigned.extend(polled.assigned);
        all.revoked.extend(polled.revoked);
        all.lost.extend(polled.lost);
        all.records.extend(polled.records);
        all.caught_up = polled.caught_up;
        if done(&all) {
            return all;
        }
        assert!(Instant::now() < until, "waited too long: {all:?}");
    }
}

/// A thread that owns all partitions and reads each from its start.
fn started(log: &impl Log) -> Box<dyn TaskLog> {
    let mut task = log.task_log(Group::Network, ALONE).unwrap();
    let assigned = poll_until(&mut *task, |p| p.assigned.len() == PARTITIONS as usize).assigned;
    for partition in assigned {
        let restored = task.restore(partition, &mut |_| {}).unwrap();
        task.seek(partition, restored.group_offset.unwrap_or(restored.input_start))
            .unwrap();
    }
    task
}

fn finish(task: &mut dyn TaskLog) {
    assert_eq!(task.commit_state(WAIT).unwrap(), CommitState::Idle);
}

fn committed(log: &impl Log, partition: Partition) -> Option<Offset> {
    log.committed(Group::Network, Topic::Observations).unwrap()[partition as usize]
}
