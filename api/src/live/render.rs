//! From the live view's rows to items.

use schemas::{DeviceEvent, DeviceEventType, Phase};

use model::RecordId;

use super::change::{Change, What};
use super::items::{EventItem, InventoryItem, RemovedItem, StatusItem, SummaryItem, json};
use super::node::{Index, Node};
use super::reading::{OpticsItem, PendingList, PollItem};
use super::row::Sym;
use super::state::LiveState;
use crate::time::{Instant3339, now};

impl LiveState {
    /// The present item of an entity.
    pub fn status_item(&self, index: Index) -> StatusItem<'_> {
        let node = &self.nodes[index as usize];
        let status = node.status();
        let inventory = node.inventory.as_deref();
        let text = |sym: Option<Sym>| sym.map(|s| &**self.interner.text(s));
        StatusItem {
            item_type: "status",
            entity: &node.id,
            kind: node.kind,
            root: &self.nodes[node.root as usize].id,
            parent: node.parent.map(|p| &*self.nodes[p as usize].id),
            site: text(self.site_of(node)),
            name: node.name(),
            description: node.description(),
            vendor: text(status.and_then(|s| s.vendor).or_else(|| inventory?.vendor)),
            model: text(status.and_then(|s| s.model).or_else(|| inventory?.model)),
            serial: node.serial(),
            state: node.state(),
            cause: status.and_then(|s| s.cause),
            cause_raw: text(status.and_then(|s| s.cause_raw)),
            since: status.map(|s| Instant3339(s.since)),
            observed_at: status.map(|s| Instant3339(s.observed_at)),
            received_at: status.map(|s| Instant3339(s.received_at)),
            first_trap_at: status.and_then(|s| s.first_trap_at).map(Instant3339),
            position: status.map(|s| s.position.into()),
            optics: status.and_then(|s| s.optics.as_deref()).map(OpticsItem::of),
            poll: status.and_then(|s| s.poll.as_deref()).map(PollItem::of),
            pending: status.and_then(|s| Some(s.poll.as_ref()?.pending.as_ref()?.onus.len())),
            counts: node.counts.as_deref().copied(),
            inventory: None,
        }
    }

    /// The ONUs that wait on an OLT to be provisioned; `None` if they were never read.
    pub fn pending(&self, index: Index) -> Option<PendingList<'_>> {
        let poll = self.nodes[index as usize].status()?.poll.as_ref()?;
        poll.pending.as_ref().map(PendingList::of)
    }

    /// The same, with what the inventory says beside.
    pub fn detailed_item(&self, index: Index) -> StatusItem<'_> {
        let inventory = self.nodes[index as usize].inventory.as_deref();
        let inventory = inventory.map(|i| InventoryItem {
            address: i.address.as_deref(),
            attributes: &i.attributes,
            origin: self.interner.text(i.origin),
            installed_at: i.installed_at.map(Instant3339),
            seen_at: Instant3339(i.seen_at),
        });
        StatusItem {
            inventory,
            ..self.status_item(index)
        }
    }

    pub(super) fn event_json(&self, node: &Node, site: Option<&str>, event: &DeviceEvent, id: &RecordId) -> String {
        json(&EventItem {
            item_type: "event",
            id: &id.to_string(),
            entity: &event.entity,
            kind: node.kind.as_str(),
            root: &self.nodes[node.root as usize].id,
            site,
            name: node.name(),
            serial: event.serial.as_deref().or_else(|| node.serial()),
            description: node.description(),
            event: &event.event,
            event_type: Some(event_type_word(event.event_type)),
            phase: Some(phase_word(event.phase)),
            severity: event.severity.as_deref(),
            at: Instant3339(event.at),
            received_at: Instant3339(event.received_at),
            state: event.state.as_deref(),
            previous: event.previous.as_deref(),
            cause: event.cause.as_deref(),
            cause_raw: event.cause_raw.as_deref(),
            detail: &event.detail,
            trap_oid: event.trap_oid.as_deref(),
            source: event.source.as_deref(),
            position: event.position.position().into(),
        })
    }

    pub(super) fn entity_change(&self, index: Index) -> Change {
        let node = &self.nodes[index as usize];
        let (what, json) = if node.is_shown() {
            (What::Entity, json(&self.status_item(index)))
        } else {
            (
                What::Removed,
                json(&RemovedItem {
                    item_type: "removed",
                    entity: &node.id,
                }),
            )
        };
        Change {
            seq: 0,
            what,
            tenant: node.tenant,
            node: index,
            root: node.root,
            parent: node.parent,
            site: self.site_of(node).map(|s| self.interner.text(s).clone()),
            kind: node.kind,
            state: Some(node.state()),
            number: index,
            alarm: None,
            subject: None,
            id: None,
            entity: node.id.clone(),
            json: json.into(),
        }
    }

    /// What is known of the pipeline itself, for the tenant it belongs to.
    pub fn system_change(&self) -> Option<Change> {
        let tenant = self.tenant(self.system.tenant()?)?;
        Some(Change {
            seq: 0,
            what: What::System,
            tenant,
            node: 0,
            root: 0,
            parent: None,
            site: None,
            kind: model::Kind::Unknown,
            state: None,
            number: 0,
            alarm: None,
            subject: None,
            id: None,
            entity: "".into(),
            json: json(&self.system.item(now())).into(),
        })
    }

    pub(super) fn summary_change(&self, tenant: Sym, site: Option<Sym>) -> Change {
        let totals = self.totals.get(&(tenant, site)).copied().unwrap_or_default();
        let name = site.map(|s| self.interner.text(s).clone());
        let json = json(&SummaryItem::new(name.as_deref(), &totals));
        Change {
            seq: 0,
            what: What::Summary(site),
            tenant,
            node: 0,
            root: 0,
            parent: None,
            site: name,
            kind: model::Kind::Site,
            state: None,
            number: 0,
            alarm: None,
            subject: None,
            id: None,
            entity: "".into(),
            json: json.into(),
        }
    }
}

/// The word of an event's coarse type (`device.connected` …).
fn event_type_word(event_type: DeviceEventType) -> &'static str {
    match event_type {
        DeviceEventType::DeviceConnected => "device.connected",
        DeviceEventType::DeviceDisconnected => "device.disconnected",
        DeviceEventType::DeviceAlarm => "device.alarm",
    }
}

/// The word of an event's phase.
fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Raise => "raise",
        Phase::Clear => "clear",
        Phase::Event => "event",
    }
}
