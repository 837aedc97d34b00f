//! The store on ScyllaDB's protocol: the same tables as the embedded engine, over the CQL driver. ScyllaDB and Apache
//! Cassandra 5 alike: only what both understand is used.
//!
//! - A row says itself when it was written (`wts`) and when it ends (`ends_at`): read back exactly, whatever the server's
//!   seconds are. The server's write time and TTL are made from the two, for its own order and its own clearing away.
//! - Rows of tables that change are written whole: what they do not say is written as null, at their write time.
//! - What is transient is tried again here until a deadline; then it is [`store::StoreError::Away`], and the caller's turn.
//! - Conditional writes are lightweight transactions, and their tables are written in no other way.

#[cfg(feature = "bench")]
pub mod bench;
mod conditional;
mod config;
mod crash;
mod ddl;
mod dump;
mod engine;
mod error;
#[cfg(feature = "faults")]
pub mod faults;
mod metric;
mod migrate;
mod read;
mod retry;
mod session;
mod statements;
mod time;
mod values;
mod write;

pub use config::{CqlConfig, CqlLogin};
pub use crash::{CRASH_AT_ENV, INSIDE_MIGRATION};
pub use ddl::create_table;
pub use engine::CqlStore;
pub use error::CqlError;
pub use migrate::{MIGRATIONS, MigrateOptions, Migration, MigrationStep, PendingStatement};
