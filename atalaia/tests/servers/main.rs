//! The distributed form: every part a process of its own over Apache Kafka, a schema registry and Cassandra, and any of them
//! killed. The servers are those of `infra/dev/servers up`, found by `KAFKA`, `CQL` and `REGISTRY`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its figures"
)]

mod brokers;
#[path = "../common/mod.rs"]
mod common;
mod end_to_end;
mod kill;
mod olts;
mod pause;
mod pauses;
mod rebalance;
mod registry_away;
mod store_away;
mod verdict;
mod world;
