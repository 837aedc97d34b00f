//! What a measurement through one rule costs, for each of the seven kinds: the step alone, one sample an event, state cloned and put as the
//! engine does it, in CPU time. `cargo run --release -p pipeline-detect --example per_measurement -- [SERIES]` (10,000 if not said).
#![allow(clippy::print_stdout, reason = "a command line tool")]

use std::sync::Arc;
use std::time::Duration;

use model::{EntityId, Micros, Place, Position, Root, State};
use pipeline_detect::{Detect, Slot, rule_key};
use runtime::{Change, Input, Now, Out, StateKey, Step};
use schemas::network::{Measured, NetworkEvent, Quality, Sample, Seen, Source, StatusNews};
use schemas::rules::default_rules;
use schemas::{Rule, Scope};

/// Rounds measured; each brings one sample a series.
const ROUNDS: i64 = 20;
/// Microseconds between two samples of a series.
const EVERY: i64 = 60 * Micros::SECOND;

fn main() {
    let series = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000);
    println!("{series} series, {ROUNDS} samples each");
    for kind in ["none", "above", "below", "outside", "rate", "state", "no_data", "slope"] {
        let before = resident();
        let mut bench = Bench::new(kind, series);
        let total: Duration = (0..ROUNDS).map(|round| bench.round(round)).sum();
        #[allow(clippy::cast_precision_loss)]
        let each = |total: f64| total / series as f64;
        #[allow(clippy::cast_precision_loss)]
        let nanos = total.as_secs_f64() * 1e9 / ROUNDS as f64;
        #[allow(clippy::cast_precision_loss)]
        let memory = resident().saturating_sub(before) as f64;
        println!(
            "{kind:>8}: {:6.0} ns a measurement, {:6.0} bytes a series with its event",
            each(nanos),
            each(memory)
        );
    }
}

struct Bench {
    step: Detect,
    keys: Vec<StateKey>,
    slots: Vec<Option<Slot>>,
    events: Vec<NetworkEvent>,
}

impl Bench {
    fn new(kind: &str, series: usize) -> Self {
        let mut step = Detect::default();
        if let Some(rule) = rule(kind) {
            let key = rule_key(&rule.rule_id);
            step.remember(&key, None, Some(&Slot::Rule(Box::new(rule))));
        }
        let entities: Vec<EntityId> = (0..series).map(entity).collect();
        let events = entities.iter().map(|entity| event(kind, entity.clone())).collect();
        Self {
            step,
            keys: entities.iter().map(|entity| entity.shared().clone()).collect(),
            slots: (0..series).map(|_| None).collect(),
            events,
        }
    }

    /// One sample of every series, a little other than the one before; times only the step.
    fn round(&mut self, round: i64) -> Duration {
        let at = Micros(1_700_000_000 * Micros::SECOND + round * EVERY);
        for event in &mut self.events {
            renew(event, at, round);
        }
        let now = Now {
            log_time: at,
            observed: at,
            position: Position {
                generation: 1,
                partition: 0,
                offset: round.unsigned_abs(),
            },
        };
        let began = on_cpu();
        for (n, event) in self.events.iter().enumerate() {
            let mut out = Out::new(Micros(0));
            let slot = &mut self.slots[n];
            let verdict = self
                .step
                .apply(&self.keys[n], slot.as_ref(), Input::Event(event), &now, &mut out);
            if let Change::Put(after) = verdict.change {
                let before = slot.replace(after);
                self.step.remember(&self.keys[n], before.as_ref(), slot.as_ref());
            }
        }
        on_cpu().saturating_sub(began)
    }
}

fn entity(n: usize) -> EntityId {
    let root = Root::parse(&format!("default/olt/olt-{}", n / 30_000)).expect("a root");
    let byte = |n: usize| u8::try_from(n).expect("small");
    root.onu(Place {
        frame: 0,
        slot: byte(n / 2_048 % 15),
        port: byte(n / 128 % 16),
        onu: u16::try_from(n % 128).expect("small"),
    })
}

fn event(kind: &str, entity: EntityId) -> NetworkEvent {
    let at = Micros(0);
    if kind == "state" {
        return NetworkEvent::Status(Box::new(StatusNews {
            entity,
            was: None,
            state: Some(State::Online),
            cause: None,
            since: at,
            observed_at: at,
            received_at: at,
            about: None,
        }));
    }
    NetworkEvent::Measured(Box::new(Measured {
        entity,
        seen: Seen {
            observed_at: at,
            received_at: at,
            uptime: None,
            source: Source::Poll,
        },
        samples: vec![Sample {
            measure: Arc::from("onu_rx_power"),
            value: -20.0,
            unit: Arc::from("dBm"),
            group: Arc::from("optical"),
            quality: Quality::Good,
            observed_at: at,
        }],
    }))
}

fn renew(event: &mut NetworkEvent, at: Micros, round: i64) {
    match event {
        NetworkEvent::Measured(measured) => {
            for sample in &mut measured.samples {
                sample.observed_at = at;
                sample.value = if round % 2 == 0 { -20.0 } else { -20.1 };
            }
        }
        NetworkEvent::Status(news) => {
            news.since = at;
            news.observed_at = at;
        }
        _ => {}
    }
}

/// A rule that never raises here: most measurements are of what is well.
fn rule(kind: &str) -> Option<Rule> {
    let base = Rule {
        rule_id: "bench-rule".into(),
        condition: kind.into(),
        measure: Some("onu_rx_power".into()),
        low: None,
        high: None,
        window_s: None,
        scope: Scope {
            kind: Some("onu".into()),
            ..Scope::EVERYTHING
        },
        ..default_rules().swap_remove(0)
    };
    Some(match kind {
        "above" => Rule {
            high: Some(-8.0),
            ..base
        },
        "below" => Rule {
            low: Some(-27.0),
            ..base
        },
        "outside" => Rule {
            low: Some(-27.0),
            high: Some(-8.0),
            ..base
        },
        "rate" => Rule {
            low: Some(-3.0),
            window_s: Some(3_600),
            ..base
        },
        "slope" => Rule {
            low: Some(-500.0),
            window_s: Some(86_400),
            ..base
        },
        "state" => Rule {
            measure: None,
            states: vec!["offline".into()],
            ..base
        },
        "no_data" => base,
        _ => return None,
    })
}

/// Time that this thread was on a processor, whatever else the machine does.
fn on_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = stat.and_then(|stat| stat.split(' ').next()?.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// Bytes of memory that the process has.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or(0) * 4_096
}
