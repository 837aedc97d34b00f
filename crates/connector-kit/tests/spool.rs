//! A publisher with a spool over a log that fails on cue, killed and started again: everything taken arrives once by the
//! reader's rule, in order, and the counts add up.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Count, FakeLog, Script};
use connector_kit::{Deadline, DropReason, OnDurable, Outgoing, Publisher, PublisherConfig, SpoolConfig};
use log::Record;
use model::Micros;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use schemas::{AnyRecord, Codec, SourceHeartbeat};
use topology::Topic;

const PATIENCE: Duration = Duration::from_secs(10);
/// The ticket of what an earlier run took.
const EARLIER: usize = usize::MAX;

fn config(folder: &Path) -> PublisherConfig {
    PublisherConfig {
        window_records_max: 40,
        ..PublisherConfig::with_spool(
            "test",
            SpoolConfig {
                segment_bytes: 8_000,
                ..SpoolConfig::new(folder, 64 << 20)
            },
        )
    }
}

struct Run {
    publisher: Publisher<usize>,
    /// Records taken, acknowledged, and acknowledged of an earlier run.
    taken: u64,
    acknowledged: u64,
    earlier: u64,
}

impl Run {
    fn start(log: &Arc<FakeLog>, config: PublisherConfig) -> Self {
        Self {
            publisher: Publisher::open(log.clone(), config).unwrap(),
            taken: 0,
            acknowledged: 0,
            earlier: 0,
        }
    }

    fn send(&mut self, n: usize, durable: Option<Arc<dyn OnDurable>>) -> Result<(), DropReason> {
        let root = format!("default/olt/a-{}", n % 7);
        let record = SourceHeartbeat {
            root: root.clone(),
            connector: n.to_string(),
            sent_at: Micros(0),
        };
        let out = Outgoing {
            topic: Topic::Observations,
            key: &root,
            record: record.into(),
        };
        let taken = self.publisher.publish(out, n, durable).map_err(|(_, reason)| reason);
        self.taken += u64::from(taken.is_ok());
        taken
    }

    fn tend(&mut self) {
        let (mut acknowledged, mut earlier) = (0, 0);
        self.publisher.tend(|ticket, fate| {
            assert_eq!(fate, Ok(()));
            if ticket == EARLIER {
                earlier += 1;
            } else {
                acknowledged += 1;
            }
        });
        self.acknowledged += acknowledged;
        self.earlier += earlier;
    }

    /// What is held on disk.
    fn spooled(&self) -> u64 {
        self.publisher.spool_state().unwrap().records
    }

    /// Whether everything taken is in the log or on disk: it may be killed now.
    fn is_safe(&self) -> bool {
        self.taken + self.publisher.recovered() == self.acknowledged + self.earlier + self.spooled()
    }

    fn wait(&mut self, what: &str, mut reached: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !reached(self) {
            assert!(
                started.elapsed() < PATIENCE,
                "no {what} in time: {} taken, {} acknowledged, {:?}, {:?}",
                self.taken,
                self.acknowledged,
                self.publisher,
                self.publisher.spool_state()
            );
            self.tend();
            std::thread::yield_now();
        }
    }
}

fn fake() -> (Arc<FakeLog>, Arc<Mutex<Script>>) {
    let script = Arc::new(Mutex::new(Script::default()));
    let log = Arc::new(FakeLog {
        script: script.clone(),
        codec: Arc::new(Codec::standalone()),
    });
    (log, script)
}

/// What a reader keeps of a partition: a writer's highest sequence, and nothing that is not above it.
fn kept(landed: &[Record], codec: &Codec) -> BTreeMap<u32, Vec<usize>> {
    let mut highest: HashMap<(u32, String), u64> = HashMap::new();
    let mut kept: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for record in landed {
        let id = record.headers.writer.clone().unwrap();
        let seen = highest.get(&(record.partition, id.writer.clone()));
        if seen.is_some_and(|s| *s >= id.sequence) {
            continue;
        }
        highest.insert((record.partition, id.writer), id.sequence);
        let AnyRecord::SourceHeartbeat(beat) = codec.decode(record.value.as_ref().unwrap()).unwrap() else {
            panic!("only heartbeats were sent");
        };
        kept.entry(record.partition)
            .or_default()
            .push(beat.connector.parse().unwrap());
    }
    kept
}

/// Several runs over one folder and one log, each killed when everything taken is safe; the last one drains.
fn check(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let (log, script) = fake();
    let runs = random.random_range(2..5);
    let mut sent = 0;
    for run_number in 0..runs {
        {
            let mut script = script.lock().unwrap();
            script.made = 0;
            script.lands_on_failure = random.random_bool(0.5);
            script.away = if random.random_bool(0.4) {
                usize::MAX
            } else {
                random.random_range(0..3)
            };
            script.lives = (0..random.random_range(0..10))
                .map(|_| random.random_range(0..60))
                .collect();
        }
        let mut run = Run::start(&log, config(folder.path()));
        for _ in 0..random.random_range(1..20) {
            for _ in 0..random.random_range(0..30) {
                run.send(sent, None).unwrap();
                sent += 1;
            }
            run.publisher.write_out();
            if random.random_bool(0.7) {
                run.tend();
            }
            if random.random_bool(0.1) {
                script.lock().unwrap().away = 0;
            }
        }
        if run_number + 1 == runs {
            script.lock().unwrap().away = 0;
            run.wait("end of the drain", |r| r.publisher.waiting() == 0);
            assert_eq!(
                run.taken + run.publisher.recovered(),
                run.acknowledged + run.earlier,
                "seed {seed}"
            );
            assert_eq!(run.spooled(), 0);
        } else {
            run.wait("safety", Run::is_safe);
        }
        // Killed: nothing is drained, flushed or noted in order.
        drop(run);
    }
    let kept = kept(&script.lock().unwrap().landed, &log.codec);
    assert!(
        kept.values().all(|numbers| numbers.is_sorted()),
        "seed {seed}: order, and a new run after the old"
    );
    let mut all: Vec<_> = kept.into_values().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, (0..sent).collect::<Vec<_>>(), "seed {seed}: each once");
}

#[test]
fn whatever_fails_and_whenever_it_is_killed_everything_taken_arrives_once_in_order() {
    let seeds = if std::env::var_os("ATALAIA_SOAK").is_some() {
        2_000
    } else {
        60
    };
    (0..seeds).for_each(check);
}

#[test]
fn with_the_log_away_an_inform_is_durable_after_the_spools_sync() {
    let folder = tempfile::tempdir().unwrap();
    let (log, script) = fake();
    script.lock().unwrap().away = usize::MAX;
    let mut run = Run::start(&log, config(folder.path()));
    let durable = Arc::new(Count::default());
    for n in 0..200 {
        run.send(n, Some(durable.clone())).unwrap();
    }
    run.publisher.write_out();
    let told = durable.clone();
    run.wait("sync", |_| told.0.load(Ordering::Relaxed) >= 200);
    assert_eq!((run.spooled(), run.acknowledged), (200, 0));
    assert!(script.lock().unwrap().landed.is_empty());
}

#[test]
fn a_full_spool_drops_the_newest_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (log, script) = fake();
    script.lock().unwrap().away = usize::MAX;
    let mut limited = config(folder.path());
    limited.spool = Some(SpoolConfig::new(folder.path(), 20_000));
    let mut run = Run::start(&log, limited);
    let results: Vec<_> = (0..500).map(|n| run.send(n, None)).collect();
    let fitted = results.iter().filter(|r| r.is_ok()).count();
    assert!(results[..fitted].iter().all(Result::is_ok), "the newest are dropped");
    assert!(results[fitted..].iter().all(|r| *r == Err(DropReason::SpoolFull)));
    assert!(fitted > 50 && fitted < 450, "{fitted}");

    script.lock().unwrap().away = 0;
    run.wait("end of the drain", |r| r.publisher.waiting() == 0);
    assert_eq!(
        kept(&script.lock().unwrap().landed, &log.codec)
            .values()
            .map(Vec::len)
            .sum::<usize>(),
        fitted
    );
    run.send(500, None).unwrap();
}

#[test]
fn an_orderly_end_leaves_on_disk_what_the_log_did_not_take() {
    let folder = tempfile::tempdir().unwrap();
    let (log, script) = fake();
    script.lock().unwrap().away = usize::MAX;
    let mut run = Run::start(&log, config(folder.path()));
    for n in 0..100 {
        run.send(n, None).unwrap();
    }
    let mut fates = 0;
    run.publisher
        .drain(Deadline::after(Duration::from_millis(30)), |_, _| fates += 1);
    assert_eq!(
        (fates, run.spooled()),
        (0, 100),
        "no fate is known, nothing is given up"
    );
    drop(run);

    script.lock().unwrap().away = 0;
    let mut run = Run::start(&log, config(folder.path()));
    assert_eq!(run.publisher.recovered(), 100);
    run.wait("end of the drain", |r| r.earlier == 100);
    assert_eq!(script.lock().unwrap().landed.len(), 100);
}

#[test]
fn what_was_sent_twice_for_want_of_a_cursor_is_dropped_by_its_writer_id() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let (log, script) = fake();
    script.lock().unwrap().away = usize::MAX;
    let mut run = Run::start(&log, config(folder.path()));
    for n in 0..100 {
        run.send(n, None).unwrap();
    }
    run.publisher.write_out();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    script.lock().unwrap().away = 0;
    run.wait("end of the drain", |r| r.publisher.waiting() == 0);
    drop(run);
    // The folder as it was before the drain: all of it goes out again.
    let mut run = Run::start(&log, config(copy.path()));
    run.wait("end of the second drain", |r| r.earlier == 100);
    let script = script.lock().unwrap();
    assert_eq!(script.landed.len(), 200);
    assert_eq!(
        kept(&script.landed, &log.codec).values().map(Vec::len).sum::<usize>(),
        100
    );
}
