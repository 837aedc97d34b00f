//! The chain, the real persist and a real store: late, doubled and shuffled samples end in the rows of perfect ones.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "../../rollup/tests/common/mod.rs"]
mod readings;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use common::{caught_up, start, stop};
use log::{Headers, Log, MemoryLog, Record, Start, Tail};
use model::rollup::Window;
use model::{EntityId, Micros};
use pipeline_persist::RecomputeCounts;
use readings::{HOUR, ONU, ROOT, Raw, Reading, SECOND, chain, unit};
use schemas::AnyRecord;
use schemas::network::NetworkEvent;
use store::queries::{self, Span};
use store::rows::{RollupRow, SampleRow, TABLES};
use store::{FjallStore, Store};
use testkit::{Driver, Rng};
use topology::Topic;

const PARTITIONS: u32 = 4;
const HOUR_MICROS: i64 = 3_600 * Micros::SECOND;

/// The driver's chain, and what stands behind its topics.
struct World {
    driver: Driver<NetworkEvent>,
    log: Arc<dyn Log>,
    store: Arc<dyn Store>,
    /// The store's clock, in milliseconds: it follows the driver's.
    clock: Arc<AtomicI64>,
    answers: Box<dyn Tail>,
    producer: Box<dyn log::Producer>,
    answered: usize,
    oracle: Raw,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let driver = Driver::with(PARTITIONS, 1, chain);
        let log: Arc<dyn Log> = MemoryLog::new(PARTITIONS);
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(driver.now().millis()));
        let read = Arc::clone(&clock);
        let store = FjallStore::open_with(folder.path(), TABLES, Arc::new(move || read.load(Ordering::Relaxed)));
        Self {
            driver,
            answers: log.tail(&[(Topic::Observations, Start::Beginning)]).unwrap(),
            producer: log.producer("test").unwrap(),
            log,
            store: store.unwrap(),
            clock,
            answered: 0,
            oracle: Raw::default(),
            _folder: folder,
        }
    }

    /// What was committed goes to persist, and its answers come back.
    async fn turn(&mut self) {
        assert!(self.driver.commit());
        self.clock.store(self.driver.now().millis(), Ordering::Relaxed);
        for topic in [
            Topic::Measurements,
            Topic::RollupsHour,
            Topic::RollupsDay,
            Topic::ReadRequests,
        ] {
            for seen in self.driver.new_outputs(topic) {
                if let Some(AnyRecord::Measurement(m)) = &seen.record {
                    self.oracle.keep(m);
                }
                let value = self.log.codec().encode(&seen.record.unwrap()).unwrap();
                let record = Record {
                    topic,
                    partition: seen.partition,
                    key: seen.key,
                    value: Some(value.into()),
                    headers: Headers {
                        record_id: seen.id,
                        ..Headers::default()
                    },
                };
                self.producer.send(record, None).unwrap();
            }
        }
        caught_up(&self.log).await;
        for stored in self.answers.poll(10_000, Duration::ZERO).unwrap() {
            let writer = stored.record.headers.writer.clone();
            assert!(writer.is_some(), "an answer says who wrote it");
            let answer = self.log.codec().decode(&stored.record.value.unwrap()).unwrap();
            self.answered += 1;
            self.driver.pipe(ROOT, answer);
        }
    }

    async fn until(&mut self, at: Micros, step: i64) {
        while self.driver.now() < at {
            let left = at.since(self.driver.now()) / 1_000;
            self.driver.tick(left.clamp(1, step));
            self.turn().await;
        }
    }

    async fn rows(&self) -> Vec<RollupRow> {
        let entity = EntityId::parse(ONU).unwrap();
        let span = Span {
            from: Micros(0),
            to: self.driver.now(),
        };
        let mut rows = Vec::new();
        for measure in ["onu_rx_power", "onu_temperature"] {
            for (window, from) in [
                (Window::Hour, Micros(1_767_000_000_000_000)),
                (Window::Day, Micros(1_767_000_000_000_000)),
                (Window::Month, Micros(0)),
            ] {
                let span = Span { from, ..span };
                let found = queries::rollups(&*self.store, &entity, measure, window, span)
                    .await
                    .unwrap();
                rows.extend(found.into_iter().map(|row| RollupRow { wts: Micros(0), ..row }));
            }
        }
        rows
    }
}

/// A day's readings every ten minutes, in the order that they are to come.
fn readings(midnight: Micros, shuffled: bool) -> Vec<Reading> {
    let day = (0..144_i32).map(|n| Reading {
        at: midnight.plus(i64::from(n) * 600 * Micros::SECOND + 7),
        rx: -20.0 - (f64::from(n) * 0.37).sin(),
        temperature: 40.0 + (f64::from(n) * 0.11).cos() / 3.0,
    });
    let mut readings: Vec<Reading> = day.collect();
    if shuffled {
        readings.extend(readings.clone());
        let mut rng = Rng::new(11);
        for i in (1..readings.len()).rev() {
            readings.swap(i, rng.below(i + 1));
        }
    }
    readings
}

async fn run(late: i64, shuffled: bool) -> (Vec<RollupRow>, World) {
    let mut world = World::new();
    let persist = start(&world.log, &world.store, 2);
    let midnight = Window::Day.end(Window::Day.start(world.driver.now()));
    let readings = readings(midnight, shuffled);
    for reading in &readings {
        let due = if shuffled {
            Window::Day.end(midnight)
        } else {
            reading.at
        };
        world.until(due.plus(late + SECOND), HOUR).await;
        let now = world.driver.now();
        world.driver.pipe(ROOT, reading.record(now));
    }
    let end = Window::Month
        .end(Window::Month.start(midnight))
        .plus(6 * 24 * HOUR_MICROS);
    world.until(end, 24 * HOUR).await;
    for _ in 0..5 {
        world.driver.tick(30 * SECOND);
        world.turn().await;
    }
    assert_eq!(persist.status().last_error(), None);
    stop(persist).await;
    (world.rows().await, world)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_doubled_and_shuffled_ends_in_the_rows_of_in_order() {
    let (in_order, world) = run(0, false).await;
    assert_eq!(world.answered, 0);
    assert_eq!(in_order.len(), 2 * (24 + 1 + 1));
    let expected = world.oracle.expected(unit);
    for row in &in_order {
        let key = (row.window.as_str().to_owned(), row.measure.clone(), row.start.0);
        let sum = &row.sum;
        let bits = [sum.sum, sum.sum_squares, sum.min, sum.max, sum.first, sum.last].map(f64::to_bits);
        assert_eq!(
            (expected[&key].bits, expected[&key].n),
            (bits, i64::try_from(sum.n).unwrap()),
            "{key:?}"
        );
    }
    let counts = recompute(&world);
    assert_eq!(
        (counts.series, counts.windows, counts.different, counts.without_raw),
        (2, 50, 0, 0)
    );
    for late in [0, 3 * HOUR_MICROS, 72 * HOUR_MICROS] {
        let (rows, world) = run(late, true).await;
        assert_eq!(rows, in_order, "late by {late}");
        assert!(world.answered > 0);
    }
}

/// Two days after the day of the readings; the store's clock goes back there with it.
fn recompute(world: &World) -> RecomputeCounts {
    let midnight = Micros(1_767_312_000_000_000);
    let now = midnight.plus(48 * HOUR_MICROS);
    world.clock.store(now.millis(), Ordering::Relaxed);
    let span = Span {
        from: midnight,
        to: midnight.plus(24 * HOUR_MICROS),
    };
    let (log, store) = (Arc::clone(&world.log), Arc::clone(&world.store));
    let runtime = tokio::runtime::Handle::current();
    let work = move || pipeline_persist::recompute(&log, &store, &runtime, span, now, &mut |_| Ok(()));
    std::thread::spawn(work).join().unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recomputation_mends_what_is_wrong_and_nothing_else() {
    let (before, world) = run(0, false).await;
    let wrong = before.iter().find(|row| row.window == Window::Hour).unwrap();
    let mut sum = wrong.sum;
    sum.n += 1;
    let wrong = RollupRow {
        sum,
        wts: Micros(1_770_000_000_000_000),
        ..wrong.clone()
    };
    world.store.upsert(vec![wrong.to_row()]).await.unwrap();
    assert_ne!(world.rows().await, before);
    assert_eq!(recompute(&world).different, 1);
    assert_eq!(recompute(&world).different, 0);
    assert_eq!(world.rows().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_of_each_measure_is_the_newest_whatever_comes_late() {
    let (_, world) = run(3 * HOUR_MICROS, true).await;
    let entity = EntityId::parse(ONU).unwrap();
    // Read where it is not over: the store's clock has gone on.
    world.clock.store(1_767_312_000_000 + 86_400_000, Ordering::Relaxed);
    let latest = queries::latest(&*world.store, &entity).await.unwrap();
    let last = readings(Micros(1_767_312_000_000_000), false).pop().unwrap();
    let found: Vec<_> = latest
        .iter()
        .map(|row| (row.measure.as_str(), row.value, row.observed_at.millis()))
        .collect();
    let at = last.at.millis();
    assert_eq!(
        found,
        [("onu_rx_power", last.rx, at), ("onu_temperature", last.temperature, at)]
    );
    assert_eq!(latest[0].group.as_deref(), Some("optical"));
    let span = Span {
        from: Micros(1_767_312_000_000_000),
        to: Micros(1_767_312_000_000_000 + 24 * HOUR_MICROS),
    };
    let raw: Vec<SampleRow> = queries::samples(&*world.store, &entity, "onu_rx_power", span)
        .await
        .unwrap();
    assert_eq!(raw.len(), 144, "what came twice is there once");
}
