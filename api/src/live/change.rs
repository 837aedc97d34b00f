//! What goes from the live view to its clients: encoded once, shared by all.

use std::sync::Arc;

use model::{Kind, RecordId, State};

use super::node::Index;
use super::row::Sym;

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// The present item of an entity.
    Entity,
    /// An entity is gone.
    Removed,
    /// A happening.
    Event,
    /// The pipeline itself.
    System,
    /// Counters of a site (by its number), or of everything.
    Summary(Option<Sym>),
}

/// One change, and what a subscription needs to know whether it concerns it.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its place in the stream; given when it is published.
    pub seq: u64,
    pub what: What,
    pub tenant: Sym,
    /// The entity (0 in summaries).
    pub node: Index,
    pub root: Index,
    pub parent: Option<Index>,
    pub site: Option<Arc<str>>,
    pub kind: Kind,
    pub state: Option<State>,
    /// Id of an event's record.
    pub id: Option<RecordId>,
    pub entity: Arc<str>,
    /// The item.
    pub json: Arc<str>,
}
