//! A simulated ISP: OLTs with boards, PON ports and ONUs from a seed, whose life is real SNMP over UDP.
//!
//! A listener cannot tell it from real OLTs: each sends from an address of its own (127.10.0.1, 127.10.0.2, …), in its
//! own dialect, with uptimes that run. It also keeps the truth, so that a test can compare a board with it.
//!
//! Invariants:
//! - everything depends on the seed and the configuration alone, but for the moments of sending;
//! - nothing is ever sent to an address that is not loopback;
//! - nobody in it exists.

pub mod cli;
mod clock;
mod datagrams;
mod dice;
mod inventory;
mod life;
pub mod load;
mod names;
mod network;
pub mod padtec;
mod simulation;
mod trap;
mod wire;

pub use datagrams::{Datagram, Datagrams, Mishaps};
pub use life::{Happening, Script, Truth};
pub use network::{Board, Network, OLTS_MAX, ONUS_PER_OLT_MAX, Olt, Onu, SizeError};
pub use simulation::{Report, Running, SimConfig, Simulation};
pub use trap::{Dialect, Form, Head, OnuAlarm, Trap, datagram};
pub use wire::SendError;
