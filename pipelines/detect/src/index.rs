//! What one key's decision needs of other slots: the rules, how its root is watched, and which keys have something open.
//!
//! A pure function of the slots: every change takes away what the slot brought before and adds what it brings now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Micros, State};
use runtime::StateKey;
use schemas::Rule;
use schemas::rules::{CheckedRule, Condition};

use crate::hash::hash_64;
use crate::slot::{Entity, Slot};

/// Rules that are applied or switched off; removed ones do not count.
pub const RULES_MAX: usize = 1_000;
/// Rules that are remembered, removed ones too.
pub const RULES_REMEMBERED_MAX: usize = 10_000;

/// In front of a rule's id: no entity's id begins so, and it sorts before all of them.
const RULE_KEY: &str = "\u{1}rule/";

/// Key of a rule's slot.
pub fn rule_key(rule_id: &str) -> StateKey {
    format!("{RULE_KEY}{rule_id}").into()
}

/// The rule whose slot this is.
pub fn rule_of(key: &str) -> Option<&str> {
    key.strip_prefix(RULE_KEY)
}

/// The index.
#[derive(Debug, Default, PartialEq)]
pub struct Index {
    /// Every rule that is not removed, by id.
    rules: BTreeMap<Arc<str>, Arc<CheckedRule>>,
    /// Rules that look at a measure's values, by measure, each list by id.
    by_measure: BTreeMap<Arc<str>, Vec<Arc<CheckedRule>>>,
    /// Rules that look at states, by id.
    of_state: Vec<Arc<CheckedRule>>,
    /// Rules that wait for data, by id.
    of_no_data: Vec<Arc<CheckedRule>>,
    /// Version and writer of every rule, removed ones too.
    versions: BTreeMap<Arc<str>, (i64, Arc<str>)>,
    /// Of all rules together.
    digest: u64,
    /// How each root is watched.
    roots: BTreeMap<StateKey, RootView>,
    /// Keys with an alarm of a rule that is raised, open or about to be.
    by_rule: BTreeMap<Arc<str>, BTreeSet<StateKey>>,
    /// Keys with an open alarm of a device.
    by_root: BTreeMap<Box<str>, BTreeSet<StateKey>>,
}

/// What those behind a root need to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RootView {
    /// Its site: theirs, if they have none.
    pub site: Option<Arc<str>>,
    /// The newest heartbeat of a connector that measures, in observed time.
    pub heartbeat: Option<Micros>,
    /// It cannot be read.
    pub is_away: bool,
    /// It could not be read until then, in observed time.
    pub back_at: Micros,
    /// Lists of its alarms that have been whole once.
    pub lists: Vec<(Box<str>, Micros)>,
    site_hash: u64,
}

impl Index {
    /// Every rule that is not removed.
    pub fn rule(&self, rule_id: &str) -> Option<&Arc<CheckedRule>> {
        self.rules.get(rule_id)
    }

    /// Rules that look at a measure's values.
    pub fn of_measure(&self, measure: &str) -> &[Arc<CheckedRule>] {
        self.by_measure.get(measure).map_or(&[], Vec::as_slice)
    }

    /// Rules that look at states.
    pub fn of_state(&self) -> &[Arc<CheckedRule>] {
        &self.of_state
    }

    /// Rules that wait for data.
    pub fn of_no_data(&self) -> &[Arc<CheckedRule>] {
        &self.of_no_data
    }

    /// How a root is watched; `None`: nothing is known of it.
    pub fn root(&self, root: &str) -> Option<&RootView> {
        self.roots.get(root)
    }

    /// What a key behind a root has to have been looked at with.
    pub fn digest(&self, root: &str) -> u64 {
        self.digest
            .wrapping_add(self.root(root).map_or(0, |view| view.site_hash))
    }

    /// Whether a version of a rule stands against the one that is known.
    pub fn is_newer(&self, rule: &Rule) -> bool {
        self.versions
            .get(&*rule.rule_id)
            .is_none_or(|(version, writer)| (rule.version, &*rule.writer) > (*version, &**writer))
    }

    /// Whether another rule would be too many.
    pub fn has_room_for(&self, rule: &Rule) -> bool {
        let fits = rule.removed || self.rules.contains_key(&*rule.rule_id) || self.rules.len() < RULES_MAX;
        fits && (self.versions.contains_key(&*rule.rule_id) || self.versions.len() < RULES_REMEMBERED_MAX)
    }

    /// Keys with an alarm of a rule.
    pub fn with_rule(&self, rule_id: &str) -> impl Iterator<Item = &StateKey> {
        self.by_rule.get(rule_id).into_iter().flatten()
    }

    /// Keys behind a root with an open alarm of a device.
    pub fn with_device_alarms(&self, root: &str) -> impl Iterator<Item = &StateKey> {
        self.by_root.get(root).into_iter().flatten()
    }

    /// A slot became another one.
    pub fn remember(&mut self, key: &StateKey, before: Option<&Slot>, after: Option<&Slot>) {
        match (before, after) {
            (Some(Slot::Entity(before)), Some(Slot::Entity(after))) => self.entity(key, Some(before), Some(after)),
            (before, after) => {
                self.take(key, before);
                self.put(key, after);
            }
        }
    }

    fn take(&mut self, key: &StateKey, slot: Option<&Slot>) {
        match slot {
            None => {}
            Some(Slot::Entity(entity)) => self.entity(key, Some(entity), None),
            Some(Slot::Rule(rule)) => {
                let id: &str = &rule.rule_id;
                self.versions.remove(id);
                self.digest = self.digest.wrapping_sub(stamp(rule));
                if let Some(checked) = self.rules.remove(id)
                    && let Some(list) = self.list_for(&checked)
                {
                    list.retain(|rule| *rule.rule_id != *id);
                }
                self.by_measure.retain(|_, rules| !rules.is_empty());
            }
        }
    }

    fn put(&mut self, key: &StateKey, slot: Option<&Slot>) {
        match slot {
            None => {}
            Some(Slot::Entity(entity)) => self.entity(key, None, Some(entity)),
            Some(Slot::Rule(rule)) => {
                let id: Arc<str> = rule.rule_id.as_str().into();
                self.versions
                    .insert(id.clone(), (rule.version, rule.writer.as_str().into()));
                self.digest = self.digest.wrapping_add(stamp(rule));
                // Only rules that were checked are put into a slot; a later build's checks may be stricter, and then it is not applied.
                let Some(checked) = CheckedRule::new(rule).ok().filter(|rule| !rule.removed) else {
                    return;
                };
                let checked = Arc::new(checked);
                if let Some(list) = self.list_for(&checked) {
                    let at = list.partition_point(|rule| rule.rule_id < id);
                    list.insert(at, checked.clone());
                }
                self.rules.insert(id, checked);
            }
        }
    }

    /// The list that an applied rule is in.
    fn list_for(&mut self, rule: &CheckedRule) -> Option<&mut Vec<Arc<CheckedRule>>> {
        if !rule.is_applied() {
            return None;
        }
        Some(match &rule.condition {
            Condition::State { .. } => &mut self.of_state,
            Condition::NoData { .. } => &mut self.of_no_data,
            Condition::Above { measure, .. }
            | Condition::Below { measure, .. }
            | Condition::Outside { measure, .. }
            | Condition::Rate { measure, .. }
            | Condition::Slope { measure, .. } => self.by_measure.entry(measure.clone()).or_default(),
        })
    }

    fn entity(&mut self, key: &StateKey, before: Option<&Entity>, after: Option<&Entity>) {
        // Most slots have no alarm, before and after.
        for state in before.into_iter().flat_map(with_alarm) {
            let stays = after.is_some_and(|after| with_alarm(after).any(|other| other == state));
            if !stays {
                remove(&mut self.by_rule, state, key);
            }
        }
        for id in after.into_iter().flat_map(with_alarm) {
            if !before.is_some_and(|before| with_alarm(before).any(|other| other == id)) {
                self.by_rule.entry(id.clone()).or_default().insert(key.clone());
            }
        }
        match (
            before.is_some_and(has_device_alarm),
            after.is_some_and(has_device_alarm),
        ) {
            (true, false) => {
                let root = root_of(key);
                if let Some(keys) = self.by_root.get_mut(root) {
                    keys.remove(key);
                    if keys.is_empty() {
                        self.by_root.remove(root);
                    }
                }
            }
            (false, true) => {
                self.by_root.entry(root_of(key).into()).or_default().insert(key.clone());
            }
            _ => {}
        }
        if root_of(key) == &**key {
            match after {
                Some(after) => drop(self.roots.insert(key.clone(), RootView::new(after))),
                None => drop(self.roots.remove(key)),
            }
        }
    }
}

impl RootView {
    fn new(entity: &Entity) -> Self {
        let watch = entity.watch.as_deref();
        let site = entity.about.as_deref().and_then(|about| about.site.as_deref());
        Self {
            site: site.map(Arc::from),
            heartbeat: watch.and_then(|watch| watch.heartbeat),
            is_away: watch.is_some_and(|watch| watch.is_failing)
                || entity.known.is_some_and(|known| known.state == State::Unreachable),
            back_at: watch.map_or(entity.back_at, |watch| watch.back_at.max(entity.back_at)),
            lists: watch.map(|watch| watch.lists.clone()).unwrap_or_default(),
            site_hash: site.map_or(0, |site| hash_64(&[site.as_bytes()])),
        }
    }
}

/// A version of a rule, as a number.
pub fn stamp(rule: &Rule) -> u64 {
    stamp_of(&rule.rule_id, rule.version, &rule.writer)
}

/// As [`stamp`].
pub fn stamp_of(rule_id: &str, version: i64, writer: &str) -> u64 {
    hash_64(&[rule_id.as_bytes(), &version.to_be_bytes(), writer.as_bytes()])
}

/// Rules with an alarm of this entity that is open, or would be after a delay.
fn with_alarm(entity: &Entity) -> impl Iterator<Item = &Arc<str>> {
    let stands = |life: &crate::life::Life| life.on || life.raised || life.is_open();
    entity
        .rules
        .iter()
        .filter(move |rule| stands(&rule.life))
        .map(|rule| &rule.rule_id)
}

fn has_device_alarm(entity: &Entity) -> bool {
    entity
        .device
        .iter()
        .any(|alarm| alarm.life.raised || alarm.life.is_open())
}

fn remove(sets: &mut BTreeMap<Arc<str>, BTreeSet<StateKey>>, id: &Arc<str>, key: &StateKey) {
    if let Some(keys) = sets.get_mut(id) {
        keys.remove(key);
        if keys.is_empty() {
            sets.remove(id);
        }
    }
}

/// The first three segments of an entity's id.
pub fn root_of(key: &str) -> &str {
    key.match_indices('/').nth(2).map_or(key, |(end, _)| &key[..end])
}
