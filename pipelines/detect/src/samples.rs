//! Values: what rules over a measure say of its newest sample.
//!
//! A condition with a dead band is a switch: on beyond the limit, off when the value is back by the band, in between as it was. Delays
//! count from when the switch moved. A sample that is not newer than all before of its measure, and one that is not good, moves nothing.

use std::sync::Arc;

use model::Micros;
use runtime::Reason;
use schemas::network::{Quality, SampleView};
use schemas::rules::{Change, CheckedRule, Condition};

use crate::seconds;
use crate::slot::{Compared, MEASURE_BYTES_MAX, MEASURES_MAX, MeasureState, UNIT_BYTES_MAX, cut};
use crate::turn::{Turn, is_of_values};
use crate::window::Window;

/// A sample may be ahead of the log by so much (microseconds); a clock that is further ahead is taken for so far, or its samples would
/// make all later ones late.
pub const FUTURE_MAX: i64 = 300 * Micros::SECOND;
/// Intervals between samples that are remembered.
const INTERVALS: usize = 5;
/// Longest interval remembered, in seconds.
const INTERVAL_S_MAX: i64 = 86_400;

impl Turn<'_> {
    pub fn samples<'s>(&mut self, samples: impl Iterator<Item = SampleView<'s>>) -> Reason {
        let mut taken = false;
        let mut refused = "no_samples";
        for sample in samples {
            match self.sample(&sample) {
                Ok(()) => taken = true,
                Err(word) => refused = word,
            }
        }
        match refused {
            _ if taken => Reason::Absorbed("measured"),
            "no_samples" => Reason::Absorbed("no_samples"),
            word => Reason::Filtered(word),
        }
    }

    fn sample(&mut self, sample: &SampleView<'_>) -> Result<(), &'static str> {
        if sample.quality != Quality::Good || !sample.value.is_finite() {
            return Err("not_good");
        }
        let at = sample.observed_at.min(self.now.log_time.plus(FUTURE_MAX));
        self.note(sample, at)?;
        self.data_came(sample.measure);
        let index = self.index;
        for rule in index.of_measure(sample.measure) {
            if self.fits(rule) {
                self.judge_sample(rule, sample.value, at);
            }
        }
        Ok(())
    }

    /// Remembers the newest sample of its measure.
    fn note(&mut self, sample: &SampleView<'_>, at: Micros) -> Result<(), &'static str> {
        let known = self.slot.measure(sample.measure);
        let place = match known {
            Ok(place) => place,
            Err(_) if sample.measure.len() > MEASURE_BYTES_MAX => return Err("measure_too_long"),
            Err(_) if self.slot.measures.len() >= MEASURES_MAX => return Err("too_many_measures"),
            Err(place) => {
                let fresh = MeasureState {
                    measure: sample.measure.into(),
                    unit: cut(sample.unit, UNIT_BYTES_MAX).into(),
                    value: sample.value,
                    newest: at,
                    arrived: self.now.observed,
                    intervals: Vec::new(),
                };
                self.slot.measures.insert(place, fresh);
                return Ok(());
            }
        };
        let measure = &mut self.slot.measures[place];
        if at <= measure.newest {
            return Err("late_sample");
        }
        if measure.intervals.len() >= INTERVALS {
            measure.intervals.remove(0);
        }
        let interval = seconds(at.since(measure.newest)).clamp(1, INTERVAL_S_MAX);
        measure.intervals.push(u32::try_from(interval).unwrap_or(u32::MAX));
        measure.value = sample.value;
        measure.newest = at;
        measure.arrived = self.now.observed;
        if *measure.unit != *cut(sample.unit, UNIT_BYTES_MAX) {
            measure.unit = cut(sample.unit, UNIT_BYTES_MAX).into();
        }
        Ok(())
    }

    fn judge_sample(&mut self, rule: &Arc<CheckedRule>, value: f64, at: Micros) {
        let known = self.slot.rule(&rule.rule_id).ok();
        let has_window = rule.condition.change().is_some();
        if known.is_none() && !has_window && compare(&rule.condition, rule.dead_band, value).0 != Some(true) {
            // Most samples: nothing stands, and nothing begins.
            return;
        }
        let Some(place) = self.state_of(rule) else {
            return;
        };
        let state = &mut self.slot.rules[place];
        let (holds, compared) = match rule.condition.change() {
            None => (compare(&rule.condition, rule.dead_band, value).0, Some(value)),
            Some(change) => {
                let window = state.window.get_or_insert_with(|| Window::new(change.window));
                window.add(at, value);
                moved(&rule.condition, change, rule.dead_band, window, value)
            }
        };
        if let Some(value) = compared {
            state.compared = Some(Compared { value, at });
        }
        if let Some(on) = holds {
            state.life.turn(on, at, self.now.observed);
        }
    }

    /// What a rule over values says with what is remembered: whether it holds, if that can be said.
    pub fn judge_again(&self, rule: &CheckedRule, place: usize) -> (Option<bool>, Option<Compared>) {
        let known = rule
            .condition
            .measure()
            .and_then(|measure| self.slot.measure(measure).ok());
        let Some(measure) = known
            .map(|at| &self.slot.measures[at])
            .filter(|_| is_of_values(&rule.condition))
        else {
            return (None, None);
        };
        let (holds, value) = match (rule.condition.change(), &self.slot.rules[place].window) {
            (None, _) => (
                compare(&rule.condition, rule.dead_band, measure.value).0,
                Some(measure.value),
            ),
            (Some(change), Some(window)) => moved(&rule.condition, change, rule.dead_band, window, measure.value),
            (Some(_), None) => (None, None),
        };
        let at = measure.newest;
        (holds, value.map(|value| Compared { value, at }))
    }
}

/// Whether a value is beyond a limit, back by the dead band, or neither; and the limit that decides, without the band.
pub fn compare(condition: &Condition, band: f64, value: f64) -> (Option<bool>, Option<f64>) {
    let above = |high: f64| match value {
        value if value > high => Some(true),
        value if value <= high - band => Some(false),
        _ => None,
    };
    let below = |low: f64| match value {
        value if value < low => Some(true),
        value if value >= low + band => Some(false),
        _ => None,
    };
    match *condition {
        Condition::Above { high, .. } => (above(high), Some(high)),
        Condition::Below { low, .. } => (below(low), Some(low)),
        Condition::Outside { low, high, .. } => {
            let holds = match (below(low), above(high)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
            let nearer = if value - low < high - value { low } else { high };
            (holds, Some(nearer))
        }
        _ => (None, None),
    }
}

/// As [`compare`], for how far a value moved; and that.
fn moved(
    condition: &Condition,
    change: &Change,
    band: f64,
    window: &Window,
    value: f64,
) -> (Option<bool>, Option<f64>) {
    let (fall, rise) = match condition {
        Condition::Slope { .. } => match window.slope() {
            Some(slope) => (slope, slope),
            None => return (None, None),
        },
        _ => window.moved(value),
    };
    let falls = change.low.is_some_and(|low| fall <= low);
    let rises = change.high.is_some_and(|high| rise >= high);
    let is_over = change.low.is_none_or(|low| fall >= low + band) && change.high.is_none_or(|high| rise <= high - band);
    let compared = match (change.low, change.high) {
        (Some(_), None) => fall,
        (None, Some(_)) => rise,
        _ if fall.abs() >= rise.abs() => fall,
        _ => rise,
    };
    let holds = if falls || rises {
        Some(true)
    } else {
        is_over.then_some(false)
    };
    (holds, Some(compared))
}

/// The limit that a comparison decides by, without the dead band; of what moves, the one on its side.
pub fn limit_of(condition: &Condition, compared: f64) -> Option<f64> {
    match condition.change() {
        None => compare(condition, 0.0, compared).1,
        Some(change) if compared < 0.0 => change.low.or(change.high),
        Some(change) => change.high.or(change.low),
    }
}
