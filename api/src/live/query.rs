//! Questions to the live view: find one, list many.

use std::ops::Bound;

use model::{Cause, Kind, Serial, State};
use topology::Topic;

use super::change::Change;
use super::items::json;
use super::node::{Index, Node, is_tree_kind};
use super::row::Sym;
use super::state::{LiveState, scoped, serial_key};

/// What a list is narrowed to. Texts are compared whole; of `words`, as [`wanted`](super::wanted) makes them, all are to be
/// found.
#[derive(Debug, Clone, Default)]
pub struct Narrow {
    pub kind: Option<Kind>,
    pub site: Option<String>,
    pub root: Option<String>,
    /// What they hang on, by its id.
    pub parent: Option<String>,
    pub state: Option<State>,
    pub cause: Option<Cause>,
    pub words: Vec<String>,
}

/// A page of a list.
#[derive(Debug, Default)]
pub struct ListPage {
    /// Items, as JSON.
    pub items: Vec<String>,
    /// Where the next page begins.
    pub next: Option<Vec<u8>>,
}

impl LiveState {
    /// Finds an entity of a tenant by its id, a serial in any written form, or a configured name.
    pub fn lookup(&self, tenant: &str, text: &str) -> Option<Index> {
        let by_id = self.find(text).filter(|&i| self.is_of(tenant, i));
        let serial = || self.best(self.by_serial.get(&scoped(tenant, &serial_key(text))));
        let root = || {
            let of_kind = |kind: &str| {
                self.find(&format!("{tenant}/{kind}/{text}"))
                    .filter(|&i| self.is_shown(i))
            };
            ["olt", "padtec", "cpe", "unknown"].into_iter().find_map(of_kind)
        };
        let name = || self.best(self.by_name.get(&scoped(tenant, &text.to_lowercase())));
        let found = by_id.filter(|&i| self.is_shown(i));
        let found = if Serial::parse(text).is_ok() {
            found.or_else(serial)
        } else {
            found
        };
        found.or_else(root).or_else(name).or_else(serial)
    }

    /// The root of what a tenant calls this: an OLT's name, or any id.
    pub fn root_of(&self, tenant: &str, text: &str) -> Option<String> {
        let node = &self.nodes[self.lookup(tenant, text)? as usize];
        Some(self.nodes[node.root as usize].id.to_string())
    }

    /// An entity of this tenant that is shown.
    pub fn shown(&self, tenant: &str, entity: &str) -> Option<Index> {
        self.find(entity).filter(|&i| self.is_of(tenant, i) && self.is_shown(i))
    }

    fn is_of(&self, tenant: &str, index: Index) -> bool {
        &**self.interner.text(self.nodes[index as usize].tenant) == tenant
    }

    fn is_shown(&self, index: Index) -> bool {
        self.nodes[index as usize].is_shown()
    }

    /// Of several with one serial or name, the latest sighting; on a tie, the first by id.
    fn best(&self, candidates: Option<&Vec<Index>>) -> Option<Index> {
        let shown = candidates?.iter().copied().filter(|&i| self.is_shown(i));
        shown.min_by(|&a, &b| {
            let (a, b) = (&self.nodes[a as usize], &self.nodes[b as usize]);
            b.sighted_at().cmp(&a.sighted_at()).then_with(|| a.id.cmp(&b.id))
        })
    }

    /// A page of a tenant's entities in tree order, after `cursor`.
    pub fn list(&self, tenant: &str, narrow: &Narrow, cursor: Option<&[u8]>, limit: usize) -> ListPage {
        let (prefix, end) = self.range(tenant, narrow);
        let from = match cursor {
            Some(cursor) if cursor >= prefix.as_slice() => Bound::Excluded(cursor),
            _ => Bound::Included(prefix.as_slice()),
        };
        let mut page = ListPage::default();
        let mut last: &[u8] = &[];
        if matches!(from, Bound::Excluded(c) if c >= end.as_slice()) {
            return page;
        }
        for (key, &index) in self.sorted.range::<[u8], _>((from, Bound::Excluded(end.as_slice()))) {
            let node = &self.nodes[index as usize];
            if !node.is_shown() || !self.matches(node, narrow) {
                continue;
            }
            if page.items.len() == limit {
                page.next = Some(last.to_vec());
                break;
            }
            page.items.push(json(&self.status_item(index)));
            last = key;
        }
        page
    }

    /// The entities of a tenant that are shown, in tree order.
    pub(super) fn of_tenant(&self, tenant: &str) -> impl Iterator<Item = &Node> {
        let (from, end) = self.range(tenant, &Narrow::default());
        let bounds = (Bound::Included(from.as_slice()), Bound::Excluded(end.as_slice()));
        let nodes = self.sorted.range::<[u8], _>(bounds);
        nodes
            .map(|(_, &index)| &self.nodes[index as usize])
            .filter(|node| node.is_shown())
    }

    /// The keys a list can be among: a root's, or a tenant's.
    fn range(&self, tenant: &str, narrow: &Narrow) -> (Vec<u8>, Vec<u8>) {
        let in_tenant = |root: &&String| root.split('/').next() == Some(tenant);
        match narrow.root.as_ref().filter(in_tenant) {
            // A root's keys are its id, a zero byte, and what is below.
            Some(root) => ([root.as_bytes(), &[0]].concat(), [root.as_bytes(), &[1]].concat()),
            None => (format!("{tenant}/").into_bytes(), format!("{tenant}0").into_bytes()),
        }
    }

    pub(super) fn matches(&self, node: &Node, narrow: &Narrow) -> bool {
        let site = || self.site_of(node).map(|s| self.interner.text(s).clone());
        narrow.kind.is_none_or(|k| k == node.kind)
            && narrow.state.is_none_or(|s| s == node.state())
            && narrow
                .cause
                .is_none_or(|c| node.status().and_then(|s| s.cause) == Some(c))
            && narrow
                .root
                .as_deref()
                .is_none_or(|r| *self.nodes[node.root as usize].id == *r)
            && narrow
                .parent
                .as_deref()
                .is_none_or(|p| node.parent.is_some_and(|i| *self.nodes[i as usize].id == *p))
            && narrow.site.as_deref().is_none_or(|s| site().as_deref() == Some(s))
            && narrow.words.iter().all(|word| node.search.contains(&**word))
    }

    /// The tree's entities with counters, and the summaries, as changes for a snapshot.
    pub fn tree(&self, tenant: &str) -> Vec<Change> {
        let Some(tenant) = self.interner.get(tenant) else {
            return Vec::new();
        };
        let mut scopes: Vec<Option<Sym>> = self
            .totals
            .keys()
            .filter(|(t, site)| *t == tenant && site.is_some())
            .map(|(_, site)| *site)
            .collect();
        scopes.push(None);
        scopes.sort_by_key(|site| site.map(|s| self.interner.text(s).clone()));
        let nodes = self.sorted.values().filter(|&&i| {
            let node = &self.nodes[i as usize];
            node.tenant == tenant && is_tree_kind(node.kind) && node.is_shown()
        });
        let summaries = scopes.into_iter().map(|site| self.summary_change(tenant, site));
        summaries.chain(nodes.map(|&i| self.entity_change(i))).collect()
    }

    /// What hangs on an entity, in order, as changes for a snapshot.
    pub fn children(&self, index: Index) -> Vec<Change> {
        let shown = self.nodes[index as usize]
            .children
            .iter()
            .copied()
            .filter(|&i| self.is_shown(i));
        let mut changes: Vec<_> = shown.map(|i| self.entity_change(i)).collect();
        changes.sort_by_cached_key(|c| {
            model::EntityId::parse(&c.entity)
                .map(|id| super::node::sort_key(&id))
                .ok()
        });
        changes
    }

    /// An entity's item as a change for a snapshot; `None` while it is not shown.
    pub fn one(&self, index: Index) -> Option<Change> {
        self.is_shown(index).then(|| self.entity_change(index))
    }

    /// The last events that a test admits, oldest first.
    pub fn recent(&self, limit: usize, admits: impl Fn(&Change) -> bool) -> Vec<Change> {
        let mut events: Vec<_> = self
            .recent_events
            .iter()
            .rev()
            .filter(|e| admits(e))
            .take(limit)
            .cloned()
            .collect();
        events.reverse();
        events
    }

    /// Counters of everything of a tenant.
    pub fn totals(&self, tenant: &str) -> super::counts::Totals {
        let tenant = self.interner.get(tenant);
        tenant
            .and_then(|t| self.totals.get(&(t, None)))
            .copied()
            .unwrap_or_default()
    }

    /// ONUs online, over all tenants.
    pub fn online(&self) -> u32 {
        self.totals
            .iter()
            .filter(|((_, site), _)| site.is_none())
            .map(|(_, t)| t.counts.online)
            .sum()
    }

    /// Number of a tenant's name.
    pub fn tenant(&self, tenant: &str) -> Option<Sym> {
        self.interner.get(tenant)
    }

    /// Entities shown, over all tenants.
    pub fn shown_entities(&self) -> usize {
        self.nodes.iter().filter(|n| n.is_shown()).count()
    }

    /// Topics whose current content this view is.
    pub const EXACT_TOPICS: [Topic; 4] = [Topic::DeviceStatus, Topic::Inventory, Topic::Alarms, Topic::Incidents];
    /// Topics that move it ahead of those.
    pub const FAST_TOPICS: [Topic; 2] = [Topic::DeviceEvents, Topic::AlarmTransitions];
}
