//! What a client wants to hear of.

use std::fmt::Write;
use std::str::FromStr;
use std::sync::Arc;

use model::{Kind, Severity, State};

use super::frames::{FilterFrame, Subscribe};
use crate::auth::{Caller, Role};
use crate::live::{Change, Index, LiveState, Sym, Visibility, What};
use crate::{ApiError, Code};

/// Longest id a client may give a subscription.
const ID_BYTES_MAX: usize = 64;
/// Events in a snapshot, unless asked otherwise, and at most.
const EVENTS: (usize, usize) = (100, 500);

/// What can be subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicName {
    Tree,
    Children,
    Entity,
    Events,
    Alarms,
    Incidents,
    System,
}

/// Least role for each topic; a test walks it.
pub const TOPIC_ROLES: &[(TopicName, &str, Role)] = &[
    (TopicName::Tree, "tree", Role::Viewer),
    (TopicName::Children, "children", Role::Viewer),
    (TopicName::Entity, "entity", Role::Viewer),
    (TopicName::Events, "events", Role::Viewer),
    (TopicName::Alarms, "alarms", Role::Viewer),
    (TopicName::Incidents, "incidents", Role::Viewer),
    (TopicName::System, "system", Role::Viewer),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    Tree,
    Children(Index),
    Entity(Index),
    Events { limit: usize },
    Alarms,
    Incidents,
    System,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Filter {
    root: Option<Index>,
    site: Option<String>,
    kind: Option<Kind>,
    state: Option<State>,
    entity: Option<Index>,
    visibility: Option<Visibility>,
    severity: Option<Severity>,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub id: Arc<str>,
    tenant: Sym,
    topic: Topic,
    filter: Filter,
    /// Number of its snapshot: what came before is in it.
    pub since: u64,
}

/// What a change is to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// Nothing.
    No,
    /// Its item.
    Item,
    /// The end of an entity in it.
    Removed,
}

impl Subscription {
    /// Checks what a client asks for.
    ///
    /// # Errors
    /// BAD_REQUEST, FORBIDDEN, or NOT_FOUND for an entity that is not there or not this tenant's.
    pub fn new(frame: &Subscribe, caller: &Caller, state: &LiveState) -> Result<Self, ApiError> {
        let bad = |message: &str| ApiError::new(Code::BadRequest, message);
        if frame.id.is_empty() || frame.id.len() > ID_BYTES_MAX {
            return Err(bad("`id` has 1 to 64 bytes"));
        }
        let known = TOPIC_ROLES.iter().find(|(_, name, _)| *name == frame.topic);
        let (topic, _, role) =
            known.ok_or_else(|| bad("`topic` is tree, children, entity, events, alarms, incidents or system"))?;
        if caller.role < *role {
            return Err(ApiError::new(Code::Forbidden, "your role may not subscribe to this"));
        }
        let not_found = || ApiError::new(Code::NotFound, "there is no such entity");
        let tenant = state.tenant(&caller.tenant).ok_or_else(not_found)?;
        let entity = || {
            let text = frame.entity.as_deref().ok_or_else(|| bad("`entity` is missing"))?;
            state.shown(&caller.tenant, text).ok_or_else(not_found)
        };
        let topic = match topic {
            TopicName::Tree => Topic::Tree,
            TopicName::System => Topic::System,
            TopicName::Alarms => Topic::Alarms,
            TopicName::Incidents => Topic::Incidents,
            TopicName::Children => Topic::Children(entity()?),
            TopicName::Entity => Topic::Entity(entity()?),
            TopicName::Events => Topic::Events {
                limit: frame.limit.unwrap_or(EVENTS.0).min(EVENTS.1),
            },
        };
        let filter = match &frame.filter {
            Some(filter) => Filter::new(filter, topic, caller, state)?,
            None => Filter::default(),
        };
        Ok(Self {
            id: frame.id.as_str().into(),
            tenant,
            topic,
            filter,
            since: 0,
        })
    }

    /// Its whole present content.
    pub fn snapshot(&self, tenant: &str, state: &LiveState) -> Vec<Arc<str>> {
        let changes = match self.topic {
            Topic::Tree => state.tree(tenant),
            Topic::System => state
                .system_change()
                .into_iter()
                .filter(|c| self.takes(c) == Take::Item)
                .collect(),
            Topic::Children(node) => state
                .children(node)
                .into_iter()
                .filter(|c| self.takes(c) == Take::Item)
                .collect(),
            Topic::Entity(node) => {
                let events = state.recent(EVENTS.0, |event| event.node == node);
                state.one(node).into_iter().chain(events).collect()
            }
            Topic::Alarms => state
                .standing_alarms()
                .filter(|c| self.takes(c) == Take::Item)
                .collect(),
            Topic::Incidents => state.open_incidents().filter(|c| self.takes(c) == Take::Item).collect(),
            Topic::Events { limit } => state.recent(limit, |event| self.takes(event) == Take::Item),
        };
        changes.into_iter().map(|c| c.json).collect()
    }

    /// What a change is to it.
    pub fn takes(&self, change: &Change) -> Take {
        if change.tenant != self.tenant {
            return Take::No;
        }
        let concerns = match (self.topic, change.what) {
            (Topic::Tree, What::Summary(_)) => true,
            (Topic::Tree, What::Entity | What::Removed) => {
                matches!(change.kind, Kind::Olt | Kind::Board | Kind::Pon)
            }
            (Topic::Children(node), What::Entity | What::Removed) => change.parent == Some(node),
            (Topic::Entity(node), What::Entity | What::Removed | What::Event) => change.node == node,
            (Topic::Events { .. }, What::Event) | (Topic::System, What::System) => true,
            (Topic::Alarms, What::Alarm | What::AlarmGone) => true,
            (Topic::Incidents, What::Incident | What::IncidentGone) => true,
            _ => false,
        };
        if !concerns || !self.filter.can_ever_take(change) {
            return Take::No;
        }
        match change.what {
            What::Removed | What::AlarmGone | What::IncidentGone => Take::Removed,
            _ if self.filter.takes_now(change) => Take::Item,
            // It may have been in before: whether this client has it is not known, so it is told.
            What::Entity | What::Alarm | What::Incident => Take::Removed,
            _ => Take::No,
        }
    }

    /// Writes what makes two subscriptions hear the same.
    pub fn profile(&self, out: &mut String) {
        write!(
            out,
            "{:?}|{:?}|{:?}|{:?};",
            self.id, self.tenant, self.topic, self.filter
        )
        .expect("writing into a string cannot fail");
    }
}

impl Filter {
    fn new(frame: &FilterFrame, topic: Topic, caller: &Caller, state: &LiveState) -> Result<Self, ApiError> {
        let bad = |message: &str| Err(ApiError::new(Code::BadRequest, message));
        let alarms_only = frame.visibility.is_some() || frame.severity.is_some();
        match topic {
            Topic::Children(_) | Topic::Events { .. } if alarms_only || frame.entity.is_some() => {
                return bad("the filter of this topic has `root`, `site`, `kind` and `state`");
            }
            Topic::Alarms if frame.state.is_some() => {
                return bad("the filter of `alarms` has `root`, `site`, `kind`, `entity`, `visibility` and `severity`");
            }
            Topic::Incidents if alarms_only || frame.state.is_some() => {
                return bad("the filter of `incidents` has `root`, `site`, `kind` and `entity`");
            }
            Topic::Children(_) | Topic::Events { .. } | Topic::Alarms | Topic::Incidents => {}
            _ => return bad("only `children`, `events`, `alarms` and `incidents` take a filter"),
        }
        let shown = |text: &Option<String>, what: &str| {
            let missing = || ApiError::new(Code::NotFound, format!("there is no such {what}"));
            let found = text
                .as_deref()
                .map(|text| state.shown(&caller.tenant, text).ok_or_else(missing));
            found.transpose()
        };
        let visibility = frame.visibility.as_deref().map(|word| {
            let unknown = "`visibility` is shown, silenced, inhibited or suppressed";
            Visibility::by_word(word).ok_or_else(|| ApiError::new(Code::BadRequest, unknown))
        });
        Ok(Self {
            root: shown(&frame.root, "root")?,
            entity: shown(&frame.entity, "entity")?,
            visibility: visibility.transpose()?,
            severity: word(frame.severity.as_deref())?,
            site: frame.site.clone(),
            kind: word(frame.kind.as_deref())?,
            state: word(frame.state.as_deref())?,
        })
    }

    fn can_ever_take(&self, change: &Change) -> bool {
        self.root.is_none_or(|r| r == change.root)
            && self.kind.is_none_or(|k| k == change.kind)
            && self.entity.is_none_or(|e| e == change.node)
    }

    fn takes_now(&self, change: &Change) -> bool {
        self.site.as_deref().is_none_or(|s| change.site.as_deref() == Some(s))
            && self.state.is_none_or(|s| change.state == Some(s))
            && self
                .visibility
                .is_none_or(|v| change.alarm.is_some_and(|a| a.visibility == Some(v)))
            && self
                .severity
                .is_none_or(|s| change.alarm.is_some_and(|a| a.severity == Some(s)))
    }
}

fn word<T: FromStr<Err = model::UnknownWord>>(text: Option<&str>) -> Result<Option<T>, ApiError> {
    text.map(str::parse)
        .transpose()
        .map_err(|e: model::UnknownWord| ApiError::new(Code::BadRequest, e.to_string()))
}
