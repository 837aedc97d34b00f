//! Blocks of `label : value`: read by label, whatever their order, and whatever they do not know kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::issue::{Notes, Problem};
use super::screen::{Line, PAGER_WIDTH};
use super::secret;
use super::value;

/// Values wrap at 32 characters, and the device loses a blank there.
const WRAP_WIDTH: usize = 32;
/// Bytes of the longest label known are 41; a line whose first colon is further right has no label.
const LABEL_BYTES_MAX: usize = 64;

/// A label and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'s> {
    /// Line of the input.
    pub line: u32,
    /// Column of the value, from 1.
    pub column: u32,
    /// The label without blanks around.
    pub label: &'s str,
    /// The value, whole where the device wrapped it; never one of a secret's.
    pub value: Cow<'s, str>,
    /// For a secret label: whether a value was there. The value itself is not kept.
    secret: Option<bool>,
    /// Characters of the last piece that was added: whether the device lost a blank at its end.
    last_piece: usize,
}

impl<'s> Entry<'s> {
    /// A label at the left of a line, if there is one; of a secret only whether it is set.
    pub fn of(line: Line<'s>) -> Option<Self> {
        let mut entry = Self::plain(line)?;
        if secret::is_secret(entry.label) || secret::looks_secret(&entry.value) {
            entry.secret = Some(secret::is_set(&entry.value));
            entry.value = Cow::Borrowed("");
        }
        Some(entry)
    }

    /// A label and its value whatever it is: for those who look for secrets inside the value themselves.
    pub fn plain(line: Line<'s>) -> Option<Self> {
        let colon = line.text.find(':')?;
        let label = line.text[..colon].trim_ascii();
        if label.is_empty() || label.len() > LABEL_BYTES_MAX || !label.starts_with(|c: char| c.is_ascii_alphanumeric())
        {
            return None;
        }
        let rest = &line.text[colon + 1..];
        let value = rest.trim_ascii();
        let column = if value.is_empty() {
            colon + 3
        } else {
            1 + line.text.len() - rest.trim_ascii_start().len()
        };
        Some(Self {
            line: line.number,
            column: u32::try_from(column).unwrap_or(u32::MAX),
            label,
            value: Cow::Borrowed(value),
            secret: None,
            last_piece: value.chars().count(),
        })
    }

    /// Whether a line goes on with this value: indented as far as the value.
    fn goes_on(&self, line: Line<'_>) -> bool {
        line.indent() + 1 >= self.column as usize
    }

    fn add(&mut self, line: Line<'_>) {
        let piece = line.text.trim_ascii();
        if self.secret.is_some() || secret::looks_secret(piece) {
            self.secret = Some(self.secret.unwrap_or(false) || secret::is_set(piece));
            self.value = Cow::Borrowed("");
            return;
        }
        let blank = self.last_piece < WRAP_WIDTH || line.indent() + 1 > self.column as usize;
        let value = self.value.to_mut();
        if blank && !value.is_empty() {
            value.push(' ');
        }
        value.push_str(piece);
        self.last_piece = piece.chars().count();
    }
}

/// The entries of one block, taken out by label; what is left becomes [`Raw`].
#[derive(Debug, Default)]
pub struct Block<'s> {
    entries: Vec<Option<Entry<'s>>>,
}

impl<'s> Block<'s> {
    /// Takes a line in: a label, or more of the value before. `false` if it is neither.
    pub fn add(&mut self, line: Line<'s>) -> bool {
        let line = self.settled(line);
        match self.entries.last_mut() {
            Some(Some(last)) if last.goes_on(line) => last.add(line),
            _ => match Entry::of(line) {
                Some(entry) => self.entries.push(Some(entry)),
                None => return false,
            },
        }
        true
    }

    /// A label line shifted by a stripped pager stands where the block's other labels do.
    fn settled(&self, line: Line<'s>) -> Line<'s> {
        let indent = line.indent();
        if indent < PAGER_WIDTH {
            return line;
        }
        let shifted = Line {
            text: &line.text[PAGER_WIDTH..],
            ..line
        };
        let column = |line: Line<'_>| line.text.find(':');
        let left = indent - PAGER_WIDTH <= 4 && column(shifted).is_some();
        match self.entries.last() {
            Some(Some(last)) if left && !(last.goes_on(line) && line.indent() + 1 == last.column as usize) => shifted,
            None if left => shifted,
            _ => line,
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether its first label comes again: two blocks that lost the rule between them.
    pub fn is_two(&self) -> bool {
        let mut labels = self.entries.iter().flatten().map(|entry| entry.label);
        labels.next().is_some_and(|first| labels.any(|label| label == first))
    }

    /// First line of the block.
    pub fn line(&self) -> u32 {
        self.entries.iter().flatten().next().map_or(1, |entry| entry.line)
    }

    /// Whether a label is there.
    pub fn has(&self, label: &str) -> bool {
        self.entries.iter().flatten().any(|entry| entry.label == label)
    }

    /// Takes out the first entry of this label.
    pub fn take(&mut self, label: &str) -> Option<Entry<'s>> {
        self.entries
            .iter_mut()
            .find(|entry| entry.as_ref().is_some_and(|entry| entry.label == label))?
            .take()
    }

    /// Takes out a text; null if absent or `-`.
    pub fn text(&mut self, label: &str) -> Option<Cow<'s, str>> {
        self.take(label).and_then(|entry| present(entry.value))
    }

    /// Takes out whether a secret is set.
    pub fn is_set(&mut self, label: &str) -> bool {
        self.take(label).is_some_and(|entry| entry.secret.unwrap_or(false))
    }

    /// Takes out a value of a type; one that is not of it stays, to be kept as text, with an issue.
    pub fn value<T>(
        &mut self,
        notes: &mut Notes,
        label: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let slot = self
            .entries
            .iter_mut()
            .find(|entry| entry.as_ref().is_some_and(|entry| entry.label == label))?;
        let entry = slot.as_ref()?;
        match value::present(&entry.value).map(read) {
            Some(Some(value)) => {
                *slot = None;
                Some(value)
            }
            Some(None) => {
                notes.doubt(entry.line, entry.column, Problem::BadValue { field: label });
                None
            }
            None => {
                *slot = None;
                None
            }
        }
    }

    /// What nobody took.
    pub fn rest(self) -> Raw<'s> {
        let mut raw = Raw::default();
        for entry in self.entries.into_iter().flatten() {
            raw.add(entry);
        }
        raw
    }
}

/// A present value of a `Cow`.
pub fn present(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => value::present(text).map(Cow::Borrowed),
        Cow::Owned(text) => value::present(&text).is_some().then_some(Cow::Owned(text)),
    }
}

/// What a device said under labels and columns that have no field, or that did not fit theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Raw<'s>(Vec<(Cow<'s, str>, RawValue<'s>)>);

/// A value kept as it is printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RawValue<'s> {
    /// Text; null for `-` and nothing.
    Text(Option<Cow<'s, str>>),
    /// Of a secret: whether it is set.
    Secret {
        /// Whether it is set.
        present: bool,
    },
}

impl<'s> Raw<'s> {
    /// Keeps an entry.
    pub fn add(&mut self, entry: Entry<'s>) {
        let value = match entry.secret {
            Some(present) => RawValue::Secret { present },
            None => RawValue::Text(present(entry.value)),
        };
        self.0.push((Cow::Borrowed(entry.label), value));
    }

    /// Keeps a cell of a table under the head of its column.
    pub fn cell(&mut self, head: impl Into<Cow<'s, str>>, text: &'s str) {
        let head = head.into();
        let value = if secret::is_secret(&head) || secret::looks_secret(text) {
            RawValue::Secret {
                present: secret::is_set(text),
            }
        } else {
            RawValue::Text(value::present(text).map(Cow::Borrowed))
        };
        self.0.push((head, value));
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text under a label.
    pub fn get(&self, label: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| name == label)
            .and_then(|(_, value)| match value {
                RawValue::Text(text) => text.as_deref(),
                RawValue::Secret { .. } => None,
            })
    }
}

impl Serialize for Raw<'_> {
    /// An object; a label that comes again has a number after it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        serializer.collect_map(self.0.iter().map(|(label, value)| {
            let times = seen.entry(label).and_modify(|times| *times += 1).or_insert(1);
            let name = if *times == 1 {
                label.to_string()
            } else {
                format!("{label} #{times}")
            };
            (name, value)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::screen::Screen;
    use super::*;

    #[track_caller]
    fn check(text: &str, label: &str, expected: Option<&str>) {
        let screen = Screen::of(text);
        let mut block = Block::default();
        for line in screen.lines() {
            assert!(block.add(line), "{line:?}");
        }
        assert_eq!(block.text(label).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_label_ends_at_the_first_colon() {
        check("  FEC upstream switch :Disable", "FEC upstream switch", Some("Disable"));
        check(
            "  The number of online ONT       :6",
            "The number of online ONT",
            Some("6"),
        );
        check(
            "  Last up time            : 2023-01-05 08:56:12+08:00",
            "Last up time",
            Some("2023-01-05 08:56:12+08:00"),
        );
        check("  Loid                :", "Loid", None);
        check("  Multi channel       : -", "Multi channel", None);
    }

    #[test]
    fn wrapped_values_are_whole_again() {
        let wrapped = "  Description             : Rua das Palmeiras 12, casa dos\n                            fundos: portao azul\n";
        check(
            wrapped,
            "Description",
            Some("Rua das Palmeiras 12, casa dos fundos: portao azul"),
        );
        let blank_first =
            "  Description             : 0123456789abcdef0123456789ABCDEF\n                             GHI\n";
        check(blank_first, "Description", Some("0123456789abcdef0123456789ABCDEF GHI"));
        // A blank exactly at the wrap is lost by the device.
        let cut = "  Description             : 0123456789abcdef0123456789ABCDEF\n                            GHI\n";
        check(cut, "Description", Some("0123456789abcdef0123456789ABCDEFGHI"));
    }

    #[test]
    fn labels_shifted_by_a_stripped_pager_are_labels() {
        let text = format!(
            "  A label                 : 1\n{}  B label                 : 2\n",
            " ".repeat(37)
        );
        check(&text, "B label", Some("2"));
    }

    #[test]
    fn secrets_are_flags_whatever_their_label() {
        let screen = Screen::of(
            "  Password : 0x43(CANARY)\n             CANARY\n  Pasvword : 0x31323334353637380000(CANARY)\n  Other: 1\n",
        );
        let mut block = Block::default();
        assert!(screen.lines().all(|line| block.add(line)));
        let raw = block.rest();
        let json = serde_json::to_string(&raw).unwrap();
        assert_eq!(
            json,
            r#"{"Password":{"present":true},"Pasvword":{"present":true},"Other":"1"}"#
        );
        assert!(!format!("{raw:?}").contains("CANARY"));
    }

    #[test]
    fn a_label_that_comes_again_is_kept_too() {
        let screen = Screen::of("  Name : a\n  Name : b\n");
        let mut block = Block::default();
        assert!(screen.lines().all(|line| block.add(line)));
        assert_eq!(
            serde_json::to_string(&block.rest()).unwrap(),
            r##"{"Name":"a","Name #2":"b"}"##
        );
    }
}
