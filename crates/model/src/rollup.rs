//! Windows of time and what samples add up to in them. One code for the step, the store's answers, the rebuild and the API, so that
//! all of them come to the same bits.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Micros;

/// A calendar window in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Window {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

const HOUR: i64 = 3_600 * Micros::SECOND;
const DAY: i64 = 24 * HOUR;

impl Window {
    /// The word that records carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Hour, Self::Day, Self::Month]
            .into_iter()
            .find(|window| window.as_str() == word)
    }

    /// When the window begins in which an instant lies.
    pub fn start(self, at: Micros) -> Micros {
        match self {
            Self::Hour => Micros(at.0.div_euclid(HOUR).saturating_mul(HOUR)),
            Self::Day => Micros(at.0.div_euclid(DAY).saturating_mul(DAY)),
            Self::Month => {
                let (year, month) = year_month(at);
                Micros(days_to(year, month).saturating_mul(DAY))
            }
        }
    }

    /// When the window ends that begins then.
    pub fn end(self, start: Micros) -> Micros {
        match self {
            Self::Hour => start.plus(HOUR),
            Self::Day => start.plus(DAY),
            // 31 days after its first, a month is over, and the next one is not.
            Self::Month => self.start(start.plus(31 * DAY)),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Year and month (1 to 12) of an instant, proleptic Gregorian, UTC. Howard Hinnant's `civil_from_days`.
pub fn year_month(at: Micros) -> (i64, u32) {
    let days = at.0.div_euclid(DAY) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).expect("1 to 12"))
}

/// Days from 1970-01-01 to the first of a month. Howard Hinnant's `days_from_civil`.
fn days_to(year: i64, month: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// How long raw samples are kept, by when they were observed: what is older when we receive it is refused. Microseconds.
pub const SAMPLE_KEPT: i64 = 30 * DAY;
/// How far ahead of the time we received it a sample may lie: clocks differ. Microseconds.
pub const SAMPLE_AHEAD_MAX: i64 = 600 * Micros::SECOND;
/// Largest value that is added up: the square of a larger one, added up for a month, would leave what a double can hold.
pub const VALUE_MAX: f64 = 1e140;

/// Why a sample is in no history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SampleRefusal {
    /// It was older than raw samples are kept when we received it.
    TooOld,
    /// It lay too far in the future when we received it.
    Ahead,
    /// It is no number that can be added up.
    NoNumber,
}

impl SampleRefusal {
    /// In a word, for counting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooOld => "sample_too_old",
            Self::Ahead => "sample_ahead",
            Self::NoNumber => "sample_no_number",
        }
    }
}

/// Whether a sample is part of history: the same for who adds up as it comes and for who keeps it.
///
/// # Errors
/// Why it is not.
pub fn check_sample(value: f64, observed_at: Micros, received_at: Micros) -> Result<(), SampleRefusal> {
    if value.is_nan() || value.abs() > VALUE_MAX {
        return Err(SampleRefusal::NoNumber);
    }
    let age = received_at.since(observed_at);
    if age >= SAMPLE_KEPT || observed_at.0 < 0 {
        Err(SampleRefusal::TooOld)
    } else if age < -SAMPLE_AHEAD_MAX {
        Err(SampleRefusal::Ahead)
    } else {
        Ok(())
    }
}

/// Whether a sample of this quality is added up: `good`, and `frozen`, which is good and has not moved for too long. What is bad or
/// stale is kept raw and shown, and is in no sum.
pub fn is_added_up(quality: &str) -> bool {
    matches!(quality, "good" | "frozen")
}

/// What samples add up to. Each instant (to the millisecond, as the store has it) counts once: of several values at one instant the
/// highest, whichever came first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many.
    pub n: u64,
    /// Their sum, added in order of time.
    pub sum: f64,
    /// The sum of their squares, likewise.
    pub sum_squares: f64,
    /// Lowest.
    pub min: f64,
    /// Highest.
    pub max: f64,
    /// The first value.
    pub first: f64,
    /// When that was observed.
    pub first_at: Micros,
    /// The last value.
    pub last: f64,
    /// When that was observed.
    pub last_at: Micros,
}

impl Summary {
    /// Of one sample.
    pub fn of(at: Micros, value: f64) -> Self {
        // Adding 0 turns −0 into 0, so that equal numbers have equal bytes.
        let value = value + 0.0;
        let at = instant(at);
        Self {
            n: 1,
            sum: value,
            sum_squares: value * value,
            min: value,
            max: value,
            first: value,
            first_at: at,
            last: value,
            last_at: at,
        }
    }

    /// Adds a sample that is later than all before.
    pub fn add(&mut self, at: Micros, value: f64) {
        self.merge(&Self::of(at, value));
    }

    /// Adds what is later than all before.
    pub fn merge(&mut self, later: &Self) {
        self.n = self.n.saturating_add(later.n);
        self.sum += later.sum;
        self.sum_squares += later.sum_squares;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.last = later.last;
        self.last_at = later.last_at;
    }

    /// The sum of what follows each other; `None` of nothing.
    pub fn merged(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        parts.into_iter().reduce(|mut sum, part| {
            sum.merge(&part);
            sum
        })
    }

    /// Adds up samples in order of time, of which those of one instant stand together with the highest first.
    pub fn of_samples(samples: impl IntoIterator<Item = (Micros, f64)>) -> Option<Self> {
        let mut summary: Option<Self> = None;
        for (at, value) in samples {
            match &mut summary {
                None => summary = Some(Self::of(at, value)),
                Some(summary) if instant(at) > summary.last_at => summary.add(at, value),
                Some(_) => {}
            }
        }
        summary
    }

    /// Arithmetic mean.
    #[allow(clippy::cast_precision_loss, reason = "a count of samples")]
    pub fn mean(&self) -> f64 {
        self.sum / self.n as f64
    }
}

/// An instant as samples are told apart by: to the millisecond.
pub fn instant(at: Micros) -> Micros {
    Micros(at.millis().saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2024-02-29T23:59:59.999999Z and the like: microseconds of a day and a time of it.
    fn at(days: i64, micros: i64) -> Micros {
        Micros(days * DAY + micros)
    }

    #[test]
    fn windows_begin_and_end_by_the_calendar() {
        let check = |window: Window, instant: Micros, start: Micros, end: Micros| {
            assert_eq!(window.start(instant), start, "{window} {instant:?}");
            assert_eq!(window.end(start), end, "{window} {instant:?}");
            assert_eq!(window.start(end), end);
            assert_eq!(window.start(end.plus(-1)), start);
        };
        let last = DAY - 1;
        check(Window::Hour, at(3, 5 * HOUR + 7), at(3, 5 * HOUR), at(3, 6 * HOUR));
        check(Window::Day, at(3, last), at(3, 0), at(4, 0));
        // 2024-02-29 is day 19782, 2023-02-28 day 19416, 2025-12-31 day 20453.
        check(Window::Month, at(19_782, last), at(19_754, 0), at(19_783, 0));
        check(Window::Month, at(19_416, last), at(19_389, 0), at(19_417, 0));
        check(Window::Month, at(20_453, last), at(20_423, 0), at(20_454, 0));
        check(Window::Month, at(0, 0), at(0, 0), at(31, 0));
        check(Window::Month, at(-1, 0), at(-31, 0), at(0, 0));
    }

    #[test]
    fn only_numbers_of_the_time_kept_are_history() {
        let now = Micros(100 * DAY);
        let check = |value: f64, age: i64, expected: Option<SampleRefusal>| {
            assert_eq!(
                check_sample(value, now.plus(-age), now).err(),
                expected,
                "{value} {age}"
            );
        };
        check(-20.0, 0, None);
        check(-20.0, SAMPLE_KEPT - 1, None);
        check(-20.0, SAMPLE_KEPT, Some(SampleRefusal::TooOld));
        check(-20.0, -SAMPLE_AHEAD_MAX, None);
        check(-20.0, -SAMPLE_AHEAD_MAX - 1, Some(SampleRefusal::Ahead));
        check(f64::NAN, 0, Some(SampleRefusal::NoNumber));
        check(f64::INFINITY, 0, Some(SampleRefusal::NoNumber));
        check(-1e141, 0, Some(SampleRefusal::NoNumber));
    }

    #[test]
    fn of_one_instant_the_highest_counts_once() {
        let samples = [(Micros(1_000), 2.0), (Micros(1_999), 1.0), (Micros(2_000), -0.0)];
        let summary = Summary::of_samples(samples).unwrap();
        assert_eq!((summary.n, summary.sum, summary.last), (2, 2.0, 0.0));
        assert!(summary.last.is_sign_positive());
    }

    proptest! {
        #[test]
        fn every_instant_lies_in_its_window(micros in -4_000_000_000_000_000_i64..200_000_000_000_000_000) {
            for window in [Window::Hour, Window::Day, Window::Month] {
                let start = window.start(Micros(micros));
                let end = window.end(start);
                prop_assert!(start.0 <= micros && micros < end.0, "{} {:?} {:?}", window, start, end);
                prop_assert_eq!(window.start(start), start);
            }
        }
    }
}
