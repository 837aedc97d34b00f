//! Readings in the production chain, a stand-in for `persist` that answers from raw samples, and the sums as they should be.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use model::rollup::{Summary, Window, instant};
use model::{Micros, RecordId};
use pipeline_normalize::Normalize;
use pipeline_rollup::Rollup;
use pipeline_status::Status;
use runtime::{Chain, DeadReason};
use schemas::network::{self, NetworkEvent};
use schemas::{AnyRecord, Measurement, OpticsPort, OpticsRead, OpticsRow, WindowPart, WindowRecomputed, WindowWanted};
use testkit::Driver;
use topology::Topic;

pub const ROOT: &str = "default/olt/rjo-01";
pub const ONU: &str = "default/olt/rjo-01/onu/0/3/5/17";
pub const SECOND: i64 = 1_000;
pub const HOUR: i64 = 3_600 * SECOND;

pub fn chain() -> Chain<NetworkEvent> {
    Chain::new(|record, key| {
        network::decode(record, key).map_err(|reason| DeadReason::text(reason, "not a record of observations"))
    })
    .step(Normalize::new())
    .step(Status::default())
    .step(Rollup)
}

/// One reading of one ONU's received power and temperature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    pub at: Micros,
    pub rx: f64,
    pub temperature: f64,
}

impl Reading {
    pub fn record(&self, received_at: Micros) -> OpticsRead {
        OpticsRead {
            root: ROOT.to_owned(),
            read_id: format!("{}-{}", self.at.0, received_at.0),
            part: 0,
            of: 1,
            scope: "0/3".to_owned(),
            complete: true,
            way: "ssh".to_owned(),
            started_at: self.at,
            received_at,
            ports: vec![OpticsPort {
                frame: 0,
                slot: 3,
                port: 5,
                onus: vec![OpticsRow {
                    onu: 17,
                    rx_dbm: Some(self.rx),
                    tx_dbm: None,
                    olt_rx_dbm: None,
                    temperature_c: Some(self.temperature),
                    voltage_v: None,
                    bias_ma: None,
                    distance_m: None,
                }],
            }],
        }
    }
}

/// A row as it is compared: everything that a reader sees of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub unit: String,
    pub bits: [u64; 6],
    pub n: i64,
    pub times: (Micros, Micros),
}

/// Rows by window, measure and start.
pub type Rows = BTreeMap<(String, String, i64), Row>;

fn row(unit: &str, sum: &Summary) -> Row {
    Row {
        unit: unit.to_owned(),
        bits: [sum.sum, sum.sum_squares, sum.min, sum.max, sum.first, sum.last].map(f64::to_bits),
        n: i64::try_from(sum.n).unwrap(),
        times: (sum.first_at, sum.last_at),
    }
}

/// What was told, the last of each.
pub fn told(driver: &Driver<NetworkEvent>) -> Rows {
    let mut rows = Rows::new();
    for seen in [Topic::RollupsHour, Topic::RollupsDay]
        .iter()
        .flat_map(|topic| driver.outputs(*topic))
    {
        let Some(AnyRecord::Rollup(r)) = seen.record else {
            panic!("not a rollup")
        };
        assert_eq!((r.entity.as_str(), r.root.as_str()), (ONU, ROOT));
        let sum = Summary {
            n: r.n.unsigned_abs(),
            sum: r.sum,
            sum_squares: r.sum_squares,
            min: r.min,
            max: r.max,
            first: r.first,
            first_at: r.first_at,
            last: r.last,
            last_at: r.last_at,
        };
        rows.insert((r.window, r.measure, r.start.0), row(&r.unit, &sum));
    }
    rows
}

/// Raw samples, as the store has them: by measure and instant, of several values the highest.
#[derive(Default)]
pub struct Raw {
    samples: BTreeMap<String, BTreeMap<Micros, f64>>,
    days: BTreeMap<(String, Micros), Summary>,
    pub answered: usize,
    stored: Option<RecordId>,
    stored_days: Option<RecordId>,
    waiting: Vec<WindowWanted>,
}

impl Raw {
    pub fn keep(&mut self, m: &Measurement) {
        let at = self.samples.entry(m.measure.clone()).or_default();
        let value = at.entry(instant(m.observed_at)).or_insert(m.value);
        *value = value.max(m.value);
    }

    fn hours(&self, measure: &str, from: Micros, to: Micros) -> Vec<(Micros, Summary)> {
        let mut hours: Vec<(Micros, Summary)> = Vec::new();
        for (&at, &value) in self.samples.get(measure).into_iter().flat_map(|s| s.range(from..to)) {
            let start = Window::Hour.start(at);
            match hours.last_mut() {
                Some((last, sum)) if *last == start => sum.add(at, value),
                _ => hours.push((start, Summary::of(at, value))),
            }
        }
        hours
    }

    /// What every window should say that had ended and was closed by then.
    pub fn expected(&self, unit: impl Fn(&str) -> &'static str) -> Rows {
        let mut rows = Rows::new();
        for measure in self.samples.keys() {
            let hours = self.hours(measure, Micros(0), Micros(i64::MAX));
            let mut days: Vec<(Micros, Summary)> = Vec::new();
            let mut months: Vec<(Micros, Summary)> = Vec::new();
            let fold = |window: Window, parts: &[(Micros, Summary)], into: &mut Vec<(Micros, Summary)>| {
                for (start, part) in parts {
                    let start = window.start(*start);
                    match into.last_mut() {
                        Some((last, sum)) if *last == start => sum.merge(part),
                        _ => into.push((start, *part)),
                    }
                }
            };
            fold(Window::Day, &hours, &mut days);
            fold(Window::Month, &days, &mut months);
            for (window, parts) in [(Window::Hour, hours), (Window::Day, days), (Window::Month, months)] {
                for (start, sum) in parts {
                    let key = (window.as_str().to_owned(), measure.clone(), start.0);
                    rows.insert(key, row(unit(measure), &sum));
                }
            }
        }
        rows
    }

    /// Reads what was committed, and answers what it can.
    pub fn turn(&mut self, driver: &mut Driver<NetworkEvent>) {
        for seen in driver.new_outputs(Topic::Measurements) {
            let Some(AnyRecord::Measurement(m)) = &seen.record else {
                panic!("not a measurement")
            };
            self.keep(m);
            self.stored = seen.id;
        }
        for seen in driver.new_outputs(Topic::RollupsDay) {
            let Some(AnyRecord::Rollup(r)) = &seen.record else {
                panic!("not a rollup")
            };
            self.stored_days = seen.id;
            if r.window == "day" {
                let sum = Summary {
                    n: r.n.unsigned_abs(),
                    sum: r.sum,
                    sum_squares: r.sum_squares,
                    min: r.min,
                    max: r.max,
                    first: r.first,
                    first_at: r.first_at,
                    last: r.last,
                    last_at: r.last_at,
                };
                self.days.insert((r.measure.clone(), r.start), sum);
            }
        }
        for seen in driver.new_outputs(Topic::ReadRequests) {
            let Some(AnyRecord::WindowWanted(wanted)) = seen.record else {
                panic!("not a request")
            };
            self.waiting.push(wanted);
        }
        for wanted in std::mem::take(&mut self.waiting) {
            let window = Window::parse(&wanted.window).unwrap();
            let stored = if window == Window::Day {
                &self.stored
            } else {
                &self.stored_days
            };
            let stored = stored.as_ref().map(|id| id.as_bytes().to_vec());
            assert!(
                stored.is_some_and(|stored| stored >= wanted.sample_id),
                "what was asked for names a record that is there"
            );
            let parts = match window {
                Window::Day => self.hours(&wanted.measure, wanted.start, window.end(wanted.start)),
                _ => self
                    .days
                    .iter()
                    .filter(|((m, day), _)| *m == wanted.measure && window.start(*day) == wanted.start)
                    .map(|((_, day), sum)| (*day, *sum))
                    .collect(),
            };
            self.answered += 1;
            driver.pipe(ROOT, answer(&wanted, &parts));
        }
    }
}

pub fn answer(wanted: &WindowWanted, parts: &[(Micros, Summary)]) -> WindowRecomputed {
    let total = Summary::merged(parts.iter().map(|(_, sum)| *sum)).unwrap_or(Summary {
        n: 0,
        ..Summary::of(wanted.start, 0.0)
    });
    WindowRecomputed {
        entity: wanted.entity.clone(),
        root: wanted.root.clone(),
        measure: wanted.measure.clone(),
        unit: String::new(),
        window: wanted.window.clone(),
        start: wanted.start,
        n: i64::try_from(total.n).unwrap(),
        sum: total.sum,
        sum_squares: total.sum_squares,
        min: total.min,
        max: total.max,
        first: total.first,
        first_at: total.first_at,
        last: total.last,
        last_at: total.last_at,
        sample_id: wanted.sample_id.clone(),
        parts: parts
            .iter()
            .map(|(start, sum)| WindowPart {
                start: *start,
                n: i64::try_from(sum.n).unwrap(),
                sum: sum.sum,
                sum_squares: sum.sum_squares,
                min: sum.min,
                max: sum.max,
                first: sum.first,
                first_at: sum.first_at,
                last: sum.last,
                last_at: sum.last_at,
            })
            .collect(),
    }
}

pub fn unit(measure: &str) -> &'static str {
    measure.parse::<model::Measure>().unwrap().unit()
}
