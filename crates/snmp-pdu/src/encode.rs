//! Writes notifications and the answer to an inform: for the listener, the simulator and tests.

use crate::ber::tag;
use crate::{Oid, SNMP_TRAP_OID, SYS_UP_TIME, TrapPdu, Value, Version};

/// A v1 `Trap-PDU` to be written.
#[derive(Debug, Clone, Copy)]
pub struct V1Trap {
    /// What the trap is under.
    pub enterprise: Oid,
    /// The agent's own address.
    pub agent_addr: [u8; 4],
    /// 0 to 6; 6 where `specific` says what it is.
    pub generic: u8,
    /// Number of the trap under `enterprise`.
    pub specific: i32,
    /// Hundredths of a second since the agent started.
    pub uptime: u32,
}

/// A v2 notification to be written.
#[derive(Debug, Clone, Copy)]
pub struct V2Notification {
    /// Echoed by the answer to an inform.
    pub request_id: i32,
    /// Hundredths of a second since the agent started.
    pub uptime: u32,
    /// What happened.
    pub trap_oid: Oid,
}

/// The PDU of a v1 trap.
pub fn v1_trap(trap: &V1Trap, varbinds: &[(Oid, Value<'_>)]) -> Vec<u8> {
    let mut content = Vec::with_capacity(128);
    put_oid(&mut content, &trap.enterprise);
    put(&mut content, tag::IP_ADDRESS, &trap.agent_addr);
    put_int(&mut content, tag::INTEGER, i128::from(trap.generic));
    put_int(&mut content, tag::INTEGER, i128::from(trap.specific));
    put_int(&mut content, tag::TIME_TICKS, i128::from(trap.uptime));
    put_list(&mut content, varbinds);
    wrap(tag::V1_TRAP, &content)
}

/// The PDU of a v2c trap; `sysUpTime.0` and `snmpTrapOID.0` are put in front of `varbinds`.
pub fn v2_trap(trap: &V2Notification, varbinds: &[(Oid, Value<'_>)]) -> Vec<u8> {
    v2(tag::V2_TRAP, trap, varbinds)
}

/// The PDU of an inform; as [`v2_trap`].
pub fn inform(inform: &V2Notification, varbinds: &[(Oid, Value<'_>)]) -> Vec<u8> {
    v2(tag::INFORM, inform, varbinds)
}

/// The `Response-PDU` to an inform: same request id, same varbinds byte for byte, no error (RFC 3416 §4.2.7). `None` for a
/// v1 trap, which has no request id; a v2 trap's sender expects no answer.
pub fn response(to: &TrapPdu<'_>) -> Option<Vec<u8>> {
    let mut content = Vec::with_capacity(to.list.len() + 16);
    put_int(&mut content, tag::INTEGER, i128::from(to.request_id?));
    put_int(&mut content, tag::INTEGER, 0);
    put_int(&mut content, tag::INTEGER, 0);
    content.extend_from_slice(to.list);
    Some(wrap(tag::RESPONSE, &content))
}

/// A datagram: version, community and PDU.
pub fn message(version: Version, community: &[u8], pdu: &[u8]) -> Vec<u8> {
    let number = match version {
        Version::V1 => 0,
        Version::V2c => 1,
        Version::V3 => 3,
    };
    let mut content = Vec::with_capacity(pdu.len() + community.len() + 16);
    put_int(&mut content, tag::INTEGER, number);
    put(&mut content, tag::OCTET_STRING, community);
    content.extend_from_slice(pdu);
    wrap(tag::SEQUENCE, &content)
}

fn v2(kind: u8, head: &V2Notification, varbinds: &[(Oid, Value<'_>)]) -> Vec<u8> {
    let mut content = Vec::with_capacity(128);
    put_int(&mut content, tag::INTEGER, i128::from(head.request_id));
    put_int(&mut content, tag::INTEGER, 0);
    put_int(&mut content, tag::INTEGER, 0);
    let first = [
        (SYS_UP_TIME, Value::TimeTicks(head.uptime)),
        (SNMP_TRAP_OID, Value::Oid(head.trap_oid)),
    ];
    let all: Vec<_> = first.iter().chain(varbinds).copied().collect();
    put_list(&mut content, &all);
    wrap(kind, &content)
}

/// A `VarBindList`.
pub fn put_list(out: &mut Vec<u8>, varbinds: &[(Oid, Value<'_>)]) {
    let mut list = Vec::with_capacity(varbinds.len() * 24);
    for (oid, value) in varbinds {
        let mut pair = Vec::with_capacity(32);
        put_oid(&mut pair, oid);
        put_value(&mut pair, value);
        put(&mut list, tag::SEQUENCE, &pair);
    }
    put(out, tag::SEQUENCE, &list);
}

fn put_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match *value {
        Value::Integer(n) => put_int(out, tag::INTEGER, i128::from(n)),
        Value::OctetString(octets) => put(out, tag::OCTET_STRING, octets),
        Value::Oid(oid) => put_oid(out, &oid),
        Value::IpAddress(address) => put(out, tag::IP_ADDRESS, &address),
        Value::Counter32(n) => put_int(out, tag::COUNTER32, i128::from(n)),
        Value::Gauge32(n) => put_int(out, tag::GAUGE32, i128::from(n)),
        Value::TimeTicks(n) => put_int(out, tag::TIME_TICKS, i128::from(n)),
        Value::Opaque(octets) => put(out, tag::OPAQUE, octets),
        Value::Counter64(n) => put_int(out, tag::COUNTER64, i128::from(n)),
        Value::Null => put(out, tag::NULL, &[]),
        Value::NoSuchObject => put(out, tag::NO_SUCH_OBJECT, &[]),
        Value::NoSuchInstance => put(out, tag::NO_SUCH_INSTANCE, &[]),
        Value::EndOfMibView => put(out, tag::END_OF_MIB_VIEW, &[]),
    }
}

fn put_oid(out: &mut Vec<u8>, oid: &Oid) {
    put(out, tag::OID, &oid_content(oid));
}

pub(crate) fn oid_content(oid: &Oid) -> Vec<u8> {
    let mut content = Vec::with_capacity(oid.arcs().len() + 8);
    let (first, rest) = match oid.arcs() {
        [] => (0, &[][..]),
        [first] => (u64::from(*first) * 40, &[][..]),
        [first, second, rest @ ..] => (u64::from(*first) * 40 + u64::from(*second), rest),
    };
    put_base128(&mut content, first);
    for &arc in rest {
        put_base128(&mut content, u64::from(arc));
    }
    content
}

fn put_base128(out: &mut Vec<u8>, value: u64) {
    let mut shift = 63;
    while shift > 0 && value >> shift == 0 {
        shift -= 7;
    }
    while shift > 0 {
        out.push(0x80 | low_octet(value >> shift) & 0x7F);
        shift -= 7;
    }
    out.push(low_octet(value) & 0x7F);
}

fn low_octet(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

/// An integer: two's complement in as few octets as it takes.
pub fn put_int(out: &mut Vec<u8>, tag: u8, value: i128) {
    let octets = value.to_be_bytes();
    let mut start = 0;
    while start < octets.len() - 1 {
        let padding =
            (octets[start] == 0x00 && octets[start + 1] < 0x80) || (octets[start] == 0xFF && octets[start + 1] >= 0x80);
        if !padding {
            break;
        }
        start += 1;
    }
    put(out, tag, &octets[start..]);
}

/// One element with this content.
pub fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 6);
    put(&mut out, tag, content);
    out
}

/// Tag, shortest definite length, content.
pub fn put(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|&&b| b == 0).count().min(length.len() - 1)..];
    match digits {
        [short @ 0..=0x7F] => out.push(*short),
        _ => {
            out.push(0x80 | low_octet(digits.len() as u64));
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(content);
}
