//! The connector: when what is read of which OLT, and what is said of it.
//!
//! ```text
//!  Plan (due, rest) ──▶ Gate (4 s between logins, breaker) ──▶ slot ──▶ session ──▶ Reader ──▶ records ──▶ Outbox ──▶ log
//!        ▲                                                                │
//!        └──────────── took so long · failed · unknown command ◀──────────┘
//! ```
//!
//! One task an OLT: never two reads of it at once. What a failure says is published too: nobody has to guess why a row is old.

mod config;
pub mod metric;
mod outbox;
mod plan;
mod poller;
mod read;
mod records;
mod run;
#[cfg(test)]
mod tests;
mod ways;

pub use config::{Config, Device};
pub use plan::Intervals;
pub use run::{BuildError, Running, start};
