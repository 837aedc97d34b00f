//! The items of REST and WebSocket, as `docs/specs/live-protocol.md` has them. One shape for both.

use std::collections::BTreeMap;

use model::{Cause, Kind, Position, State};
use serde::Serialize;
use topology::Topic;
use utoipa::ToSchema;

use super::counts::{Counts, Totals};
use super::reading::{OpticsItem, PollItem};
use crate::time::Instant3339;

/// Position of an input in the log.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct PositionItem {
    /// Always `observations`.
    pub topic: &'static str,
    /// Generation of the topic.
    pub generation: u32,
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: u64,
}

impl From<Position> for PositionItem {
    fn from(p: Position) -> Self {
        let topic = Topic::Observations.name();
        Self {
            topic,
            generation: p.generation,
            partition: p.partition,
            offset: p.offset,
        }
    }
}

/// Current status of an entity, and what lists need. OLTs, boards and PONs carry `counts` of the ONUs below them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatusItem<'a> {
    /// `status`.
    #[serde(rename = "type")]
    pub item_type: &'static str,
    /// Entity id.
    pub entity: &'a str,
    /// What it is.
    #[schema(value_type = String)]
    pub kind: Kind,
    /// The element through which it is seen.
    pub root: &'a str,
    /// What it hangs on.
    pub parent: Option<&'a str>,
    /// Its site, or its root's.
    pub site: Option<&'a str>,
    /// Name given by people.
    pub name: Option<&'a str>,
    /// Description.
    pub description: Option<&'a str>,
    /// Vendor.
    pub vendor: Option<&'a str>,
    /// Model.
    pub model: Option<&'a str>,
    /// Serial number.
    pub serial: Option<&'a str>,
    /// Present state.
    #[schema(value_type = String)]
    pub state: State,
    /// Why it is out of service.
    #[schema(value_type = Option<String>)]
    pub cause: Option<Cause>,
    /// The vendor's words for it.
    pub cause_raw: Option<&'a str>,
    /// Since when it is in this state; null for what is known only by what hangs on it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Instant3339>,
    /// When the newest observation was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<Instant3339>,
    /// When we received it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub received_at: Option<Instant3339>,
    /// When its first trap came; null: never (roots only).
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_trap_at: Option<Instant3339>,
    /// The input that made it so.
    pub position: Option<PositionItem>,
    /// Its optical levels, once they were read (ONUs only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optics: Option<OpticsItem>,
    /// How reading it goes, if it is read (OLTs only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<PollItem<'a>>,
    /// ONUs that wait on it to be provisioned (OLTs that are read only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<usize>,
    /// ONUs below it (OLT, board, PON only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// What the inventory says beside (one entity's page only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inventory: Option<InventoryItem<'a>>,
}

/// What the inventory says beside the status.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InventoryItem<'a> {
    /// Management address.
    pub address: Option<&'a str>,
    /// Anything else.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub attributes: &'a BTreeMap<String, String>,
    /// Who said that it exists.
    pub origin: &'a str,
    /// When it was registered first.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub installed_at: Option<Instant3339>,
    /// When it was last seen or registered.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Instant3339,
}

/// One normalised happening.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventItem<'a> {
    /// `event`.
    #[serde(rename = "type")]
    pub item_type: &'static str,
    /// Record id, hexadecimal.
    pub id: &'a str,
    /// What it happened to.
    pub entity: &'a str,
    /// What that is.
    pub kind: &'a str,
    /// Its root.
    pub root: &'a str,
    /// Its site.
    pub site: Option<&'a str>,
    /// Its name.
    pub name: Option<&'a str>,
    /// Its serial at that time.
    pub serial: Option<&'a str>,
    /// Its description.
    pub description: Option<&'a str>,
    /// Our name of what happened.
    pub event: &'a str,
    /// `device.connected`, `device.disconnected` or `device.alarm`; null in histories from the store.
    pub event_type: Option<&'a str>,
    /// `raise`, `clear` or `event`; null in histories from the store that do not carry it.
    pub phase: Option<&'a str>,
    /// Severity of what begins.
    pub severity: Option<&'a str>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant3339,
    /// When we received it.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Instant3339,
    /// State after it, when it changed.
    pub state: Option<&'a str>,
    /// State before it.
    pub previous: Option<&'a str>,
    /// Cause.
    pub cause: Option<&'a str>,
    /// The vendor's words.
    pub cause_raw: Option<&'a str>,
    /// What else the source said.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub detail: &'a BTreeMap<String, String>,
    /// snmpTrapOID.
    pub trap_oid: Option<&'a str>,
    /// Where it came from.
    pub source: Option<&'a str>,
    /// The input that made it.
    pub position: PositionItem,
}

/// Counters of a site or of everything.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SummaryItem<'a> {
    /// `summary`.
    #[serde(rename = "type")]
    pub item_type: &'static str,
    /// `all` or `site`.
    pub scope: &'static str,
    /// Which site.
    pub site: Option<&'a str>,
    /// ONUs.
    pub counts: Counts,
    /// OLTs.
    pub olts: u32,
    /// Boards.
    pub boards: u32,
    /// PON ports.
    pub pons: u32,
    /// PON ports that are down.
    pub pons_down: u32,
    /// Boards that have failed.
    pub boards_failed: u32,
}

impl<'a> SummaryItem<'a> {
    /// Of one site, or of everything.
    pub fn new(site: Option<&'a str>, totals: &Totals) -> Self {
        Self {
            item_type: "summary",
            scope: if site.is_some() { "site" } else { "all" },
            site,
            counts: totals.counts,
            olts: totals.olts,
            boards: totals.boards,
            pons: totals.pons,
            pons_down: totals.pons_down,
            boards_failed: totals.boards_failed,
        }
    }
}

/// An entity that no longer is in a subscription: deleted, or outside its filter.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RemovedItem<'a> {
    /// `removed`.
    #[serde(rename = "type")]
    pub item_type: &'static str,
    /// Which.
    pub entity: &'a str,
}

/// JSON of an item.
pub fn json(item: &impl Serialize) -> String {
    serde_json::to_string(item).expect("items have text keys and no failing parts")
}
