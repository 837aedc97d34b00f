//! The two times of a task. Both are functions of the append times of its input, so a replay gives the same ones.

use model::Micros;
use serde::{Deserialize, Serialize};

/// Longest step of observed time: a longer silence of the log was not observed (design §4).
pub(crate) const STEP_MAX: i64 = 30 * Micros::SECOND;
/// Without a clipped step for this long, a gap is over.
const GAP_END: i64 = 60 * Micros::SECOND;

/// A time in which the partition was not observed began or ended; one `observer-gap` an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObserverGap {
    /// Nothing had been appended for more than 30 s.
    Began {
        /// The last record before it.
        from: Micros,
    },
    /// The first minute without such a step has passed.
    Ended {
        /// The last record before the gap.
        from: Micros,
        /// The first record after its last clipped step.
        to: Micros,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Gap {
    from: Micros,
    to: Micros,
}

/// Log time, observed time and the gap they are in; part of the marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TaskClock {
    /// Highest append time so far: never decreases.
    pub log_time: Micros,
    /// Sum of the differences of successive append times, each clipped to 0…30 s.
    pub observed: Micros,
    /// Append time of the last record, as stamped; `None` before the first.
    last: Option<Micros>,
    gap: Option<Gap>,
}

impl TaskClock {
    /// Moves both times on by one record.
    pub fn advance(&mut self, appended_at: Micros) -> Option<ObserverGap> {
        self.log_time = self.log_time.max(appended_at);
        let before = self.last.replace(appended_at)?;
        let step = appended_at.since(before);
        self.observed = self.observed.plus(step.clamp(0, STEP_MAX));
        if step > STEP_MAX {
            let from = self.gap.map_or(before, |g| g.from);
            let began = self.gap.replace(Gap { from, to: appended_at }).is_none();
            return began.then_some(ObserverGap::Began { from });
        }
        let gap = self.gap.filter(|g| appended_at.since(g.to) >= GAP_END)?;
        self.gap = None;
        Some(ObserverGap::Ended {
            from: gap.from,
            to: gap.to,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appends at these seconds; gives (log time, observed time) in seconds and the changes of the gap.
    fn check(appended: &[i64], log_time: i64, observed: i64, gaps: &[ObserverGap]) {
        let mut clock = TaskClock::default();
        let seen: Vec<_> = appended
            .iter()
            .filter_map(|&s| clock.advance(Micros(s * Micros::SECOND)))
            .collect();
        assert_eq!(
            clock.log_time,
            Micros(log_time * Micros::SECOND),
            "log time of {appended:?}"
        );
        assert_eq!(
            clock.observed,
            Micros(observed * Micros::SECOND),
            "observed time of {appended:?}"
        );
        assert_eq!(seen, gaps, "gaps of {appended:?}");
    }

    #[test]
    fn steps_are_clipped_both_ways() {
        check(&[100], 100, 0, &[]);
        check(&[100, 101, 102], 102, 2, &[]);
        check(&[100, 130], 130, 30, &[]);
        // The clock of the log jumps back and on: log time stands, observed time counts what is stamped.
        check(
            &[100, 40, 41, 110],
            110,
            31,
            &[ObserverGap::Began {
                from: Micros(41_000_000),
            }],
        );
    }

    #[test]
    fn an_outage_is_one_gap() {
        let from = Micros(101_000_000);
        let to = Micros(1_400_000_000);
        let mut appended = vec![100, 101, 1_300, 1_310, 1_400];
        check(&appended, 1_400, 1 + 30 + 10 + 30, &[ObserverGap::Began { from }]);
        appended.extend((1_401..=1_460).step_by(1));
        check(
            &appended,
            1_460,
            71 + 60,
            &[ObserverGap::Began { from }, ObserverGap::Ended { from, to }],
        );
    }
}
