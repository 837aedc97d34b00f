//! The connector: when which list of which system is read, whether it was whole, and what is said of it.
//!
//! ```text
//!  Plan (due, rest) ──▶ breaker ──▶ Listing (count, pages, count) ──▶ records ──▶ Outbox ──▶ log
//!        ▲                                      │
//!        └──────── took so long · failed ◀──────┘
//! ```
//!
//! One task a system: never two requests to it at once. Nothing is concluded from a list that was not counted before and after and
//! found whole: its records say `complete = false`, and why is published beside them.

mod clock;
mod config;
mod letters;
mod listing;
pub mod metric;
mod outbox;
mod plan;
mod poller;
mod records;
mod run;
#[cfg(test)]
mod tests;

pub use config::{Config, System};
pub use plan::Intervals;
pub use run::{BuildError, Running, start};
