//! The records, their views and their codec: generated from `avro/*.avsc` by `cargo run -p xtask -- gen`, not to be
//! edited.

mod alarm_table_read;
mod audit_entry;
mod autofind_read;
mod boards_read;
mod dead_letter;
mod device_event;
mod device_registered;
mod device_status;
mod input_position;
mod inventory_entry;
mod ledger_row;
mod measurement;
mod onu_optics;
mod onu_table_read;
mod optics_read;
mod poll_failed;
mod poll_health;
mod source_heartbeat;
mod system_read;
mod tick;
mod trap_received;

pub use alarm_table_read::*;
pub use audit_entry::*;
pub use autofind_read::*;
pub use boards_read::*;
pub use dead_letter::*;
pub use device_event::*;
pub use device_registered::*;
pub use device_status::*;
pub use input_position::*;
pub use inventory_entry::*;
pub use ledger_row::*;
pub use measurement::*;
pub use onu_optics::*;
pub use onu_table_read::*;
pub use optics_read::*;
pub use poll_failed::*;
pub use poll_health::*;
pub use source_heartbeat::*;
pub use system_read::*;
pub use tick::*;
pub use trap_received::*;
