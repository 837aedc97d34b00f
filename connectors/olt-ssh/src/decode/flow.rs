//! Flows and addresses: `display service-port`, `display mac-address`, `display location`.

use serde::Serialize;

use super::body::Body;
use super::issue::Notes;
use super::listing::{Listing, Total};
use super::screen::Line;
use super::table::Words;
use super::value::{self, PortPlace};

/// A service-port.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServicePort<'s> {
    /// Index.
    pub index: u32,
    /// VLAN.
    pub vlan: Option<u16>,
    /// `common` and the like.
    pub vlan_attribute: Option<&'s str>,
    /// `gpon`, `eth`, …
    pub port_type: Option<&'s str>,
    /// Port.
    #[serde(flatten)]
    pub place: Option<PortPlace>,
    /// ONU id (the device says VPI).
    pub onu: Option<u16>,
    /// GEM index (the device says VCI).
    pub gem_index: Option<u32>,
    /// Kind of flow.
    pub flow_type: Option<&'s str>,
    /// Parameter of the flow: the customer's VLAN for kind `vlan`.
    pub flow_parameter: Option<&'s str>,
    /// Traffic table from the customer.
    pub rx_traffic_table: Option<u32>,
    /// Traffic table to the customer.
    pub tx_traffic_table: Option<u32>,
    /// `up`, `down`.
    pub state: Option<&'s str>,
}

const SERVICE_PORTS: Listing = Listing {
    table: "service-port",
    heads: &[&[
        "INDEX VLAN VLAN PORT F/ S/ P VPI VCI FLOW FLOW RX TX STATE",
        "ID ATTR TYPE TYPE PARA",
    ]],
    total: Total::After("Total"),
    indent_max: 10,
};

/// Reads the table; null if it is another (one index has labels).
pub fn service_ports<'s>(body: &Body<'s>, notes: &mut Notes) -> Option<Vec<ServicePort<'s>>> {
    SERVICE_PORTS.read(body, notes, |line, _| service_port(line))
}

/// `    5827 2    common   gpon 0/1 /0  0    1     vlan  2          -    -    up`
fn service_port(line: Line<'_>) -> Option<ServicePort<'_>> {
    let [
        index,
        vlan,
        attribute,
        kind,
        place,
        onu,
        gem,
        flow,
        parameter,
        rx,
        tx,
        state,
    ] = Words::of(line.text).exactly()?;
    let place = optional(place, value::port_place)?;
    Some(ServicePort {
        index: value::number(index)?,
        vlan: optional(vlan, value::number)?,
        vlan_attribute: value::present(attribute),
        port_type: value::present(kind),
        place,
        onu: optional(onu, value::number)?,
        gem_index: optional(gem, value::number)?,
        flow_type: value::present(flow),
        flow_parameter: value::present(parameter),
        rx_traffic_table: optional(rx, value::number)?,
        tx_traffic_table: optional(tx, value::number)?,
        state: value::present(state),
    })
}

/// A value or `-`; `None` if it is neither.
fn optional<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    match value::present(text) {
        None => Some(None),
        Some(text) => read(text).map(Some),
    }
}

/// A MAC address a port learnt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MacAddress<'s> {
    /// Service-port it came over.
    pub service_port: Option<u32>,
    /// Bundle.
    pub bundle: Option<u32>,
    /// `gpon`, `eth`, …
    pub port_type: Option<&'s str>,
    /// The address.
    pub mac: &'s str,
    /// `dynamic`, `static`.
    pub mac_type: Option<&'s str>,
    /// Port.
    #[serde(flatten)]
    pub place: PortPlace,
    /// ONU id (the device says VPI).
    pub onu: Option<u16>,
    /// GEM index (the device says VCI).
    pub gem_index: Option<u32>,
    /// VLAN.
    pub vlan: Option<u16>,
}

const MACS: Listing = Listing {
    table: "MAC address",
    heads: &[&["SRV-P BUNDLE TYPE MAC MAC TYPE F /S /P VPI VCI VLAN ID", "INDEX INDEX"]],
    total: Total::Perhaps("Total"),
    indent_max: 12,
};

/// Reads `display mac-address` and `display location`; null if the table is another.
pub fn macs<'s>(body: &Body<'s>, notes: &mut Notes) -> Option<Vec<MacAddress<'s>>> {
    MACS.read(body, notes, |line, _| {
        let [service_port, bundle, kind, mac, mac_type, place, onu, gem, vlan] = Words::of(line.text).exactly()?;
        Some(MacAddress {
            service_port: optional(service_port, value::number)?,
            bundle: optional(bundle, value::number)?,
            port_type: value::present(kind),
            mac: value::present(mac)?,
            mac_type: value::present(mac_type),
            place: value::port_place(place)?,
            onu: optional(onu, value::number)?,
            gem_index: optional(gem, value::number)?,
            vlan: optional(vlan, value::number)?,
        })
    })
}

/// A MAC address behind an ONU's port.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnuMacAddress<'s> {
    /// Port.
    #[serde(flatten)]
    pub place: PortPlace,
    /// ONU id.
    pub onu: u16,
    /// Type of the ONU's port.
    pub onu_port_type: Option<&'s str>,
    /// Number of the ONU's port.
    pub onu_port: Option<u16>,
    /// The address.
    pub mac: &'s str,
    /// VLAN.
    pub vlan: Option<u16>,
}

const ONU_MACS: Listing = Listing {
    table: "MAC address",
    heads: &[&["F/S/P ONTID ONT ONT MAC-ADDRESS VLAN", "port-type port-ID"]],
    total: Total::After("Total"),
    indent_max: 6,
};

/// Reads `display mac-address ont`; null if the table is another.
pub fn onu_macs<'s>(body: &Body<'s>, notes: &mut Notes) -> Option<Vec<OnuMacAddress<'s>>> {
    ONU_MACS.read(body, notes, |line, _| {
        let [place, onu, kind, port, mac, vlan] = Words::of(line.text).exactly()?;
        Some(OnuMacAddress {
            place: value::port_place(place)?,
            onu: value::number(onu)?,
            onu_port_type: value::present(kind),
            onu_port: optional(port, value::number)?,
            mac: value::present(mac)?,
            vlan: optional(vlan, value::number)?,
        })
    })
}
