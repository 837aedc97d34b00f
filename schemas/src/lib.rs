//! What is on the log: Avro schemas (`avro/*.avsc`), the records they stand for, and the one codec for them: both
//! generated from the schemas.
//!
//! Invariants:
//! - bytes depend on the record alone: maps are sorted, no clock, no hash order;
//! - a schema once published changes only as FULL_TRANSITIVE allows (checked by `xtask schemas`);
//! - several record types may share a topic: the Confluent schema id in front of each value says which it is.

mod codec;
mod generated;
pub mod network;
pub mod probe;
mod records;
pub mod rules;
mod wire;

pub use codec::{
    Codec, DecodeError, EncodeError, LEARNED_MAX, LearnError, RegisteredSchema, SchemaOwner, WANTED_MAX,
    WIRE_HEADER_BYTES, reads_alike, schema_owner,
};
pub use generated::*;
pub use records::*;
pub use wire::{Body, Malformed, View};
