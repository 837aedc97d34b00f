//! Every field of a rule against what can be.

use std::str::FromStr;
use std::sync::Arc;

use model::{Kind, Micros, Severity, State};
use serde::Serialize;

use super::{Change, CheckedRule, Condition, Flap, Message, RuleScope};
use crate::{FlapPolicy, Rule};

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Its name in the record; of a field inside another one `scope.kind`, `flap.reuse`.
    pub field: &'static str,
    /// What would be right.
    pub message: String,
}

/// How long and how many.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of an id: of the rule, its writer, its author.
    pub id_bytes: usize,
    /// Bytes of a name and of the words of a scope.
    pub name_bytes: usize,
    /// Bytes of a message's template, and of a pattern.
    pub message_bytes: usize,
    /// Bytes of a description.
    pub description_bytes: usize,
    /// Bytes of a measure's word.
    pub measure_bytes: usize,
    /// Seconds of a delay.
    pub delay_s: i64,
    /// Seconds of a rate's window.
    pub rate_window_s: (i64, i64),
    /// Seconds of a slope's window.
    pub slope_window_s: (i64, i64),
}

/// The limits.
pub const LIMITS: Limits = Limits {
    id_bytes: 64,
    name_bytes: 128,
    message_bytes: 512,
    description_bytes: 2_048,
    measure_bytes: 64,
    delay_s: 7 * 86_400,
    rate_window_s: (60, 86_400),
    slope_window_s: (3_600, 31 * 86_400),
};

/// What is wrong so far.
#[derive(Default)]
pub(super) struct Errors(Vec<FieldError>);

impl Errors {
    pub(super) fn add(&mut self, field: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.0.push(FieldError { field, message });
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn into_list(self) -> Vec<FieldError> {
        self.0
    }

    /// Adds the message unless it holds.
    fn require(&mut self, holds: bool, field: &'static str, message: impl FnOnce() -> String) {
        if !holds {
            self.add(field, message());
        }
    }
}

pub(super) fn check(rule: &Rule) -> Result<CheckedRule, Vec<FieldError>> {
    let mut errors = Errors::default();
    identity(rule, &mut errors);
    let severity = word::<Severity>("severity", &rule.severity, Severity::ALL, &mut errors);
    let condition = condition(rule, &mut errors);
    let dead_band = dead_band(rule, condition.as_ref(), &mut errors);
    let raise_after = delay("raise_after_s", rule.raise_after_s, &mut errors);
    let clear_after = delay("clear_after_s", rule.clear_after_s, &mut errors);
    let reraise_after = delay("reraise_after_s", rule.reraise_after_s, &mut errors);
    let message = Message::parse(&rule.message)
        .map_err(|message| errors.add("message", message))
        .ok();
    let scope = RuleScope::new(&rule.scope, &mut errors);
    let flap = rule.flap.and_then(|policy| flap(&policy, &mut errors));
    match (severity, condition, message, scope) {
        (Some(severity), Some(condition), Some(message), Some(scope)) if errors.0.is_empty() => Ok(CheckedRule {
            rule_id: rule.rule_id.as_str().into(),
            version: rule.version,
            writer: rule.writer.as_str().into(),
            removed: rule.removed,
            enabled: rule.enabled,
            name: rule.name.as_str().into(),
            severity,
            condition,
            dead_band,
            raise_after,
            clear_after,
            reraise_after,
            message,
            scope,
            flap,
        }),
        _ => Err(errors.0),
    }
}

fn identity(rule: &Rule, errors: &mut Errors) {
    let is_id = |text: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        text.len() <= LIMITS.id_bytes && text.contains('-') && text.chars().all(fits)
    };
    errors.require(is_id(&rule.rule_id), "rule_id", || {
        format!(
            "has to be at most {} letters, digits, `-`, `_`, `.`, with a `-` among them",
            LIMITS.id_bytes
        )
    });
    errors.require(rule.version >= 1, "version", || "counts from 1".to_owned());
    for (field, text, bytes) in [
        ("writer", &rule.writer, LIMITS.name_bytes),
        ("author", &rule.author, LIMITS.name_bytes),
        ("name", &rule.name, LIMITS.name_bytes),
    ] {
        errors.require(is_text(text, bytes), field, || one_line(bytes));
    }
    let description = rule.description.as_deref().unwrap_or_default();
    errors.require(description.len() <= LIMITS.description_bytes, "description", || {
        format!("has to be at most {} bytes", LIMITS.description_bytes)
    });
}

/// One line that people can read.
pub(super) fn is_text(text: &str, bytes_max: usize) -> bool {
    !text.trim().is_empty() && text.len() <= bytes_max && !text.chars().any(char::is_control)
}

pub(super) fn one_line(bytes_max: usize) -> String {
    format!("has to be one line of 1 to {bytes_max} bytes")
}

pub(super) fn word<T: FromStr + Copy + std::fmt::Display>(
    field: &'static str,
    text: &str,
    all: &[T],
    errors: &mut Errors,
) -> Option<T> {
    let found = text.parse().ok().filter(|word: &T| {
        let word = word.to_string();
        all.iter().any(|one| one.to_string() == word)
    });
    if found.is_none() {
        errors.add(field, format!("has to be {}", list(all.iter().map(T::to_string))));
    }
    found
}

/// `a, b or c`.
pub(super) fn list(words: impl IntoIterator<Item = String>) -> String {
    let words: Vec<String> = words.into_iter().collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn condition(rule: &Rule, errors: &mut Errors) -> Option<Condition> {
    let kind = Condition::WORDS.into_iter().find(|word| *word == rule.condition);
    let Some(kind) = kind else {
        let words = Condition::WORDS.map(str::to_owned);
        errors.add("condition", format!("has to be {}", list(words)));
        return None;
    };
    let before = errors.0.len();
    let (has_low, has_high) = match kind {
        "above" => (false, true),
        "below" => (true, false),
        "outside" | "rate" | "slope" => (true, true),
        _ => (false, false),
    };
    let low = limit("low", rule.low, has_low, kind, errors);
    let high = limit("high", rule.high, has_high, kind, errors);
    let measure = measure(rule, kind, errors);
    let window = window(rule, kind, errors);
    let (states, causes) = states(rule, kind, errors);
    let condition = match kind {
        "above" => measure
            .zip(high)
            .map(|(measure, high)| Condition::Above { measure, high }),
        "below" => measure.zip(low).map(|(measure, low)| Condition::Below { measure, low }),
        "outside" => measure.zip(low.zip(high)).map(|(measure, (low, high))| {
            errors.require(low < high, "low", || "has to be less than `high`".to_owned());
            Condition::Outside { measure, low, high }
        }),
        "rate" | "slope" => measure.zip(window).map(|(measure, window)| {
            let change = Change { low, high, window };
            moves(&change, errors);
            if kind == "rate" {
                Condition::Rate { measure, change }
            } else {
                Condition::Slope { measure, change }
            }
        }),
        "state" => Some(Condition::State { states, causes }),
        _ => Some(Condition::NoData { measure }),
    };
    if condition.is_none() && errors.0.len() == before {
        let field = if has_low && !has_high { "low" } else { "high" };
        let missing = match kind {
            _ if rule.measure.is_none() => "measure",
            "outside" if rule.low.is_none() => "low",
            _ => field,
        };
        errors.add(missing, format!("`{kind}` needs it"));
    }
    condition.filter(|_| errors.0.len() == before)
}

/// A limit that the condition looks at, or that nobody gave.
fn limit(field: &'static str, value: Option<f64>, is_used: bool, kind: &str, errors: &mut Errors) -> Option<f64> {
    let value = value?;
    if !is_used {
        errors.add(field, format!("`{kind}` does not look at it: leave it out"));
    } else if !value.is_finite() {
        errors.add(field, "has to be a finite number");
    } else {
        return Some(value);
    }
    None
}

fn moves(change: &Change, errors: &mut Errors) {
    errors.require(change.low.is_some() || change.high.is_some(), "low", || {
        "one of `low` (a fall, below 0) and `high` (a rise, above 0) is needed".to_owned()
    });
    errors.require(change.low.is_none_or(|low| low < 0.0), "low", || {
        "is a fall: it has to be below 0".to_owned()
    });
    errors.require(change.high.is_none_or(|high| high > 0.0), "high", || {
        "is a rise: it has to be above 0".to_owned()
    });
}

fn measure(rule: &Rule, kind: &str, errors: &mut Errors) -> Option<Arc<str>> {
    let text = rule.measure.as_deref()?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | '-');
    if kind == "state" {
        errors.add("measure", "`state` does not look at it: leave it out");
    } else if text.is_empty() || text.len() > LIMITS.measure_bytes || !text.chars().all(fits) {
        errors.add(
            "measure",
            format!(
                "has to be a word of at most {} small letters, digits, `_`, such as onu_rx_power",
                LIMITS.measure_bytes
            ),
        );
    } else {
        return Some(text.into());
    }
    None
}

fn window(rule: &Rule, kind: &str, errors: &mut Errors) -> Option<i64> {
    let (least, most) = match kind {
        "rate" => LIMITS.rate_window_s,
        "slope" => LIMITS.slope_window_s,
        _ => {
            errors.require(rule.window_s.is_none(), "window_s", || {
                format!("`{kind}` does not look at it: leave it out")
            });
            return None;
        }
    };
    let seconds = rule.window_s.filter(|s| (least..=most).contains(s));
    errors.require(seconds.is_some(), "window_s", || {
        format!("has to be {least} to {most} seconds")
    });
    Some(seconds? * Micros::SECOND)
}

fn states(rule: &Rule, kind: &str, errors: &mut Errors) -> (Arc<[State]>, Arc<[model::Cause]>) {
    if kind != "state" {
        for (field, words) in [("states", &rule.states), ("causes", &rule.causes)] {
            errors.require(words.is_empty(), field, || {
                format!("`{kind}` does not look at it: leave it empty")
            });
        }
        return Default::default();
    }
    let of_kind = rule.scope.kind.as_deref().and_then(|kind| kind.parse::<Kind>().ok());
    let allowed = of_kind.map_or(State::ALL, State::allowed);
    let mut states: Vec<State> = Vec::new();
    for text in &rule.states {
        states.extend(word::<State>("states", text, allowed, errors));
    }
    let mut causes: Vec<model::Cause> = Vec::new();
    for text in &rule.causes {
        causes.extend(word::<model::Cause>("causes", text, model::Cause::ALL, errors));
    }
    states.sort_unstable();
    states.dedup();
    causes.sort_unstable();
    causes.dedup();
    errors.require(!rule.states.is_empty(), "states", || {
        format!("at least one of {}", list(allowed.iter().map(State::to_string)))
    });
    let has_cause = causes.is_empty() || states.iter().any(|state| state.is_out());
    errors.require(has_cause, "causes", || {
        "only what is out of service has a cause: add such a state, or leave it empty".to_owned()
    });
    (states.into(), causes.into())
}

/// A band so wide that nothing ever comes back inside would raise once and for ever.
fn dead_band(rule: &Rule, condition: Option<&Condition>, errors: &mut Errors) -> f64 {
    let band = rule.dead_band;
    if !band.is_finite() || band < 0.0 {
        errors.add("dead_band", "has to be 0 or more");
        return 0.0;
    }
    let fits = match condition {
        Some(Condition::Outside { low, high, .. }) => low + band <= high - band,
        Some(condition) => condition.change().is_none_or(|change| {
            let far = |limit: f64| band < limit.abs();
            change.low.is_none_or(far) && change.high.is_none_or(far)
        }),
        None => true,
    };
    errors.require(fits, "dead_band", || {
        "is so wide that an alarm would never clear: make it smaller".to_owned()
    });
    band
}

fn delay(field: &'static str, seconds: i64, errors: &mut Errors) -> i64 {
    let fits = (0..=LIMITS.delay_s).contains(&seconds);
    errors.require(fits, field, || format!("has to be 0 to {} seconds", LIMITS.delay_s));
    if fits { seconds * Micros::SECOND } else { 0 }
}

fn flap(policy: &FlapPolicy, errors: &mut Errors) -> Option<Flap> {
    let before = errors.0.len();
    let FlapPolicy {
        penalty,
        half_life_s,
        suppress,
        reuse,
        ceiling,
    } = *policy;
    for (field, value) in [
        ("flap.penalty", penalty),
        ("flap.suppress", suppress),
        ("flap.reuse", reuse),
        ("flap.ceiling", ceiling),
    ] {
        errors.require(value.is_finite() && value > 0.0, field, || {
            "has to be above 0".to_owned()
        });
    }
    errors.require((1..=LIMITS.delay_s).contains(&half_life_s), "flap.half_life_s", || {
        format!("has to be 1 to {} seconds", LIMITS.delay_s)
    });
    if errors.0.len() > before {
        return None;
    }
    errors.require(penalty < suppress, "flap.penalty", || {
        "has to be less than `suppress`, or the first raise would be suppressed".to_owned()
    });
    errors.require(reuse < suppress, "flap.reuse", || {
        "has to be less than `suppress`".to_owned()
    });
    errors.require(suppress <= ceiling, "flap.ceiling", || {
        "has to be at least `suppress`".to_owned()
    });
    (errors.0.len() == before).then_some(Flap {
        penalty,
        half_life: half_life_s * Micros::SECOND,
        suppress,
        reuse,
        ceiling,
    })
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
