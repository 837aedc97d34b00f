//! The engine: pure steps over one input partition, one atomic commit of state and position.
//!
//! - [`Step`]: a pure total function; [`Chain`]: the steps a record runs through, breadth-first;
//! - [`Task`]: one partition's synchronous core, which knows no clock, thread or log;
//! - [`StreamThread`]: the loop over a [`log::TaskLog`]; [`spawn`]: a processor of several such threads;
//! - [`Restoring`]: a task from its changelog, with the checks that stand in place of a fence;
//! - [`replay()`]: the state computed again from the input, to be compared with the changelog's.
//!
//! Invariants: a task reads one input partition in order and is a pure function of it; the ids of what it says rise;
//! state, exact outputs and position are one commit; every consumed record has exactly one [`Outcome`].

mod arena;
mod chain;
mod clock;
mod dead_letter;
mod drafts;
mod exact;
mod link;
mod marker;
pub mod metrics;
mod mutation;
mod outcome;
mod policy;
mod processor;
mod replay;
mod restore;
#[cfg(test)]
mod restore_tests;
mod round;
mod slot;
mod status;
mod step;
mod table;
mod task;
mod thread;
mod timers;
mod writers;

pub use chain::{Chain, Decode};
pub use clock::{ObserverGap, TaskClock};
pub use marker::MarkerError;
#[doc(hidden)]
pub use mutation::Mutation;
pub use outcome::{DeadReason, Outcome, Outcomes};
pub use policy::{Clock, CommitPolicy, SystemClock};
pub use processor::{ProcessorConfig, ProcessorError, ProcessorHandle, ProcessorStatus, spawn};
pub use replay::{ReplayError, StateHash, changelog_hashes, compare, replay};
pub use restore::{OnTorn, Restoring, WaitReason};
pub use round::TIMERS_PER_RECORD_MAX;
pub use slot::SlotError;
pub use status::{PartitionState, PartitionStatus};
pub use step::{Change, Deadline, Input, Now, Out, Output, Reason, StateKey, Step, StepDescription, Verdict};
pub use task::{Cut, Panicked, Processed, Stop, Task, TaskPlace};
pub use thread::{ChainFactory, CodecSource, StreamThread, ThreadConfig, Turn};
pub use writers::WRITERS_MAX;
