//! The records of the log. Field by field they mirror `avro/*.avsc`, where each field is explained.
#![allow(missing_docs, reason = "every field is documented in its Avro schema")]

use std::collections::BTreeMap;

use apache_avro::AvroResult;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use model::{Micros, Position};
use serde::{Deserialize, Serialize};

/// The name space of every record.
pub const NAMESPACE: &str = "atalaia.v1";

/// Position of an input in `observations`, in Avro's signed numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputPosition {
    pub generation: i32,
    pub partition: i32,
    pub offset: i64,
}

impl From<Position> for InputPosition {
    fn from(p: Position) -> Self {
        Self {
            generation: i32::try_from(p.generation).expect("a generation counts restores"),
            partition: i32::try_from(p.partition).expect("partitions are few"),
            offset: i64::try_from(p.offset).expect("2^63 records do not fit on earth"),
        }
    }
}

impl InputPosition {
    /// Back to the model's type; numbers below zero become zero.
    pub fn position(self) -> Position {
        Position {
            generation: self.generation.try_into().unwrap_or(0),
            partition: self.partition.try_into().unwrap_or(0),
            offset: self.offset.try_into().unwrap_or(0),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SnmpVersion {
    V1,
    #[serde(rename = "V2C")]
    V2c,
    V3,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapReceived {
    pub root: String,
    pub sender: String,
    pub sender_port: i32,
    pub listener: String,
    pub version: SnmpVersion,
    pub credential: String,
    pub inform: bool,
    #[serde(default)]
    pub relay: Option<String>,
    #[serde(default)]
    pub inner_address: Option<String>,
    pub received_at: Micros,
    #[serde(with = "serde_bytes")]
    pub pdu: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceHeartbeat {
    pub root: String,
    pub connector: String,
    pub sent_at: Micros,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRegistered {
    pub entity: String,
    pub kind: String,
    #[serde(default)]
    pub serial: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub site: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub vendor: Option<String>,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub address: Option<String>,
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    pub origin: String,
    #[serde(default)]
    pub removed: bool,
    pub observed_at: Micros,
    pub received_at: Micros,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    pub sent_at: Micros,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStatus {
    pub entity: String,
    pub root: String,
    pub kind: String,
    #[serde(default)]
    pub site: Option<String>,
    #[serde(default)]
    pub parent: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub vendor: Option<String>,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub serial: Option<String>,
    pub state: String,
    #[serde(default)]
    pub cause: Option<String>,
    #[serde(default)]
    pub cause_raw: Option<String>,
    pub since: Micros,
    pub observed_at: Micros,
    pub received_at: Micros,
    #[serde(default)]
    pub first_trap_at: Option<Micros>,
    pub position: InputPosition,
    pub wts: Micros,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeviceEventType {
    #[serde(rename = "DEVICE_CONNECTED")]
    DeviceConnected,
    #[serde(rename = "DEVICE_DISCONNECTED")]
    DeviceDisconnected,
    #[serde(rename = "DEVICE_ALARM")]
    DeviceAlarm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    #[serde(rename = "RAISE")]
    Raise,
    #[serde(rename = "CLEAR")]
    Clear,
    #[serde(rename = "EVENT")]
    Event,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceEvent {
    pub entity: String,
    pub root: String,
    pub kind: String,
    #[serde(rename = "type")]
    pub event_type: DeviceEventType,
    pub event: String,
    pub phase: Phase,
    #[serde(default)]
    pub severity: Option<String>,
    #[serde(default)]
    pub trap_oid: Option<String>,
    #[serde(default)]
    pub source: Option<String>,
    pub at: Micros,
    pub received_at: Micros,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub previous: Option<String>,
    #[serde(default)]
    pub cause: Option<String>,
    #[serde(default)]
    pub cause_raw: Option<String>,
    #[serde(default)]
    pub serial: Option<String>,
    #[serde(default)]
    pub detail: BTreeMap<String, String>,
    pub position: InputPosition,
    #[serde(default)]
    pub status: Option<DeviceStatus>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryEntry {
    pub entity: String,
    pub root: String,
    pub kind: String,
    #[serde(default)]
    pub site: Option<String>,
    #[serde(default)]
    pub parent: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub vendor: Option<String>,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub serial: Option<String>,
    #[serde(default)]
    pub address: Option<String>,
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    pub origin: String,
    #[serde(default)]
    pub installed_at: Option<Micros>,
    pub seen_at: Micros,
    #[serde(default)]
    pub serial_since: Option<Micros>,
    pub position: InputPosition,
    pub wts: Micros,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    #[serde(default, with = "serde_bytes")]
    pub value: Option<Vec<u8>>,
    pub headers: BTreeMap<String, serde_bytes::ByteBuf>,
    pub reason: String,
    pub errors: Vec<String>,
    pub appended_at: Micros,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LedgerScope {
    #[serde(rename = "LISTENER")]
    Listener,
    #[serde(rename = "SENDER")]
    Sender,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    pub scope: LedgerScope,
    pub listener: String,
    #[serde(default)]
    pub sender: Option<String>,
    #[serde(default)]
    pub root: Option<String>,
    pub writer: String,
    pub at: Micros,
    pub received: i64,
    pub accepted: i64,
    #[serde(default)]
    pub recovered: i64,
    pub acknowledged: i64,
    pub in_spool: i64,
    pub dropped: BTreeMap<String, i64>,
    pub refused: BTreeMap<String, i64>,
    pub undecodable: BTreeMap<String, i64>,
    pub over_limit: i64,
    pub kernel_drops: i64,
    #[serde(default)]
    pub first_at: Option<Micros>,
    #[serde(default)]
    pub last_at: Option<Micros>,
    #[serde(default)]
    pub lost_first_at: Option<Micros>,
    #[serde(default)]
    pub lost_last_at: Option<Micros>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub actor: String,
    pub tenant: String,
    #[serde(default)]
    pub role: Option<String>,
    pub action: String,
    #[serde(default)]
    pub target: Option<String>,
    pub outcome: String,
    #[serde(default)]
    pub detail: Option<String>,
    #[serde(default)]
    pub remote: Option<String>,
    pub at: Micros,
}

macro_rules! record_types {
    ($($name:ident),+ $(,)?) => {
        /// The type of a record, one for each file in `avro/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum RecordType { $($name),+ }

        impl RecordType {
            /// All of them, in a fixed order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The record's name; its full name is [`NAMESPACE`], a dot and this.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// The record's full name: its subject in a registry.
            pub const fn full_name(self) -> &'static str {
                match self { $(Self::$name => concat!("atalaia.v1.", stringify!($name))),+ }
            }

            /// The committed schema.
            pub const fn schema_json(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("../avro/", stringify!($name), ".avsc"))),+ }
            }

            /// The record with this name.
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|t| t.name() == name)
            }
        }

        /// Any record of the log.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::large_enum_variant, reason = "records are short-lived and moved once")]
        pub enum AnyRecord { $($name($name)),+ }

        impl AnyRecord {
            /// Which record it is.
            pub fn record_type(&self) -> RecordType {
                match self { $(Self::$name(_) => RecordType::$name),+ }
            }

            /// The record for people: its fields, bytes as lower-case hexadecimal.
            pub fn to_json(&self) -> serde_json::Value {
                let value = match self { $(Self::$name(r) => serde_json::to_value(r)),+ };
                let mut value = value.expect("records have text keys and finite numbers");
                bytes_as_hex(&mut value, self.record_type());
                value
            }

            pub(crate) fn write(&self, writer: &GenericDatumWriter<'_>, out: &mut Vec<u8>) -> AvroResult<usize> {
                match self { $(Self::$name(r) => writer.write_ser(out, r)),+ }
            }

            pub(crate) fn read(
                record_type: RecordType,
                reader: &GenericDatumReader<'_>,
                bytes: &mut &[u8],
            ) -> AvroResult<Self> {
                Ok(match record_type { $(RecordType::$name => Self::$name(reader.read_deser(bytes)?)),+ })
            }
        }

        $(impl From<$name> for AnyRecord {
            fn from(record: $name) -> Self { Self::$name(record) }
        })+
    };
}

/// Avro `bytes` come out of serde as arrays of numbers.
fn bytes_as_hex(value: &mut serde_json::Value, record: RecordType) {
    let hex = |field: &mut serde_json::Value| {
        if let Some(bytes) = field.as_array() {
            let text = bytes
                .iter()
                .filter_map(serde_json::Value::as_u64)
                .map(|b| format!("{b:02x}"))
                .collect();
            *field = serde_json::Value::String(text);
        }
    };
    match record {
        RecordType::TrapReceived => hex(&mut value["pdu"]),
        RecordType::DeadLetter => {
            hex(&mut value["key"]);
            hex(&mut value["value"]);
            value["headers"]
                .as_object_mut()
                .into_iter()
                .flat_map(|h| h.values_mut())
                .for_each(hex);
        }
        _ => {}
    }
}

record_types!(
    TrapReceived,
    SourceHeartbeat,
    DeviceRegistered,
    Tick,
    DeviceStatus,
    DeviceEvent,
    InventoryEntry,
    DeadLetter,
    LedgerRow,
    AuditEntry,
);
