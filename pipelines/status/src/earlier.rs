//! Slots as earlier builds wrote them.

use std::sync::Arc;

use model::{Cause, Micros, State};
use schemas::network::Fault;
use serde::Deserialize;

use crate::facts::Facts;
use crate::signs::{Edges, Noted, Signs, Verdict};
use crate::slot::{Recent, Slot};

/// Format 1: before readings.
#[derive(Deserialize)]
struct Slot1 {
    signs: Signs1,
    told: Verdict1,
    observed_at: Micros,
    received_at: Micros,
    first_trap_at: Option<Micros>,
    facts: Arc<Facts>,
    recent: Vec<Recent>,
}

#[derive(Deserialize)]
struct Signs1 {
    edges: Vec<Edges>,
    runs: Vec<(bool, Noted)>,
    shown: Option<(State, Noted)>,
}

#[derive(Deserialize)]
struct Verdict1 {
    state: State,
    cause: Option<Cause>,
    by: Option<Fault>,
    since: Micros,
}

/// Reads a slot of an earlier format; `None` if it is of none.
pub fn slot(format: u8, bytes: &[u8]) -> Option<Slot> {
    match format {
        1 => slot_1(bytes),
        // Before it was known when measures were read last: nothing else was put behind it.
        2 => postcard::from_bytes(&[bytes, NO_VALUES].concat()).ok(),
        _ => None,
    }
}

/// How `postcard` writes that there are none of a card, and none of an ONU.
const NO_VALUES: &[u8] = &[0, 0];

fn slot_1(bytes: &[u8]) -> Option<Slot> {
    let Slot1 {
        signs,
        told,
        observed_at,
        received_at,
        first_trap_at,
        facts,
        recent,
    } = postcard::from_bytes(bytes).ok()?;
    Some(Slot {
        signs: Signs {
            edges: signs.edges,
            runs: signs.runs,
            shown: signs.shown,
            ..Signs::default()
        },
        told: Verdict {
            state: told.state,
            cause: told.cause,
            by: told.by,
            words: None,
            since: told.since,
        },
        hidden: None,
        observed_at,
        received_at,
        first_trap_at,
        facts,
        levels: None,
        health: None,
        recent,
        newest: None,
        last_read: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A registered ONU without light, with light again, and then without power, written by the build before readings.
    const FORMAT_1: &str = include_str!("earlier/format-1.hex");

    #[test]
    fn a_slot_of_the_build_before_readings_is_read() {
        let bytes: Vec<u8> = FORMAT_1
            .trim()
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let slot = slot(1, &bytes).unwrap();
        assert_eq!((slot.told.state, slot.told.cause), (State::Offline, Some(Cause::Power)));
        assert_eq!(slot.told.cause_raw(), Some("dying-gasp"));
        assert_eq!((&*slot.facts.origin, slot.recent.len()), ("import", 3));
        assert!(super::slot(1, &bytes[..bytes.len() - 1]).is_none());
        assert!(super::slot(0, &bytes).is_none());
        // As the build before cards wrote it: as this one does, but for the last bytes.
        let now = postcard::to_allocvec(&slot).unwrap();
        let before_cards = now.strip_suffix(NO_VALUES).unwrap();
        assert_eq!(super::slot(2, before_cards), Some(slot));
        assert!(super::slot(2, &before_cards[..9]).is_none());
    }
}
