//! Stream threads: input, fast outputs, commits, restores.

use std::time::{Duration, Instant};

use topology::{Group, Topic};

use super::{
    ALONE, Factory, PARTITIONS, WAIT, committed, content, deadline, finish, numbers, poll_beside, poll_until, record,
    send_numbers, started, text, texts,
};
use crate::{Commit, CommitState, Log, LogError, TaskLog, ThreadSlot};

/// A commit over some partitions: one exact output, one slot and a marker for each, and the next input offset `to`.
fn commit(partitions: std::ops::Range<u32>, to: u64) -> Commit {
    let mut commit = Commit::default();
    for partition in partitions {
        commit.exact.push(record(
            Topic::DeviceStatus,
            partition,
            "entity",
            &format!("status {to}"),
        ));
        commit.changelog.push(record(
            Topic::ChangelogNetwork,
            partition,
            "slot",
            &format!("slot {to}"),
        ));
        commit
            .changelog
            .push(record(Topic::ChangelogNetwork, partition, "marker", &to.to_string()));
        commit.positions.push((partition, to));
    }
    commit
}

/// What the last commit of a partition left, if any: status, slot, marker, position.
fn left(log: &impl Log, partition: u32) -> (Vec<String>, Vec<String>, Option<u64>) {
    let last = |topic, key: &str| {
        content(log, topic, partition)
            .iter()
            .rfind(|s| s.record.key == key)
            .map(text)
            .into_iter()
            .collect::<Vec<_>>()
    };
    let changelog = [
        last(Topic::ChangelogNetwork, "slot"),
        last(Topic::ChangelogNetwork, "marker"),
    ]
    .concat();
    (
        last(Topic::DeviceStatus, "entity"),
        changelog,
        committed(log, partition),
    )
}

fn expect_left<F: Factory>(factory: &F, log: &F::Log, partition: u32, to: Option<u64>) {
    factory.settle(log);
    let expected = match to {
        None => (vec![], vec![], None),
        Some(to) => (
            vec![format!("status {to}")],
            vec![format!("slot {to}"), to.to_string()],
            Some(to),
        ),
    };
    assert_eq!(left(log, partition), expected, "partition {partition}");
}

/// Exact outputs, changelog and positions of all its partitions; also after a restart.
pub fn a_commit_is_there_as_a_whole<F: Factory>(factory: &F) {
    let log = factory.open();
    for partition in 0..PARTITIONS {
        send_numbers(&*log, Topic::Observations, partition, 0..9);
    }
    let mut task = started(&*log);
    assert_eq!(task.commit_state(Duration::ZERO).unwrap(), CommitState::Idle);
    for to in [3, 7] {
        task.begin_commit(commit(0..3, to)).unwrap();
        finish(&mut *task);
        (0..3).for_each(|p| expect_left(factory, &log, p, Some(to)));
    }
    expect_left(factory, &log, 3, None);
    drop(task);
    let log = factory.reopen(log);
    (0..3).for_each(|p| expect_left(factory, &log, p, Some(7)));
    expect_left(factory, &log, 3, None);
}

/// A commit that names a partition of another owner is refused as a whole, and so is one that cannot be written.
pub fn nothing_of_a_refused_commit_is_seen<F: Factory>(factory: &F) {
    let log = factory.open();
    send_numbers(&*log, Topic::Observations, 0, 0..9);
    let mut task = started(&*log);
    factory.fail_sends(&log, true);
    let refused = task
        .begin_commit(commit(0..2, 3))
        .and_then(|()| task.commit_state(WAIT).map(drop));
    assert!(refused.is_err());
    factory.fail_sends(&log, false);
    assert!(matches!(
        task.begin_commit(commit(0..2, 4)),
        Err(LogError::ProducerEnded)
    ));
    (0..2).for_each(|p| expect_left(factory, &log, p, None));

    task.recover().unwrap();
    factory.declare_lost(&log, Group::Network, ALONE);
    let refused = task
        .begin_commit(commit(0..2, 5))
        .and_then(|()| task.commit_state(WAIT).map(drop));
    assert!(matches!(refused, Err(LogError::Fenced(_))), "{refused:?}");
    (0..2).for_each(|p| expect_left(factory, &log, p, None));
}

/// Whoever sees an exact output of a commit can read every fast output emitted before it.
pub fn fast_outputs_are_readable_before_their_commit<F: Factory>(factory: &F) {
    let log = factory.open();
    send_numbers(&*log, Topic::Observations, 0, 0..9);
    let mut task = started(&*log);
    for round in 0..20_u32 {
        for n in 0..10 {
            task.emit(record(Topic::DeviceEvents, 0, "k", &(round * 10 + n).to_string()))
                .unwrap();
        }
        task.begin_commit(commit(0..1, u64::from(round % 9))).unwrap();
        finish(&mut *task);
        let events = log.ends(Topic::DeviceEvents).unwrap()[0];
        assert!(events >= u64::from(round + 1) * 10, "{events} in round {round}");
    }
    assert_eq!(texts(&content(&*log, Topic::DeviceEvents, 0)), numbers(0..200));
}

/// Where an output is missing, nothing that rests on it stands.
pub fn a_commit_after_a_failed_emit_does_not_stand<F: Factory>(factory: &F) {
    let log = factory.open();
    send_numbers(&*log, Topic::Observations, 0, 0..9);
    let mut task = started(&*log);
    factory.fail_sends(&log, true);
    // Taken in or refused at once: both are failures that the commit must not outlive.
    let emitted = task.emit(record(Topic::DeviceEvents, 0, "k", "lost"));
    let stands = emitted
        .and_then(|()| task.begin_commit(commit(0..1, 1)))
        .and_then(|()| task.commit_state(WAIT).map(drop));
    factory.fail_sends(&log, false);
    assert!(stands.is_err());
    assert!(task.emit(record(Topic::DeviceEvents, 0, "k", "after")).is_err());
    expect_left(factory, &log, 0, None);
    assert!(content(&*log, Topic::DeviceEvents, 0).is_empty());
}

/// First assigned, then restored, then sought; caught up once the last record was read.
pub fn records_come_only_after_a_seek<F: Factory>(factory: &F) {
    let log = factory.open();
    send_numbers(&*log, Topic::Observations, 2, 0..5);
    let mut task = log.task_log(Group::Network, ALONE).unwrap();
    let first = task.poll(100, WAIT).unwrap();
    assert_eq!(first.assigned, [0, 1, 2, 3]);
    assert!(first.records.is_empty() && first.caught_up.is_empty());
    assert!(task.poll(100, Duration::ZERO).unwrap().records.is_empty());
    task.seek(2, 1).unwrap();
    let got = poll_until(&mut *task, |p| p.records.len() >= 4);
    assert_eq!(texts(&got.records), numbers(1..5));
    assert_eq!(poll_until(&mut *task, |p| !p.caught_up.is_empty()).caught_up, [2]);
    send_numbers(&*log, Topic::Observations, 2, 5..7);
    let got = poll_until(&mut *task, |p| p.records.len() >= 2);
    assert_eq!(texts(&got.records), numbers(5..7));
    assert!(task.seek(2, 8).is_err());
}

/// The threads of a process share all partitions, and each keeps to its own.
pub fn threads_of_a_process_have_their_partitions<F: Factory>(factory: &F) {
    let log = factory.open();
    let mut tasks: Vec<_> = (0..3)
        .map(|index| log.task_log(Group::Network, ThreadSlot { index, of: 3 }).unwrap())
        .collect();
    let owned = shared_out(&mut tasks);
    if factory.assigns_by_slot() {
        assert_eq!(owned, [vec![0, 3], vec![1], vec![2]]);
    }
    let foreign = owned[1][0];
    assert!(matches!(tasks[0].seek(foreign, 0), Err(LogError::Fenced(_))));
    assert!(matches!(
        tasks[0].restore(foreign, &mut |_| {}),
        Err(LogError::Fenced(_))
    ));
    assert!(tasks[0].begin_commit(commit(foreign..foreign + 1, 0)).is_err());
    expect_left(factory, &log, foreign, None);
}

/// Polls all until every partition has one owner, and all have about as many.
fn shared_out(tasks: &mut [Box<dyn TaskLog>]) -> Vec<Vec<u32>> {
    let until = deadline();
    let mut owned = vec![Vec::new(); tasks.len()];
    loop {
        for (task, owned) in tasks.iter_mut().zip(&mut owned) {
            let polled = task.poll(100, Duration::from_millis(20)).unwrap();
            owned.retain(|p| !polled.revoked.contains(p) && !polled.lost.contains(p));
            owned.extend(polled.assigned);
            owned.sort_unstable();
        }
        let mut all = owned.concat();
        all.sort_unstable();
        if all == [0, 1, 2, 3] && owned.iter().all(|o| (1..=2).contains(&o.len())) {
            return owned;
        }
        assert!(Instant::now() < until, "waited too long: {owned:?}");
    }
}

/// The last values of the changelog, the group's offset, and the input from there on.
pub fn a_restart_resumes_from_the_commit<F: Factory>(factory: &F) {
    let log = factory.open();
    send_numbers(&*log, Topic::Observations, 1, 0..9);
    let mut task = started(&*log);
    for to in 1..=5 {
        let mut commit = commit(1..2, to);
        commit
            .changelog
            .push(record(Topic::ChangelogNetwork, 1, &format!("key {to}"), "v"));
        if to == 4 {
            let gone = record(Topic::ChangelogNetwork, 1, "key 2", "");
            commit.changelog.push(crate::Record { value: None, ..gone });
        }
        task.begin_commit(commit).unwrap();
        finish(&mut *task);
    }
    drop(task);
    let log = factory.reopen(log);
    let mut task = log.task_log(Group::Network, ALONE).unwrap();
    poll_until(&mut *task, |p| p.assigned.len() == 4);
    let mut state = std::collections::BTreeMap::new();
    let mut offsets = Vec::new();
    let restored = task
        .restore(1, &mut |stored| {
            offsets.push(stored.offset);
            state.insert(String::from_utf8_lossy(&stored.record.key).into_owned(), text(&stored));
        })
        .unwrap();
    assert!(offsets.is_sorted_by(|a, b| a < b));
    let expected = [
        ("key 1", "v"),
        ("key 2", "-"),
        ("key 3", "v"),
        ("key 4", "v"),
        ("key 5", "v"),
        ("marker", "5"),
        ("slot", "slot 5"),
    ];
    assert_eq!(state, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    assert_eq!((restored.group_offset, restored.input_start), (Some(5), 0));
    task.seek(1, 5).unwrap();
    let got = poll_until(&mut *task, |p| p.records.len() >= 4);
    assert_eq!(texts(&got.records), numbers(5..9));
    let other = task.restore(0, &mut |_| panic!("nothing was committed here")).unwrap();
    assert_eq!(other.group_offset, None);
}

/// Everything owned shows up as assigned, and nothing is delivered before the next seek.
pub fn a_recovered_thread_is_assigned_again<F: Factory>(factory: &F) {
    let log = factory.open();
    send_numbers(&*log, Topic::Observations, 0, 0..3);
    let mut task = started(&*log);
    poll_until(&mut *task, |p| p.records.len() >= 3);
    task.recover().unwrap();
    let again = task.poll(100, WAIT).unwrap();
    assert_eq!(again.assigned, [0, 1, 2, 3]);
    assert!(again.records.is_empty());
    task.seek(0, 0).unwrap();
    let got = poll_until(&mut *task, |p| p.records.len() >= 3);
    assert_eq!(texts(&got.records), numbers(0..3));
    task.emit(record(Topic::DeviceEvents, 0, "k", "0")).unwrap();
    task.begin_commit(commit(0..1, 3)).unwrap();
    finish(&mut *task);
    expect_left(factory, &log, 0, Some(3));
    // At the end again, although nothing new came: whoever waits for the next tick must be told.
    for _ in 0..2 {
        task.recover().unwrap();
        poll_until(&mut *task, |p| p.assigned.len() == 4);
        task.seek(0, 3).unwrap();
        assert_eq!(poll_until(&mut *task, |p| !p.caught_up.is_empty()).caught_up, [0]);
    }
}

/// A partition goes over when the old owner has given it back; what it committed until then stands.
pub fn two_members_share_partitions<F: Factory>(factory: &F) {
    let log = factory.open();
    for partition in 0..PARTITIONS {
        send_numbers(&*log, Topic::Observations, partition, 0..4);
    }
    let mut first = started(&*log);
    let mut second = log.task_log(Group::Network, ALONE).unwrap();
    assert!(second.poll(100, Duration::ZERO).unwrap().assigned.is_empty());
    first.begin_commit(commit(0..4, 2)).unwrap();
    let revoked = poll_until(&mut *first, |p| p.revoked.len() == 2).revoked;
    let assigned = poll_beside(&mut *second, Some(&mut *first), |p| p.assigned.len() == 2).assigned;
    assert_eq!(revoked, assigned);
    (0..4).for_each(|p| expect_left(factory, &log, p, Some(2)));
    for partition in assigned {
        let restored = second.restore(partition, &mut |_| {}).unwrap();
        assert_eq!(restored.group_offset, Some(2));
        second.seek(partition, 2).unwrap();
        assert!(first.begin_commit(commit(partition..partition + 1, 3)).is_err());
    }
    let got = poll_until(&mut *second, |p| p.records.len() >= 4);
    assert!(
        got.records
            .iter()
            .all(|s| revoked.contains(&s.record.partition) && s.offset >= 2)
    );
    drop(second);
    let back = poll_until(&mut *first, |p| p.assigned.len() == 2).assigned;
    assert_eq!(back, revoked);
}

/// Its partitions have gone to another: neither what it had running nor what it begins stands, and it is told.
pub fn a_paused_owner_commits_nothing<F: Factory>(factory: &F) {
    let log = factory.open();
    send_numbers(&*log, Topic::Observations, 0, 0..9);
    let mut paused = started(&*log);
    paused.begin_commit(commit(0..1, 1)).unwrap();
    finish(&mut *paused);
    factory.declare_lost(&log, Group::Network, ALONE);
    let mut heir = log.task_log(Group::Network, ALONE).unwrap();
    poll_until(&mut *heir, |p| p.assigned.contains(&0));
    let mut slots = Vec::new();
    let restored = heir.restore(0, &mut |stored| slots.push(text(&stored))).unwrap();
    assert_eq!(
        (restored.group_offset, slots),
        (Some(1), vec!["slot 1".to_owned(), "1".to_owned()])
    );
    let late = paused
        .begin_commit(commit(0..1, 2))
        .and_then(|()| paused.commit_state(WAIT).map(drop));
    assert!(late.is_err());
    expect_left(factory, &log, 0, Some(1));
    heir.begin_commit(commit(0..1, 3)).unwrap();
    finish(&mut *heir);
    expect_left(factory, &log, 0, Some(3));
    assert_eq!(poll_until(&mut *paused, |p| !p.lost.is_empty()).lost, [0, 1, 2, 3]);
}
