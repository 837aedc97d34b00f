//! The engine: pure steps over one input partition, one atomic commit of state and position.

mod step;

pub use step::{
    Change, Deadline, Input, Now, Out, Output, Reason, StateKey, Step, StepDescription, Verdict,
};
