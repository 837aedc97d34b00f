//! Instruments for tests.

mod cluster;
mod rng;
pub mod sim;

pub use cluster::{Cluster, CrashAt, EPOCH, LogFault, SimTaskLog, Stage};
pub use rng::Rng;
