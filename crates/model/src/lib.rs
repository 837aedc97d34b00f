//! The field's nouns: who and what a record is about, in which state, caused by what, and where it stands in the log.
//!
//! No I/O, no async, no clock. Ids are parsed once, at the edge; everything behind holds the checked type.
//!
//! Invariants:
//! - an [`EntityId`] starts with its [`Root`], so it lives in the root's partition;
//! - comparing two [`RecordId`]s of one output partition compares the order in which they were made.

mod cidr;
mod ids;
mod measure;
mod poll;
mod position;
pub mod rollup;
mod secret;
mod serial;
mod state;
mod time;

pub use cidr::{Cidr, CidrError};
pub use ids::{EntityId, IdError, ONU_ID_MAX, Place, Root, RootKind, Tenant, is_name};
pub use measure::Measure;
pub use poll::PollFailure;
pub use position::{Offset, Partition, Position, RecordId, RecordIdError, WriterId};
pub use secret::Secret;
pub use serial::{Serial, SerialError};
pub use state::{Cause, Kind, Severity, State, UnknownWord};
pub use time::Micros;
