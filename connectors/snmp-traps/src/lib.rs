//! Connector `snmp-traps`: SNMP v1, v2c and v3 traps and v2c and v3 informs over UDP become `TrapReceived` records.
//!
//! It says what it saw and never what it means: it checks form, credential and sender, counts every datagram exactly once,
//! and publishes the PDU's bytes under the root of whoever sent it. It never publishes a community
//! or a password.
//!
//! Three phases: [`validate()`] is pure; [`build`] binds the sockets and starts nothing; [`Connector::run`] owns the threads
//! (one a listener, one for its answers to informs, one for the chores) until [`Running::stop`] drains them.

mod access;
mod account;
mod batch;
mod config;
mod engine;
mod explain;
mod inform;
mod kernel;
mod listener;
pub mod metric;
mod probe;
mod refusal;
mod run;
mod sender;
mod shared;
mod users;
mod v3;
mod validate;

pub use account::Counts;
pub use config::{Config, ConfigProblem, Limits, RawConfig, RawCredential, RawDevice, RawKey, RawListener, RawUser};
pub use engine::EngineError;
pub use explain::{ExplainedError, ExplainedTrap, ExplainedV3, ExplainedVarbind, Explanation, explain};
pub use refusal::{Limit, Refusal};
pub use run::{BuildError, Connector, ListenerSnapshot, Running, build};
pub use v3::V3Error;
pub use validate::validate;
