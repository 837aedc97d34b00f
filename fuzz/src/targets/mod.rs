//! One file a target.

pub mod avro;
pub mod configuration;
pub mod event;
pub mod snmp;
pub mod usm;
