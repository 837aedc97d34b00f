//! Times as the API writes them: RFC 3339 with milliseconds, UTC. Written for every item of a burst, so without allocation.

use std::fmt;

use model::Micros;
use serde::{Serialize, Serializer};

/// An instant that is shown as `2026-11-21T10:00:00.000Z`. Years outside 0…9999 are shown as the nearest that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant3339(pub Micros);

/// Now, by the machine's clock.
pub fn now() -> Micros {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

const MILLIS_A_DAY: i64 = 86_400_000;
/// 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z.
const SHOWN_MILLIS: (i64, i64) = (-62_167_219_200_000, 253_402_300_799_999);

impl fmt::Display for Instant3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.millis().clamp(SHOWN_MILLIS.0, SHOWN_MILLIS.1);
        let (days, rest) = (millis.div_euclid(MILLIS_A_DAY), millis.rem_euclid(MILLIS_A_DAY));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
            rest % 1_000
        )
    }
}

impl Serialize for Instant3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Year, month and day of a number of days since 1970 (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_calendar() {
        for micros in [
            0,
            1,
            999_999,
            -1,
            951_782_400_000_000,
            1_795_255_200_123_456,
            4_102_444_799_999_000,
        ] {
            let theirs = jiff::Timestamp::from_microsecond(micros).unwrap();
            let theirs = theirs
                .round(
                    jiff::TimestampRound::new()
                        .smallest(jiff::Unit::Millisecond)
                        .mode(jiff::RoundMode::Floor),
                )
                .unwrap();
            assert_eq!(Instant3339(Micros(micros)).to_string(), format!("{theirs:.3}"));
        }
    }

    #[test]
    fn any_number_is_shown() {
        for micros in [i64::MIN, i64::MAX] {
            assert_eq!(Instant3339(Micros(micros)).to_string().len(), 24);
        }
    }
}
