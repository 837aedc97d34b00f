//! What goes from the live view to its clients: encoded once, shared by all.

use std::sync::Arc;

use model::{Kind, RecordId, Severity, State};

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
    /// The present item of an alarm.
    Alarm,
    /// An alarm is forgotten.
    AlarmGone,
    /// The present item of an incident.
    Incident,
    /// An incident is forgotten.
    IncidentGone,
    /// The pipeline itself.
    System,
    /// Counters of a site (by its number), or of everything.
    Summary(Option<Sym>),
}

/// What subscribers of alarms may ask for; `None` where a newer build has another word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmFacts {
    pub severity: Option<Severity>,
    pub visibility: Option<Visibility>,
}

/// Who is to be bothered with an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody.
    Shown,
    /// Nobody, a person said.
    Silenced,
    /// Nobody: another one says it all.
    Inhibited,
    /// Nobody, while it comes and goes.
    Suppressed,
}

impl Visibility {
    /// Each, and its word.
    pub const WORDS: [(Self, &'static str); 4] = [
        (Self::Shown, "shown"),
        (Self::Silenced, "silenced"),
        (Self::Inhibited, "inhibited"),
        (Self::Suppressed, "suppressed"),
    ];

    /// The one with this word.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, w)| *w == word).map(|(v, _)| *v)
    }
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
    /// What the state is of, among others of its kind: the latest of one number is the one that counts.
    pub number: u32,
    /// What an alarm's subscribers may ask for.
    pub alarm: Option<AlarmFacts>,
    /// Id of the alarm or the incident.
    pub subject: Option<Arc<str>>,
    /// Id of an event's record.
    pub id: Option<RecordId>,
    pub entity: Arc<str>,
    /// The item.
    pub json: Arc<str>,
}
