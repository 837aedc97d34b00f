//! The whole connector over real HTTP against a simulated management system: what it publishes, with each fault that such systems have.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bench;
mod faults;
mod secrets;
mod whole;
