//! When the last freshness probe came through each partition, and whether that is too long ago (docs/adr/0014).
//!
//! ```text
//!  waiting ──every partition──▶ fresh ──one partition's newest probe older than 2.5 intervals──▶ late
//!     └────────────────────────────────────none in that time────────────────────────────────────▶┘ │
//!                                   fresh ◀──every partition's is younger again─────────────────────┘
//! ```

use std::time::Duration;

use metrics::{gauge, histogram};
use model::Micros;
use schemas::DeviceStatus;
use serde::Serialize;

use super::notice::{Notice, Word};
use crate::metrics_names as names;
use crate::time::Instant3339;

/// Intervals without a probe after which a listener is late: one may be lost, and a stall is said within three.
const LATE_AFTER_INTERVALS: f64 = 2.5;
/// How often the age is written as a metric.
const METRIC_EVERY_US: i64 = Micros::SECOND;

/// Which probes to wait for.
#[derive(Debug, Clone)]
pub struct ProbeConfig {
    /// Names of the listeners that send and hear them.
    pub listeners: Vec<String>,
    /// Time between two.
    pub interval: Duration,
    /// Partitions that each goes through.
    pub partitions: u32,
}

/// How a listener's probes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There are no probes.
    Off,
    /// Not all have come yet, and it is not too late for them.
    Waiting,
    /// What is shown is as young as it should be.
    Fresh,
    /// What is shown may be old.
    Late,
}

/// How fresh the view is, as clients get it.
#[derive(Debug, Serialize)]
pub struct FreshnessItem<'a> {
    /// The worst of the listeners'.
    state: State,
    interval_ms: u64,
    late_after_ms: u64,
    listeners: Vec<ListenerItem<'a>>,
}

#[derive(Debug, Serialize)]
struct ListenerItem<'a> {
    listener: &'a str,
    state: State,
    /// Since when.
    since: Instant3339,
    /// When the probe was sent that its slowest partition last brought.
    sent_at: Option<Instant3339>,
    /// How long the last probe took that came, from its sending until here.
    round_trip_ms: Option<f64>,
    /// Partitions whose last probe is too old.
    late_partitions: Vec<u32>,
}

impl FreshnessItem<'_> {
    /// Whether something is late.
    pub fn is_late(&self) -> bool {
        self.state == State::Late
    }
}

#[derive(Debug)]
struct Listener {
    name: String,
    state: State,
    since: Micros,
    /// When the newest probe of each partition was sent.
    sent_at: Vec<Option<Micros>>,
    round_trip_us: Option<i64>,
}

/// Of all listeners.
#[derive(Debug, Default)]
pub struct Freshness {
    interval: Duration,
    late_after_us: i64,
    began: Micros,
    listeners: Vec<Listener>,
    measured: Option<Micros>,
}

impl Freshness {
    /// Nothing has come yet.
    pub fn new(config: Option<ProbeConfig>, now: Micros) -> Self {
        let Some(config) = config else { return Self::default() };
        let late_after = config.interval.mul_f64(LATE_AFTER_INTERVALS);
        let partitions = usize::try_from(config.partitions).unwrap_or_default();
        let listeners = config.listeners.into_iter().map(|name| Listener {
            name,
            state: State::Waiting,
            since: now,
            sent_at: vec![None; partitions],
            round_trip_us: None,
        });
        Self {
            interval: config.interval,
            late_after_us: i64::try_from(late_after.as_micros()).unwrap_or(i64::MAX),
            began: now,
            listeners: listeners.collect(),
            measured: None,
        }
    }

    /// A probe came through. Answers whether it was waited for.
    pub fn probed(&mut self, row: &DeviceStatus, now: Micros, replaying: bool) -> bool {
        let Some(name) = &row.name else { return false };
        let Some(listener) = self.listeners.iter_mut().find(|l| l.name == *name) else {
            return false;
        };
        let partition = usize::try_from(row.position.position().partition).unwrap_or(usize::MAX);
        let Some(newest) = listener.sent_at.get_mut(partition) else {
            return false;
        };
        let sent_at = row.observed_at;
        *newest = (*newest).max(Some(sent_at));
        if !replaying {
            let round_trip_us = now.since(sent_at).max(0);
            listener.round_trip_us = Some(round_trip_us);
            #[allow(clippy::cast_precision_loss, reason = "a measurement")]
            histogram!(names::FRESHNESS_ROUND_TRIP, "listener" => name.clone()).record(round_trip_us as f64 / 1e6);
        }
        true
    }

    /// Concludes from the clock what every listener's state is.
    pub fn tick(&mut self, now: Micros) -> Vec<Notice> {
        let mut notices = Vec::new();
        let measure = self.measured.is_none_or(|at| now.since(at) >= METRIC_EVERY_US);
        for listener in &mut self.listeners {
            let late = late_partitions(listener, self.began, self.late_after_us, now);
            let state = match (late.is_empty(), listener.sent_at.iter().all(Option::is_some)) {
                (false, _) => State::Late,
                (true, true) => State::Fresh,
                (true, false) => State::Waiting,
            };
            if measure {
                tell_metrics(listener, state, self.began, now);
            }
            if state == listener.state {
                continue;
            }
            let word = match (listener.state, state) {
                (_, State::Late) => Some(Word::FreshnessLate),
                (State::Late, _) => Some(Word::FreshnessRestored),
                _ => None,
            };
            notices.extend(word.map(|word| Notice {
                partitions: late,
                ..Notice::new(word, &listener.name, now)
            }));
            (listener.state, listener.since) = (state, now);
        }
        if measure {
            self.measured = Some(now);
        }
        notices
    }

    /// How it stands, by this clock: also when nobody has ticked for long.
    pub fn item(&self, now: Micros) -> FreshnessItem<'_> {
        let listeners: Vec<_> = self.listeners.iter().map(|l| self.listener_item(l, now)).collect();
        let states = listeners.iter().map(|l| l.state);
        FreshnessItem {
            state: states.max_by_key(|s| *s as u8).unwrap_or(State::Off),
            interval_ms: u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX),
            late_after_ms: u64::try_from(self.late_after_us / 1_000).unwrap_or_default(),
            listeners,
        }
    }

    fn listener_item<'a>(&self, listener: &'a Listener, now: Micros) -> ListenerItem<'a> {
        let late_partitions = late_partitions(listener, self.began, self.late_after_us, now);
        let oldest = listener.sent_at.iter().copied().min().flatten();
        #[allow(clippy::cast_precision_loss, reason = "a measurement")]
        let round_trip_ms = listener.round_trip_us.map(|us| us as f64 / 1_000.0);
        ListenerItem {
            listener: &listener.name,
            state: if late_partitions.is_empty() {
                listener.state
            } else {
                State::Late
            },
            since: Instant3339(listener.since),
            sent_at: oldest.map(Instant3339),
            round_trip_ms,
            late_partitions,
        }
    }
}

fn late_partitions(listener: &Listener, began: Micros, late_after_us: i64, now: Micros) -> Vec<u32> {
    let is_late = |sent_at: &Option<Micros>| now.since(sent_at.unwrap_or(began)) > late_after_us;
    let partitions = (0..).zip(&listener.sent_at);
    partitions.filter(|(_, at)| is_late(at)).map(|(p, _)| p).collect()
}

fn tell_metrics(listener: &Listener, state: State, began: Micros, now: Micros) {
    let oldest = listener.sent_at.iter().map(|at| at.unwrap_or(began)).min();
    let age_us = oldest.map_or(0, |at| now.since(at).max(0));
    #[allow(clippy::cast_precision_loss, reason = "a gauge")]
    gauge!(names::FRESHNESS_AGE, "listener" => listener.name.clone()).set(age_us as f64 / 1e6);
    gauge!(names::FRESHNESS_LATE, "listener" => listener.name.clone()).set(f64::from(u8::from(state == State::Late)));
}
