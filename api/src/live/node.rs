//! One entity in the live view.

use std::sync::Arc;

use model::{EntityId, Kind, Micros, Position, RecordId, State};

use super::counts::{Counts, Share};
use super::row::{InventoryRow, StatusRow, Sym};

/// Number of an entity in the live view: dense, never reused for another entity.
pub type Index = u32;

/// A row of a fast topic, above the exact one.
#[derive(Debug)]
pub struct FastRow {
    pub id: RecordId,
    pub row: StatusRow,
}

/// One entity: its rows, its place in the tree, and what it has added to the counters.
#[derive(Debug)]
pub struct Node {
    pub id: Arc<str>,
    pub kind: Kind,
    pub tenant: Sym,
    pub root: Index,
    pub parent: Option<Index>,
    pub children: Vec<Index>,
    /// Children that are shown.
    pub shown_children: u32,
    pub exact: Option<Box<StatusRow>>,
    pub fast: Option<Box<FastRow>>,
    pub inventory: Option<Box<InventoryRow>>,
    /// ONUs below it, if it is an OLT, board or PON.
    pub counts: Option<Box<Counts>>,
    /// What it has added to the counters, and to which site's; `None` while it is not shown.
    pub counted: Option<(Share, Option<Sym>)>,
    /// Keys under which it can be found.
    pub serial_key: Option<Box<str>>,
    pub name_key: Option<Box<str>>,
    /// Folded text that a search looks into.
    pub search: Box<str>,
    /// Load (see `LiveState::begin_load`) in which its exact row, and its inventory row, were last seen.
    pub status_load: u32,
    pub inventory_load: u32,
    pub dirty: bool,
}

impl Node {
    /// An entity of which nothing is known yet.
    pub fn new(id: Arc<str>, kind: Kind, tenant: Sym, root: Index, parent: Option<Index>) -> Self {
        Self {
            id,
            kind,
            tenant,
            root,
            parent,
            children: Vec::new(),
            shown_children: 0,
            exact: None,
            fast: None,
            inventory: None,
            counts: is_tree_kind(kind).then(Box::default),
            counted: None,
            serial_key: None,
            name_key: None,
            search: Box::default(),
            status_load: 0,
            inventory_load: 0,
            dirty: false,
        }
    }

    /// The row that counts: the fast one while there is one.
    pub fn status(&self) -> Option<&StatusRow> {
        self.fast.as_deref().map(|f| &f.row).or(self.exact.as_deref())
    }

    /// Whether it exists: by its own rows, or by what hangs on it.
    pub fn is_shown(&self) -> bool {
        self.exact.is_some() || self.fast.is_some() || self.inventory.is_some() || self.shown_children > 0
    }

    /// Present state; unknown where only the inventory or its children speak of it.
    pub fn state(&self) -> State {
        self.status().map_or(State::Unknown, |s| s.state)
    }

    /// Its own site.
    pub fn own_site(&self) -> Option<Sym> {
        self.status()
            .and_then(|s| s.site)
            .or_else(|| self.inventory.as_deref().and_then(|i| i.site))
    }

    /// Its own name.
    pub fn name(&self) -> Option<&str> {
        self.status()
            .and_then(|s| s.name.as_deref())
            .or_else(|| self.inventory.as_deref()?.name.as_deref())
    }

    /// Its description.
    pub fn description(&self) -> Option<&str> {
        let inventory = || self.inventory.as_deref()?.description.as_deref();
        self.status().and_then(|s| s.description.as_deref()).or_else(inventory)
    }

    /// Its serial.
    pub fn serial(&self) -> Option<&str> {
        self.status()
            .and_then(|s| s.serial.as_deref())
            .or_else(|| self.inventory.as_deref()?.serial.as_deref())
    }

    /// When its serial was last sighted here, as far as we know: the later sighting owns a serial.
    pub fn sighted_at(&self) -> Micros {
        let inventory = self.inventory.as_deref();
        let sighted = inventory.and_then(|i| i.serial_since.or(Some(i.seen_at)));
        sighted
            .or_else(|| self.status().map(|s| s.observed_at))
            .unwrap_or_default()
    }

    /// Position of the exact row.
    pub fn exact_position(&self) -> Option<Position> {
        self.exact.as_deref().map(|e| e.position)
    }

    /// Its share of the counters while it is shown.
    pub fn share(&self) -> Option<Share> {
        self.is_shown().then(|| Share {
            kind: self.kind,
            state: self.state(),
            cause: self.status().and_then(|s| s.cause),
        })
    }
}

/// OLTs, boards and PONs: what the tree shows, with counters.
pub fn is_tree_kind(kind: Kind) -> bool {
    matches!(kind, Kind::Olt | Kind::Board | Kind::Pon)
}

/// Orders entities as a tree is read: a root, then what is below it by frame, slot, port and ONU id, each number in
/// its order (port 10 after port 2). Also the cursor of lists.
pub fn sort_key(id: &EntityId) -> Vec<u8> {
    let root = id.root_str();
    let mut key = root.as_bytes().to_vec();
    key.push(0);
    let below = id.as_str().get(root.len() + 1..).unwrap_or_default();
    let Some((kind, place)) = below.split_once('/') else {
        return key;
    };
    if matches!(id.kind(), Kind::Board | Kind::Pon | Kind::Onu) {
        // One more than the number, so that what is missing (a board has no port) comes first.
        let numbers = place
            .split('/')
            .map(|n| n.parse::<u16>().unwrap_or(0).saturating_add(1));
        let mut four = [0_u16; 4];
        four.iter_mut().zip(numbers).for_each(|(slot, number)| *slot = number);
        four.iter().for_each(|n| key.extend_from_slice(&n.to_be_bytes()));
    } else {
        key.push(0xFF);
        key.extend_from_slice(kind.as_bytes());
        key.push(b'/');
        key.extend_from_slice(place.as_bytes());
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_sort_as_a_tree_is_read() {
        let sorted = [
            "t/olt/a",
            "t/olt/a/board/0/2",
            "t/olt/a/pon/0/2/2",
            "t/olt/a/onu/0/2/2/0",
            "t/olt/a/onu/0/2/2/10",
            "t/olt/a/pon/0/2/10",
            "t/olt/a/board/0/10",
            "t/olt/a-b",
            "t/padtec/n",
            "t/padtec/n/card/B",
            "t/padtec/n/site/A",
        ];
        let keys: Vec<_> = sorted
            .iter()
            .map(|id| sort_key(&EntityId::parse(id).unwrap()))
            .collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }
}
