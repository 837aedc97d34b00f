//! What we make of a datagram, for people: `atalaia decode trap`. Never shows a community.

use serde::Serialize;
use serde_json::{Value as Json, json};
use snmp_pdu::{Kind, Message, PduError, TrapPdu, Value, Varbind};

/// A datagram, explained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// `trap`, `v3_not_opened` or `undecodable`.
    pub verdict: &'static str,
    /// `1`, `2c`, `3`; none for a bare PDU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'static str>,
    /// How long the community is: all that is shown of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community_bytes: Option<usize>,
    /// The notification, as far as it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trap: Option<ExplainedTrap>,
    /// Why not, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ExplainedError>,
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedTrap {
    /// `trap` (v1), `trap2` or `inform`.
    pub pdu_type: &'static str,
    /// `request-id` of v2.
    pub request_id: Option<i32>,
    /// What happened, in v2's form (RFC 3584 §3.1 for v1).
    pub trap_oid: String,
    /// v1's `enterprise`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise: Option<String>,
    /// v1's `generic-trap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generic_trap: Option<u8>,
    /// v1's `specific-trap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specific_trap: Option<i32>,
    /// Address of the agent as written inside.
    pub inner_address: Option<String>,
    /// Hundredths of a second since the agent started.
    pub sys_uptime_hundredths: Option<u32>,
    /// In the order sent.
    pub varbinds: Vec<ExplainedVarbind>,
}

/// A varbind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedVarbind {
    /// Its name.
    pub oid: String,
    /// Type of its value.
    #[serde(rename = "type")]
    pub value_type: &'static str,
    /// Its value: numbers as numbers, octets as `{hex, text}` (text where all of it is printable).
    pub value: Json,
}

/// Why bytes are no notification.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedError {
    /// A word of the closed set that is also the metric's label.
    pub reason: &'static str,
    /// The byte, counted from the message's start, or from its PDU's where `in_pdu`.
    pub at: usize,
    /// What was being read.
    pub field: &'static str,
    /// Whether the message around the PDU was well formed.
    pub in_pdu: bool,
}

/// Reads a whole datagram, or a bare PDU as a record keeps it. Total: never panics.
pub fn explain(bytes: &[u8]) -> Explanation {
    if matches!(bytes.first(), Some(0xA4 | 0xA6 | 0xA7)) {
        return of_pdu(bytes, None, None);
    }
    match Message::parse(bytes) {
        Ok(Message::Community {
            version,
            community,
            pdu,
        }) => of_pdu(pdu, Some(version.as_str()), Some(community.len())),
        Ok(Message::V3) => Explanation {
            verdict: "v3_not_opened",
            version: Some("3"),
            community_bytes: None,
            trap: None,
            error: None,
        },
        Err(error) => undecodable(error, None, None, false),
    }
}

fn of_pdu(pdu: &[u8], version: Option<&'static str>, community_bytes: Option<usize>) -> Explanation {
    match TrapPdu::parse(pdu) {
        Ok(trap) => Explanation {
            verdict: "trap",
            version,
            community_bytes,
            trap: Some(of_trap(&trap)),
            error: None,
        },
        Err(error) => undecodable(error, version, community_bytes, true),
    }
}

fn undecodable(
    error: PduError,
    version: Option<&'static str>,
    community_bytes: Option<usize>,
    in_pdu: bool,
) -> Explanation {
    let error = ExplainedError {
        reason: error.reason.as_str(),
        at: error.at,
        field: error.field,
        in_pdu,
    };
    Explanation {
        verdict: "undecodable",
        version,
        community_bytes,
        trap: None,
        error: Some(error),
    }
}

fn of_trap(trap: &TrapPdu<'_>) -> ExplainedTrap {
    let (pdu_type, v1) = match trap.kind {
        Kind::V1 {
            enterprise,
            generic,
            specific,
            ..
        } => ("trap", Some((enterprise.to_string(), generic, specific))),
        Kind::V2Trap => ("trap2", None),
        Kind::Inform => ("inform", None),
    };
    let (enterprise, generic_trap, specific_trap) = match v1 {
        Some((enterprise, generic, specific)) => (Some(enterprise), Some(generic), Some(specific)),
        None => (None, None, None),
    };
    ExplainedTrap {
        pdu_type,
        request_id: trap.request_id,
        trap_oid: trap.trap_oid.to_string(),
        enterprise,
        generic_trap,
        specific_trap,
        inner_address: trap.inner_address().map(|a| std::net::Ipv4Addr::from(a).to_string()),
        sys_uptime_hundredths: trap.sys_uptime,
        varbinds: trap.varbinds().map(|v| of_varbind(&v)).collect(),
    }
}

fn of_varbind(varbind: &Varbind<'_>) -> ExplainedVarbind {
    let value = match varbind.value {
        _ if varbind.is_community() => json!("(not shown)"),
        Value::Integer(n) => json!(n),
        Value::Counter32(n) | Value::Gauge32(n) | Value::TimeTicks(n) => json!(n),
        Value::Counter64(n) => json!(n),
        Value::OctetString(octets) | Value::Opaque(octets) => of_octets(octets),
        Value::Oid(oid) => json!(oid.to_string()),
        Value::IpAddress(address) => json!(std::net::Ipv4Addr::from(address).to_string()),
        Value::Null | Value::NoSuchObject | Value::NoSuchInstance | Value::EndOfMibView => Json::Null,
    };
    ExplainedVarbind {
        oid: varbind.oid.to_string(),
        value_type: varbind.value.type_name(),
        value,
    }
}

fn of_octets(octets: &[u8]) -> Json {
    let hex: String = octets.iter().map(|b| format!("{b:02x}")).collect();
    match std::str::from_utf8(octets) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => json!({ "hex": hex, "text": text }),
        _ => json!({ "hex": hex }),
    }
}
