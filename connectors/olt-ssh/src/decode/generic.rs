//! Answers nobody recorded: label blocks and headed tables, told apart by their form. The rows say so: `layout: unverified`.

use serde::Serialize;

use super::Layout;
use super::body::Body;
use super::issue::{Notes, Problem};
use super::label::{Block, Entry, Raw};
use super::listing::{Part, before_note, parts};
use super::screen::Line;
use super::table::Table;
use super::value;

/// Cells of tables read of one answer.
const CELLS_MAX: usize = 1_000_000;

/// One block or one row of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unverified<'s> {
    /// Line it begins at.
    #[serde(skip)]
    pub line: u32,
    /// Always unverified.
    pub layout: Layout,
    /// Labels or heads of columns, and values.
    pub values: Raw<'s>,
}

/// Reads whatever form it has.
pub fn read<'s>(body: &Body<'s>, notes: &mut Notes) -> Vec<Unverified<'s>> {
    let mut rows = Vec::new();
    let (mut cells, mut of_tables) = (0, 0);
    let parts: Vec<Part<'_, 's>> = parts(&body.lines).collect();
    let mut at = 0;
    while let Some(part) = parts.get(at) {
        at += 1;
        let lines = before_note(part.lines);
        if lines.is_empty() {
            continue;
        }
        if let Some(said) = total(lines) {
            let read = of_tables as u64;
            if said != read {
                notes.loss(
                    lines[0].number,
                    1,
                    Problem::Count {
                        what: "rows",
                        said,
                        read,
                    },
                );
            }
            continue;
        }
        if let Some(row) = labels(lines).or_else(|| pairs(lines)) {
            if !part.closed && at > 1 {
                notes.loss(body.end, 1, Problem::NotClosed);
            }
            rows.push(row);
            continue;
        }
        let below = parts
            .get(at)
            .filter(|_| part.closed)
            .map(|below| (before_note(below.lines), below.closed));
        match below.filter(|(below, _)| !below.is_empty() && lines.len() <= 4) {
            Some((below, closed)) => {
                at += 1;
                let table = Table::of(lines, below);
                cells += table.len() * table.width();
                of_tables += table.len();
                if cells > CELLS_MAX {
                    notes.loss(below[0].number, 1, Problem::TooLong);
                    return rows;
                }
                let values = table.raw_rows();
                rows.extend(values.map(|(line, values)| Unverified {
                    line,
                    layout: Layout::Unverified,
                    values,
                }));
                if !closed {
                    notes.loss(body.end, 1, Problem::NotClosed);
                }
            }
            None => {
                for line in lines {
                    notes.loss(line.number, 1, Problem::NotUnderstood);
                }
            }
        }
    }
    rows
}

/// `label : value`, every line.
fn labels<'s>(lines: &[Line<'s>]) -> Option<Unverified<'s>> {
    let mut block = Block::default();
    lines
        .iter()
        .all(|line| block.add(*line))
        .then(|| row(block.line(), block.rest()))
}

/// `label   value`, every line, with two blanks or more between.
fn pairs<'s>(lines: &[Line<'s>]) -> Option<Unverified<'s>> {
    let mut raw = Raw::default();
    for line in lines {
        let text = line.text.trim_ascii();
        let (label, value) = text.split_once("  ")?;
        let value = value.trim_ascii();
        if value.contains("  ") {
            return None;
        }
        raw.cell(label, value);
    }
    // A head of two columns looks alike: then a table follows.
    (lines.len() > 2).then(|| row(lines[0].number, raw))
}

/// The count of a single line of it: `Total: 12`.
fn total(lines: &[Line<'_>]) -> Option<u64> {
    let [line] = lines else {
        return None;
    };
    let entry = Entry::of(*line).filter(|entry| entry.label == "Total")?;
    value::whole(entry.value.split(' ').next()?)
}

fn row(line: u32, values: Raw<'_>) -> Unverified<'_> {
    Unverified {
        line,
        layout: Layout::Unverified,
        values,
    }
}
