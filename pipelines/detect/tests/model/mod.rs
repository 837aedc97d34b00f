//! What the step has to say, straight from the definitions: slow, and without any state of its own between two records. At each record it
//! looks at everything that came before and works out anew what was true when.
//!
//! It shares nothing with the step but the record of a rule.

use model::{Micros, State};
use schemas::Rule;

/// What one record brings to the one entity of a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Brings {
    Nothing,
    /// A sample: value, whether it is good, when it was observed.
    Sample(f64, bool, Micros),
    Status(State),
    /// A heartbeat of the connector.
    Beat,
    /// Failures in a row of readings.
    Polling(u32),
}

/// One record: when it was appended, and what it brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At {
    pub appended: Micros,
    pub brings: Brings,
}

/// Something that is said: at which record, and what.
pub type Word = (usize, &'static str);

/// Observed time of every record: the sum of what lies between, each step at most 30 s.
fn observed(records: &[At]) -> Vec<i64> {
    let mut sum = 0;
    let mut times = vec![0];
    for pair in records.windows(2) {
        sum += (pair[1].appended.0 - pair[0].appended.0).clamp(0, 30_000_000);
        times.push(sum);
    }
    times
}

/// A good sample that is newer than all before.
#[derive(Debug, Clone, Copy)]
struct Sample {
    record: usize,
    value: f64,
    at: i64,
}

fn samples(records: &[At]) -> Vec<Sample> {
    let mut all: Vec<Sample> = Vec::new();
    for (record, at) in records.iter().enumerate() {
        if let Brings::Sample(value, true, observed) = at.brings {
            let ahead = at.appended.0 + 300_000_000;
            let sample = Sample {
                record,
                value,
                at: observed.0.min(ahead),
            };
            if all.iter().all(|other| other.at < sample.at) {
                all.push(sample);
            }
        }
    }
    all
}

/// When the condition began and ended to hold: (observed time, record, on).
fn switches(rule: &Rule, records: &[At], times: &[i64]) -> Vec<(i64, bool)> {
    if rule.condition == "no_data" {
        return overdue(records, times);
    }
    let mut switches: Vec<(i64, bool)> = Vec::new();
    let mut on = false;
    let mut turn = |time: i64, holds: Option<bool>| {
        if let Some(holds) = holds.filter(|holds| *holds != on) {
            on = holds;
            switches.push((time, holds));
        }
    };
    if rule.condition == "state" {
        for (record, at) in records.iter().enumerate() {
            if let Brings::Status(state) = at.brings {
                let listed = rule.states.iter().any(|word| word == state.as_str());
                let holds = (listed || state != State::Unknown).then_some(listed);
                turn(times[record], holds);
            }
        }
        return switches;
    }
    let all = samples(records);
    for n in 0..all.len() {
        turn(times[all[n].record], holds(rule, &all[..=n]));
    }
    switches
}

/// Whether the condition holds with the last of these samples; `None`: between the limit and its band, or not to be said.
fn holds(rule: &Rule, samples: &[Sample]) -> Option<bool> {
    let value = samples.last()?.value;
    let band = rule.dead_band;
    let (beyond, back) = match &*rule.condition {
        "above" => (value > rule.high?, value <= rule.high? - band),
        "below" => (value < rule.low?, value >= rule.low? + band),
        "outside" => (
            value < rule.low? || value > rule.high?,
            value >= rule.low? + band && value <= rule.high? - band,
        ),
        "rate" => {
            let window = in_window(rule, samples);
            let highest = window.iter().map(|s| s.value).fold(f64::MIN, f64::max);
            let lowest = window.iter().map(|s| s.value).fold(f64::MAX, f64::min);
            changed(rule, value - highest, value - lowest)
        }
        _ => {
            let slope = slope(rule, samples)?;
            changed(rule, slope, slope)
        }
    };
    match (beyond, back) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

fn changed(rule: &Rule, fall: f64, rise: f64) -> (bool, bool) {
    let band = rule.dead_band;
    let beyond = rule.low.is_some_and(|low| fall <= low) || rule.high.is_some_and(|high| rise >= high);
    let back = rule.low.is_none_or(|low| fall >= low + band) && rule.high.is_none_or(|high| rise <= high - band);
    (beyond, back)
}

fn part_of(rule: &Rule, at: i64) -> i64 {
    at.div_euclid(rule.window_s.unwrap() * 1_000_000 / 60)
}

/// The samples in the sixtieth of the newest one and in the 59 before it.
fn in_window(rule: &Rule, samples: &[Sample]) -> Vec<Sample> {
    let newest = part_of(rule, samples.last().unwrap().at);
    let inside = |sample: &&Sample| part_of(rule, sample.at) > newest - 60;
    samples.iter().filter(inside).copied().collect()
}

/// Slope in a day of the line with the least squares through the means of the sixtieths.
fn slope(rule: &Rule, samples: &[Sample]) -> Option<f64> {
    let window = in_window(rule, samples);
    let mut parts: Vec<i64> = window.iter().map(|s| part_of(rule, s.at)).collect();
    parts.dedup();
    if parts.len() < 10 || parts.last()? - parts[0] < 30 {
        return None;
    }
    let begins = window[0].at;
    #[allow(clippy::cast_precision_loss)]
    let points: Vec<(f64, f64)> = parts
        .iter()
        .map(|part| {
            let of: Vec<&Sample> = window.iter().filter(|s| part_of(rule, s.at) == *part).collect();
            let n = of.len() as f64;
            let day = of.iter().map(|s| (s.at - begins) as f64 / 86_400e6).sum::<f64>() / n;
            (day, of.iter().map(|s| s.value).sum::<f64>() / n)
        })
        .collect();
    #[allow(clippy::cast_precision_loss)]
    let n = points.len() as f64;
    let sum = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>();
    let (x, y, xy, xx) = (sum(|p| p.0), sum(|p| p.1), sum(|p| p.0 * p.1), sum(|p| p.0 * p.0));
    Some((n * xy - x * y) / (n * xx - x * x))
}

/// When data was overdue and came back.
fn overdue(records: &[At], times: &[i64]) -> Vec<(i64, bool)> {
    let all = samples(records);
    let mut switches: Vec<(i64, bool)> = Vec::new();
    for (record, &now) in times.iter().enumerate() {
        let before: Vec<&Sample> = all.iter().filter(|s| s.record < record).collect();
        let is_on = switches.last().is_some_and(|(_, on)| *on);
        let back = back_at(records, times, record);
        let due = allowed(&before).map(|allowed| times[before.last().unwrap().record].max(back) + allowed);
        if !is_on && due.is_some_and(|due| due <= now) && !is_held(records, times, record) {
            switches.push((due.unwrap(), true));
        }
        let is_on = switches.last().is_some_and(|(_, on)| *on);
        if is_on && all.iter().any(|s| s.record == record) {
            switches.push((now, false));
        }
    }
    switches
}

/// Two and a half times the median of the last five intervals, at least five minutes.
fn allowed(samples: &[&Sample]) -> Option<i64> {
    let mut intervals: Vec<i64> = samples
        .windows(2)
        .map(|pair| ((pair[1].at - pair[0].at) / 1_000_000).clamp(1, 86_400))
        .collect();
    let mut last = intervals.split_off(intervals.len().saturating_sub(5));
    last.sort_unstable();
    let median = last.get(last.len() / 2)?;
    Some((median * 1_000_000 * 5 / 2).max(300_000_000))
}

/// Whether nobody could measure at a record: what it says of the root counts, what it says of the entity comes after the entity's timers.
fn is_held(records: &[At], times: &[i64], record: usize) -> bool {
    let upto = &records[..=record];
    let last = |of: fn(&Brings) -> bool| upto.iter().rposition(|at| of(&at.brings));
    let is_silent = last(|b| matches!(b, Brings::Beat)).is_some_and(|beat| times[record] - times[beat] > 30_000_000);
    let is_failing = failing(records, record);
    let is_out = records[..record].iter().rev().find_map(|at| match at.brings {
        Brings::Status(state) => Some(state.is_out()),
        _ => None,
    });
    is_silent || is_failing || is_out.unwrap_or(false)
}

/// Readings fail from the second failure in a row until one is read.
fn failing(records: &[At], record: usize) -> bool {
    let last = records[..=record].iter().rev().find_map(|at| match at.brings {
        Brings::Polling(0) => Some(false),
        Brings::Polling(n) if n >= 2 => Some(true),
        _ => None,
    });
    last.unwrap_or(false)
}

/// The last time, up to a record, at which measuring became possible again.
fn back_at(records: &[At], times: &[i64], record: usize) -> i64 {
    let mut back = i64::MIN;
    let mut beat: Option<i64> = None;
    for at in 0..=record {
        match records[at].brings {
            Brings::Beat => {
                if beat.is_some_and(|beat| times[at] - beat > 30_000_000) {
                    back = times[at];
                }
                beat = Some(times[at]);
            }
            Brings::Polling(0) if at > 0 && failing(records, at - 1) => back = times[at],
            Brings::Status(state) if at < record => {
                let was = records[..at].iter().rev().find_map(|at| match at.brings {
                    Brings::Status(state) => Some(state),
                    _ => None,
                });
                if was.is_some_and(State::is_out) && !state.is_out() {
                    back = times[at];
                }
            }
            _ => {}
        }
    }
    back
}

/// When the alarm was raised and cleared, delays counted in: (observed time, raised).
fn edges(rule: &Rule, switches: &[(i64, bool)], end: i64) -> Vec<(i64, bool)> {
    let mut edges = Vec::new();
    let mut raised = false;
    for (n, &(since, on)) in switches.iter().enumerate() {
        let until = switches.get(n + 1).map_or(end, |next| next.0);
        let delay = if on { rule.raise_after_s } else { rule.clear_after_s } * 1_000_000;
        if on != raised && until - since >= delay {
            raised = on;
            edges.push((since + delay, on));
        }
    }
    edges
}

/// What is said of a history.
pub fn expected(rule: &Rule, records: &[At]) -> Vec<Word> {
    let times = observed(records);
    let edges = edges(rule, &switches(rule, records, &times), *times.last().unwrap());
    let mut words: Vec<Word> = Vec::new();
    let mut due = edges.into_iter().peekable();
    let (mut is_open, mut suppressed, mut raised) = (false, false, false);
    let mut cleared: Option<i64> = None;
    let (mut figure, mut figure_at) = (0.0_f64, 0_i64);
    for (record, &now) in times.iter().enumerate() {
        loop {
            #[allow(clippy::cast_precision_loss)]
            let figure_now =
                |half_life_s: i64| figure * 0.5_f64.powf((now - figure_at) as f64 / (half_life_s as f64 * 1e6));
            let is_reused = |flap: schemas::FlapPolicy| suppressed && figure_now(flap.half_life_s) < flap.reuse;
            if rule.flap.is_some_and(is_reused) {
                suppressed = false;
                words.push((record, "unsuppressed"));
                if !raised {
                    words.push((record, "cleared"));
                    (is_open, cleared) = (false, Some(now));
                }
                continue;
            }
            let Some((_, on)) = due.next_if(|(time, _)| *time <= now) else {
                break;
            };
            raised = on;
            if on {
                if let Some(flap) = rule.flap {
                    figure = (figure_now(flap.half_life_s) + flap.penalty).min(flap.ceiling);
                    figure_at = now;
                }
                if suppressed {
                    continue;
                }
                let again = cleared.is_some_and(|at| now - at <= rule.reraise_after_s * 1_000_000);
                words.push((record, if again { "reopened" } else { "raised" }));
                is_open = true;
                if rule.flap.is_some_and(|flap| figure >= flap.suppress) {
                    suppressed = true;
                    words.push((record, "suppressed"));
                }
            } else if !suppressed && is_open {
                words.push((record, "cleared"));
                (is_open, cleared) = (false, Some(now));
            }
        }
    }
    words
}
