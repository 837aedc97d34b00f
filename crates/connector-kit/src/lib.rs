//! What every connector needs and should not write again: publishing with acknowledgement, without gaps and by way of a disk, stop and
//! drain, deadlines, backoff, a breaker, the poll and listen loops, and the chores (registrations, heartbeats, ledger).
//!
//! Invariants:
//! - every record of one [`Publisher`] carries (writer, sequence), rising along its topic; a record keeps its own when it
//!   is sent again, and none is sent before an earlier one of the same publisher;
//! - whoever takes a record says what became of it: acknowledged or dropped(reason); nothing is given up in silence;
//! - every wait has a deadline or ends when the [`StopToken`] says so.

mod backoff;
mod breaker;
mod chores;
mod deadline;
mod every;
mod listen;
pub mod metric;
mod poll;
mod publish;
mod sending;
mod spool;
mod stop;
mod time;
mod window;

pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerState};
pub use chores::{Chores, Registrar};
pub use deadline::Deadline;
pub use every::Every;
pub use listen::{Heard, Listen, listen_loop};
pub use poll::{Poll, PollSchedule, poll_loop};
pub use publish::{OnDurable, Outgoing, Publisher};
pub use sending::{DropReason, PublisherConfig, Ticket};
pub use spool::{Recovered, SpoolConfig, SpoolError, SpoolState};
pub use stop::StopToken;
pub use time::now;
