//! Moments as texts.

use model::Micros;

/// A moment, so many minutes ahead of UTC: `2025-12-04 22:35:38`.
pub(super) fn local(at: Micros, ahead_minutes: i64) -> String {
    let [year, month, day, hour, minute, second] = parts(at.0.div_euclid(Micros::SECOND) + ahead_minutes * 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// A moment in UTC: `2025-12-05T02:35:38Z`.
pub(super) fn utc(at: Micros) -> String {
    let [year, month, day, hour, minute, second] = parts(at.0.div_euclid(Micros::SECOND));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month, day, hour, minute and second of seconds since 1970, counted in years that begin in March.
fn parts(seconds: i64) -> [i64; 6] {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let since_0 = days + 719_468;
    let (era, day_of_era) = (since_0.div_euclid(146_097), since_0.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    [year, month, day, second / 3_600, second / 60 % 60, second % 60]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_people_do() {
        let at = Micros(1_764_902_138 * Micros::SECOND);
        assert_eq!(utc(at), "2025-12-05T02:35:38Z");
        assert_eq!(local(at, -240), "2025-12-04 22:35:38");
        assert_eq!(utc(Micros(951_782_400 * Micros::SECOND)), "2000-02-29T00:00:00Z");
        assert_eq!(utc(Micros(0)), "1970-01-01T00:00:00Z");
    }
}
