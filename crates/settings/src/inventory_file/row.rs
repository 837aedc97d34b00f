//! From the cells of one row to an [`InventoryRow`].

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use model::{Kind, ONU_ID_MAX, Place as OnuPlace, Serial, Tenant, is_name};

use super::{ATTRIBUTE_PREFIX, At, Cell, InventoryRow, Sink};
use crate::error::quote;

const TEXT_BYTES_MAX: usize = 512;
const ATTRIBUTES_MAX: usize = 32;

/// What stood on earlier lines.
#[derive(Default)]
pub(super) struct Seen {
    entities: HashMap<(Option<String>, String, String), usize>,
    serials: HashMap<Serial, usize>,
}

/// Checks every cell; `None` when the row cannot stand. Each mistake is in the sink.
pub(super) fn check(line: usize, cells: &[Cell<'_>], sink: &mut Sink<'_>) -> Option<InventoryRow> {
    let mut row = Row { line, cells, sink };
    let olt = row.required_name("olt", "the name of its OLT, as in `[[olt]]`");
    let at = row.at();
    let tenant = row.parsed("tenant", "a tenant's name", |t| Tenant::parse(t).ok());
    let serial = row.parsed("serial", "16 hexadecimal digits, or 4 letters and 8 digits", |t| {
        Serial::parse(t).ok()
    });
    let address = row.parsed("address", "an IP address", |t| t.parse::<IpAddr>().ok());
    let removed = row.parsed("removed", "`true` or `false`", boolean);
    row.only_for("serial", at, Kind::Onu);
    row.only_for("address", at, Kind::Olt);
    let texts = ["name", "site", "description", "vendor", "model"].map(|key| row.text(key));
    let [name, site, description, vendor, model] = texts;
    let attributes = row.attributes();
    let (olt, at) = (olt?, at?);
    row.once(&tenant, &olt, at, serial);
    let removed = removed.unwrap_or(false);
    Some(InventoryRow {
        line,
        tenant,
        olt,
        at,
        serial,
        name,
        site,
        description,
        vendor,
        model,
        address,
        attributes,
        removed,
    })
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "sim" => Some(true),
        "false" | "0" | "no" | "não" | "nao" => Some(false),
        _ => None,
    }
}

struct Row<'a, 'b, 'c> {
    line: usize,
    cells: &'a [Cell<'b>],
    sink: &'a mut Sink<'c>,
}

impl Row<'_, '_, '_> {
    /// The cell with this name, unless it is empty.
    fn cell(&self, name: &str) -> Option<Cell<'_>> {
        self.cells
            .iter()
            .find(|c| c.name == name && !c.text.is_empty())
            .cloned()
    }

    fn wrong(&mut self, cell: (usize, usize), key: &str, wrong: String, right: String) {
        self.sink.problem(cell, key, wrong, right);
    }

    fn parsed<T>(&mut self, key: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let cell = self.cell(key)?;
        let at = (cell.line, cell.column);
        let (value, shown) = (read(&cell.text), quote(&cell.text));
        if value.is_none() {
            self.wrong(at, key, format!("{shown} is wrong"), format!("write {expected}"));
        }
        value
    }

    fn required_name(&mut self, key: &str, what: &str) -> Option<String> {
        if self.cell(key).is_none() {
            self.wrong((self.line, 1), key, "is missing".into(), format!("write {what}"));
            return None;
        }
        self.parsed(key, "1 to 64 letters, digits and `._-`", |t| {
            is_name(t).then(|| t.to_owned())
        })
    }

    fn text(&mut self, key: &str) -> Option<String> {
        let right = format!("at most {TEXT_BYTES_MAX} bytes on one line");
        self.parsed(key, &right, |t| is_text(t).then(|| t.to_owned()))
    }

    /// The place says what it is: nothing is the OLT, 2 numbers a board, 3 a PON port, 4 an ONU. `kind` must agree.
    fn at(&mut self) -> Option<At> {
        let at = match self.cell("place") {
            None => At::Olt,
            Some(_) => self.parsed("place", "frame/slot, frame/slot/port or frame/slot/port/ONU id", place)?,
        };
        let kind = self
            .cell("kind")
            .map(|c| (c.text.to_ascii_lowercase(), (c.line, c.column)));
        let Some((kind, cell)) = kind else { return Some(at) };
        let expected = match kind.as_str() {
            "olt" => (Kind::Olt, "leave `place` empty"),
            "board" => (Kind::Board, "write frame/slot as its place"),
            "pon" => (Kind::Pon, "write frame/slot/port as its place"),
            "onu" => (Kind::Onu, "write frame/slot/port/ONU id as its place"),
            _ => {
                self.wrong(
                    cell,
                    "kind",
                    format!("{} is not known", quote(&kind)),
                    "write olt, board, pon or onu".into(),
                );
                return None;
            }
        };
        if expected.0 != at.kind() {
            self.wrong(
                cell,
                "kind",
                format!("is `{kind}`, but the place is of kind `{}`", at.kind()),
                expected.1.into(),
            );
            return None;
        }
        Some(at)
    }

    fn only_for(&mut self, key: &str, at: Option<At>, kind: Kind) {
        let cell = self.cell(key).map(|c| (c.line, c.column));
        if let (Some(cell), Some(at)) = (cell, at)
            && at.kind() != kind
        {
            self.wrong(
                cell,
                key,
                format!("stands at kind `{}`", at.kind()),
                format!("only kind `{kind}` has one: leave it empty"),
            );
        }
    }

    fn attributes(&mut self) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        let cells: Vec<Cell<'_>> = self
            .cells
            .iter()
            .filter(|c| c.name.starts_with(ATTRIBUTE_PREFIX) && !c.text.is_empty())
            .cloned()
            .collect();
        for cell in cells {
            let key = &cell.name[ATTRIBUTE_PREFIX.len()..];
            let at = (cell.line, cell.column);
            if !is_name(key) {
                self.wrong(
                    at,
                    cell.name,
                    "is not a name".into(),
                    "write 1 to 64 letters, digits and `._-`".into(),
                );
            } else if !is_text(&cell.text) {
                self.wrong(
                    at,
                    cell.name,
                    "is wrong".into(),
                    format!("write at most {TEXT_BYTES_MAX} bytes on one line"),
                );
            } else if out.len() == ATTRIBUTES_MAX {
                self.wrong(
                    at,
                    cell.name,
                    "is one too many".into(),
                    format!("an entity has at most {ATTRIBUTES_MAX} attributes"),
                );
            } else {
                out.insert(key.to_owned(), cell.text);
            }
        }
        out
    }

    /// The same entity or serial twice in one file is a slip: which of the two is meant?
    fn once(&mut self, tenant: &Option<Tenant>, olt: &str, at: At, serial: Option<Serial>) {
        let key = (
            tenant.as_ref().map(|t| t.as_str().to_owned()),
            olt.to_owned(),
            format!("{at:?}"),
        );
        if let Some(first) = self.sink.seen.entities.insert(key, self.line) {
            self.wrong(
                (self.line, 1),
                "",
                format!("is registered on line {first} already"),
                "keep one of the two".into(),
            );
        }
        let Some(serial) = serial else { return };
        if let Some(first) = self.sink.seen.serials.insert(serial, self.line) {
            let at = self.cell("serial").map_or((self.line, 1), |c| (c.line, c.column));
            let wrong = format!("`{serial}` stands on line {first} already");
            self.wrong(
                at,
                "serial",
                wrong,
                "an ONU is in one place: keep one of the two".into(),
            );
        }
    }
}

fn is_text(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control)
}

fn place(text: &str) -> Option<At> {
    // Blanks are the vendor's padding (`0/ 2/8`).
    let numbers: Option<Vec<u16>> = text.split('/').map(|n| n.trim().parse().ok()).collect();
    let byte = |n: u16| u8::try_from(n).ok();
    match *numbers?.as_slice() {
        [f, s] => Some(At::Board(byte(f)?, byte(s)?)),
        [f, s, p] => Some(At::Pon(byte(f)?, byte(s)?, byte(p)?)),
        [f, s, p, onu] if onu <= ONU_ID_MAX => Some(At::Onu(OnuPlace {
            frame: byte(f)?,
            slot: byte(s)?,
            port: byte(p)?,
            onu,
        })),
        _ => None,
    }
}
