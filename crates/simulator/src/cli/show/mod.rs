//! What each `display` command prints. Columns are those of recordings of real boxes; where none is public the layout is
//! invented, and its file says so.

mod alarms;
mod boards;
mod flows;
mod list;
mod one;
mod optics;
mod summary;
mod system;

use super::chassis::Seat;
use super::onu::CliOnu;

/// Writes a line.
macro_rules! line {
    ($out:expr $(, $($arg:tt)*)?) => {{
        use std::fmt::Write as _;
        writeln!($out $(, $($arg)*)?).expect("writing to a string cannot fail")
    }};
}
pub(crate) use line;

/// A rule of dashes behind two blanks.
pub(crate) fn rule(out: &mut String, dashes: usize) {
    line!(out, "  {:-<dashes$}", "");
}

/// The part of a text that fits into a column.
fn cut(text: &str, width: usize) -> &str {
    // Descriptions and models are ASCII.
    text.get(..width).unwrap_or(text)
}

/// A moment in a table, or `-`.
fn or_dash(text: Option<impl ToString>) -> String {
    text.map_or_else(|| "-".to_owned(), |t| t.to_string())
}

/// Consecutive ONUs of one port.
type OnPort<'a> = ((u8, u8), Vec<(&'a Seat, &'a CliOnu)>);

/// Groups ONUs, in the order of their places, by port.
fn by_port<'a>(onus: impl Iterator<Item = (&'a Seat, &'a CliOnu)>) -> Vec<OnPort<'a>> {
    let mut ports: Vec<OnPort<'a>> = Vec::new();
    for (seat, onu) in onus {
        let port = (seat.0, seat.1);
        match ports.last_mut() {
            Some((last, rows)) if *last == port => rows.push((seat, onu)),
            _ => ports.push((port, vec![(seat, onu)])),
        }
    }
    ports
}

/// Wraps a text at a width: behind the last blank that fits, or where the line is full.
fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((full, behind)) = rest.split_at_checked(width).filter(|(_, behind)| !behind.is_empty()) {
        let at_word = full.ends_with(' ') || behind.starts_with(' ');
        let end = match full.rfind(' ') {
            Some(blank) if !at_word => blank + 1,
            _ => width,
        };
        let (part, behind) = rest.split_at(end);
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    parts
}

/// Cuts a text into pieces of a width, wherever that is.
fn chop(text: &str, width: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((part, behind)) = rest.split_at_checked(width).filter(|(_, behind)| !behind.is_empty()) {
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_wrapped_as_alarm_lists_are() {
        let gasp = "The dying-gasp of GPON ONTi (DGi) is generated. FrameID: 0, SlotID: 5, PortID: 2, ONT ID: 54, Equipment ID: HG8310M";
        let expected = [
            "The dying-gasp of GPON ONTi (DGi) ",
            "is generated. FrameID: 0, SlotID: ",
            "5, PortID: 2, ONT ID: 54, ",
            "Equipment ID: HG8310M",
        ];
        assert_eq!(wrap(gasp, 34), expected);
        assert_eq!(
            wrap("FrameID: 0, SlotID: 6, PortID: 10, ONT ID: 23", 34),
            ["FrameID: 0, SlotID: 6, PortID: 10,", " ONT ID: 23"]
        );
        assert_eq!(wrap(&"x".repeat(40), 34), ["x".repeat(34), "x".repeat(6)]);
        assert_eq!((wrap("", 34), chop("abcde", 2)), (vec![""], vec!["ab", "cd", "e"]));
    }
}
