//! SNMP notifications as bytes: a total, borrowed reader of traps and informs, and a writer of them.
//!
//! What is read: SNMPv1 and SNMPv2c messages ([`Message`]) and the notification PDUs in them ([`TrapPdu`]). SNMPv3 is
//! recognised, not opened. What it is not: a client, an agent, a MIB.
//!
//! Invariants:
//! - no input panics, allocates or takes more than one pass a level; a PDU that parses can be walked without errors;
//! - strict where the standards are: definite lengths (RFC 3417 §8: long forms need not be minimal), tags as written in
//!   RFC 1157 and RFC 3416, integers minimal (X.690 §8.3.2) and within their SMI range, at most 128 sub-identifiers
//!   up to 2^32−1 (RFC 2578 §3.5), nothing left over at any level;
//! - lenient where the standards do not tell a receiver to refuse: `snmpTrapOID.0` may stand anywhere in the list, and
//!   `sysUpTime.0` may be missing.
#![forbid(unsafe_code)]

pub mod ber;
pub mod encode;
mod message;
mod oid;
mod trap;
mod value;

pub use ber::{PduError, Reason};
pub use message::{Message, Version};
pub use oid::{OID_ARCS_MAX, Oid, OidTextError, sub_identifiers};
pub use trap::{Kind, RawVarbind, SNMP_TRAP_ADDRESS, SNMP_TRAP_OID, SYS_UP_TIME, TrapPdu, Varbind, Varbinds};
pub use value::Value;
