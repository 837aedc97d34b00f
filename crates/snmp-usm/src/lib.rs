//! SNMPv3 messages and the user-based security model, for a receiver of notifications (RFC 3412, 3414, 3826, 7860).
//!
//! What it does: reads a message, finds its user, checks digest and time, decrypts, and answers: reports, and responses to
//! informs. What it is not: a client, an agent, a proxy. It does no I/O, has no clock and draws no randomness: time, engine
//! and the first salt are given.
//!
//! Invariants:
//! - total: no input panics; nothing is allocated for a message that is taken, beyond the caller's buffer;
//! - a message is taken only at exactly the security level of its user, and authenticated before it is decrypted;
//! - an unknown user costs no cryptography; an unknown engine costs two short hashes, never the 1 MiB of a password;
//! - what is remembered of others is bounded, and only an authenticated message is remembered;
//! - keys are wiped when dropped, and `Debug` shows none.
//!
//! Reading order: `message` (bytes) · `key`, `mac`, `cipher` (the three primitives) · `engine`, `window` (time) · `user`,
//! `usm` (the decision), `account` (keys and clocks of a user) · `report`, `write` (what goes back).
#![forbid(unsafe_code)]

mod account;
mod cipher;
mod engine;
pub mod key;
mod mac;
mod message;
mod protocol;
mod refusal;
mod report;
mod user;
mod usm;
mod window;
mod write;

pub use engine::{BOOTS_MAX, ENGINE_ID_OCTETS, EngineId, EngineIdError, LocalEngine};
pub use message::{Data, Level, V3Error, V3Message};
pub use protocol::{AuthProtocol, PrivProtocol};
pub use refusal::{Refusal, Stat};
pub use user::{Keys, PASSWORD_OCTETS_MIN, USER_NAME_OCTETS_MAX, User, UserError};
pub use usm::{Envelope, Limits, Received, Rejected, Rejection, Usm, UsmError};
pub use window::{TIME_WINDOW_S, Window};
pub use write::{Header, scoped_pdu, write};
