//! One trap to one happening: which row of the catalogue, which entity, what it means.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{EntityId, Root, Severity, State};
use schemas::network::{Effect, Fingerprint, Happening, Seen};
use schemas::{Phase, SnmpVersion, TrapReceived};
use snmp_pdu::{Kind, Oid, TrapPdu};

use crate::catalogue::{Catalogue, RowEffect, Scope, TrapRow};
use crate::place::{Issue, Placed, Port};
use crate::reading::{DetailValue, Reading};

/// Our name of a trap that is not in the catalogue.
pub const UNKNOWN_TRAP: &str = "unknown_trap";

/// A trap with what the catalogue makes of it.
#[derive(Debug)]
pub struct Decoded<'c> {
    /// Its row; `None` if there is none.
    pub row: Option<&'c TrapRow>,
    /// Its OID as found in the catalogue, or as sent.
    pub oid: Arc<str>,
    /// What its varbinds say.
    pub reading: Reading,
    /// Where.
    pub placed: Placed,
    /// What it is about.
    pub entity: EntityId,
    /// What is wrong with the place, if that is why the entity is another than the row's scope.
    pub issue: Option<Issue>,
    /// What it says about that entity's state.
    pub effect: Effect,
}

impl<'c> Decoded<'c> {
    /// Decodes a trap of a sender.
    pub fn new(catalogue: &'c Catalogue, pdu: &TrapPdu<'_>, root: &Root) -> Self {
        let row = find_row(catalogue, pdu);
        let reading = Reading::of(catalogue, pdu);
        let placed = reading.place.placed();
        let target = row.map_or(Target::root(root), |row| target(row, &placed, root));
        let effect = match row {
            Some(row) if target.exact => effect(row, &reading),
            _ => Effect::Nothing,
        };
        Self {
            row,
            oid: row.map_or_else(|| pdu.trap_oid.to_string().into(), |row| row.oid.clone()),
            reading,
            placed,
            entity: target.entity,
            issue: target.issue.or(placed.issue),
            effect,
        }
    }

    /// Our name of it.
    pub fn event(&self) -> Arc<str> {
        self.row.map_or_else(|| UNKNOWN_TRAP.into(), |row| row.event.clone())
    }

    /// Begins, ends, or just happens.
    pub fn phase(&self) -> Phase {
        self.row.map_or(Phase::Event, |row| row.phase)
    }

    /// How bad: nothing for a clear, for what comes up, and for a status without a word of ours.
    pub fn severity(&self) -> Option<Severity> {
        let Some(row) = self.row else {
            return Some(Severity::Indeterminate);
        };
        let by_status = matches!(row.effect, RowEffect::RunState | RowEffect::BoardStatus(_));
        match self.effect {
            Effect::Run { up: true } | Effect::State(State::Normal) => None,
            Effect::Nothing if by_status => None,
            _ => row.severity,
        }
    }

    /// The detail for people: what was said, and the parts of the place that the entity does not name.
    pub fn detail(&self) -> BTreeMap<&'static str, DetailValue> {
        let mut detail = self.reading.detail.clone();
        let kind = self.entity.kind();
        let named = match kind {
            model::Kind::Onu => 4,
            model::Kind::Pon => 3,
            model::Kind::Board => 2,
            _ => 0,
        };
        let said = &self.reading.place;
        let parts = [
            ("frame", self.placed.frame.map(i64::from).or(said.frame)),
            ("slot", self.placed.slot.map(i64::from).or(said.slot)),
            ("port", self.placed.port.map(i64::from).or(said.port)),
            ("ont_id", self.placed.ont.map(i64::from).or(said.ont)),
        ];
        for (name, value) in parts.into_iter().skip(named) {
            if let Some(value) = value {
                detail.insert(name, DetailValue::Number(value));
            }
        }
        if let Some(issue) = self.issue {
            detail.insert("issue", DetailValue::Text(issue.as_str().to_owned()));
        }
        detail
    }

    /// The happening that later steps take.
    pub fn happening(mut self, record: &TrapReceived, seen: Seen) -> Happening {
        let mut detail: BTreeMap<String, String> = self
            .detail()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into_text()))
            .collect();
        let strangers = std::mem::take(&mut self.reading.strangers);
        detail.extend(strangers.into_iter().map(|(oid, value)| (oid, value.into_text())));
        if let Some(inner) = record.inner_address.as_ref().filter(|inner| **inner != record.sender) {
            detail.insert("inner_address".to_owned(), inner.clone());
        }
        if let Some(relay) = &record.relay {
            detail.insert("relay".to_owned(), relay.clone());
        }
        let about_onu = self.entity.kind() == model::Kind::Onu;
        Happening {
            event: self.event(),
            phase: self.phase(),
            effect: self.effect,
            seen,
            severity: self.severity(),
            trap_oid: Some(self.oid.clone()),
            serial: self.reading.serial.filter(|_| about_onu),
            model: self.reading.model.take().filter(|_| about_onu),
            detail,
            fingerprint: Some(Fingerprint {
                hash: fingerprint(record),
                within: match record.version {
                    SnmpVersion::V1 => Fingerprint::DOUBLED,
                    SnmpVersion::V2c | SnmpVersion::V3 => Fingerprint::RESENT,
                },
            }),
            read_at: None,
            entity: self.entity,
        }
    }
}

/// By the trap's OID; a v1 enterprise that already ends in `.0` gets its specific number without another one.
fn find_row<'c>(catalogue: &'c Catalogue, pdu: &TrapPdu<'_>) -> Option<&'c TrapRow> {
    catalogue.trap(&pdu.trap_oid).or_else(|| match pdu.kind {
        Kind::V1 {
            enterprise,
            generic: 6,
            specific,
            ..
        } => catalogue.trap(&under(enterprise, specific)?),
        _ => None,
    })
}

fn under(enterprise: Oid, specific: i32) -> Option<Oid> {
    enterprise.push(u32::try_from(specific).ok()?)
}

struct Target {
    entity: EntityId,
    /// The entity is what the row's scope says; otherwise the trap says nothing about its state.
    exact: bool,
    issue: Option<Issue>,
}

impl Target {
    fn root(root: &Root) -> Self {
        Self {
            entity: root.entity(),
            exact: true,
            issue: None,
        }
    }

    fn exact(entity: EntityId) -> Self {
        Self {
            entity,
            exact: true,
            issue: None,
        }
    }

    fn inexact(entity: EntityId, issue: Option<Issue>) -> Self {
        Self {
            entity,
            exact: false,
            issue,
        }
    }
}

/// The entity that a row's scope and the place name, or the nearest one above it.
fn target(row: &TrapRow, placed: &Placed, root: &Root) -> Target {
    let pon = |p: Port| root.pon(p.frame, p.slot, p.port);
    let board = |(frame, slot)| root.board(frame, slot);
    let missing = placed.issue.or(Some(Issue::PlaceMissing));
    let nowhere = || Target::inexact(placed.board().map_or_else(|| root.entity(), board), missing);
    match row.scope {
        Scope::Frame | Scope::System => Target::root(root),
        Scope::Ont => match (placed.onu(), placed.port()) {
            (Some(place), _) => Target::exact(root.onu(place)),
            // Autofind: the ONU has no id yet.
            (None, Some(port)) if !row.names_onu => Target::inexact(pon(port), None),
            (None, Some(port)) => Target::inexact(pon(port), missing),
            (None, None) => nowhere(),
        },
        Scope::Port | Scope::Interface => match placed.port() {
            Some(port) if placed.ethernet => Target::inexact(board((port.frame, port.slot)), None),
            Some(port) => Target::exact(pon(port)),
            None if row.scope == Scope::Interface => Target::inexact(root.entity(), placed.issue),
            None => nowhere(),
        },
        Scope::Ethernet | Scope::Board => match placed.board() {
            Some(place) if row.scope == Scope::Ethernet => Target::inexact(board(place), None),
            Some(place) => Target::exact(board(place)),
            None => nowhere(),
        },
    }
}

fn effect(row: &TrapRow, reading: &Reading) -> Effect {
    match row.effect {
        RowEffect::Nothing => Effect::Nothing,
        RowEffect::Fault(fault) => Effect::Fault(fault),
        RowEffect::RunState => reading.run_up.map_or(Effect::Nothing, |up| Effect::Run { up }),
        RowEffect::BoardStatus(default) => reading.board.unwrap_or(default).map_or(Effect::Nothing, Effect::State),
        RowEffect::State(state) => Effect::State(state),
    }
}

/// FNV-1a (64 bits) over the sender and the PDU, which holds request id, trap OID, sysUpTime and varbinds: a resent
/// inform has the same bytes. Written here because its value must be the same in every build.
fn fingerprint(record: &TrapReceived) -> u64 {
    let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = record.sender.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, fnv);
    record.pdu.iter().fold(fnv(hash, &0), fnv)
}
