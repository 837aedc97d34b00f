//! Trap PDU, registration or reading in, happenings about one entity each out; traps by a catalogue that is data.
//!
//! - reads: every record of `observations`
//! - writes: nothing; later steps take its events
//! - key: root
//! - state: its boards, PON ports (at most 128 and 1,024) and ONUs as named so far, and a reading of which parts are to come; the cards of
//!   an optical network in 128 slots of their own
//! - time: `received_at` and `sysUpTime` of a trap, times of a reading as data; a timer tells of a root that does not answer
//! - guarantee: total and pure; a trap that is not understood becomes `unknown_trap` of its root, and stays in
//!   `observations` to be decoded again; no secret of a varbind goes on

mod alarm_table;
mod blind;
mod catalogue;
mod explain;
mod network;
mod place;
mod places;
mod polls;
mod prefixes;
mod reading;
mod reads;
mod registration;
mod text;
mod trap;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use catalogue::{Catalogue, CatalogueError, Role, RowEffect, Scope, TrapRow, VarbindRow};
pub use explain::{Explained, explain};
pub use network::{BUCKETS, CARDS_MAX};
pub use place::{Interface, Issue, Port};
pub use places::{BOARDS_MAX, PORTS_MAX, Places, ROSTER_IDS};
pub use polls::FAILURES_MIN;
pub use reading::DetailValue;
pub use reads::MISSED_MAX;
pub use registration::Refused;
pub use trap::UNKNOWN_TRAP;

use model::{EntityId, Kind, Micros, Root, RootKind};
use runtime::{Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::network::{Effect, Happening, NetworkEvent, Observed, Seen, Sighting, Source};
use schemas::{DeviceRegistered, Phase, TrapReceived};
use snmp_pdu::{Oid, TrapPdu};

use crate::trap::Decoded;

/// Its place in the chain, as in `topology`.
pub const DESCRIPTION: StepDescription = StepDescription {
    number: 1,
    name: "normalize",
    reads: "every record of observations",
    writes: &[],
    key: "root",
    state: "its boards, PON ports and ONUs as named so far, and a reading of which parts are to come",
    time: "received_at and sysUpTime of a trap, times of a reading, as data; a timer tells of a root that does not answer",
    guarantee: "total; an unknown trap becomes an event of its root; no secret goes on",
    format: 3,
};

/// The step.
#[derive(Debug)]
pub struct Normalize {
    catalogue: &'static Catalogue,
    /// What is no trap has no state, and shares one key.
    no_key: StateKey,
}

impl Normalize {
    /// With the compiled-in catalogue.
    pub fn new() -> Self {
        Self {
            catalogue: Catalogue::builtin(),
            no_key: Arc::from(""),
        }
    }

    fn trap(
        &self,
        root: &Root,
        record: &TrapReceived,
        places: Option<&Places>,
        out: &mut Out<NetworkEvent>,
    ) -> Verdict<Places> {
        let pdu = match TrapPdu::parse(&record.pdu) {
            Ok(pdu) => pdu,
            Err(error) => return Verdict::keep(Reason::Dead(undecodable(error.reason))),
        };
        if root.kind() == RootKind::Probe {
            out.event(NetworkEvent::Happened(Box::new(probe(root, record, &pdu))));
            return Verdict::keep(Reason::Absorbed("handed_on"));
        }
        let seen = Seen {
            observed_at: record.received_at,
            received_at: record.received_at,
            uptime: pdu.sys_uptime,
            source: Source::Trap,
        };
        let mut decoded = Decoded::new(self.catalogue, &pdu, root);
        let learned = Places::learn(places, &mut decoded, root, record.received_at);
        out.event(NetworkEvent::Heard(Sighting {
            entity: root.entity(),
            seen,
        }));
        // What it hangs on, below the root, which was heard.
        let above = |entity: &EntityId| matches!(entity.kind(), Kind::Onu | Kind::Pon).then(|| entity.parent())?;
        let mut next = above(&decoded.entity);
        while let Some(entity) = next {
            next = above(&entity);
            out.event(NetworkEvent::Exists(Sighting { entity, seen }));
        }
        let happening = Happening {
            read_at: learned.read_at,
            ..decoded.happening(record, seen)
        };
        out.event(NetworkEvent::Happened(Box::new(happening)));
        Verdict {
            change: learned.change,
            reason: Reason::Absorbed("handed_on"),
        }
    }
}

impl Default for Normalize {
    fn default() -> Self {
        Self::new()
    }
}

impl Step for Normalize {
    type Event = NetworkEvent;
    type State = Places;

    fn describe(&self) -> StepDescription {
        DESCRIPTION
    }

    fn keys(&self, event: &NetworkEvent, keys: &mut Vec<StateKey>) {
        if let NetworkEvent::Observed(observed) = event {
            keys.push(match &**observed {
                Observed::Read { root, .. } if root.kind() == RootKind::Padtec => return network::keys(root, keys),
                Observed::Trap { root, .. } | Observed::Registered { root, .. } | Observed::Read { root, .. } => {
                    root.shared()
                }
                Observed::Heartbeat(_) | Observed::Tick(_) => self.no_key.clone(),
            });
        }
    }

    fn bytes_max(&self, state: &Places) -> Option<usize> {
        Some(state.bytes_max())
    }

    fn upgrade(&self, format: u8, bytes: &[u8]) -> Option<Places> {
        match format {
            1 => Places::from_format_1(bytes),
            2 => Places::from_format_2(bytes),
            _ => None,
        }
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&Places>,
        input: Input<'_, NetworkEvent>,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> Verdict<Places> {
        let observed = match input {
            Input::Event(NetworkEvent::Observed(observed)) => observed,
            Input::Timer { .. } => return tell_on(key, state, now, out),
            Input::Event(_) => return Verdict::keep(Reason::Absorbed("not_mine")),
        };
        Verdict::keep(match &**observed {
            Observed::Trap { root, record } => return self.trap(root, record, state, out),
            Observed::Registered { root, record } => return registered(root, record, state, out),
            Observed::Read { root, reading } if root.kind() == RootKind::Olt => {
                return polls::take(root, reading, state, now, out);
            }
            Observed::Read { root, reading } if root.kind() == RootKind::Padtec => {
                return match network::bucket_of(key) {
                    Some(bucket) => network::take_bucket((root, bucket), reading, state, now, out),
                    None => network::take(root, reading, state, out),
                };
            }
            Observed::Read { .. } => Reason::Filtered("reading_of_no_olt"),
            Observed::Heartbeat(_) => Reason::Absorbed("heartbeat"),
            Observed::Tick(_) => Reason::Absorbed("tick"),
        })
    }
}

/// A registration, and what it hangs on.
fn registered(
    root: &Root,
    record: &DeviceRegistered,
    places: Option<&Places>,
    out: &mut Out<NetworkEvent>,
) -> Verdict<Places> {
    let registration = match registration::check(root, record) {
        Ok(registration) => registration,
        Err(refused) => return Verdict::keep(Reason::Filtered(refused.as_str())),
    };
    let change = Places::register(places, &registration);
    let mut above = registration.entity.parent().filter(|_| !registration.removed);
    while let Some(entity) = above {
        above = entity.parent();
        out.event(NetworkEvent::Exists(Sighting {
            entity,
            seen: registration.seen,
        }));
    }
    out.event(NetworkEvent::Registered(Box::new(registration)));
    Verdict {
        change,
        reason: Reason::Absorbed("handed_on"),
    }
}

/// A root does not answer, and not everything behind it was told so yet.
fn tell_on(key: &StateKey, places: Option<&Places>, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Places> {
    if let (Some((root, _)), Some(places)) = (key.rsplit_once("/cards/"), places) {
        return match Root::parse(root) {
            Ok(root) => network::tell_blind(&root, places, now, out),
            Err(_) => Verdict::keep(Reason::Absorbed("not_mine")),
        };
    }
    let (Ok(root), Some(places)) = (Root::parse(key), places) else {
        return Verdict::keep(Reason::Absorbed("not_mine"));
    };
    let mut places = places.clone();
    places.tell_blind(&root, now, out);
    Verdict::put(places, Reason::Absorbed("handed_on"))
}

/// A freshness probe: only that it came, so that no entity comes of it.
fn probe(root: &Root, record: &TrapReceived, pdu: &TrapPdu<'_>) -> Happening {
    let sent_at = Oid::new(&schemas::probe::SENT_AT_OID);
    let sent_at = pdu.varbinds().find(|v| v.oid == sent_at).and_then(|v| v.value.as_i64());
    Happening {
        entity: root.entity(),
        event: schemas::probe::EVENT.into(),
        phase: Phase::Event,
        effect: Effect::Nothing,
        seen: Seen {
            observed_at: sent_at.map_or(record.received_at, Micros),
            received_at: record.received_at,
            uptime: None,
            source: Source::Trap,
        },
        severity: None,
        trap_oid: None,
        serial: None,
        model: None,
        detail: BTreeMap::from([(schemas::probe::LISTENER.to_owned(), record.listener.clone())]),
        fingerprint: None,
        read_at: None,
    }
}

/// The word that counts a PDU which is none. The listener refuses such datagrams before they get here, so it is a bug of ours or a
/// hand in the topic: its bytes are kept.
fn undecodable(reason: snmp_pdu::Reason) -> &'static str {
    use snmp_pdu::Reason as R;
    match reason {
        R::Truncated => "undecodable_truncated",
        R::Length => "undecodable_length",
        R::Tag => "undecodable_tag",
        R::TrailingBytes => "undecodable_trailing_bytes",
        R::Integer => "undecodable_integer",
        R::Range => "undecodable_range",
        R::Oid => "undecodable_oid",
        R::Version => "undecodable_version",
        R::PduType => "undecodable_pdu_type",
        R::ValueType => "undecodable_value_type",
        R::NoTrapOid => "undecodable_no_trap_oid",
    }
}
