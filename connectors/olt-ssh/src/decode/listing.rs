//! One table between rules, as most commands print: a known head, rows, a count below, a note.

use super::body::Body;
use super::issue::{Notes, Problem};
use super::screen::Line;
use super::table::{is_rule, is_words};
use super::value;

/// What stands between two rules, or before the first, or after the last.
#[derive(Debug, Clone, Copy)]
pub struct Part<'b, 's> {
    /// Its lines.
    pub lines: &'b [Line<'s>],
    /// Whether a rule stands below it.
    pub closed: bool,
    /// Whether two do: a table without a row, if this is its head.
    pub emptied: bool,
}

/// Parts of an answer; the ones without a line left out.
pub fn parts<'b, 's>(lines: &'b [Line<'s>]) -> impl Iterator<Item = Part<'b, 's>> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        while rest.first().is_some_and(|line| is_rule(line.text)) {
            rest = &rest[1..];
        }
        if rest.is_empty() {
            return None;
        }
        let length = rest.iter().position(|line| is_rule(line.text));
        let (part, more) = rest.split_at(length.unwrap_or(rest.len()));
        rest = more;
        let emptied = rest.get(1).is_some_and(|line| is_rule(line.text));
        Some(Part {
            lines: part,
            closed: length.is_some(),
            emptied,
        })
    })
}

/// Whether a line opens a note; it goes on to the next rule.
pub fn is_note(text: &str) -> bool {
    let text = text.trim_ascii_start();
    ["Note:", "Notes:", "Note ", "Notes "]
        .iter()
        .any(|start| text.starts_with(start))
}

/// The lines of a part without its note.
pub fn before_note<'b, 's>(lines: &'b [Line<'s>]) -> &'b [Line<'s>] {
    let length = lines.iter().position(|line| is_note(line.text)).unwrap_or(lines.len());
    &lines[..length]
}

/// Whether lines are this head, whatever the blanks.
pub fn is_head(lines: &[Line<'_>], head: &[&str]) -> bool {
    lines.len() == head.len() && lines.iter().zip(head).all(|(line, words)| is_words(line.text, words))
}

/// Where a count of rows stands.
#[derive(Debug, Clone, Copy)]
pub enum Total {
    /// Nowhere.
    None,
    /// After this label, always.
    After(&'static str),
    /// After this label, on some versions.
    Perhaps(&'static str),
}

/// What a table looks like.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// Its name in issues.
    pub table: &'static str,
    /// Its heads, line by line; several where versions differ.
    pub heads: &'static [&'static [&'static str]],
    /// The count below.
    pub total: Total,
    /// Blanks before the first word of a row at most.
    pub indent_max: usize,
}

impl Listing {
    /// Reads the rows of every such table of an answer; null if there is none, which is another layout then.
    pub fn read<'s, R>(
        &self,
        body: &Body<'s>,
        notes: &mut Notes,
        mut row: impl FnMut(Line<'s>, &mut Notes) -> Option<R>,
    ) -> Option<Vec<R>> {
        let is_head = |part: &Part<'_, '_>| self.heads.iter().any(|head| is_head(part.lines, head));
        if !parts(&body.lines).any(|part| is_head(&part)) {
            return None;
        }
        let mut rows = Vec::new();
        let mut said = None;
        let mut in_table = false;
        for part in parts(&body.lines) {
            if is_head(&part) {
                in_table = !part.emptied;
                if part.emptied {
                    notes.said_none();
                }
                continue;
            }
            if std::mem::take(&mut in_table) {
                self.rows(part, body, notes, &mut rows, &mut row);
                continue;
            }
            for line in before_note(part.lines) {
                match self.total_of(line.text) {
                    Some(total) => said = Some((line.number, total)),
                    None if self.is_title(line.text) => {}
                    None => notes.loss(line.number, 1, Problem::NotUnderstood),
                }
            }
        }
        if in_table {
            notes.loss(body.end, 1, Problem::NotClosed);
        }
        self.compare(said, rows.len(), body, notes);
        Some(rows)
    }

    fn rows<'s, R>(
        &self,
        part: Part<'_, 's>,
        body: &Body<'s>,
        notes: &mut Notes,
        rows: &mut Vec<R>,
        row: &mut impl FnMut(Line<'s>, &mut Notes) -> Option<R>,
    ) {
        for line in part.lines {
            match row(line.unshifted(self.indent_max), notes) {
                Some(read) => rows.push(read),
                None => notes.loss(line.number, 1, Problem::BadRow { table: self.table }),
            }
        }
        if !part.closed {
            notes.loss(body.end, 1, Problem::NotClosed);
        }
    }

    fn total_of(&self, text: &str) -> Option<Option<u64>> {
        let (Total::After(label) | Total::Perhaps(label)) = self.total else {
            return None;
        };
        let rest = text
            .trim_ascii_start()
            .strip_prefix(label)?
            .trim_start_matches([' ', ':']);
        Some(rest.split(' ').next().and_then(value::whole))
    }

    /// A line of words above the table.
    fn is_title(&self, text: &str) -> bool {
        text == "Switch-Oriented Flow List"
    }

    fn compare(&self, said: Option<(u32, Option<u64>)>, read: usize, body: &Body<'_>, notes: &mut Notes) {
        let read = read as u64;
        match (self.total, said) {
            (_, Some((_, Some(0)))) if read == 0 => notes.said_none(),
            (_, Some((line, Some(said)))) if said != read => {
                notes.loss(
                    line,
                    1,
                    Problem::Count {
                        what: self.table,
                        said,
                        read,
                    },
                );
            }
            (_, Some((line, None))) => notes.loss(line, 1, Problem::NoCount { what: self.table }),
            (Total::After(_), None) => notes.loss(body.end, 1, Problem::NoCount { what: self.table }),
            _ => {}
        }
    }
}
