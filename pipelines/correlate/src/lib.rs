//! Losses with one cause become one incident, and alarms get their one life. Three steps of the chain `network`:
//!
//! - [`Gather`], step 5, key PON port: which of its ONUs work, and which were lost within seconds of each other
//! - [`Correlate`], step 6, key root: what the losses of all its ports have in common, said as incidents (topic `incidents`, exact)
//! - [`Alarms`], step 7, key entity: condition, operator state and visibility of each alarm, the only writer of
//!   `alarm-transitions` (fast) and `alarms` (exact)
//!
//! All three are pure: delays count in observed time, `until` of a silence and the year of a cleared alarm in log time.

mod alarms;
mod bits;
mod correlate;
mod gather;

pub use alarms::{ALARMS_MAX, Alarms, CLEARED_MAX, COMMENTS_MAX, DESCRIPTION as ALARMS, SILENCES_MAX, Slot};
pub use bits::Bits;
pub use correlate::{Correlate, DESCRIPTION as CORRELATE, INCIDENTS_MAX, PARTS_MAX, Tree, Verdict};
pub use gather::{CEILING_MICROS, DESCRIPTION as GATHER, EPISODES_MAX, Gather, Pon, QUIET_MICROS};
