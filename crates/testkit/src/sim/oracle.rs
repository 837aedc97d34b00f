//! What a partition's input leads to when nothing ever fails, and the comparison with what it led to.

use std::collections::BTreeMap;

use bytes::Bytes;
use log::{Commit, IdFilter, Record, Stored};
use model::{Offset, Partition};
use runtime::{Mutation, Stop, Task, TaskPlace};
use topology::{Cleanup, Delivery, TOPICS, Topic};

use super::{Kind, Mutant, Subject, codec};
use crate::Cluster;

type Slots = BTreeMap<Bytes, Bytes>;

struct Oracle {
    outputs: BTreeMap<Topic, Vec<Record>>,
    changelog: Slots,
    next_offset: Offset,
}

/// Runs the input once, in order, cutting after every record.
fn oracle<S: Subject>(subject: &S, input: &[Stored], place: TaskPlace) -> Oracle {
    let mut condemned = Vec::new();
    'again: loop {
        let chain = subject.chain().with_mutation(Mutation::None);
        let mut task = Task::new(place, chain, 0);
        for panicked in &condemned {
            task.condemn_at(Clone::clone(panicked));
        }
        let mut out = Oracle {
            outputs: BTreeMap::new(),
            changelog: Slots::new(),
            next_offset: 0,
        };
        let mut fast = Vec::new();
        for stored in input {
            match task.process(stored, &codec(), &mut fast) {
                Ok(_) => {}
                Err(Stop::Panicked(panicked)) => {
                    condemned.push(panicked);
                    continue 'again;
                }
                Err(stop) => panic!("the simulation writes no unknown schemas: {stop:?}"),
            }
            let mut commit = Commit::default();
            task.cut(&mut commit);
            for record in fast.drain(..).chain(commit.exact) {
                out.outputs.entry(record.topic).or_default().push(record);
            }
            apply(&mut out.changelog, commit.changelog);
        }
        assert!(task.outcomes().add_up(), "outcomes add up");
        out.next_offset = task.next_offset();
        return out;
    }
}

fn apply(slots: &mut Slots, records: impl IntoIterator<Item = Record>) {
    for record in records {
        match record.value {
            Some(value) => drop(slots.insert(record.key, value)),
            None => drop(slots.remove(&record.key)),
        }
    }
}

/// Compares what stands in the log of one partition with the oracle.
pub(super) fn compare<S: Subject>(
    subject: &S,
    cluster: &Cluster,
    partition: Partition,
    partitions: u32,
    mutant: Mutant,
) -> Vec<(Kind, String)> {
    let input = cluster.read(Topic::Observations, partition);
    let oracle = oracle(
        subject,
        &input,
        TaskPlace {
            generation: 1,
            partition,
            partitions,
        },
    );
    let mut wrong = Vec::new();
    for spec in TOPICS
        .iter()
        .filter(|spec| spec.delivery != Delivery::Plain && !spec.records.is_empty())
    {
        let right = oracle.outputs.get(&spec.topic).map_or(&[][..], Vec::as_slice);
        let seen = cluster.read(spec.topic, partition);
        match (spec.delivery, spec.cleanup) {
            (Delivery::Fast, _) => compare_fast(right, &seen, mutant, &mut wrong),
            (_, Cleanup::Compact) => compare_compacted(right, &seen, &mut wrong),
            _ => {
                let seen: Vec<_> = seen.iter().map(|s| &s.record).collect();
                if !seen.iter().copied().eq(right) {
                    wrong.push((Kind::Exact, difference(spec.topic, partition, right, &seen)));
                }
            }
        }
    }
    let mut slots = Slots::new();
    apply(
        &mut slots,
        cluster
            .read(Topic::ChangelogNetwork, partition)
            .into_iter()
            .map(|s| s.record),
    );
    if slots != oracle.changelog {
        let differ = |key: &&Bytes| slots.get(*key) != oracle.changelog.get(*key);
        let keys: Vec<_> = slots
            .keys()
            .chain(oracle.changelog.keys())
            .filter(differ)
            .take(3)
            .collect();
        wrong.push((
            Kind::Changelog,
            format!("partition {partition}: slots differ, among them {keys:?}"),
        ));
    }
    if cluster.committed(partition).unwrap_or(0) != oracle.next_offset {
        let found = cluster.committed(partition);
        wrong.push((
            Kind::Position,
            format!("partition {partition}: {found:?} instead of {}", oracle.next_offset),
        ));
    }
    wrong
}

/// As a reader sees it: repeats have lower or equal ids and the same bytes; without them, content and order are right.
fn compare_fast(right: &[Record], seen: &[Stored], mutant: Mutant, wrong: &mut Vec<(Kind, String)>) {
    let mut filter = IdFilter::default();
    let admitted: Vec<&Record> = seen
        .iter()
        .filter(|stored| filter.admits(stored) || mutant == Mutant::ReaderWithoutIdRule)
        .map(|stored| &stored.record)
        .collect();
    let content = |r: &Record| (r.key.clone(), r.value.clone());
    if !admitted.iter().map(|r| content(r)).eq(right.iter().map(content)) {
        let (topic, partition) = place(right, &admitted);
        wrong.push((Kind::FastContent, difference(topic, partition, right, &admitted)));
    } else if !admitted.iter().copied().eq(right) {
        wrong.push((Kind::FastIds, "the content is right, the ids are not".into()));
    }
    if let Some(odd) = seen.iter().find(|s| !makes(right, &s.record)) {
        let id = odd.record.headers.record_id.as_ref();
        wrong.push((
            Kind::Repeat,
            format!(
                "{}: a record under id {id:?} that the oracle does not make",
                odd.record.topic
            ),
        ));
    }
}

/// The last of each key is right; everything else is something that was right once; ids rise.
fn compare_compacted(right: &[Record], seen: &[Stored], wrong: &mut Vec<(Kind, String)>) {
    let seen: Vec<_> = seen.iter().map(|s| &s.record).collect();
    let table = |records: &mut dyn Iterator<Item = &Record>| {
        let mut slots = Slots::new();
        apply(&mut slots, records.cloned());
        slots
    };
    if table(&mut seen.iter().copied()) != table(&mut right.iter()) {
        let (topic, partition) = place(right, &seen);
        wrong.push((Kind::Exact, format!("{topic}/{partition}: the last values differ")));
    }
    if seen.iter().any(|r| !makes(right, r)) {
        wrong.push((Kind::Exact, "a record that the oracle does not make".into()));
    }
    if !seen.is_sorted_by(|a, b| a.headers.record_id < b.headers.record_id) {
        wrong.push((Kind::Exact, "ids of an exact topic do not rise".into()));
    }
}

/// Whether the oracle makes this very record; its own are in id order.
fn makes(right: &[Record], record: &Record) -> bool {
    let found = right.binary_search_by(|r| r.headers.record_id.cmp(&record.headers.record_id));
    found.is_ok_and(|at| right[at] == *record)
}

fn place(right: &[Record], seen: &[&Record]) -> (Topic, Partition) {
    let any = right
        .first()
        .or(seen.first().copied())
        .expect("they differ, so one of them is not empty");
    (any.topic, any.partition)
}

fn difference(topic: Topic, partition: Partition, right: &[Record], seen: &[&Record]) -> String {
    let at = right.iter().zip(seen).take_while(|(a, b)| a == *b).count();
    let of = |r: Option<&Record>| {
        r.and_then(|r| r.headers.record_id.as_ref())
            .map_or("nothing".into(), |id| id.input().to_string())
    };
    format!(
        "{topic}/{partition}: {} records instead of {}, the first difference at {at}: of input {} instead of {}",
        seen.len(),
        right.len(),
        of(seen.get(at).copied()),
        of(right.get(at))
    )
}
