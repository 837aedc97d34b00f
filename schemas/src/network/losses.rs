//! What `gather` hands to `correlate`: losses of one PON port that came within seconds.

use model::{Cause, EntityId, Micros, Position, State};

/// Losses of a PON port that came within seconds of each other: told when the first one comes, when no more come, and whenever
/// something becomes of them afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LossNews {
    /// The PON port.
    pub pon: EntityId,
    /// Which losses of it: counts up with every first one.
    pub episode: u32,
    /// What is told.
    pub stage: LossStage,
    /// When the first loss was observed.
    pub began_at: Micros,
    /// The input that told of the first loss.
    pub began: Position,
    /// ONU ids lost, in their order; those that came back are counted in.
    pub lost: Vec<u16>,
    /// Those of them that are not back.
    pub still: Vec<u16>,
    /// Those of them whose last words were a power failure.
    pub gasped: Vec<u16>,
    /// Those of them whose light went out, or that went without a word. What was switched off or restarted on purpose is no loss.
    pub dark: Vec<u16>,
    /// ONUs of the port that worked just before, the lost ones counted in.
    pub before: u16,
    /// ONUs of the port that work now.
    pub up: u16,
    /// State of the port itself, and why if it is out of service.
    pub port: (State, Option<Cause>),
    /// How often most of the same ONUs were lost together before, while others of the port went on: they hang on one splitter.
    pub together: u16,
    /// PON ports of its board on which an ONU works or worked when losses began that still last.
    pub board_pons: u16,
    /// The same of the whole OLT.
    pub olt_pons: u16,
}

/// What is told of losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LossStage {
    /// The first one came.
    Began,
    /// No more came for some seconds, or there was no more time to wait: now it can be said what they are.
    Settled,
    /// Since then some came back, or the port itself is in another state.
    Changed,
}
