//! The boards and ports that a root's traps have named: more than a device has are not believed, or a sender could make any number of
//! entities.

use model::{Kind, Root};
use runtime::Change;
use schemas::network::Effect;
use serde::{Deserialize, Serialize};

use crate::place::Issue;
use crate::trap::Decoded;

/// Boards of one root: the largest chassis has some two dozen slots, and a few frames may hang on one.
pub const BOARDS_MAX: usize = 128;
/// PON ports of one root: 17 boards of 16 are 272, of 32 twice that. With the highest ONU id, a root has at most about a million entities.
pub const PORTS_MAX: usize = 1_024;

/// State of one root: what was named, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    boards: Vec<[u8; 2]>,
    ports: Vec<[u8; 3]>,
}

impl Places {
    /// Learns the place of a trap. Where there is no room for it, the trap is its root's and says nothing about a state.
    pub(crate) fn learn(known: Option<&Self>, decoded: &mut Decoded<'_>, root: &Root) -> Change<Self> {
        let kind = decoded.entity.kind();
        let (Kind::Board | Kind::Pon | Kind::Onu, Some((frame, slot))) = (kind, decoded.placed.board()) else {
            return Change::Keep;
        };
        let port = decoded
            .placed
            .port()
            .filter(|_| kind != Kind::Board)
            .map(|p| [p.frame, p.slot, p.port]);
        let nothing = Self::default();
        let places = known.unwrap_or(&nothing);
        let new_board = places.boards.binary_search(&[frame, slot]).err();
        let new_port = port.and_then(|port| Some((port, places.ports.binary_search(&port).err()?)));
        if new_board.is_none() && new_port.is_none() {
            return Change::Keep;
        }
        let full = |length, max, new| new && length >= max;
        if full(places.boards.len(), BOARDS_MAX, new_board.is_some())
            || full(places.ports.len(), PORTS_MAX, new_port.is_some())
        {
            decoded.entity = root.entity();
            decoded.effect = Effect::Nothing;
            decoded.issue = Some(Issue::TooManyPlaces);
            return Change::Keep;
        }
        let mut places = places.clone();
        if let Some(at) = new_board {
            places.boards.insert(at, [frame, slot]);
        }
        if let Some((port, at)) = new_port {
            places.ports.insert(at, port);
        }
        Change::Put(places)
    }
}
