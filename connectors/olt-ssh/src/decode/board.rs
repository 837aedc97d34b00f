//! `display board F`: one row a slot. Sub-types may be blank while what follows is not: cut by columns.

use serde::Serialize;

use super::body::Body;
use super::issue::{Notes, Problem};
use super::listing::{Listing, Total, parts};
use super::screen::Line;
use super::value;
use super::words::BoardStatus;

/// A slot of a frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slot<'s> {
    /// Line of the row.
    #[serde(skip)]
    pub line: u32,
    /// Number of the slot.
    pub slot: u8,
    /// Type of the board; null where the slot is empty.
    pub board: Option<&'s str>,
    /// Its status.
    pub status: Option<BoardStatus<'s>>,
    /// First daughter board.
    pub sub_type_0: Option<&'s str>,
    /// Second daughter board.
    pub sub_type_1: Option<&'s str>,
    /// `Online` or `Offline`, where it says so.
    pub online_offline: Option<&'s str>,
}

const LISTING: Listing = Listing {
    table: "board",
    heads: &[&["SlotID BoardName Status SubType0 SubType1 Online/Offline"]],
    total: Total::None,
    indent_max: 6,
};

/// Reads the table; null if it is another.
pub fn read<'s>(body: &Body<'s>, notes: &mut Notes) -> Option<Vec<Slot<'s>>> {
    let head = parts(&body.lines).find(|part| part.lines.len() == 1 && part.lines[0].text.contains("SlotID"))?;
    let columns = columns(head.lines[0].text)?;
    LISTING.read(body, notes, |line, notes| {
        let slot = row(line, &columns)?;
        if let Some(BoardStatus::Other(word)) = slot.status {
            notes.doubt(line.number, line.column_of(word), Problem::BadValue { field: "status" });
        }
        Some(slot)
    })
}

/// Where each column begins: where the words of the head do.
fn columns(head: &str) -> Option<[usize; 6]> {
    let mut columns = [0; 6];
    for (column, word) in columns.iter_mut().zip([
        "SlotID",
        "BoardName",
        "Status",
        "SubType0",
        "SubType1",
        "Online/Offline",
    ]) {
        *column = head.find(word)?;
    }
    columns.is_sorted().then_some(columns)
}

/// `  4       H901GPHF   Failed                               Offline`
fn row<'s>(line: Line<'s>, columns: &[usize; 6]) -> Option<Slot<'s>> {
    let cell = |at: usize| line.cut(columns[at], columns.get(at + 1).copied().unwrap_or(usize::MAX));
    // The last column's data stand left of its head: what is right of the sub-types' own eight letters is its.
    let tail = line.cut(columns[4], usize::MAX);
    let (sub_type_1, online_offline) = match tail.rsplit_once(' ') {
        Some((left, right)) if is_line(right) => (left.trim_ascii(), right),
        None if is_line(tail) => ("", tail),
        _ => (cell(4), cell(5)),
    };
    let slot = value::number(cell(0))?;
    let (board, status) = (value::present(cell(1)), BoardStatus::of(cell(2)));
    // A board has a status, and no name has a blank: else the columns are others.
    let fits = board.is_some() == status.is_some()
        && [cell(1), cell(2), cell(3), sub_type_1, online_offline]
            .iter()
            .all(|cell| !cell.contains(' '));
    fits.then(|| Slot {
        line: line.number,
        slot,
        board,
        status,
        sub_type_0: value::present(cell(3)),
        sub_type_1: value::present(sub_type_1),
        online_offline: value::present(online_offline),
    })
}

fn is_line(word: &str) -> bool {
    word == "Online" || word == "Offline"
}
