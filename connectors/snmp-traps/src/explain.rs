//! What we make of a datagram, for people: `atalaia decode trap`. Never shows a community or a digest, and opens nothing
//! that is encrypted: it has no keys.

use serde::Serialize;
use serde_json::{Value as Json, json};
use snmp_pdu::{Kind, Message, PduError, TrapPdu, Value, Varbind};
use snmp_usm::{Data, V3Error, V3Message};

/// A datagram, explained.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Explanation {
    /// `trap`, `v3_encrypted`, `v3_refused` or `undecodable`.
    pub verdict: &'static str,
    /// `1`, `2c`, `3`; none for a bare PDU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'static str>,
    /// How long the community is: all that is shown of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community_bytes: Option<usize>,
    /// What stands around a v3 message's PDU. Nothing of it is checked here: there are no keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub v3: Option<ExplainedV3>,
    /// The notification, as far as it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trap: Option<ExplainedTrap>,
    /// Why not, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ExplainedError>,
}

/// The header of a v3 message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedV3 {
    /// `noAuthNoPriv`, `authNoPriv` or `authPriv`.
    pub level: &'static str,
    /// Whether its sender wants a report when something is wrong.
    pub reportable: bool,
    /// `msgID`.
    pub message_id: i32,
    /// Longest answer its sender takes, in octets.
    pub max_size: usize,
    /// The authoritative engine: a trap's sender, or whom an inform is for. Empty: it asks.
    pub engine_id: String,
    /// That engine's boots, as the sender has them.
    pub engine_boots: u32,
    /// That engine's time, in seconds.
    pub engine_time: u32,
    /// The user.
    pub user: String,
    /// How long the digest is: all that is shown of it.
    pub digest_bytes: usize,
    /// How long the salt is.
    pub salt_bytes: usize,
    /// How long the encrypted part is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted_bytes: Option<usize>,
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
        Ok(Message::V3) => of_v3(bytes),
        Err(error) => undecodable(error, None, None, false),
    }
}

fn of_v3(datagram: &[u8]) -> Explanation {
    let message = match V3Message::parse(datagram) {
        Ok(message) => message,
        Err(V3Error::Form(error)) => return undecodable(error, Some("3"), None, false),
        Err(V3Error::Refused(_)) => {
            return Explanation {
                verdict: "v3_refused",
                version: Some("3"),
                ..Explanation::default()
            };
        }
    };
    let (explanation, encrypted_bytes) = match message.data {
        Data::Encrypted(octets) => {
            let explanation = Explanation {
                verdict: "v3_encrypted",
                version: Some("3"),
                ..Explanation::default()
            };
            (explanation, Some(octets.len()))
        }
        Data::Plain(_) => match message.scoped_pdu() {
            Ok(pdu) => (of_pdu(pdu, Some("3"), None), None),
            Err(error) => (undecodable(error, Some("3"), None, false), None),
        },
    };
    Explanation {
        v3: Some(ExplainedV3 {
            level: message.level.as_str(),
            reportable: message.reportable,
            message_id: message.id,
            max_size: message.max_size,
            engine_id: hex(message.engine_id),
            engine_boots: message.boots,
            engine_time: message.time,
            user: String::from_utf8_lossy(message.user).into_owned(),
            digest_bytes: message.mac.len(),
            salt_bytes: message.salt.len(),
            encrypted_bytes,
        }),
        ..explanation
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|b| format!("{b:02x}")).collect()
}

fn of_pdu(pdu: &[u8], version: Option<&'static str>, community_bytes: Option<usize>) -> Explanation {
    match TrapPdu::parse(pdu) {
        Ok(trap) => Explanation {
            verdict: "trap",
            version,
            community_bytes,
            trap: Some(of_trap(&trap)),
            ..Explanation::default()
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
        error: Some(error),
        ..Explanation::default()
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
    let hex = hex(octets);
    match std::str::from_utf8(octets) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => json!({ "hex": hex, "text": text }),
        _ => json!({ "hex": hex }),
    }
}
