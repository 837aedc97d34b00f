//! Faults that tests put into the engine, to show that the schedule simulation finds them. Without the feature `mutants`
//! none of them can be switched on.

/// One guard removed.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mutation {
    /// The engine as it is.
    #[default]
    None,
    /// Ids count the outputs since the task began, instead of naming their cause.
    IdByRunningIndex,
    /// The keys of a record are taken in the reverse order.
    IdsOutOfKeyOrder,
    /// A key that this record has changed already is skipped.
    LaterEventsSkipped,
    /// What a writer sends twice is processed twice.
    NoWriterDedupe,
    /// Ticks are written into partitions with a backlog.
    TickBeforeCaughtUp,
}

impl Mutation {
    /// Whether this fault is switched on.
    pub(crate) fn is(self, fault: Self) -> bool {
        cfg!(feature = "mutants") && self == fault
    }
}
