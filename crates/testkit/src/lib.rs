//! Instruments for tests: the driver, the simulated log and the schedule simulation. See the README.

mod cluster;
mod driver;
mod rng;
pub mod sim;

pub use cluster::{Cluster, CrashAt, EPOCH, LogFault, SimTaskLog, Stage};
pub use driver::{Driver, Seen};
pub use rng::Rng;
