//! snmp-parser as an independent reader of the same bytes. Where the two differ, the difference is one we know and can
//! defend; anything else fails.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::panic::catch_unwind;

use snmp_parser::{NetworkAddress, ObjectSyntax, SnmpPdu, VarBindValue, parse_snmp_v1, parse_snmp_v2c};
use snmp_pdu::encode::{self, V1Trap, V2Notification};
use snmp_pdu::{Kind, Message, Oid, Reason, TrapPdu, Value, Version};

/// What both say of a notification, in one form.
#[derive(Debug, PartialEq)]
struct Read {
    request_id: Option<u32>,
    v1: Option<(String, [u8; 4], u8, u32, u32)>,
    varbinds: Vec<(String, String)>,
}

fn ours(datagram: &[u8]) -> Result<Read, Reason> {
    let Message::Community { pdu, .. } = Message::parse(datagram).map_err(|e| e.reason)? else {
        return Err(Reason::Version);
    };
    let trap = TrapPdu::parse(pdu).map_err(|e| e.reason)?;
    let v1 = match trap.kind {
        Kind::V1 {
            enterprise,
            agent_addr,
            generic,
            specific,
        } => Some((
            enterprise.to_string(),
            agent_addr,
            generic,
            specific.cast_unsigned(),
            trap.sys_uptime.unwrap(),
        )),
        _ => None,
    };
    let text = |value: Value<'_>| match value {
        Value::OctetString(b) | Value::Opaque(b) => format!("{b:02x?}"),
        Value::Oid(oid) => oid.to_string(),
        Value::IpAddress(a) => format!("{a:?}"),
        Value::Integer(n) => n.to_string(),
        Value::Counter32(n) | Value::Gauge32(n) | Value::TimeTicks(n) => n.to_string(),
        Value::Counter64(n) => n.to_string(),
        other => other.type_name().to_owned(),
    };
    Ok(Read {
        request_id: trap.request_id.map(i32::cast_unsigned),
        v1,
        varbinds: trap.varbinds().map(|v| (v.oid.to_string(), text(v.value))).collect(),
    })
}

fn theirs(datagram: &[u8], version: Version) -> Option<Read> {
    let parsed = catch_unwind(|| match version {
        Version::V1 => parse_snmp_v1(datagram).ok().map(|(rest, m)| (rest.len(), m)),
        _ => parse_snmp_v2c(datagram).ok().map(|(rest, m)| (rest.len(), m)),
    });
    let (rest, message) = parsed.ok()??;
    if rest > 0 {
        return None;
    }
    let (request_id, v1, vars) = match message.pdu {
        SnmpPdu::Generic(pdu) => (Some(pdu.req_id), None, pdu.var),
        SnmpPdu::TrapV1(pdu) => {
            let NetworkAddress::IPv4(address) = pdu.agent_addr;
            let head = (
                pdu.enterprise.to_id_string(),
                address.octets(),
                pdu.generic_trap.0,
                pdu.specific_trap,
            );
            (None, Some((head.0, head.1, head.2, head.3, pdu.timestamp)), pdu.var)
        }
        SnmpPdu::Bulk(_) => return None,
    };
    let text = |value: &VarBindValue<'_>| match value {
        VarBindValue::Value(ObjectSyntax::String(b) | ObjectSyntax::Opaque(b)) => format!("{b:02x?}"),
        VarBindValue::Value(ObjectSyntax::Object(oid)) => oid.to_id_string(),
        VarBindValue::Value(ObjectSyntax::IpAddress(NetworkAddress::IPv4(a))) => format!("{:?}", a.octets()),
        VarBindValue::Value(ObjectSyntax::Number(n)) => n.to_string(),
        VarBindValue::Value(ObjectSyntax::Counter32(n) | ObjectSyntax::Gauge32(n) | ObjectSyntax::TimeTicks(n)) => {
            n.to_string()
        }
        VarBindValue::Value(ObjectSyntax::Counter64(n)) => n.to_string(),
        VarBindValue::Unspecified => "null".to_owned(),
        VarBindValue::NoSuchObject => "no_such_object".to_owned(),
        VarBindValue::NoSuchInstance => "no_such_instance".to_owned(),
        VarBindValue::EndOfMibView => "end_of_mib_view".to_owned(),
        other => format!("{other:?}"),
    };
    let varbinds = vars.iter().map(|v| (v.oid.to_id_string(), text(&v.val))).collect();
    Some(Read {
        request_id,
        v1,
        varbinds,
    })
}

fn samples() -> Vec<(Version, Vec<u8>)> {
    let oid = |text: &str| text.parse::<Oid>().unwrap();
    let varbinds = [
        (oid("1.3.6.1.2.1.2.2.1.1.4194312192"), Value::Gauge32(4_194_312_192)),
        (oid("1.3.6.1.2.1.2.2.1.1.1"), Value::Integer(-100_655_104)),
        (
            oid("1.3.6.1.4.1.2011.6.128.1.1.2.48.1.2.1"),
            Value::OctetString(b"HWTC\x12\x34\xAB\xCD"),
        ),
        (oid("1.3.6.1.4.1.2011.6.1"), Value::Oid(oid("1.3.6.1.4.1.2011.2.248"))),
        (oid("1.3.6.1.4.1.2011.6.2"), Value::IpAddress([192, 0, 2, 1])),
        (oid("1.3.6.1.4.1.2011.6.3"), Value::Counter32(u32::MAX)),
        (oid("1.3.6.1.4.1.2011.6.4"), Value::TimeTicks(86_400)),
    ];
    let head = V2Notification {
        request_id: 77,
        uptime: 1_000,
        trap_oid: oid("1.3.6.1.6.3.1.1.5.3"),
    };
    let v1 = V1Trap {
        enterprise: oid("1.3.6.1.4.1.2011.6.3.8.3.3"),
        agent_addr: [192, 0, 2, 1],
        generic: 6,
        specific: 3,
        uptime: 42,
    };
    let v2 = [
        &varbinds[..],
        &[(oid("1.3.6.1.4.1.2011.6.5"), Value::Counter64(1 << 40))],
    ]
    .concat();
    vec![
        (
            Version::V2c,
            encode::message(Version::V2c, b"public", &encode::v2_trap(&head, &v2)),
        ),
        (
            Version::V2c,
            encode::message(Version::V2c, b"public", &encode::inform(&head, &v2)),
        ),
        (
            Version::V1,
            encode::message(Version::V1, b"public", &encode::v1_trap(&v1, &varbinds)),
        ),
    ]
}

#[test]
fn both_read_the_same_from_what_is_valid() {
    for (version, datagram) in samples() {
        assert_eq!(
            Some(ours(&datagram).unwrap()),
            theirs(&datagram, version),
            "{version:?}"
        );
    }
}

/// Every bit of every sample flipped. Both may refuse; what both take must read the same; what only one takes is of a kind
/// that is known.
#[test]
fn they_differ_only_where_we_know_why() {
    let mut both = 0;
    let mut only_ours = Vec::new();
    let mut only_theirs = std::collections::BTreeMap::<Reason, u32>::new();
    for (version, datagram) in samples() {
        for bit in 0..datagram.len() * 8 {
            let mut flipped = datagram.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match (ours(&flipped), theirs(&flipped, version)) {
                (Ok(ours), Some(theirs)) if ours == theirs => both += 1,
                (Ok(ours), Some(theirs)) => {
                    assert!(
                        has_wide_first_number(&ours),
                        "{version:?}, bit {bit}: {ours:?} is not {theirs:?}"
                    );
                }
                (Ok(_), None) => only_ours.push((version, flipped)),
                (Err(reason), Some(_)) => *only_theirs.entry(reason).or_default() += 1,
                (Err(_), None) => {}
            }
        }
    }
    println!(
        "both {both}, only ours {}, only theirs {only_theirs:?}",
        only_ours.len()
    );
    assert!(both > 1_000, "{both}");
    for (version, datagram) in only_ours {
        assert!(
            is_legal_but_refused_by_the_oracle(&datagram),
            "{version:?} {datagram:02x?}"
        );
    }
}

/// An object identifier under 2 with a second number over 47 takes two octets and more for its first sub-identifier
/// (X.690 §8.19.4); snmp-parser takes the first octet alone for it.
fn has_wide_first_number(read: &Read) -> bool {
    let wide = |text: &str| {
        let second = text
            .strip_prefix("2.")
            .and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
        second.is_some_and(|n| n > 47)
    };
    read.v1.as_ref().is_some_and(|v1| wide(&v1.0)) || read.varbinds.iter().any(|(oid, value)| wide(oid) || wide(value))
}

/// Forms that the standards allow and snmp-parser refuses.
fn is_legal_but_refused_by_the_oracle(datagram: &[u8]) -> bool {
    let Ok(Message::Community { community, pdu, .. }) = Message::parse(datagram) else {
        return false;
    };
    let trap = TrapPdu::parse(pdu).unwrap();
    // A community is octets, not text (RFC 1157 §4.1); a request-id may be below zero (RFC 3416 §3).
    std::str::from_utf8(community).is_err() || trap.request_id.is_some_and(|id| id < 0)
}

/// The constructed datagrams of `ATALAIA_RECORDINGS`: both readers agree, and the trap's OID is the one written beside.
#[test]
fn constructed_huawei_traps() {
    let Some(folder) = std::env::var_os("ATALAIA_RECORDINGS") else {
        println!("ATALAIA_RECORDINGS is not set: the constructed Huawei traps were not read");
        return;
    };
    let path = std::path::Path::new(&folder).join("huawei/traps-constructed.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut seen = 0;
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let hex = row["pdu_hex"].as_str().unwrap();
        let datagram: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect();
        let Ok(Message::Community { version, pdu, .. }) = Message::parse(&datagram) else {
            panic!("{row}")
        };
        let trap = TrapPdu::parse(pdu).unwrap();
        assert_eq!(
            trap.trap_oid.to_string(),
            row["trap_oid"].as_str().unwrap(),
            "{}",
            row["id"]
        );
        assert_eq!(
            Some(ours(&datagram).unwrap()),
            theirs(&datagram, version),
            "{}",
            row["id"]
        );
        seen += 1;
    }
    assert!(seen >= 10, "{seen} datagrams");
}
