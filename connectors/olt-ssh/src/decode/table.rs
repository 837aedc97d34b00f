//! Tables: rules, heads, words of a row, and a reader of tables nobody described.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use super::label::Raw;
use super::screen::Line;
use super::value;

/// Shortest line of dashes that separates parts.
const RULE_MIN: usize = 20;

/// A line of dashes; a blank among them is the device's own slip.
pub fn is_rule(text: &str) -> bool {
    let text = text.trim_ascii_start();
    if !text.starts_with("---") || text.len() < RULE_MIN {
        return false;
    }
    let (mut dashes, mut blanks) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'-' => dashes += 1,
            b' ' => blanks += 1,
            _ => return false,
        }
    }
    blanks <= dashes / 10
}

/// Whether a line consists of these words, whatever is between them.
pub fn is_words(text: &str, words: &str) -> bool {
    text.split_ascii_whitespace().eq(words.split(' '))
}

/// The words of a row. A port (`0/ 2/8`, `0 /1 /0`) is one word though it holds blanks.
#[derive(Debug, Clone)]
pub struct Words<'s> {
    rest: &'s str,
    ports: bool,
}

impl<'s> Words<'s> {
    /// Of a line.
    pub fn of(text: &'s str) -> Self {
        Self {
            rest: text,
            ports: true,
        }
    }

    /// Of a line of a table that has no ports.
    pub fn plain(text: &'s str) -> Self {
        Self {
            rest: text,
            ports: false,
        }
    }

    /// What was not yet taken, without blanks around.
    pub fn rest(&self) -> &'s str {
        self.rest.trim_ascii()
    }

    /// The next `N` words, and nothing after them.
    pub fn exactly<const N: usize>(mut self) -> Option<[&'s str; N]> {
        let mut words = [""; N];
        for word in &mut words {
            *word = self.next()?;
        }
        self.next().is_none().then_some(words)
    }
}

impl<'s> Iterator for Words<'s> {
    type Item = &'s str;

    fn next(&mut self) -> Option<&'s str> {
        let rest = self.rest.trim_ascii_start();
        if rest.is_empty() {
            return None;
        }
        let port = if self.ports { port_len(rest) } else { None };
        let end = port.unwrap_or_else(|| rest.bytes().position(|b| b == b' ').unwrap_or(rest.len()));
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        Some(word)
    }
}

/// Bytes of a port at the start, if there is one and a blank or nothing follows.
fn port_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        let from = at;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) && at - from < 4 {
            at += 1;
        }
        (at > from).then_some(at)
    };
    let stroke = |mut at: usize| {
        while bytes.get(at) == Some(&b' ') && at < 16 {
            at += 1;
        }
        (bytes.get(at) == Some(&b'/')).then_some(())?;
        at += 1;
        while bytes.get(at) == Some(&b' ') && at < 24 {
            at += 1;
        }
        Some(at)
    };
    let at = digits(stroke(digits(stroke(digits(0)?)?)?)?)?;
    bytes.get(at).is_none_or(|byte| *byte == b' ').then_some(at)
}

/// A table nobody described: the heads of its columns, and its rows, cut where they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<'s> {
    /// Head and the end of each column in bytes.
    columns: Vec<(String, usize)>,
    rows: Vec<Line<'s>>,
}

/// Columns read of a table; the widest known has 12. The last one takes what is over.
const COLUMNS_MAX: usize = 32;

impl<'s> Table<'s> {
    /// Finds the columns: where every row and every line of the head is blank, one ends. A column without a head belongs to the
    /// one before it, and so does one without a value whose head begins with a small letter (`Binding times`).
    pub fn of(head: &[Line<'s>], rows: &[Line<'s>]) -> Self {
        let mut columns: Vec<(String, usize)> = Vec::new();
        for (from, to) in spans(head, rows) {
            let name = head
                .iter()
                .map(|line| line.cut(from, to))
                .filter(|part| !part.is_empty());
            let name = name.collect::<Vec<_>>().join(" ");
            let tail = name.starts_with(|c: char| c.is_ascii_lowercase())
                && rows.iter().all(|row| row.cut(from, to).is_empty());
            match columns.last_mut() {
                Some((last, end)) if name.is_empty() || tail || to == usize::MAX => {
                    if !name.is_empty() {
                        last.push(' ');
                        last.push_str(&name);
                    }
                    *end = to;
                }
                _ => columns.push((name, to)),
            }
        }
        Self {
            columns,
            rows: rows.to_vec(),
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The cell of a row under a head; null if it is `-`.
    pub fn cell(&self, row: usize, head: &str) -> Option<&'s str> {
        let column = self.columns.iter().position(|(name, _)| name == head)?;
        let from = column.checked_sub(1).map_or(0, |before| self.columns[before].1);
        value::present(self.rows.get(row)?.cut(from, self.columns[column].1))
    }

    /// The rows as raw values under the heads of their columns, each with its line.
    pub fn raw_rows(&self) -> impl ExactSizeIterator<Item = (u32, Raw<'s>)> + '_ {
        self.rows.iter().map(|row| {
            let (mut raw, mut from) = (Raw::default(), 0);
            for (head, to) in &self.columns {
                raw.cell(Cow::Owned(head.clone()), row.cut(from, *to));
                from = *to;
            }
            (row.number, raw)
        })
    }
}

/// From where to where something stands in any line.
fn spans(head: &[Line<'_>], rows: &[Line<'_>]) -> Vec<(usize, usize)> {
    let lines = || head.iter().chain(rows).map(|line| line.text);
    let mut inked = vec![false; lines().map(str::len).max().unwrap_or(0)];
    for line in lines() {
        for (inked, byte) in inked.iter_mut().zip(line.bytes()) {
            *inked |= byte != b' ';
        }
    }
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (at, _) in inked.iter().enumerate().filter(|(_, inked)| **inked) {
        let full = spans.len() == COLUMNS_MAX;
        match spans.last_mut() {
            Some((_, end)) if *end == at => *end = at + 1,
            Some((_, end)) if full => *end = usize::MAX,
            _ => spans.push((at, at + 1)),
        }
    }
    spans
}

impl Serialize for Table<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.rows.len()))?;
        for (_, row) in self.raw_rows() {
            rows.serialize_element(&row)?;
        }
        rows.end()
    }
}

#[cfg(test)]
mod tests {
    use super::super::screen::Screen;
    use super::*;

    #[test]
    fn rules_are_dashes() {
        assert!(is_rule("  -----------------------------------------------------"));
        assert!(is_rule("  ------------------------------- ----------------------"));
        for other in [
            "  -",
            "  --- END",
            "  MAC : --------------------",
            "- - - - - - - - - - - - - -",
            "",
        ] {
            assert!(!is_rule(other), "{other}");
        }
    }

    #[test]
    fn a_port_is_one_word() {
        let words = |text| Words::of(text).collect::<Vec<_>>();
        assert_eq!(words("  0/ 2/8    0  ABC"), ["0/ 2/8", "0", "ABC"]);
        assert_eq!(words("gpon 0/1 /0  0    1"), ["gpon", "0/1 /0", "0", "1"]);
        assert_eq!(words("1 -/- 3/4"), ["1", "-/-", "3/4"]);
        assert_eq!(words("0/1/2x"), ["0/1/2x"]);
    }

    #[track_caller]
    fn check(head: usize, text: &str, expected: &str) {
        let screen = Screen::of(text);
        let lines: Vec<_> = screen.lines().collect();
        let table = Table::of(&lines[..head], &lines[head..]);
        assert_eq!(serde_json::to_string(&table).unwrap(), expected);
    }

    #[test]
    fn columns_are_found() {
        check(
            2,
            "  Port   Port   Service-type Index S-VLAN\n  type   ID                              \n  ETH    1      Translation  1     500\n  ETH    2      -            2     -\n",
            r#"[{"Port type":"ETH","Port ID":"1","Service-type":"Translation","Index":"1","S-VLAN":"500"},{"Port type":"ETH","Port ID":"2","Service-type":null,"Index":"2","S-VLAN":null}]"#,
        );
        check(
            1,
            "  Profile-ID  Profile-name        Binding times\n  0           line profile zero   12\n",
            r#"[{"Profile-ID":"0","Profile-name":"line profile zero","Binding times":"12"}]"#,
        );
    }

    #[test]
    fn a_secret_column_is_a_flag() {
        check(
            1,
            "  User   Password\n  root   CANARY\n",
            r#"[{"User":"root","Password":{"present":true}}]"#,
        );
    }

    #[test]
    fn a_table_of_a_million_columns_is_bounded() {
        let text = format!("a\n{}\n", "a ".repeat(500_000));
        let screen = Screen::of(&text);
        let lines: Vec<_> = screen.lines().collect();
        let table = Table::of(&lines[..1], &lines[1..]);
        assert!(table.width() <= COLUMNS_MAX);
    }
}
