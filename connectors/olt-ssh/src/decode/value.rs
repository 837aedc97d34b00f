//! Single values: what a cell or the right side of a label holds. `None` is "not that", never a guess.

use std::fmt;

use model::Serial;
use serde::{Serialize, Serializer};

/// The text of a cell; `-`, `-/-`, any run of dashes and nothing are null.
pub fn present(text: &str) -> Option<&str> {
    let text = text.trim_ascii();
    (text != "-/-" && text.bytes().any(|byte| byte != b'-')).then_some(text)
}

/// Decimal digits and nothing else.
pub fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// [`whole`] that fits.
pub fn number<N: TryFrom<u64>>(text: &str) -> Option<N> {
    whole(text).and_then(|number| N::try_from(number).ok())
}

/// `-24.68`, `3`: a sign, digits, a point; no exponent, no word.
pub fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (plain && digits.len() <= 24 && digits.starts_with(|c: char| c.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// The number a value starts with, and the remark after it (`-14.02, out of range[-35.00, -15.00]`).
pub fn leading_decimal(text: &str) -> Option<(f64, Option<&str>)> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
        .unwrap_or(text.len());
    let rest = text[end..].trim_start_matches([',', ' ']);
    decimal(&text[..end]).map(|number| (number, (!rest.is_empty()).then_some(rest)))
}

/// `48%` or `44`.
pub fn percent(text: &str) -> Option<f64> {
    decimal(text.strip_suffix('%').unwrap_or(text).trim_ascii_end()).filter(|n| (0.0..=100.0).contains(n))
}

/// `52(C)`, `57` or `57C`.
pub fn celsius(text: &str) -> Option<f64> {
    decimal(
        text.strip_suffix("(C)")
            .or_else(|| text.strip_suffix('C'))
            .unwrap_or(text),
    )
}

/// Seconds of `12 day(s), 7 hour(s), 31 minute(s), 0 second(s)` or `11 day 22 hour 5 minute 17 second`.
pub fn seconds(text: &str) -> Option<u64> {
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let (mut sum, mut any) = (0_u64, false);
    while let Some(count) = words.next() {
        let unit = match words.next()?.trim_end_matches("(s)").trim_end_matches('s') {
            "day" => 86_400,
            "hour" => 3_600,
            "minute" => 60,
            "second" => 1,
            _ => return None,
        };
        sum = sum.checked_add(whole(count)?.checked_mul(unit)?)?;
        any = true;
    }
    any.then_some(sum)
}

/// A PON port of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct PortPlace {
    /// Frame (shelf).
    pub frame: u8,
    /// Slot of the board.
    pub slot: u8,
    /// Port of the board.
    pub port: u8,
}

/// `0/2/8`, with blanks anywhere around the strokes (`0/ 2/8`, `0 /1 /0`).
pub fn port_place(text: &str) -> Option<PortPlace> {
    let mut parts = text.splitn(3, '/').map(|part| number::<u8>(part.trim_ascii()));
    let (frame, slot, port) = (parts.next()??, parts.next()??, parts.next()??);
    Some(PortPlace { frame, slot, port })
}

/// The serial of `48575443B6113C9D`, `48575443B6113C9D (HWTC-B6113C9D)` or `HWTC-B6113C9D`.
pub fn serial(text: &str) -> Option<Serial> {
    let first = text.split(['(', ' ']).next()?;
    octets(first.as_bytes())
        .map(Serial::from_octets)
        .or_else(|| Serial::parse(first).ok())
}

/// The eight octets of sixteen hexadecimal digits: the form of every table, read without an allocation.
fn octets(digits: &[u8]) -> Option<[u8; 8]> {
    let digits: &[u8; 16] = digits.try_into().ok()?;
    let mut octets = [0; 8];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        *octet = hex(pair[0])? << 4 | hex(pair[1])?;
    }
    Some(octets)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// A date of the device's own clock, which is never trusted: an attribute, not an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceTime {
    /// Year.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// Hour, minute, second, if it says them.
    pub clock: Option<[u8; 3]>,
    /// Minutes east of Greenwich, if it says so.
    pub offset_minutes: Option<i16>,
}

/// `2026-06-10 16:17:05-06:00`, `25/01/2026 08:44:35+08:00`, `2026-02-14 13:05:18`, `1/1/2000`. With strokes, which of the first
/// two numbers is the day is a setting of the device and never guessed from the row.
pub fn device_time(text: &str, day_first: bool) -> Option<DeviceTime> {
    if let Some(time) = plain_time(text.as_bytes()) {
        return Some(time);
    }
    let (date, clock) = text
        .split_once([' ', 'T'])
        .map_or((text, ""), |(date, rest)| (date, rest.trim_ascii()));
    let stroke = date.contains('/');
    let mut parts = date.splitn(3, if stroke { '/' } else { '-' });
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, month, day) = match (stroke, day_first) {
        (false, _) => (first, second, third),
        (true, true) => (third, second, first),
        (true, false) => (third, first, second),
    };
    let (year, month, day) = (number::<u16>(year)?, number::<u8>(month)?, number::<u8>(day)?);
    if !(1000..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let (clock, offset_minutes) = if clock.is_empty() {
        (None, None)
    } else {
        clock_of(clock)?
    };
    Some(DeviceTime {
        year,
        month,
        day,
        clock,
        offset_minutes,
    })
}

/// `2026-02-14 13:05:18` and nothing else: what tables of thousands of rows hold, read by its bytes.
fn plain_time(text: &[u8]) -> Option<DeviceTime> {
    let text: &[u8; 19] = text.try_into().ok()?;
    if (text[4], text[7], text[10], text[13], text[16]) != (b'-', b'-', b' ', b':', b':') {
        return None;
    }
    let two = |at: usize| {
        let (ten, one) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
        (ten < 10 && one < 10).then(|| ten * 10 + one)
    };
    let year = u16::from(two(0)?) * 100 + u16::from(two(2)?);
    let (month, day, clock) = (two(5)?, two(8)?, [two(11)?, two(14)?, two(17)?]);
    let fits = year >= 1000
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && clock[0] <= 23
        && clock[1] <= 59
        && clock[2] <= 60;
    fits.then_some(DeviceTime {
        year,
        month,
        day,
        clock: Some(clock),
        offset_minutes: None,
    })
}

fn days_of(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u8::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `16:17:05-06:00` or `16:17:05`.
fn clock_of(text: &str) -> Option<(Option<[u8; 3]>, Option<i16>)> {
    let (time, sign, offset) = match text.find(['+', '-']) {
        Some(at) => (&text[..at], &text[at..=at], text.get(at + 1..)?),
        None => (text.strip_suffix('Z').unwrap_or(text), "", ""),
    };
    let mut parts = time.splitn(3, ':').map(number::<u8>);
    let clock = [parts.next()??, parts.next()??, parts.next()??];
    if clock[0] > 23 || clock[1] > 59 || clock[2] > 60 {
        return None;
    }
    if sign.is_empty() {
        return Some((Some(clock), None));
    }
    let (hours, minutes) = offset.split_once(':')?;
    let minutes = number::<i16>(hours)?
        .checked_mul(60)?
        .checked_add(number::<i16>(minutes)?)?;
    (minutes <= 18 * 60).then_some((Some(clock), Some(if sign == "-" { -minutes } else { minutes })))
}

impl fmt::Display for DeviceTime {
    /// ISO 8601, as exact as the device was.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)?;
        if let Some([hour, minute, second]) = self.clock {
            write!(f, "T{hour:02}:{minute:02}:{second:02}")?;
        }
        if let Some(offset) = self.offset_minutes {
            let sign = if offset < 0 { '-' } else { '+' };
            write!(
                f,
                "{sign}{:02}:{:02}",
                offset.unsigned_abs() / 60,
                offset.unsigned_abs() % 60
            )?;
        }
        Ok(())
    }
}

impl Serialize for DeviceTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_are_null() {
        for null in ["", " ", "-", "-/-", "--------------"] {
            assert_eq!(present(null), None, "{null:?}");
        }
        assert_eq!(present(" -24.68 "), Some("-24.68"));
        assert_eq!(present("[-,-]"), Some("[-,-]"));
    }

    #[test]
    fn numbers_are_digits() {
        assert_eq!(number::<u8>("255"), Some(255));
        for bad in ["256", "+1", "-1", "", "1e3", "0x1"] {
            assert_eq!(number::<u8>(bad), None, "{bad}");
        }
        assert_eq!(decimal("-24.68"), Some(-24.68));
        for bad in ["inf", "NaN", "1e9", ".", "-", "1.2.3", "--1", ""] {
            assert_eq!(decimal(bad), None, "{bad}");
        }
    }

    #[test]
    fn units_come_and_go() {
        assert_eq!(
            (percent("48%"), percent("44"), percent("101")),
            (Some(48.0), Some(44.0), None)
        );
        assert_eq!(
            (celsius("52(C)"), celsius("57"), celsius("-3C")),
            (Some(52.0), Some(57.0), Some(-3.0))
        );
    }

    #[test]
    fn a_remark_after_a_number_is_kept() {
        let remark = Some("out of range[-35.00, -15.00]");
        assert_eq!(
            leading_decimal("-14.02, out of range[-35.00, -15.00]"),
            Some((-14.02, remark))
        );
        assert_eq!(leading_decimal("9"), Some((9.0, None)));
        assert_eq!(leading_decimal("out of range"), None);
    }

    #[test]
    fn durations_are_seconds() {
        let expected = 11 * 86_400 + 22 * 3_600 + 5 * 60 + 17;
        assert_eq!(seconds("11 day 22 hour 5 minute 17 second"), Some(expected));
        assert_eq!(
            seconds("11 day(s), 22 hour(s), 5 minute(s), 17 second(s)"),
            Some(expected)
        );
        for bad in ["", "11", "11 fortnights", "99999999999999999999 day"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn places_are_padded_with_blanks() {
        let place = Some(PortPlace {
            frame: 0,
            slot: 2,
            port: 8,
        });
        for form in ["0/2/8", "0/ 2/8", "0 /2 /8", " 0/ 2/ 8"] {
            assert_eq!(port_place(form), place, "{form}");
        }
        for bad in ["0/2", "0/2/8/1", "a/b/c", "0/2/256", ""] {
            assert_eq!(port_place(bad), None, "{bad}");
        }
    }

    #[test]
    fn dates_are_read_as_the_device_is_set() {
        let iso = |text, day_first| device_time(text, day_first).map(|time| time.to_string());
        assert_eq!(
            iso("2026-06-10 16:17:05-06:00", true).as_deref(),
            Some("2026-06-10T16:17:05-06:00")
        );
        assert_eq!(
            iso("25/01/2026 08:44:35+08:00", true).as_deref(),
            Some("2026-01-25T08:44:35+08:00")
        );
        assert_eq!(
            iso("01/02/2026 08:44:35+05:30", false).as_deref(),
            Some("2026-01-02T08:44:35+05:30")
        );
        assert_eq!(
            iso("25/01/2026 08:44:35+08:00", false),
            None,
            "never guessed from the row"
        );
        assert_eq!(iso("1/1/2000", true).as_deref(), Some("2000-01-01"));
        assert_eq!(iso("2000-02-29 00:00:00", true).as_deref(), Some("2000-02-29T00:00:00"));
        for bad in [
            "2001-02-29",
            "2026-13-01",
            "2026-01-01 24:00:00",
            "2026-01-01 1:2",
            "yesterday",
            "",
        ] {
            assert_eq!(iso(bad, true), None, "{bad}");
        }
    }

    #[test]
    fn serials_are_read_in_every_form() {
        let hex = |text| serial(text).map(|serial| serial.hex());
        let expected = Some("48575443B6113C9D".to_owned());
        for form in [
            "48575443B6113C9D (HWTC-B6113C9D)",
            "48575443B6113C9D",
            "HWTC-B6113C9D",
            "hwtcb6113c9d",
        ] {
            assert_eq!(hex(form), expected, "{form}");
        }
        assert_eq!(hex("46VBSM4LFW7QLGAV"), None);
    }
}
