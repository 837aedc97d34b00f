//! The file of `atalaia inventory import`: CSV or JSON lines in, checked rows out, or every mistake with its place.
//!
//! The format is documented with examples in `docs/inventory-import.md`. Pure: no file is opened here.

mod csv;
mod jsonl;
mod row;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{EntityId, IdError, Kind, Place as OnuPlace, Root, RootKind, Serial, Tenant};

use crate::error::{Errors, Place, Problem};

/// Mistakes told in one go; a file with more is of another format.
const PROBLEMS_MAX: usize = 100;
/// Rows in one file: ten times a large provider.
const ROWS_MAX: usize = 2_000_000;

/// The columns, in the order of the documentation. Further ones are `attribute.NAME`.
pub const COLUMNS: &[&str] = &[
    "kind",
    "tenant",
    "olt",
    "place",
    "serial",
    "name",
    "site",
    "description",
    "vendor",
    "model",
    "address",
    "removed",
];

/// How the column of an attribute begins.
pub const ATTRIBUTE_PREFIX: &str = "attribute.";

/// Something that exists, as a file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryRow {
    /// Line of the file on which it begins.
    pub line: usize,
    /// Whose it is, where the file says.
    pub tenant: Option<Tenant>,
    /// Name of the OLT: its own, or the one it hangs on.
    pub olt: String,
    /// Where it is on the OLT.
    pub at: At,
    /// Serial number (ONUs only).
    pub serial: Option<Serial>,
    /// Name.
    pub name: Option<String>,
    /// Site.
    pub site: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Vendor.
    pub vendor: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Management address (OLTs only).
    pub address: Option<IpAddr>,
    /// Anything else, at most 32.
    pub attributes: BTreeMap<String, String>,
    /// It no longer exists.
    pub removed: bool,
}

/// Where on an OLT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The OLT itself.
    Olt,
    /// A board: frame and slot.
    Board(u8, u8),
    /// A PON port: frame, slot and port.
    Pon(u8, u8, u8),
    /// An ONU.
    Onu(OnuPlace),
}

impl At {
    /// What stands there.
    pub fn kind(self) -> Kind {
        match self {
            Self::Olt => Kind::Olt,
            Self::Board(..) => Kind::Board,
            Self::Pon(..) => Kind::Pon,
            Self::Onu(_) => Kind::Onu,
        }
    }
}

impl InventoryRow {
    /// Its id, with the tenant of the installation where the file does not say.
    ///
    /// # Errors
    /// When `olt` is no name; rows of [`parse`] have one.
    pub fn entity(&self, tenant: &Tenant) -> Result<EntityId, IdError> {
        let root = Root::new(self.tenant.as_ref().unwrap_or(tenant), RootKind::Olt, &self.olt)?;
        Ok(match self.at {
            At::Olt => root.entity(),
            At::Board(frame, slot) => root.board(frame, slot),
            At::Pon(frame, slot, port) => root.pon(frame, slot, port),
            At::Onu(place) => root.onu(place),
        })
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.at.kind()
    }
}

/// Reads a whole file; its name's ending says the format (`.csv`, `.jsonl`), else its first character does.
///
/// # Errors
/// With every mistake found, up to 100; then the file is to be refused as a whole.
pub fn parse(file: &str, text: &str) -> Result<Vec<InventoryRow>, Errors> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut sink = Sink {
        file,
        problems: Vec::new(),
        rows: Vec::new(),
        seen: row::Seen::default(),
    };
    let ending = file
        .rsplit_once('.')
        .map_or("", |(_, ending)| ending)
        .to_ascii_lowercase();
    let lines = match ending.as_str() {
        "csv" => false,
        "jsonl" | "ndjson" | "json" => true,
        _ => text.trim_start().starts_with('{'),
    };
    if lines {
        jsonl::read(text, &mut sink)
    } else {
        csv::read(text, &mut sink)
    }
    match Errors::from_problems(sink.problems) {
        None => Ok(sink.rows),
        Some(errors) => Err(errors),
    }
}

/// One cell: its column's name, its text, and where it begins.
#[derive(Debug, Clone)]
pub(super) struct Cell<'a> {
    pub(super) name: &'a str,
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Takes rows and problems.
pub(super) struct Sink<'a> {
    file: &'a str,
    problems: Vec<Problem>,
    rows: Vec<InventoryRow>,
    seen: row::Seen,
}

impl Sink<'_> {
    /// Whether there is any use in going on.
    pub(super) fn full(&self) -> bool {
        self.problems.len() > PROBLEMS_MAX || self.rows.len() >= ROWS_MAX
    }

    /// Mistakes so far.
    pub(super) fn mistakes(&self) -> usize {
        self.problems.len()
    }

    pub(super) fn problem(
        &mut self,
        at: (usize, usize),
        key: &str,
        wrong: impl Into<String>,
        right: impl Into<String>,
    ) {
        let (key, wrong, right) = match self.problems.len() {
            0..PROBLEMS_MAX => (key.to_owned(), wrong.into(), right.into()),
            PROBLEMS_MAX => (
                String::new(),
                "there are more mistakes".into(),
                "put these right first".into(),
            ),
            _ => return,
        };
        let place = Place::File {
            file: self.file.to_owned(),
            line: at.0,
            column: at.1,
        };
        self.problems.push(Problem {
            place,
            key,
            wrong,
            right,
        });
    }

    /// Checks the cells of one row and keeps it if they are right.
    pub(super) fn row(&mut self, line: usize, cells: &[Cell<'_>]) {
        if self.rows.len() + 1 >= ROWS_MAX {
            self.problem((line, 1), "", format!("is past {ROWS_MAX} rows"), "split the file");
        }
        let before = self.problems.len();
        let row = row::check(line, cells, self);
        if let (Some(row), true) = (row, self.problems.len() == before) {
            self.rows.push(row);
        }
    }
}
