//! What the steps that decide about alarms hand to each other.

use std::sync::Arc;

use model::{Cause, EntityId, Micros, Position, Root, Severity, State};
use serde::{Deserialize, Serialize};

use super::Seen;
use crate::{AlarmReason, Incident};

/// What is known of an entity beside its status: what scopes of rules and texts of alarms need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Vendor.
    pub vendor: Option<String>,
    /// Family of a card.
    pub family: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Site.
    pub site: Option<String>,
    /// Name given by people.
    pub name: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
}

/// The status of an entity changed.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusNews {
    /// Which.
    pub entity: EntityId,
    /// Its state before; `None` if it was not known.
    pub was: Option<State>,
    /// Its state; `None`: it was removed.
    pub state: Option<State>,
    /// Why, when it is out of service.
    pub cause: Option<Cause>,
    /// Since when it is in this state, by observation time.
    pub since: Micros,
    /// When the newest observation of the state was made.
    pub observed_at: Micros,
    /// When we received that.
    pub received_at: Micros,
    /// What is known of it, if that is new or other than what was told last.
    pub about: Option<Arc<About>>,
}

/// Which alarm of an entity: at any time there is at most one that is not cleared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlarmSlot {
    /// The entity.
    pub entity: EntityId,
    /// Id of the rule, or what the device calls it in our words.
    pub alarm_type: Arc<str>,
    /// Tells apart alarms of one type on one entity; mostly empty.
    pub qualifier: Arc<str>,
}

/// Who says that there is an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmOrigin {
    /// A rule.
    Rule {
        /// Its version.
        version: i64,
        /// Its name.
        name: Arc<str>,
    },
    /// The device, by a trap or in a list.
    Device,
}

/// What became of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlarmChange {
    /// It begins.
    Raised,
    /// The one that was cleared not long ago goes on.
    Reopened,
    /// Its severity, its text or its rule's version is another one.
    Changed,
    /// It ends.
    Cleared,
    /// It came and went too often: it is raised or cleared, and people are spared.
    Suppressed,
    /// It has been quiet for long enough.
    Unsuppressed,
}

/// `detect` about one alarm. Everything but `what` describes the alarm as it now is.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmNews {
    /// Which.
    pub slot: AlarmSlot,
    /// Its id: of the slot and the position of its raise.
    pub alarm_id: Arc<str>,
    /// What became of it.
    pub what: AlarmChange,
    /// Who says so.
    pub origin: AlarmOrigin,
    /// Its severity.
    pub severity: Severity,
    /// What people read.
    pub text: String,
    /// Why.
    pub reason: AlarmReason,
    /// When what raised it was observed.
    pub raised_at: Micros,
    /// When what changed it now was observed.
    pub observed_at: Micros,
    /// The input that raised it.
    pub raise_position: Position,
    /// It stood on the device before we first asked.
    pub is_old: bool,
    /// What is known of the entity.
    pub about: Arc<About>,
}

/// Name of the list of alarms that an OLT shows on its command line.
pub const OLT_TABLE: &str = "table";

/// Types that an OLT's list is known (by recordings) to show under the same word as a trap: when a whole list no longer has one, it has
/// ended, though the trap that says so was lost. What traps say beside these may stand and not be listed.
pub const OLT_TABLE_TYPES: [&str; 6] = [
    "config_recovery_failed",
    "dying_gasp",
    "lcdg",
    "los",
    "pon_los",
    "ranging_failure",
];

/// Alarms that a device or another system shows as standing. Several parts of one reading have one `seen`; the last one of a whole
/// reading is whole.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedAlarms {
    /// The root that was asked.
    pub root: Root,
    /// When.
    pub seen: Seen,
    /// Who says so; what another one raised, this one cannot clear by silence. `table` for an OLT's own, `padtec`.
    pub list: &'static str,
    /// Everything that stands is in it: what is not in it has ended.
    pub is_whole: bool,
    /// The alarms.
    pub alarms: Vec<ListedAlarm>,
}

/// One of [`ListedAlarms`].
#[derive(Debug, Clone, PartialEq)]
pub struct ListedAlarm {
    /// Which. The type is the one that a trap of the same alarm has.
    pub slot: AlarmSlot,
    /// How bad.
    pub severity: Severity,
    /// What people read.
    pub text: String,
    /// Since when, by the device's clock, if it says so.
    pub since: Option<Micros>,
}

/// `correlate` about one incident.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentNews {
    /// The incident as it now is.
    pub incident: Arc<Incident>,
    /// Entities whose alarms are from now on symptoms of it.
    pub takes: Vec<EntityId>,
    /// Entities whose alarms no longer are.
    pub releases: Vec<EntityId>,
}
