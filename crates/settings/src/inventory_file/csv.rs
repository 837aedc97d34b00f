//! CSV (RFC 4180): a header line with the columns' names in any order, separated by `,` or, as spreadsheets in Brazil
//! write it, by `;`.

use super::{ATTRIBUTE_PREFIX, COLUMNS, Cell, Sink};
use crate::error::{any_of, quote};
use crate::suggest::nearest;

/// A cell before its column is known.
struct Raw {
    text: String,
    line: usize,
    column: usize,
}

pub(super) fn read(text: &str, sink: &mut Sink<'_>) {
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    let separator = if first.matches(';').count() > first.matches(',').count() {
        ';'
    } else {
        ','
    };
    let mut scanner = Scanner {
        rest: text.chars().peekable(),
        line: 1,
        column: 1,
        separator,
    };
    let Some(header) = scanner.record(sink) else {
        return sink.problem(
            (1, 1),
            "",
            "is empty",
            format!("begin with a line of column names: {}", COLUMNS.join(",")),
        );
    };
    let names = header_names(&header, sink);
    while !sink.full() {
        let Some(record) = scanner.record(sink) else { break };
        row(&names, record, sink);
    }
}

fn row(names: &[String], record: Vec<Raw>, sink: &mut Sink<'_>) {
    let (line, found) = (record[0].line, record.len());
    if found != names.len() {
        let right = format!(
            "write {}, as the header has, and put a text with separators in it in quotes",
            names.len()
        );
        return sink.problem((line, 1), "", format!("has {found} cells"), right);
    }
    let cells: Vec<Cell<'_>> = names
        .iter()
        .zip(record)
        .map(|(name, raw)| Cell {
            name,
            text: raw.text.trim().to_owned(),
            line: raw.line,
            column: raw.column,
        })
        .collect();
    sink.row(line, &cells);
}

fn header_names(header: &[Raw], sink: &mut Sink<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for raw in header {
        let name = raw.text.trim();
        let lower = name.to_ascii_lowercase();
        let at = (raw.line, raw.column);
        if names.contains(&lower) {
            sink.problem(at, name, "is there twice", "keep one of the two");
        } else if !COLUMNS.contains(&lower.as_str()) && !lower.starts_with(ATTRIBUTE_PREFIX) {
            let right = match nearest(&lower, COLUMNS.iter().copied()) {
                Some(word) => format!("did you mean {}?", quote(word)),
                None => format!(
                    "write {}, or `{ATTRIBUTE_PREFIX}NAME` for what is not among them",
                    any_of(COLUMNS)
                ),
            };
            sink.problem(at, &quote(name), "is not a known column", right);
        }
        names.push(lower);
    }
    if !names.iter().any(|n| n == "olt") {
        sink.problem(
            (header[0].line, 1),
            "olt",
            "is missing from the header",
            "every row names its OLT",
        );
    }
    names
}

struct Scanner<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
    column: usize,
    separator: char,
}

impl Scanner<'_> {
    /// The next record that is not an empty line; at least one cell.
    fn record(&mut self, sink: &mut Sink<'_>) -> Option<Vec<Raw>> {
        loop {
            self.rest.peek()?;
            let mut cells = Vec::new();
            loop {
                let (cell, last) = self.cell(sink);
                cells.push(cell);
                if last {
                    break;
                }
            }
            if cells.len() > 1 || !cells[0].text.trim().is_empty() {
                return Some(cells);
            }
        }
    }

    /// One cell, and whether it ends its record.
    fn cell(&mut self, sink: &mut Sink<'_>) -> (Raw, bool) {
        let mut raw = Raw {
            text: String::new(),
            line: self.line,
            column: self.column,
        };
        if self.rest.peek() == Some(&'"') {
            self.next();
            self.quoted(&mut raw, sink);
        }
        loop {
            match self.next() {
                None | Some('\n') => return (raw, true),
                Some('\r') if self.rest.peek() == Some(&'\n') => {}
                Some(c) if c == self.separator => return (raw, false),
                Some(c) => raw.text.push(c),
            }
        }
    }

    fn quoted(&mut self, raw: &mut Raw, sink: &mut Sink<'_>) {
        while let Some(c) = self.next() {
            if c != '"' {
                raw.text.push(c);
            } else if self.rest.peek() == Some(&'"') {
                self.next();
                raw.text.push('"');
            } else {
                return;
            }
        }
        sink.problem(
            (raw.line, raw.column),
            "",
            "opens a quote that never closes",
            "close it with `\"`",
        );
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(c)
    }
}
