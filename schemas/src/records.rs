//! The kinds of record there are, and what all of them can do. The records themselves are in `generated/`.

use apache_avro::AvroResult;
use apache_avro::reader::datum::GenericDatumReader;
use model::Position;

use crate::InputPosition;
use crate::wire::{Body, Malformed, Reader};

/// The name space of every record.
pub const NAMESPACE: &str = "atalaia.v1";

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

macro_rules! record_types {
    ($($name:ident),+ $(,)?) => {
        /// The type of a record, one for each file in `avro/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each record is documented")]
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
        #[allow(missing_docs, reason = "each record is documented")]
        pub enum AnyRecord { $($name(crate::$name)),+ }

        impl AnyRecord {
            /// Which record it is.
            pub fn record_type(&self) -> RecordType {
                match self { $(Self::$name(_) => RecordType::$name),+ }
            }

            /// The record for people: its fields, bytes as lower-case hexadecimal, a double that is no number as null.
            pub fn to_json(&self) -> serde_json::Value {
                let value = match self { $(Self::$name(r) => serde_json::to_value(r)),+ };
                let mut value = value.expect("records have text keys");
                bytes_as_hex(&mut value, self.record_type());
                value
            }

            pub(crate) fn encode(&self, out: &mut Vec<u8>) {
                match self { $(Self::$name(r) => r.encode(out)),+ }
            }

            /// Reads a body that [`Body::encode`] made: one of the committed schema, without a wire header.
            ///
            /// # Errors
            /// When the bytes do not fit the schema, or go on behind it.
            pub fn from_body(record_type: RecordType, body: &[u8]) -> Result<Self, crate::DecodeError> {
                crate::codec::whole(record_type, body, |r| Self::decode(record_type, r))
            }

            pub(crate) fn decode(record_type: RecordType, r: &mut Reader<'_>) -> Result<Self, Malformed> {
                Ok(match record_type { $(RecordType::$name => Self::$name(crate::$name::decode(r)?)),+ })
            }

            /// Reads a body of another version of the schema.
            pub(crate) fn resolve(
                record_type: RecordType,
                reader: &GenericDatumReader<'_>,
                bytes: &mut &[u8],
            ) -> AvroResult<Self> {
                Ok(match record_type { $(RecordType::$name => Self::$name(reader.read_deser(bytes)?)),+ })
            }
        }

        $(impl From<crate::$name> for AnyRecord {
            fn from(record: crate::$name) -> Self { Self::$name(record) }
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
    OnuTableRead,
    OpticsRead,
    BoardsRead,
    SystemRead,
    AutofindRead,
    AlarmTableRead,
    PollFailed,
    DeviceStatus,
    DeviceEvent,
    InventoryEntry,
    Measurement,
    DeadLetter,
    LedgerRow,
    AuditEntry,
    Rule,
    RulesChanged,
    Silence,
    SilencesChanged,
    OperatorActed,
    Alarm,
    AlarmTransition,
    Incident,
    Rollup,
    WindowWanted,
    WindowRecomputed,
    CardsRead,
    MeasuresRead,
    ForeignAlarmsRead,
);
