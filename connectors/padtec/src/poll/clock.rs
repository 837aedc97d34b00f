//! Whether a system's clock is right. Its rows carry its collector's stamps, the same for a whole list: what is far from our time, and
//! moves on, is of a clock (or of a zone in the configuration) that is off; what stands still is old.

use model::Micros;

/// Off by less is not told: lists are collected every half minute, and read in minutes.
const TOLERATED: i64 = 300 * Micros::SECOND;
/// The same amount off as before, but for the collector's beat.
const SAME: i64 = 120 * Micros::SECOND;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    newest: Option<Micros>,
    /// How far it is ahead of ours, in microseconds; negative behind. Zero if it is right, as far as is known.
    ahead: i64,
}

impl Clock {
    /// How far it is ahead, in microseconds.
    pub fn ahead(&self) -> i64 {
        self.ahead
    }

    /// Our time of a time of its.
    pub fn ours(&self, its: Micros) -> Micros {
        its.plus(-self.ahead)
    }

    /// Its time now, as far as is known.
    pub fn its(&self, ours: Micros) -> Micros {
        ours.plus(self.ahead)
    }

    /// Looks at the newest stamp of a list that was there at `now`.
    pub fn look(&mut self, stamp: Micros, now: Micros) {
        let has_moved = self.newest.is_some_and(|newest| stamp > newest);
        let ahead = stamp.since(now);
        self.newest = Some(self.newest.map_or(stamp, |newest| newest.max(stamp)));
        if ahead.saturating_abs() <= TOLERATED {
            self.ahead = 0;
        } else if (ahead > 0 || has_moved) && ahead.saturating_sub(self.ahead).saturating_abs() > SAME {
            self.ahead = ahead;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stamps and the times at which they were seen, in seconds: how far ahead it is after each.
    fn check(looks: &[(i64, i64, i64)]) {
        let mut clock = Clock::default();
        for (i, &(stamp, now, expected)) in looks.iter().enumerate() {
            clock.look(Micros(stamp * Micros::SECOND), Micros(now * Micros::SECOND));
            assert_eq!(clock.ahead() / Micros::SECOND, expected, "{i}");
        }
    }

    #[test]
    fn what_moves_is_a_clock_and_what_stands_is_old() {
        check(&[(10_000, 10_020, 0), (10_030, 10_050, 0)]);
        // An hour ahead, told at once, steady through the collector's beat; then set right.
        check(&[(13_600, 10_000, 3_600), (13_660, 10_050, 3_600), (10_120, 10_120, 0)]);
        // An hour behind is told when it moves.
        check(&[(6_400, 10_000, 0), (6_430, 10_030, -3_600), (6_460, 10_070, -3_600)]);
        // A collector that stopped an hour ago.
        check(&[(6_400, 10_000, 0), (6_400, 10_030, 0), (6_400, 10_060, 0)]);
    }
}
