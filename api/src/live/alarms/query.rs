//! Questions to the live view about alarms and incidents.

use std::cmp::Reverse;
use std::sync::Arc;

use model::Micros;
use schemas::{Alarm, Incident};

use super::board::ListKey;
use super::counts::{CountsItem, Scope};
use super::items::{AlarmItem, AlarmStatus, IncidentItem};
use crate::live::change::Change;
use crate::live::items::json;
use crate::live::query::ListPage;
use crate::live::state::LiveState;

/// What a list of alarms is narrowed to; of one that stands or of one that is over, wherever it is kept.
#[derive(Debug, Clone, Default)]
pub struct AlarmNarrow {
    pub condition: Option<String>,
    pub status: Option<AlarmStatus>,
    pub severity: Option<String>,
    pub visibility: Option<String>,
    pub entity: Option<String>,
    pub root: Option<String>,
    pub site: Option<String>,
    pub alarm_type: Option<String>,
    pub incident: Option<String>,
    /// Raised at or after.
    pub from: Option<Micros>,
    /// Raised at or before.
    pub to: Option<Micros>,
}

impl AlarmNarrow {
    /// Whether an alarm is among the list.
    pub fn fits(&self, alarm: &Alarm) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|w| w == value);
        is(&self.condition, &alarm.condition)
            && self.status.is_none_or(|s| s == AlarmStatus::of(alarm))
            && is(&self.severity, &alarm.severity)
            && is(&self.visibility, &alarm.visibility)
            && is(&self.entity, &alarm.entity)
            && is(&self.root, &alarm.root)
            && is(&self.site, alarm.site.as_deref().unwrap_or_default())
            && is(&self.alarm_type, &alarm.alarm_type)
            && is(&self.incident, alarm.incident_id.as_deref().unwrap_or_default())
            && self.from.is_none_or(|from| alarm.raised_at >= from)
            && self.to.is_none_or(|to| alarm.raised_at <= to)
    }
}

/// What a list of incidents is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct IncidentNarrow {
    pub state: Option<String>,
    pub root: Option<String>,
    pub site: Option<String>,
}

impl IncidentNarrow {
    /// Whether an incident is among the list.
    pub fn fits(&self, incident: &Incident) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|w| w == value);
        is(&self.state, &incident.state)
            && is(&self.root, &incident.root)
            && is(&self.site, incident.site.as_deref().unwrap_or_default())
    }
}

impl LiveState {
    /// An alarm of a tenant, if it stands or ended not long ago.
    pub fn alarm(&self, tenant: &str, id: &str) -> Option<Arc<Alarm>> {
        let board = &self.alarms.board;
        let row = board.get(board.find(id)?)?.row()?;
        is_of(tenant, &row.entity).then(|| row.clone())
    }

    /// An incident of a tenant, if it is open or closed not long ago.
    pub fn incident(&self, tenant: &str, id: &str) -> Option<Arc<Incident>> {
        let board = &self.incidents.board;
        let row = board.get(board.find(id)?)?.row()?;
        is_of(tenant, &row.entity).then(|| row.clone())
    }

    /// A page of the alarms that stand, newest first, after `cursor`.
    pub fn list_alarms(
        &self,
        tenant: &str,
        narrow: &AlarmNarrow,
        cursor: Option<&[u8]>,
        limit: usize,
    ) -> Option<ListPage> {
        let after = match cursor {
            Some(cursor) => Some(key_of(cursor)?),
            None => None,
        };
        let standing = self.alarms.board.list(after.as_ref()).filter_map(|(key, _, slot)| {
            let row = slot.row()?;
            let wanted = row.condition == "raised" && is_of(tenant, &row.entity) && narrow.fits(row);
            wanted.then_some((key, row))
        });
        Some(page(standing, limit, |row| json(&AlarmItem::from(&**row))))
    }

    /// A page of the incidents that are not closed, newest first, after `cursor`.
    pub fn list_incidents(
        &self,
        tenant: &str,
        narrow: &IncidentNarrow,
        cursor: Option<&[u8]>,
        limit: usize,
    ) -> Option<ListPage> {
        let after = match cursor {
            Some(cursor) => Some(key_of(cursor)?),
            None => None,
        };
        let open = self.incidents.board.list(after.as_ref()).filter_map(|(key, _, slot)| {
            let row = slot.row()?;
            let wanted = row.state != "closed" && is_of(tenant, &row.entity) && narrow.fits(row);
            wanted.then_some((key, row))
        });
        Some(page(open, limit, |row| json(&IncidentItem::from(&**row))))
    }

    /// The first alarms of an incident, newest first.
    pub fn symptoms(&self, tenant: &str, incident_id: &str, limit: usize) -> Vec<Arc<Alarm>> {
        let rows = self.alarms.board.list(None).filter_map(|(_, _, slot)| slot.row());
        let of_it = rows.filter(|row| row.incident_id.as_deref() == Some(incident_id) && is_of(tenant, &row.entity));
        of_it.take(limit).cloned().collect()
    }

    /// How many alarms of a tenant stand: of everything, of each root and site that has some.
    pub fn alarm_counts(&self, tenant: &str) -> Vec<CountsItem> {
        let Some(tenant) = self.interner.get(tenant) else {
            return vec![CountsItem::all(Default::default())];
        };
        let counters = &self.alarms.counters;
        let mut items = vec![CountsItem::all(counters.of(tenant, Scope::All))];
        for (scope, counts) in counters.scopes(tenant) {
            let (word, site, root) = match scope {
                Scope::All => continue,
                Scope::Site(site) => ("site", Some(site.to_string()), None),
                Scope::Root(root) => ("root", None, Some(self.nodes[*root as usize].id.to_string())),
            };
            items.push(CountsItem {
                scope: word,
                site,
                root,
                counts,
            });
        }
        items
    }

    /// The alarms that stand, newest first, as changes for a snapshot.
    pub fn standing_alarms(&self) -> impl Iterator<Item = Change> {
        let raised = self.alarms.board.list(None).filter(|(_, _, slot)| {
            let row = slot.row();
            row.is_some_and(|row| row.condition == "raised")
        });
        raised.filter_map(|(_, number, _)| self.alarm_change(number))
    }

    /// How many alarms stand, over all tenants.
    pub fn standing(&self) -> usize {
        let rows = self.alarms.board.list(None).filter_map(|(_, _, slot)| slot.row());
        rows.filter(|row| row.condition == "raised").count()
    }

    /// The incidents that are not closed, newest first, as changes for a snapshot.
    pub fn open_incidents(&self) -> impl Iterator<Item = Change> {
        let open = self.incidents.board.list(None).filter(|(_, _, slot)| {
            let row = slot.row();
            row.is_some_and(|row| row.state != "closed")
        });
        open.filter_map(|(_, number, _)| self.incident_change(number))
    }
}

impl CountsItem {
    fn all(counts: super::AlarmCounts) -> Self {
        Self {
            scope: "all",
            site: None,
            root: None,
            counts,
        }
    }
}

/// Whether an entity is a tenant's: ids begin with it.
pub fn is_of(tenant: &str, entity: &str) -> bool {
    entity.strip_prefix(tenant).is_some_and(|rest| rest.starts_with('/'))
}

fn page<'a, R: 'a>(
    rows: impl Iterator<Item = (&'a ListKey, &'a Arc<R>)>,
    limit: usize,
    item: impl Fn(&Arc<R>) -> String,
) -> ListPage {
    let mut page = ListPage::default();
    let mut last = None;
    for (key, row) in rows {
        if page.items.len() == limit {
            page.next = last.map(bytes_of);
            break;
        }
        page.items.push(item(row));
        last = Some(key);
    }
    page
}

/// A cursor: when the last one began, and its id.
fn bytes_of((Reverse(at), id): &ListKey) -> Vec<u8> {
    let mut bytes = at.0.to_be_bytes().to_vec();
    bytes.extend_from_slice(id.as_bytes());
    bytes
}

/// `None` if it is not one of these.
fn key_of(bytes: &[u8]) -> Option<ListKey> {
    let (at, id) = bytes.split_first_chunk::<8>()?;
    let id = std::str::from_utf8(id).ok()?;
    Some((Reverse(Micros(i64::from_be_bytes(*at))), id.into()))
}
