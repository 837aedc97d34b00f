//! The records, their views and their codec: generated from `avro/*.avsc` by `cargo run -p xtask -- gen`, not to be
//! edited.

mod audit_entry;
mod dead_letter;
mod device_event;
mod device_registered;
mod device_status;
mod input_position;
mod inventory_entry;
mod ledger_row;
mod source_heartbeat;
mod tick;
mod trap_received;

pub use audit_entry::*;
pub use dead_letter::*;
pub use device_event::*;
pub use device_registered::*;
pub use device_status::*;
pub use input_position::*;
pub use inventory_entry::*;
pub use ledger_row::*;
pub use source_heartbeat::*;
pub use tick::*;
pub use trap_received::*;
