//! The counts of ONUs that a device prints with every port.

use super::value;

/// The counts of `…, the total of ONTs are: 12, online: 8` and `… the total number of ONTs is: 16, online: 8, offline: 8`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// ONUs of the port.
    pub total: Option<u64>,
    /// Of them online.
    pub online: Option<u64>,
    /// Of them offline, where the version says so.
    pub offline: Option<u64>,
}

impl Counts {
    /// Reads the numbers by what stands before their colon.
    pub fn of(text: &str) -> Self {
        let mut counts = Self::default();
        for part in text.split(',') {
            let Some((label, number)) = part.rsplit_once(':') else {
                continue;
            };
            let number = value::whole(number.trim_ascii());
            match label.trim_ascii() {
                "online" => counts.online = number,
                "offline" => counts.offline = number,
                label if label.contains("total") => counts.total = number,
                _ => {}
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, total: Option<u64>, online: Option<u64>, offline: Option<u64>) {
        assert_eq!(Counts::of(text), Counts { total, online, offline }, "{text}");
    }

    #[test]
    fn every_form_of_the_footer_is_read() {
        check(
            "In port 0/ 2/8 , the total of ONTs are: 12, online: 8",
            Some(12),
            Some(8),
            None,
        );
        check(
            "In port 0/2/8, the total of ONTs are: 12, online: 8",
            Some(12),
            Some(8),
            None,
        );
        check(
            "the total number of ONTs is: 16, online: 8, offline: 8",
            Some(16),
            Some(8),
            Some(8),
        );
        check(
            "In port 0/2/8, the total number of ONTs are: 0, online: 0",
            Some(0),
            Some(0),
            None,
        );
        check("In port 0/2/8, the total of ONTs are: 1x, online:", None, None, None);
    }
}
