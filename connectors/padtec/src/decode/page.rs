//! The envelope of a list: an array, or an object with one in it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use thiserror::Error;

/// Most bytes of an answer.
pub const BYTES_MAX: usize = 8 << 20;
/// Fields under which the rows may stand, in order.
const ROWS: &[&str] = &["data", "content", "items", "results", "cards", "measurements", "alarms"];

/// An answer that is no list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PageError {
    /// Not JSON. Nothing of the answer is shown: it may hold anything.
    #[error("the answer is not JSON at {line}:{column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON of another form.
    #[error("the answer is neither an array nor an object with one under {}", ROWS.join(", "))]
    NotAList,
    /// No number where one was asked for.
    #[error("the answer is no count")]
    NotACount,
}

impl From<serde_json::Error> for PageError {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson {
            line: error.line(),
            column: error.column(),
        }
    }
}

/// The rows of an answer, unread.
#[derive(Debug)]
pub struct Page<'b> {
    text: &'b str,
    /// Each row's own text.
    pub rows: Vec<&'b RawValue>,
    /// How many rows the list has, where the answer says it.
    pub total: Option<u64>,
}

impl<'b> Page<'b> {
    /// Finds the rows. `total`: the field beside them that counts the list.
    ///
    /// # Errors
    /// When there is no list.
    pub fn parse(bytes: &'b [u8], total: Option<&str>) -> Result<Self, PageError> {
        let text = text_of(bytes)?;
        if !text.trim_start().starts_with('{') {
            let rows = serde_json::from_str::<Vec<&RawValue>>(text).map_err(|error| shape(text, error))?;
            let total = None;
            return Ok(Self { text, rows, total });
        }
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
        let total = total.and_then(|name| fields.get(name)?.get().parse().ok());
        let found = ROWS.iter().filter_map(|name| fields.get(*name));
        for raw in found {
            if raw.get().starts_with('[') {
                let rows = serde_json::from_str(raw.get())?;
                return Ok(Self { text, rows, total });
            }
        }
        Err(PageError::NotAList)
    }

    /// Line and column at which a row begins.
    pub fn place_of(&self, row: &RawValue) -> (usize, usize) {
        // A row is a part of the text.
        let at = (row.get().as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let before = self.text.get(..at).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, PageError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        PageError::NotJson {
            line: before.iter().filter(|b| **b == b'\n').count() + 1,
            column: before.len() - line_start + 1,
        }
    })
}

/// JSON that is no array is another mistake than text that is no JSON.
fn shape(text: &str, error: serde_json::Error) -> PageError {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) => PageError::NotAList,
        Err(_) => error.into(),
    }
}

/// A count: a bare number, or a field of an object.
///
/// # Errors
/// When there is none.
pub fn count(bytes: &[u8], field: Option<&str>) -> Result<u64, PageError> {
    let text = text_of(bytes)?;
    let number = |text: &str| {
        text.trim()
            .trim_matches('"')
            .parse::<u64>()
            .map_err(|_| PageError::NotACount)
    };
    match field {
        None => number(text),
        Some(field) => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            number(fields.get(field).ok_or(PageError::NotACount)?.get())
        }
    }
}

/// The token of an answer to a login.
///
/// # Errors
/// When there is none.
pub fn token(bytes: &[u8], field: &str) -> Result<String, PageError> {
    let fields: BTreeMap<String, serde_json::Value> = serde_json::from_slice(bytes)?;
    let token = fields.get(field).and_then(|token| token.as_str());
    token.map(str::to_owned).ok_or(PageError::NotAList)
}
