//! What a restore may find, and what the operator can choose.

use bytes::Bytes;
use log::{Commit, Headers, Record, Restored, Stored};
use model::{Micros, Position};
use schemas::{AnyRecord, Codec, SourceHeartbeat};
use topology::Topic;

use crate::{
    Chain, DeadReason, Input, Now, OnTorn, Out, Reason, Restoring, StateKey, Step, StepDescription, Task, TaskPlace,
    Verdict, WaitReason,
};

const PLACE: TaskPlace = TaskPlace {
    generation: 2,
    partition: 0,
    partitions: 8,
};

/// Remembers the position of the last record.
struct Last;

fn decode(record: AnyRecord, _root: &str) -> Result<(), DeadReason> {
    match record {
        AnyRecord::SourceHeartbeat(_) => Ok(()),
        _ => Err("unexpected_record".into()),
    }
}

fn chain() -> Chain<()> {
    Chain::outside_topology(decode).step(Last)
}

impl Step for Last {
    type Event = ();
    type State = u64;

    fn describe(&self) -> StepDescription {
        StepDescription {
            number: 1,
            name: "last",
            reads: "anything",
            writes: &[],
            key: "one",
            state: "an offset",
            time: "none",
            guarantee: "total",
            format: 1,
        }
    }

    fn keys(&self, (): &(), keys: &mut Vec<StateKey>) {
        keys.push("one".into());
    }

    fn apply(&self, _: &StateKey, _: Option<&u64>, _: Input<'_, ()>, now: &Now, _: &mut Out<()>) -> Verdict<u64> {
        let Position { offset, .. } = now.position;
        Verdict::put(offset, Reason::Did("remembered"))
    }
}

/// The changelog after the records of these offsets, each its own commit.
fn changelog(place: TaskPlace, offsets: std::ops::Range<u64>) -> Vec<Record> {
    let codec = Codec::standalone();
    let mut task = Task::new(place, chain(), 0);
    let mut commit = Commit::default();
    for offset in offsets {
        let said = SourceHeartbeat {
            root: "r".into(),
            connector: "c".into(),
            sent_at: Micros(0),
        };
        let record = Record {
            topic: Topic::Observations,
            partition: 0,
            key: Bytes::from_static(b"r"),
            value: Some(codec.encode(&said.into()).unwrap().into()),
            headers: Headers::default(),
        };
        let stored = Stored {
            record,
            offset,
            appended_at: Micros(5),
        };
        task.process(&stored, &codec, &mut Vec::new()).unwrap();
        task.cut(&mut commit);
    }
    commit.changelog
}

fn restore(
    changelog: &[Record],
    on_torn: OnTorn,
    group_offset: Option<u64>,
    input_start: u64,
) -> Result<Task<()>, WaitReason> {
    let mut restoring = Restoring::new(PLACE, chain(), on_torn);
    for (offset, record) in (0..).zip(changelog) {
        restoring.apply(&Stored {
            record: record.clone(),
            offset,
            appended_at: Micros(0),
        });
    }
    restoring.finish(
        Restored {
            group_offset,
            input_start,
        },
        chain,
    )
}

/// Waits with this reason; and what going on and rebuilding lead to: the next offset, or waiting all the same.
fn check(
    changelog: &[Record],
    (group_offset, input_start): (Option<u64>, u64),
    reason: &WaitReason,
    go_on: Option<u64>,
    rebuild: Option<u64>,
) {
    let with = |on_torn| restore(changelog, on_torn, group_offset, input_start);
    assert_eq!(with(OnTorn::Wait).map(|t| t.next_offset()).as_ref(), Err(reason));
    assert_eq!(
        with(OnTorn::GoOn).ok().map(|t| t.next_offset()),
        go_on,
        "going on: {reason}"
    );
    let rebuilt = with(OnTorn::Rebuild).ok();
    assert_eq!(rebuilt.as_ref().map(Task::next_offset), rebuild, "rebuilding: {reason}");
    if let Some(task) = rebuilt {
        assert_eq!(task.slots(), 0, "rebuilding begins with nothing: {reason}");
    }
}

#[test]
fn what_adds_up_is_restored() {
    let three = changelog(PLACE, 0..3);
    for group_offset in [Some(3), None] {
        let task = restore(&three, OnTorn::Wait, group_offset, 0).unwrap();
        assert_eq!((task.next_offset(), task.slots(), task.outcomes().consumed), (3, 1, 3));
        assert!(!task.is_changed());
    }
    let fresh = restore(&[], OnTorn::Wait, None, 7).unwrap();
    assert_eq!((fresh.next_offset(), fresh.slots()), (7, 0));
}

#[test]
fn what_does_not_add_up_waits_for_a_choice() {
    let three = changelog(PLACE, 0..3);
    let (slot, marker) = (&three[4], &three[3]);
    let older_marker = [slot.clone(), marker.clone()];
    check(
        &older_marker,
        (Some(2), 0),
        &WaitReason::SlotBeyondMarker {
            applied: 2,
            next_offset: 2,
        },
        Some(2),
        Some(0),
    );
    let differ = WaitReason::MarkerAndGroupDiffer {
        next_offset: 3,
        group_offset: 2,
    };
    check(&three, (Some(2), 0), &differ, Some(3), Some(0));
    check(
        &three[..1],
        (Some(1), 0),
        &WaitReason::MarkerMissing { slots: 1 },
        None,
        Some(0),
    );
    check(
        &[],
        (Some(4), 1),
        &WaitReason::ChangelogLost { group_offset: 4 },
        None,
        Some(1),
    );
    check(
        &three,
        (Some(3), 9),
        &WaitReason::InputLost {
            next_offset: 3,
            oldest: 9,
        },
        Some(9),
        Some(9),
    );
}

#[test]
fn another_shape_of_the_input_is_seen() {
    let before = changelog(TaskPlace { generation: 1, ..PLACE }, 0..3);
    check(
        &before,
        (Some(1), 0),
        &WaitReason::Generation { marker: 1, log: 2 },
        Some(1),
        Some(0),
    );
    let gone_on = restore(&before, OnTorn::GoOn, None, 0).unwrap();
    assert_eq!(
        (gone_on.next_offset(), gone_on.slots()),
        (0, 1),
        "offsets begin again, the state stays"
    );

    let fewer = changelog(TaskPlace { partitions: 4, ..PLACE }, 0..3);
    check(
        &fewer,
        (Some(3), 0),
        &WaitReason::PartitionCount { marker: 4, log: 8 },
        None,
        None,
    );
}

#[test]
fn a_rebuild_deletes_what_it_does_not_make_again() {
    let three = changelog(PLACE, 0..3);
    let mut task = restore(&three, OnTorn::Rebuild, Some(9), 0).unwrap();
    let codec = Codec::standalone();
    let record = Record {
        topic: Topic::Observations,
        key: Bytes::new(),
        value: None,
        ..three[0].clone()
    };
    task.process(
        &Stored {
            record,
            offset: 0,
            appended_at: Micros(0),
        },
        &codec,
        &mut Vec::new(),
    )
    .unwrap();
    let mut commit = Commit::default();
    task.cut(&mut commit);
    assert!(commit.changelog[0].value.is_none(), "first the tombstones");
    assert_eq!(commit.changelog[0].key, three[0].key);
}
