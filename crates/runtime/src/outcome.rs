//! How a consumed record ended: in exactly one way, and the counts add up.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The one end of a consumed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It made at least one record.
    Emitted,
    /// Taken in: it changed state at most, or was known already, or is nobody's business.
    Absorbed,
    /// Refused by a step, or a duplicate.
    Filtered(&'static str),
    /// In `dead-letters`, with its bytes.
    DeadLettered(&'static str),
}

impl Outcome {
    /// The word for metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Emitted => "emitted",
            Self::Absorbed => "absorbed",
            Self::Filtered(_) => "filtered",
            Self::DeadLettered(_) => "dead_lettered",
        }
    }
}

/// How many records ended how. `consumed` is counted on its own, so that the sum can be checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Records taken from the input.
    pub consumed: u64,
    /// Of these, emitted.
    pub emitted: u64,
    /// Absorbed.
    pub absorbed: u64,
    /// Filtered, by reason.
    pub filtered: BTreeMap<Cow<'static, str>, u64>,
    /// Dead-lettered, by reason.
    pub dead_lettered: BTreeMap<Cow<'static, str>, u64>,
}

impl Outcomes {
    /// Counts one record.
    pub fn count(&mut self, outcome: Outcome) {
        let bump = |map: &mut BTreeMap<Cow<'static, str>, u64>, reason: &'static str| {
            *map.entry(Cow::Borrowed(reason)).or_default() += 1;
        };
        self.consumed += 1;
        match outcome {
            Outcome::Emitted => self.emitted += 1,
            Outcome::Absorbed => self.absorbed += 1,
            Outcome::Filtered(reason) => bump(&mut self.filtered, reason),
            Outcome::DeadLettered(reason) => bump(&mut self.dead_lettered, reason),
        }
    }

    /// Adds another count to this one.
    pub fn add(&mut self, other: &Self) {
        self.consumed += other.consumed;
        self.emitted += other.emitted;
        self.absorbed += other.absorbed;
        for (mine, theirs) in [
            (&mut self.filtered, &other.filtered),
            (&mut self.dead_lettered, &other.dead_lettered),
        ] {
            for (reason, n) in theirs {
                *mine.entry(reason.clone()).or_default() += n;
            }
        }
    }

    /// Whether every consumed record ended in exactly one way.
    pub fn add_up(&self) -> bool {
        let reasons = self.filtered.values().chain(self.dead_lettered.values()).sum::<u64>();
        self.consumed == self.emitted + self.absorbed + reasons
    }
}

/// Why bytes or a record cannot be processed: what `dead-letters` says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadReason {
    /// One word of a closed set: a metric's label.
    pub reason: &'static str,
    /// What went wrong, outermost first.
    pub errors: Vec<String>,
}

impl DeadReason {
    /// A reason with an error and all its sources.
    pub fn new(reason: &'static str, error: &dyn std::error::Error) -> Self {
        let chain = std::iter::successors(Some(error), |e| e.source());
        Self {
            reason,
            errors: chain.map(ToString::to_string).collect(),
        }
    }

    /// A reason in one line.
    pub fn text(reason: &'static str, error: impl Into<String>) -> Self {
        Self {
            reason,
            errors: vec![error.into()],
        }
    }
}

impl From<&'static str> for DeadReason {
    /// A reason that says it all.
    fn from(reason: &'static str) -> Self {
        Self {
            reason,
            errors: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_counts_once() {
        let mut all = Outcomes::default();
        for outcome in [
            Outcome::Emitted,
            Outcome::Absorbed,
            Outcome::Filtered("duplicate_record"),
            Outcome::Filtered("duplicate_record"),
            Outcome::DeadLettered("undecodable"),
        ] {
            all.count(outcome);
        }
        let mut twice = all.clone();
        twice.add(&all);
        assert_eq!((twice.consumed, twice.filtered["duplicate_record"]), (10, 4));
        assert!(all.add_up() && twice.add_up());
        all.emitted += 1;
        assert!(!all.add_up());
    }
}
