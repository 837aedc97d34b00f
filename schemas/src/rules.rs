//! Alarm rules with checked words: what the API refuses to write, no step ever meets, and both by the same code.
//!
//! [`CheckedRule::new`] is total: a rule is either whole and sane, or every field that is wrong is named with what would be right.
//! Times are microseconds here, and seconds in the record.

use std::sync::Arc;

use model::{Cause, Severity, State};

pub use self::check::{FieldError, LIMITS, Limits};
pub use self::defaults::default_rules;
pub use self::message::{Message, Values};
pub use self::scope::RuleScope;
use crate::Rule;

mod check;
mod defaults;
mod message;
mod scope;

/// A rule that can be applied.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedRule {
    /// Its id: the type of its alarms. It has a `-`, so it is never the word of a device's alarm.
    pub rule_id: Arc<str>,
    /// Counts its versions. Of two versions the one with the higher (version, writer) stands.
    pub version: i64,
    /// Who wrote this version.
    pub writer: Arc<str>,
    /// It is gone.
    pub removed: bool,
    /// It is applied.
    pub enabled: bool,
    /// Name, for people.
    pub name: Arc<str>,
    /// Severity of its alarms.
    pub severity: Severity,
    /// When it raises.
    pub condition: Condition,
    /// How far inside the limit a value has to come back, in the unit of what is compared.
    pub dead_band: f64,
    /// For how long the condition has to hold, in observed time.
    pub raise_after: i64,
    /// For how long it has to be over, in observed time.
    pub clear_after: i64,
    /// A raise within this time of a clear opens the same alarm again.
    pub reraise_after: i64,
    /// Text of its alarms.
    pub message: Message,
    /// What it applies to.
    pub scope: RuleScope,
    /// When its alarms are suppressed.
    pub flap: Option<Flap>,
}

impl CheckedRule {
    /// Checks a rule.
    ///
    /// # Errors
    /// With every field that is wrong, in the order of the record.
    pub fn new(rule: &Rule) -> Result<Self, Vec<FieldError>> {
        check::check(rule)
    }

    /// It decides about alarms.
    pub fn is_applied(&self) -> bool {
        self.enabled && !self.removed
    }

    /// Whether this version stands against another one of the rule.
    pub fn is_newer_than(&self, version: i64, writer: &str) -> bool {
        (self.version, &*self.writer) > (version, writer)
    }
}

/// When a rule raises.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The value is above a limit.
    Above {
        /// What is measured.
        measure: Arc<str>,
        /// The limit.
        high: f64,
    },
    /// The value is below a limit.
    Below {
        /// What is measured.
        measure: Arc<str>,
        /// The limit.
        low: f64,
    },
    /// The value is below the one or above the other limit.
    Outside {
        /// What is measured.
        measure: Arc<str>,
        /// Lower limit.
        low: f64,
        /// Upper limit.
        high: f64,
    },
    /// The value fell or rose so much within a window.
    Rate {
        /// What is measured.
        measure: Arc<str>,
        /// How far.
        change: Change,
    },
    /// The entity is in one of these states.
    State {
        /// The states.
        states: Arc<[State]>,
        /// With one of these causes; none: with any.
        causes: Arc<[Cause]>,
    },
    /// Nothing is measured any more.
    NoData {
        /// What was measured; `None`: whatever is.
        measure: Option<Arc<str>>,
    },
    /// The value falls or rises so much a day, over a window.
    Slope {
        /// What is measured.
        measure: Arc<str>,
        /// How steeply, in a day.
        change: Change,
    },
}

impl Condition {
    /// The word that records carry.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Above { .. } => "above",
            Self::Below { .. } => "below",
            Self::Outside { .. } => "outside",
            Self::Rate { .. } => "rate",
            Self::State { .. } => "state",
            Self::NoData { .. } => "no_data",
            Self::Slope { .. } => "slope",
        }
    }

    /// Every word, in order.
    pub const WORDS: [&'static str; 7] = ["above", "below", "outside", "rate", "state", "no_data", "slope"];

    /// What it looks at, if that is one measure.
    pub fn measure(&self) -> Option<&Arc<str>> {
        match self {
            Self::Above { measure, .. }
            | Self::Below { measure, .. }
            | Self::Outside { measure, .. }
            | Self::Rate { measure, .. }
            | Self::Slope { measure, .. } => Some(measure),
            Self::NoData { measure } => measure.as_ref(),
            Self::State { .. } => None,
        }
    }

    /// The window it looks at and compares over, if it does.
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::Rate { change, .. } | Self::Slope { change, .. } => Some(change),
            _ => None,
        }
    }
}

/// How far a value has to move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Down to this, below 0.
    pub low: Option<f64>,
    /// Up to this, above 0.
    pub high: Option<f64>,
    /// The time looked at, in microseconds.
    pub window: i64,
}

/// When an alarm that comes and goes is suppressed: a figure of merit that grows with each raise and halves with (observed) time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flap {
    /// Added at each raise.
    pub penalty: f64,
    /// Microseconds in which the figure halves.
    pub half_life: i64,
    /// At or above this it is suppressed.
    pub suppress: f64,
    /// Below this it is shown again.
    pub reuse: f64,
    /// It never grows beyond this.
    pub ceiling: f64,
}
