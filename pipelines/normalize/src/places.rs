//! What each root consists of, as far as its traps, readings and registrations have named it: the **roster**.
//!
//! More boards and ports than a device has are not believed, or a sender could make any number of entities. Which ONUs a port has is
//! what a complete reading is compared with to find those that are gone ([`crate::reads`]).

use model::{Kind, Micros, Root, RootKind};
use runtime::Change;
use schemas::network::{Effect, Registration};
use serde::{Deserialize, Serialize};

use crate::blind::Blind;
use crate::network::Cards;
use crate::place::Issue;
use crate::reads::Unfinished;
use crate::trap::Decoded;

/// Boards of one root: the largest chassis has some two dozen slots, and a few frames may hang on one.
pub const BOARDS_MAX: usize = 128;
/// PON ports of one root: 17 boards of 16 are 272, of 32 twice that. With the highest ONU id, a root has at most about a million entities.
pub const PORTS_MAX: usize = 1_024;
/// ONU ids of a port that the roster keeps: a GPON port has 128, an XGS-PON port 256. An ONU with a higher one has a status like any
/// other, and is never concluded to be absent.
pub const ROSTER_IDS: u16 = 256;
/// When a root was heard last is noted to this many microseconds, so that few traps write it.
const HEARD_MICROS: i64 = 30 * Micros::SECOND;

/// Frame, slot, port, and an ONU id that the roster keeps.
pub(crate) type OnuPlace = [u8; 4];

/// State of one root: what was named, in the order of the places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    pub(crate) boards: Vec<[u8; 2]>,
    pub(crate) ports: Vec<Port>,
    /// When its last trap came, to [`HEARD_MICROS`].
    pub(crate) heard_at: Micros,
    /// ONUs of the roster that were told to be absent once, in order: the next reading without them takes them off the roster.
    pub(crate) missed: Vec<OnuPlace>,
    /// When the reading that told it last was there.
    pub(crate) missed_at: Micros,
    /// A reading of which parts are still to come.
    pub(crate) unfinished: Option<Unfinished>,
    /// It does not answer.
    pub(crate) blind: Option<Blind>,
    /// Cards of an optical network, in slots of their own.
    pub(crate) cards: Option<Box<Cards>>,
}

/// A PON port of the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Port {
    pub place: [u8; 3],
    pub onus: Onus,
    /// When the newest reading that named every ONU of it here was asked for; zero if none was.
    pub read_at: Micros,
    /// The unfinished reading has named it.
    pub is_named: bool,
}

/// A set of ONU ids below [`ROSTER_IDS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Onus([u8; ROSTER_IDS as usize / 8]);

impl Onus {
    pub fn has(&self, onu: u8) -> bool {
        self.0[usize::from(onu / 8)] & (1 << (onu % 8)) != 0
    }

    pub fn add(&mut self, onu: u8) {
        self.0[usize::from(onu / 8)] |= 1 << (onu % 8);
    }

    pub fn remove(&mut self, onu: u8) {
        self.0[usize::from(onu / 8)] &= !(1 << (onu % 8));
    }

    pub fn each(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=u8::MAX).filter(|&onu| self.has(onu))
    }

    /// Those that the other does not have.
    pub fn without(&self, other: &Self) -> Self {
        let mut left = *self;
        for (mine, theirs) in left.0.iter_mut().zip(other.0) {
            *mine &= !theirs;
        }
        left
    }

    pub fn is_empty(&self) -> bool {
        self.0 == [0; ROSTER_IDS as usize / 8]
    }
}

/// A place of a board, a PON port or an ONU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    pub board: [u8; 2],
    pub port: Option<[u8; 3]>,
    pub onu: Option<u16>,
}

impl Spot {
    /// What a trap names, if it is about it.
    fn of_trap(decoded: &Decoded<'_>) -> Option<Self> {
        let kind = decoded.entity.kind();
        let (Kind::Board | Kind::Pon | Kind::Onu) = kind else {
            return None;
        };
        let placed = &decoded.placed;
        let (frame, slot) = placed.board()?;
        let port = placed.port().filter(|_| kind != Kind::Board);
        Some(Self {
            board: [frame, slot],
            port: port.map(|p| [p.frame, p.slot, p.port]),
            onu: placed.ont.filter(|_| kind == Kind::Onu),
        })
    }

    /// The ONU, if the roster keeps its id.
    pub fn onu_place(&self) -> Option<OnuPlace> {
        let [frame, slot, port] = self.port?;
        Some([frame, slot, port, u8::try_from(self.onu?).ok()?])
    }
}

/// What a trap has taught.
pub(crate) struct Learned {
    pub change: Change<Places>,
    /// When a reading named its ONU that was asked for after the trap came.
    pub read_at: Option<Micros>,
}

impl Places {
    /// Learns the place of a trap that came at `at`. Where there is no room for it, the trap is its root's and says nothing about a
    /// state. Most traps teach nothing: then nothing is copied.
    pub(crate) fn learn(known: Option<&Self>, decoded: &mut Decoded<'_>, root: &Root, at: Micros) -> Learned {
        let nothing = Self::default();
        let places = known.unwrap_or(&nothing);
        let spot = Spot::of_trap(decoded);
        let mut new = spot.filter(|spot| !places.knows(spot));
        if new.is_some_and(|spot| !places.has_room(&spot)) {
            decoded.entity = root.entity();
            decoded.effect = Effect::Nothing;
            decoded.issue = Some(Issue::TooManyPlaces);
            new = None;
        }
        let is_olt = root.kind() == RootKind::Olt;
        let heard_anew = is_olt && at.since(places.heard_at) >= HEARD_MICROS;
        let read_at = spot
            .filter(|_| new.is_none())
            .and_then(|spot| places.read_after(at, spot.onu_place()?));
        if new.is_none() && !heard_anew {
            let change = Change::Keep;
            return Learned { change, read_at };
        }
        let mut places = places.clone();
        if let Some(spot) = new {
            places.add(&spot);
        }
        if heard_anew {
            places.heard_at = at;
        }
        let change = Change::Put(places);
        Learned { change, read_at }
    }

    /// Learns the place of an ONU that was registered, if there is room, or that it is there no longer. Registrations are not refused for
    /// want of room: a person stands behind them.
    pub(crate) fn register(known: Option<&Self>, said: &Registration) -> Change<Self> {
        let Some(place) = said.entity.place() else {
            return Change::Keep;
        };
        let spot = Spot {
            board: [place.frame, place.slot],
            port: Some([place.frame, place.slot, place.port]),
            onu: Some(place.onu),
        };
        let nothing = Self::default();
        let places = known.unwrap_or(&nothing);
        let knows = places.knows(&spot);
        let mut places = match (said.removed, spot.onu_place()) {
            (false, _) if !knows && places.has_room(&spot) => places.clone(),
            (true, Some(_)) if knows => places.clone(),
            _ => return Change::Keep,
        };
        match spot.onu_place().filter(|_| said.removed) {
            Some(onu) => places.remove(onu),
            None => places.add(&spot),
        }
        Change::Put(places)
    }

    /// Reads what was written before readings: boards and ports.
    pub(crate) fn from_format_1(bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Named {
            boards: Vec<[u8; 2]>,
            ports: Vec<[u8; 3]>,
        }
        let Named { boards, ports } = postcard::from_bytes(bytes).ok()?;
        let mut places = Self {
            boards,
            ..Self::default()
        };
        for place in ports {
            places.port_mut(place);
        }
        Some(places)
    }

    /// Reads what was written before cards: nothing else was put behind it.
    pub(crate) fn from_format_2(bytes: &[u8]) -> Option<Self> {
        const NO_CARDS: u8 = 0;
        postcard::from_bytes(&[bytes, &[NO_CARDS]].concat()).ok()
    }

    /// At least the bytes it takes in the changelog: a place takes its numbers, an instant at most ten bytes.
    pub(crate) fn bytes_max(&self) -> usize {
        const INSTANT: usize = 10;
        const LENGTH: usize = 3;
        const PORT: usize = 3 + ROSTER_IDS as usize / 8 + INSTANT + 1;
        let unfinished = self.unfinished.as_ref().map_or(0, Unfinished::bytes_max);
        let cards = 1 + self.cards.as_ref().map_or(0, |cards| cards.bytes_max());
        let lists = 2 * self.boards.len() + PORT * self.ports.len() + 4 * self.missed.len();
        lists + 3 * LENGTH + 2 * INSTANT + 2 + unfinished + Blind::BYTES_MAX + cards
    }

    /// Whether there is nothing new in it.
    pub(crate) fn knows(&self, spot: &Spot) -> bool {
        let port = |port: &[u8; 3]| self.port(port);
        self.boards.binary_search(&spot.board).is_ok()
            && spot.port.as_ref().is_none_or(|place| {
                port(place).is_some_and(|port| {
                    spot.onu_place()
                        .is_none_or(|onu| port.onus.has(onu[3]) && self.missed.binary_search(&onu).is_err())
                })
            })
    }

    /// Whether what is new in it may be added.
    pub(crate) fn has_room(&self, spot: &Spot) -> bool {
        let board = self.boards.len() < BOARDS_MAX || self.boards.binary_search(&spot.board).is_ok();
        let port = self.ports.len() < PORTS_MAX || spot.port.is_none_or(|port| self.port(&port).is_some());
        board && port
    }

    /// Adds what is new in it; there must be room. An ONU that was missed is there again.
    pub(crate) fn add(&mut self, spot: &Spot) {
        if let Err(at) = self.boards.binary_search(&spot.board) {
            self.boards.insert(at, spot.board);
        }
        let Some(place) = spot.port else { return };
        let port = self.port_mut(place);
        if let Some(onu) = spot.onu_place() {
            port.onus.add(onu[3]);
            self.found(&onu);
        }
    }

    /// An ONU is no longer of the roster.
    pub(crate) fn remove(&mut self, onu: OnuPlace) {
        let [frame, slot, port, id] = onu;
        if let Ok(at) = self.ports.binary_search_by_key(&[frame, slot, port], |p| p.place) {
            self.ports[at].onus.remove(id);
        }
        self.found(&onu);
    }

    /// When the newest reading that named this ONU was asked for, if that was after `at` and none has missed it since.
    pub(crate) fn read_after(&self, at: Micros, onu: OnuPlace) -> Option<Micros> {
        let [frame, slot, port, id] = onu;
        let port = self.port(&[frame, slot, port]).filter(|port| port.read_at > at)?;
        let missing = self.unfinished.as_ref().is_some_and(|read| read.misses(&onu));
        let known = port.onus.has(id) && !missing && self.missed.binary_search(&onu).is_err();
        known.then_some(port.read_at)
    }

    pub(crate) fn port(&self, place: &[u8; 3]) -> Option<&Port> {
        let at = self.ports.binary_search_by_key(place, |port| port.place).ok()?;
        Some(&self.ports[at])
    }

    /// The port, made if it is new.
    pub(crate) fn port_mut(&mut self, place: [u8; 3]) -> &mut Port {
        let at = self.ports.binary_search_by_key(&place, |port| port.place);
        let at = at.unwrap_or_else(|at| {
            let new = Port {
                place,
                onus: Onus::default(),
                read_at: Micros(0),
                is_named: false,
            };
            self.ports.insert(at, new);
            at
        });
        &mut self.ports[at]
    }

    pub(crate) fn found(&mut self, onu: &OnuPlace) {
        if let Ok(at) = self.missed.binary_search(onu) {
            self.missed.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two boards and three ports, as the build before readings wrote them.
    #[test]
    fn the_state_before_readings_is_read() {
        let bytes = [2, 0, 3, 0, 4, 3, 0, 3, 5, 0, 3, 6, 0, 4, 0];
        let places = Places::from_format_1(&bytes).unwrap();
        assert_eq!(places.boards, [[0, 3], [0, 4]]);
        assert_eq!(places.ports.len(), 3);
        assert!(places.port(&[0, 3, 6]).is_some_and(|port| port.onus.is_empty()));
        assert_eq!(Places::from_format_1(&bytes[..8]), None);
    }

    /// The same as the build before cards wrote it, which is as this one does but for the last byte.
    #[test]
    fn the_state_before_cards_is_read() {
        let places = Places::from_format_1(&[2, 0, 3, 0, 4, 1, 0, 3, 5]).unwrap();
        let mut bytes = postcard::to_allocvec(&places).unwrap();
        assert_eq!(bytes.pop(), Some(0));
        assert_eq!(Places::from_format_2(&bytes), Some(places));
        assert_eq!(Places::from_format_2(&bytes[..8]), None);
    }

    #[test]
    fn a_set_of_onus_has_what_was_added() {
        let mut onus = Onus::default();
        assert!(onus.is_empty());
        [0, 7, 8, 255].into_iter().for_each(|onu| onus.add(onu));
        assert_eq!(onus.each().collect::<Vec<_>>(), [0, 7, 8, 255]);
        let mut fewer = onus;
        fewer.remove(8);
        assert_eq!(onus.without(&fewer).each().collect::<Vec<_>>(), [8]);
        assert!(fewer.without(&onus).is_empty());
    }
}
