//! What such systems are known to do wrong, on demand.

use std::time::Duration;

use serde_json::{Value, json};

use super::Inner;

/// One way to be wrong. Several may hold at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PadtecFault {
    /// A right token is refused with this probability.
    Unauthorized(f64),
    /// A row comes in front of a list after each of its pages, so that what follows moves on by one.
    PageShift,
    /// The second page has half of its rows only.
    ShortPage,
    /// This page (the first is 0) is an error of the server.
    FailingPage(u64),
    /// Values stand still, and their stamps go on.
    Frozen,
    /// The names and forms of an old build: `update`, families in small letters, no numbers of measures.
    OldBuild,
    /// Every answer takes this long.
    Slow(Duration),
    /// The last row of every list is the first one again.
    DuplicateIds,
    /// Its clock is ahead by so many minutes.
    ClockAhead(i64),
    /// Counts are one too many.
    WrongCount,
    /// The first row of every list is none that can be read, and says nothing of what it is of.
    BadRow,
    /// The first value of every page is a word.
    WordForValue,
    /// Numbers are texts and texts are numbers.
    OtherForms,
    /// Connections are closed as soon as they are there.
    Away,
    /// Answers are no JSON.
    Garbage,
}

/// The probability with which a right token is refused.
pub(super) fn unauthorized(faults: &[PadtecFault]) -> f64 {
    let chance = |fault: &PadtecFault| match fault {
        PadtecFault::Unauthorized(chance) => Some(*chance),
        _ => None,
    };
    faults.iter().find_map(chance).unwrap_or(0.0)
}

/// A clock's error, in minutes.
pub(super) fn clock_ahead(faults: &[PadtecFault]) -> i64 {
    let ahead = |fault: &PadtecFault| match fault {
        PadtecFault::ClockAhead(minutes) => Some(*minutes),
        _ => None,
    };
    faults.iter().find_map(ahead).unwrap_or(0)
}

/// Why a page does not come.
pub(super) enum NoPage {
    /// The server's error.
    Error,
    /// What is no JSON.
    Garbage,
}

/// The rows of one page of a list, as wrong as is wanted. `from`: rows before it. `page`: its number.
pub(super) fn page(inner: &Inner, rows: Vec<Value>, page: u64, from: usize, size: usize) -> Result<Vec<Value>, NoPage> {
    let has = |fault| inner.faults.contains(&fault);
    if has(PadtecFault::FailingPage(page)) {
        return Err(NoPage::Error);
    }
    if has(PadtecFault::Garbage) {
        return Err(NoPage::Garbage);
    }
    let mut rows = rows;
    if has(PadtecFault::DuplicateIds)
        && let Some(first) = rows.first().cloned()
        && let Some(last) = rows.last_mut()
    {
        *last = first;
    }
    if has(PadtecFault::BadRow)
        && let Some(first) = rows.first_mut()
    {
        *first = json!({ "nobody": "knows" });
    }
    let shift = if has(PadtecFault::PageShift) {
        usize::try_from(page).unwrap_or(0)
    } else {
        0
    };
    let mut rows: Vec<Value> = rows.into_iter().skip(from.saturating_sub(shift)).take(size).collect();
    if has(PadtecFault::ShortPage) && page == 1 {
        rows.truncate(size / 2);
    }
    Ok(rows)
}
