//! Ports of the device and of ONUs: `display port info`, `display ont port state`, `display ont port vlan`, `display ont gemport`.

use serde::Serialize;

use super::body::Body;
use super::issue::{Notes, Problem};
use super::label::Raw;
use super::listing::{Listing, Total, parts};
use super::table::Words;
use super::value::{self, PortPlace};

/// A PON port's settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PortInfo<'s> {
    /// Line it begins at.
    #[serde(skip)]
    pub line: u32,
    /// Which port.
    #[serde(flatten)]
    pub place: PortPlace,
    /// Nearest distance of an ONU.
    pub distance_km_min: Option<u32>,
    /// Furthest distance of an ONU.
    pub distance_km_max: Option<u32>,
    /// Guaranteed bandwidth that is left.
    pub left_guaranteed_bandwidth_kbps: Option<u64>,
    /// Whether it looks for new ONUs.
    pub autofind: Option<&'s str>,
    /// Whether the operator has it on.
    pub admin_state: Option<&'s str>,
    /// The rest, under the device's words.
    pub raw: Raw<'s>,
}

/// Reads `display port info`: label and value without a colon between.
pub fn info<'s>(body: &Body<'s>, notes: &mut Notes) -> Option<Vec<PortInfo<'s>>> {
    let mut ports: Vec<PortInfo<'s>> = Vec::new();
    for part in parts(&body.lines) {
        if !part.closed {
            notes.loss(body.end, 1, Problem::NotClosed);
        }
        for line in part.lines {
            let text = line.text.trim_ascii();
            let Some((label, value)) = text.split_once("  ").map(|(label, value)| (label, value.trim_ascii())) else {
                // A part of one line is a title (`Channel 0 Information`); else a label without a value.
                if part.lines.len() > 1 || ports.is_empty() {
                    notes.doubt(line.number, 1, Problem::NotUnderstood);
                }
                continue;
            };
            if label == "F/S/P" {
                let place = value::port_place(value)?;
                ports.push(PortInfo {
                    line: line.number,
                    place,
                    distance_km_min: None,
                    distance_km_max: None,
                    left_guaranteed_bandwidth_kbps: None,
                    autofind: None,
                    admin_state: None,
                    raw: Raw::default(),
                });
                continue;
            }
            let port = ports.last_mut()?;
            if !port.field(label, value) {
                notes.doubt(
                    line.number,
                    line.column_of(value),
                    Problem::BadValue { field: "port info" },
                );
            }
        }
    }
    (!ports.is_empty()).then_some(ports)
}

impl<'s> PortInfo<'s> {
    /// Whether the value fits its field.
    fn field(&mut self, label: &'s str, text: &'s str) -> bool {
        let fits = match label {
            "Min distance(km)" => set(&mut self.distance_km_min, value::number(text)),
            "Max distance(km)" => set(&mut self.distance_km_max, value::number(text)),
            "Left guaranteed bandwidth(kbps)" => set(&mut self.left_guaranteed_bandwidth_kbps, value::whole(text)),
            "Autofind" => set(&mut self.autofind, value::present(text)),
            "Admin State" => set(&mut self.admin_state, value::present(text)),
            _ => {
                self.raw.cell(label, text);
                return true;
            }
        };
        if !fits && value::present(text).is_some() {
            self.raw.cell(label, text);
            return false;
        }
        true
    }
}

fn set<T>(field: &mut Option<T>, value: Option<T>) -> bool {
    *field = value;
    field.is_some()
}

/// A port of an ONU.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnuPortState<'s> {
    /// ONU id; the port is the command's.
    pub onu: u16,
    /// Number of the ONU's port.
    pub onu_port: u16,
    /// `GE`, `ETH`, …
    pub port_type: Option<&'s str>,
    /// Speed.
    pub speed_mbps: Option<u32>,
    /// `full`, `half`.
    pub duplex: Option<&'s str>,
    /// `up`, `down`.
    pub link_state: Option<&'s str>,
    /// `noloop`, …
    pub ring_status: Option<&'s str>,
}

const STATES: Listing = Listing {
    table: "ONU port",
    heads: &[&[
        "ONT-ID ONT ONT Speed(Mbps) Duplex LinkState RingStatus",
        "port-ID Port-type",
    ]],
    total: Total::None,
    indent_max: 10,
};

/// Reads `display ont port state`; null if the head is another.
pub fn onu_states<'s>(body: &Body<'s>, notes: &mut Notes) -> Option<Vec<OnuPortState<'s>>> {
    STATES.read(body, notes, |line, notes| {
        let [onu, port, kind, speed, duplex, link, ring] = Words::of(line.text).exactly()?;
        let speed_mbps = value::number(speed);
        if speed_mbps.is_none() && value::present(speed).is_some() {
            notes.doubt(
                line.number,
                line.column_of(speed),
                Problem::BadValue { field: "speed_mbps" },
            );
        }
        Some(OnuPortState {
            onu: value::number(onu)?,
            onu_port: value::number(port)?,
            port_type: value::present(kind),
            speed_mbps,
            duplex: value::present(duplex),
            link_state: value::present(link),
            ring_status: value::present(ring),
        })
    })
}

/// A VLAN translation of an ONU's port.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnuPortVlan<'s> {
    /// Customer VLAN.
    pub c_vlan: Option<&'s str>,
    /// Customer priority.
    pub c_priority: Option<&'s str>,
    /// Ethernet type.
    pub ethernet_type: Option<&'s str>,
    /// Kind of translation.
    pub vlan_type: Option<&'s str>,
    /// Type of the ONU's port.
    pub port_type: Option<&'s str>,
    /// Number of the ONU's port.
    pub onu_port: Option<u16>,
    /// Service VLAN.
    pub s_vlan: Option<&'s str>,
    /// Service priority.
    pub s_priority: Option<&'s str>,
    /// Where the service priority comes from.
    pub s_priority_policy: Option<&'s str>,
}

const VLANS: Listing = Listing {
    table: "ONU port VLAN",
    heads: &[&[
        "C-VLAN C-PRI ETH-type VLAN-type Port Port S-VLAN S-PRI S-PRI",
        "type ID POLICY",
    ]],
    total: Total::None,
    indent_max: 6,
};

/// Reads `display ont port vlan`; null if the head is another.
pub fn onu_vlans<'s>(body: &Body<'s>, notes: &mut Notes) -> Option<Vec<OnuPortVlan<'s>>> {
    VLANS.read(body, notes, |line, _| {
        let words = Words::of(line.text).exactly::<9>()?.map(value::present);
        let [
            c_vlan,
            c_priority,
            ethernet_type,
            vlan_type,
            port_type,
            port,
            s_vlan,
            s_priority,
            s_priority_policy,
        ] = words;
        let onu_port = port.map(|port| value::number(port).ok_or(())).transpose().ok()?;
        Some(OnuPortVlan {
            c_vlan,
            c_priority,
            ethernet_type,
            vlan_type,
            port_type,
            onu_port,
            s_vlan,
            s_priority,
            s_priority_policy,
        })
    })
}

/// A GEM port of an ONU.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GemPort<'s> {
    /// Where the ONU hangs.
    #[serde(flatten)]
    pub place: Option<PortPlace>,
    /// Its id on the port.
    pub onu: Option<u16>,
    /// Number of the GEM port.
    pub gem_port: u32,
    /// T-CONT it belongs to.
    pub t_cont: Option<u32>,
    /// Kind of service.
    pub service_type: Option<&'s str>,
    /// Whether it is encrypted.
    pub encrypt: Option<&'s str>,
    /// Queue upstream.
    pub upstream_queue: Option<&'s str>,
    /// Queue downstream.
    pub downstream_queue: Option<&'s str>,
    /// Traffic table.
    pub traffic_table: Option<&'s str>,
}

const GEMS: Listing = Listing {
    table: "GEM port",
    heads: &[&[
        "GEM port T-CONT Service Encrypt Up Down Traffic",
        "ID ID type PQ PQ table index",
    ]],
    total: Total::After("The number of GEM ports is"),
    indent_max: 6,
};

/// Reads `display ont gemport`; null if the head is another.
pub fn gems<'s>(body: &Body<'s>, notes: &mut Notes) -> Option<Vec<GemPort<'s>>> {
    // `F/S/P: 0/0/0     ONT ID: 5` stands above the table.
    let mut lines = body.lines.clone();
    let title = lines
        .iter()
        .position(|line| line.text.trim_ascii_start().starts_with("F/S/P:"));
    let (mut place, mut onu) = (None, None);
    if let Some(at) = title {
        let line = lines.remove(at);
        let rest = line.text.trim_ascii().strip_prefix("F/S/P:").unwrap_or_default();
        let (port, id) = rest.split_once("ONT ID:").unwrap_or((rest, ""));
        (place, onu) = (value::port_place(port), value::number(id.trim_ascii()));
        if place.is_none() || onu.is_none() {
            notes.loss(line.number, 1, Problem::NotUnderstood);
        }
    }
    let body = Body {
        lines,
        unasked: Vec::new(),
        end: body.end,
        ended: body.ended,
    };
    GEMS.read(&body, notes, |line, _| {
        let [gem, t_cont, service, encrypt, up, down, traffic] = Words::of(line.text).exactly()?;
        Some(GemPort {
            place,
            onu,
            gem_port: value::number(gem)?,
            t_cont: value::number(t_cont),
            service_type: value::present(service),
            encrypt: value::present(encrypt),
            upstream_queue: value::present(up),
            downstream_queue: value::present(down),
            traffic_table: value::present(traffic),
        })
    })
}
