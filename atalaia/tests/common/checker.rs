//! What a crash-free life would have made of the same `observations`, and the comparison of it with what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use log::{Commit, IdFilter, Log, Record, Start, Stored};
use model::{Offset, Partition};
use runtime::{Task, TaskPlace};
use schemas::{AnyRecord, Codec};
use snmp_pdu::TrapPdu;
use topology::{Delivery, Group, TOPICS, Topic};

/// Everything of one topic, in order within a partition.
pub fn read_all(log: &dyn Log, topic: Topic) -> Vec<Stored> {
    let ends = log.ends(topic).unwrap();
    let mut tail = log.tail(&[(topic, Start::Beginning)]).unwrap();
    let mut all = Vec::new();
    while (0..).zip(&ends).any(|(p, end)| tail.position(topic, p) < *end) {
        all.extend(tail.poll(10_000, std::time::Duration::from_millis(100)).unwrap());
    }
    all
}

/// Everything of the fast topics, in order within a partition of each.
pub fn read_fast(log: &dyn Log) -> Vec<Stored> {
    let fast = TOPICS.iter().filter(|spec| spec.delivery == Delivery::Fast);
    fast.flat_map(|spec| read_all(log, spec.topic)).collect()
}

/// Outputs as (topic, partition, record id, key, value): what a reader can compare.
pub type Output = (Topic, Partition, Vec<u8>, Vec<u8>, Option<Vec<u8>>);

/// What should be there.
#[derive(Default)]
pub struct Expected {
    /// Fast outputs, each once, in order within a partition.
    pub fast: Vec<Output>,
    /// Last exact record of each key.
    pub exact: BTreeMap<(Topic, Vec<u8>), Option<Vec<u8>>>,
    /// Slots of the changelog by partition and key.
    pub slots: BTreeMap<(Partition, Vec<u8>), Vec<u8>>,
    /// Of each partition the offset behind the last observation that is in it.
    pub upto: BTreeMap<Partition, Offset>,
}

impl Expected {
    /// How many fast outputs go to a topic.
    pub fn fast_of(&self, topic: Topic) -> u64 {
        self.fast.iter().filter(|output| output.0 == topic).count() as u64
    }

    /// Whether an output is of an input that it has seen: a processor at work goes on, and its timers with it.
    pub fn covers(&self, stored: &Stored) -> bool {
        let upto = self.upto.get(&stored.record.partition).copied().unwrap_or(0);
        let id = stored.record.headers.record_id.as_ref();
        id.is_none_or(|id| id.input().offset < upto)
    }
}

fn output(record: &Record) -> Output {
    let id = record
        .headers
        .record_id
        .as_ref()
        .map(|id| id.as_bytes().to_vec())
        .unwrap_or_default();
    (
        record.topic,
        record.partition,
        id,
        record.key.to_vec(),
        record.value.as_ref().map(|v| v.to_vec()),
    )
}

/// Runs the production chain over the observations, without a crash.
pub fn oracle(observations: &[Stored], codec: &Codec, partitions: u32, generation: u32) -> Expected {
    let mut expected = Expected::default();
    for partition in 0..partitions {
        let place = TaskPlace {
            generation,
            partition,
            partitions,
        };
        let mut task = Task::new(place, atalaia::network_chain(), 0);
        for stored in observations.iter().filter(|s| s.record.partition == partition) {
            let mut fast = Vec::new();
            task.process(stored, codec, &mut fast).expect("no step panics");
            expected.fast.extend(fast.iter().map(output));
            expected.upto.insert(partition, stored.offset + 1);
        }
        let mut commit = Commit::default();
        task.cut(&mut commit);
        for record in &commit.exact {
            expected.exact.insert(
                (record.topic, record.key.to_vec()),
                record.value.as_ref().map(|v| v.to_vec()),
            );
        }
        task.each_slot(&mut |key, value| {
            expected.slots.insert((partition, key.to_vec()), value.to_vec());
        });
    }
    expected
}

/// What a reader with the id rule gets of fast topics.
pub fn with_id_rule(records: &[Stored]) -> Vec<Output> {
    let mut filter = IdFilter::default();
    records
        .iter()
        .filter(|s| filter.admits(s))
        .map(|s| output(&s.record))
        .collect()
}

/// Records that the oracle did not make, repeats looked at too: an id of nothing, or other bytes under an id.
pub fn strangers(expected: &[Output], records: &[Stored]) -> usize {
    let expected: BTreeSet<_> = expected.iter().collect();
    records
        .iter()
        .filter(|s| !expected.contains(&output(&s.record)))
        .count()
}

/// Records of an exact topic whose id is not above that of the one before in their partition: a commit that stands twice, or
/// behind its successor's.
pub fn out_of_turn(records: &[Stored]) -> usize {
    let mut last: BTreeMap<Partition, Vec<u8>> = BTreeMap::new();
    let mut count = 0;
    for stored in records {
        let (_, partition, id, _, _) = output(&stored.record);
        let before = last.entry(partition).or_default();
        count += usize::from(id <= *before);
        *before = id;
    }
    count
}

/// Difference between what a reader got and what it should have got, per partition in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Expected and not there.
    pub lost: usize,
    /// There more than once, or not expected.
    pub doubled: usize,
    /// There, but in another order.
    pub disordered: usize,
}

/// Compares two lists of outputs.
pub fn compare(expected: &[Output], got: &[Output]) -> Difference {
    let by_partition = |list: &[Output]| {
        let mut map: BTreeMap<(Topic, Partition), Vec<Output>> = BTreeMap::new();
        for output in list {
            map.entry((output.0, output.1)).or_default().push(output.clone());
        }
        map
    };
    let (expected, mut got) = (by_partition(expected), by_partition(got));
    let mut difference = Difference::default();
    for (partition, expected) in expected {
        let got = got.remove(&partition).unwrap_or_default();
        let expected_set: BTreeSet<_> = expected.iter().collect();
        let mut seen = BTreeSet::new();
        for output in &got {
            if !expected_set.contains(output) || !seen.insert(output) {
                difference.doubled += 1;
            }
        }
        difference.lost += expected_set.iter().filter(|o| !seen.contains(*o)).count();
        if difference == Difference::default() && expected != got {
            difference.disordered += 1;
        }
    }
    difference.doubled += got.values().map(Vec::len).sum::<usize>();
    difference
}

/// Request id of each trap in the observations, in order within a partition.
pub fn request_ids(observations: &[Stored], codec: &Codec) -> Vec<(Partition, i32)> {
    observations
        .iter()
        .filter_map(|stored| match codec.decode(stored.record.value.as_deref()?).ok()? {
            AnyRecord::TrapReceived(trap) => TrapPdu::parse(&trap.pdu)
                .ok()?
                .request_id
                .map(|id| (stored.record.partition, id)),
            _ => None,
        })
        .collect()
}

/// The observations whose effects a commit covers.
pub fn committed(log: &dyn Log) -> Vec<Stored> {
    let upto = position_of(log, Group::Network, Topic::Observations);
    let is_covered = |s: &Stored| s.offset < upto[s.record.partition as usize].unwrap_or(0);
    read_all(log, Topic::Observations)
        .into_iter()
        .filter(is_covered)
        .collect()
}

/// Input that no commit has covered, in records: what a restart has to process again.
pub fn uncommitted(log: &dyn Log) -> u64 {
    let ends = log.ends(Topic::Observations).unwrap();
    behind(log, Group::Network, Topic::Observations, &ends)
}

/// Where a group is. Asked again for a while: brokers on a machine that is busy may be slow to answer.
pub fn position_of(log: &dyn Log, group: Group, topic: Topic) -> Vec<Option<Offset>> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match log.committed(group, topic) {
            Ok(positions) => return positions,
            Err(error) if !error.is_transient() || Instant::now() > end => panic!("{group:?} of {topic}: {error}"),
            Err(_) => {}
        }
    }
}

/// Records of a topic below these ends that a group has not committed.
pub fn behind(log: &dyn Log, group: Group, topic: Topic, ends: &[u64]) -> u64 {
    let committed = position_of(log, group, topic);
    ends.iter()
        .zip(committed)
        .map(|(end, next)| end - next.unwrap_or(0).min(*end))
        .sum()
}
