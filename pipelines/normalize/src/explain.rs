//! `atalaia decode trap`: what the catalogue makes of a PDU, for people and scripts.

use std::collections::BTreeMap;

use model::Root;
use schemas::Phase;
use schemas::network::Effect;
use serde::Serialize;
use snmp_pdu::{PduError, TrapPdu};

use crate::catalogue::{Catalogue, Scope};
use crate::reading::DetailValue;
use crate::trap::Decoded;

/// One happening that a trap tells. Serialised as one flat object; what only this kind of trap says stands beside the
/// named fields by our names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// Our name of what happened; `unknown_trap` if it is not in the catalogue.
    pub event: String,
    /// Its OID.
    pub trap_oid: String,
    /// Its name in the MIB.
    pub name: Option<&'static str>,
    /// The MIB.
    pub mib: Option<&'static str>,
    /// ont, port, ethernet, board, frame, system, interface.
    pub scope: Option<&'static str>,
    /// What it happened to.
    pub entity: String,
    /// Frame.
    pub frame: Option<u8>,
    /// Slot.
    pub slot: Option<u8>,
    /// Port.
    pub port: Option<u8>,
    /// ONU id.
    pub ont_id: Option<u16>,
    /// raise, clear, event; for a run state up or down.
    pub state: &'static str,
    /// How bad.
    pub severity: Option<&'static str>,
    /// The sender's time since its start, in hundredths of a second.
    pub uptime: Option<u32>,
    /// The sender's address as written inside: an attribute, not believed.
    pub agent: Option<String>,
    /// What else it says.
    #[serde(flatten)]
    pub detail: BTreeMap<&'static str, DetailValue>,
    /// Varbinds that the catalogue does not know, by OID.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub raw: BTreeMap<String, DetailValue>,
}

/// Explains a PDU, as `normalize` would take it from this root.
///
/// # Errors
/// When the bytes are not a notification's PDU.
pub fn explain(pdu: &[u8], root: &Root) -> Result<Vec<Explained>, PduError> {
    let pdu = TrapPdu::parse(pdu)?;
    let catalogue = Catalogue::builtin();
    let decoded = Decoded::new(catalogue, &pdu, root);
    let mut detail = decoded.detail();
    for named in ["frame", "slot", "port", "ont_id"] {
        detail.remove(named);
    }
    Ok(vec![Explained {
        event: decoded.event().to_string(),
        trap_oid: decoded.oid.to_string(),
        name: decoded.row.map(|row| row.name),
        mib: decoded.row.map(|row| row.mib),
        scope: decoded.row.map(|row| scope_word(row.scope)),
        entity: decoded.entity.to_string(),
        frame: decoded.placed.frame,
        slot: decoded.placed.slot,
        port: decoded.placed.port,
        ont_id: decoded.placed.ont,
        state: match (decoded.effect, decoded.phase()) {
            (Effect::Run { up: true }, _) => "up",
            (Effect::Run { up: false }, _) => "down",
            (_, Phase::Raise) => "raise",
            (_, Phase::Clear) => "clear",
            (_, Phase::Event) => "event",
        },
        severity: decoded.severity().map(model::Severity::as_str),
        uptime: pdu.sys_uptime,
        agent: pdu.inner_address().map(|[a, b, c, d]| format!("{a}.{b}.{c}.{d}")),
        detail,
        raw: decoded.reading.strangers,
    }])
}

fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::Ont => "ont",
        Scope::Port => "port",
        Scope::Ethernet => "ethernet",
        Scope::Board => "board",
        Scope::Frame => "frame",
        Scope::System => "system",
        Scope::Interface => "interface",
    }
}
