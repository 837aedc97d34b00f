//! What the live view keeps of an entity: words as enums, repeated texts as numbers, times as numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use model::{Cause, Micros, Position, State};
use schemas::{DeviceStatus, InventoryEntry, OnuOptics, PollHealth};

/// Number of an interned text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sym(u32);

/// Texts that repeat (sites, vendors, models, causes), each kept once. Grows only: such texts are few.
#[derive(Debug, Default)]
pub struct Interner {
    numbers: HashMap<Arc<str>, Sym, foldhash::fast::RandomState>,
    texts: Vec<Arc<str>>,
}

impl Interner {
    /// The number of a text, new or known.
    pub fn intern(&mut self, text: &str) -> Sym {
        if let Some(&sym) = self.numbers.get(text) {
            return sym;
        }
        let text: Arc<str> = text.into();
        let sym = Sym(u32::try_from(self.texts.len()).expect("interned texts are few"));
        self.texts.push(text.clone());
        self.numbers.insert(text, sym);
        sym
    }

    /// The number of a text that was interned before.
    pub fn get(&self, text: &str) -> Option<Sym> {
        self.numbers.get(text).copied()
    }

    /// The text of a number.
    pub fn text(&self, sym: Sym) -> &Arc<str> {
        &self.texts[sym.0 as usize]
    }
}

/// A status row.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusRow {
    pub site: Option<Sym>,
    pub vendor: Option<Sym>,
    pub model: Option<Sym>,
    pub cause_raw: Option<Sym>,
    pub name: Option<Box<str>>,
    pub description: Option<Box<str>>,
    pub serial: Option<Box<str>>,
    pub state: State,
    pub cause: Option<Cause>,
    pub since: Micros,
    pub observed_at: Micros,
    pub received_at: Micros,
    pub first_trap_at: Option<Micros>,
    pub position: Position,
    /// Boxed: most kinds have none.
    pub optics: Option<Box<OnuOptics>>,
    pub poll: Option<Box<PollHealth>>,
}

impl StatusRow {
    /// Takes a record over; `None` when a word is outside its set (a newer build wrote it).
    pub fn of(record: &DeviceStatus, interner: &mut Interner) -> Option<Self> {
        let mut word = |text: &Option<String>| text.as_deref().map(|t| interner.intern(t));
        Some(Self {
            site: word(&record.site),
            vendor: word(&record.vendor),
            model: word(&record.model),
            cause_raw: word(&record.cause_raw),
            name: record.name.as_deref().map(Into::into),
            description: record.description.as_deref().map(Into::into),
            serial: record.serial.as_deref().map(Into::into),
            state: record.state.parse().ok()?,
            cause: record.cause.as_deref().map(str::parse).transpose().ok()?,
            since: record.since,
            observed_at: record.observed_at,
            received_at: record.received_at,
            first_trap_at: record.first_trap_at,
            position: record.position.position(),
            optics: record.optics.map(Box::new),
            poll: record.poll.clone().map(Box::new),
        })
    }
}

/// An inventory entry: what a list or a page shows beside the status.
#[derive(Debug, Clone, PartialEq)]
pub struct InventoryRow {
    pub site: Option<Sym>,
    pub vendor: Option<Sym>,
    pub model: Option<Sym>,
    pub name: Option<Box<str>>,
    pub description: Option<Box<str>>,
    pub serial: Option<Box<str>>,
    pub address: Option<Box<str>>,
    pub attributes: BTreeMap<String, String>,
    pub origin: Sym,
    pub installed_at: Option<Micros>,
    pub seen_at: Micros,
    pub serial_since: Option<Micros>,
    pub position: Position,
}

impl InventoryRow {
    /// Takes a record over.
    pub fn of(record: InventoryEntry, interner: &mut Interner) -> Self {
        let mut word = |text: Option<String>| text.map(|t| interner.intern(&t));
        Self {
            site: word(record.site),
            vendor: word(record.vendor),
            model: word(record.model),
            name: record.name.map(Into::into),
            description: record.description.map(Into::into),
            serial: record.serial.map(Into::into),
            address: record.address.map(Into::into),
            attributes: record.attributes,
            origin: interner.intern(&record.origin),
            installed_at: record.installed_at,
            seen_at: record.seen_at,
            serial_since: record.serial_since,
            position: record.position.position(),
        }
    }
}
