//! The box's clock and how it writes it.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Offset of every simulated box from UTC, in seconds: Brasília.
const ZONE_S: i64 = -3 * 3_600;
const ZONE: &str = "-03:00";

/// A moment on a box's clock: seconds since 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(pub(crate) i64);

/// How a box writes dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateForm {
    /// `2026-06-10 16:17:05-03:00`.
    YearFirst,
    /// `25/01/2026 08:44:35-03:00`.
    DayFirst,
}

impl Stamp {
    pub(crate) fn now() -> Self {
        Self::of(SystemTime::now())
    }

    pub(crate) fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self(i64::try_from(since).unwrap_or(i64::MAX / 2))
    }

    pub(crate) fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from an earlier moment to this one; 0 when it is not earlier.
    pub(crate) fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// Without a zone, 19 letters.
    pub(crate) fn short(self, form: DateForm) -> Text {
        Text {
            stamp: self,
            form,
            zone: "",
        }
    }

    /// With the zone.
    pub(crate) fn long(self, form: DateForm) -> Text {
        Text {
            stamp: self,
            form,
            zone: ZONE,
        }
    }
}

/// A moment as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    stamp: Stamp,
    form: DateForm,
    zone: &'static str,
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.stamp.0.saturating_add(ZONE_S);
        let (year, month, day) = date(local.div_euclid(86_400));
        match self.form {
            DateForm::YearFirst => write!(f, "{year:04}-{month:02}-{day:02}")?,
            DateForm::DayFirst => write!(f, "{day:02}/{month:02}/{year:04}")?,
        }
        let second = local.rem_euclid(86_400);
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        write!(f, " {hour:02}:{minute:02}:{:02}{}", second % 60, self.zone)
    }
}

/// Year, month and day of a number of days since 1970-01-01 (the proleptic Gregorian calendar counted in eras of 400
/// years that begin on 1 March).
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_both_forms() {
        // `date -u -d @…` says the same, three hours later.
        for (seconds, year_first, day_first) in [
            (0, "1969-12-31 21:00:00-03:00", "31/12/1969 21:00:00-03:00"),
            (951_793_200, "2000-02-29 00:00:00-03:00", "29/02/2000 00:00:00-03:00"),
            (1_769_341_475, "2026-01-25 08:44:35-03:00", "25/01/2026 08:44:35-03:00"),
            (1_798_772_399, "2026-12-31 23:59:59-03:00", "31/12/2026 23:59:59-03:00"),
        ] {
            let stamp = Stamp(seconds);
            assert_eq!(stamp.long(DateForm::YearFirst).to_string(), year_first);
            assert_eq!(stamp.long(DateForm::DayFirst).to_string(), day_first);
            assert_eq!(stamp.short(DateForm::YearFirst).to_string().len(), 19);
        }
    }
}
