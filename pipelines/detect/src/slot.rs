//! What is remembered: of one entity in one slot, of a rule in one of its own.

use std::sync::Arc;

use model::{Cause, Micros, Severity, State};
use schemas::Rule;
use schemas::network::{About, Seen};
use serde::{Deserialize, Serialize};

use crate::life::Life;
use crate::window::Window;

/// Measures of one entity; an ONU has 7, the cards known have fewer than 40.
pub const MEASURES_MAX: usize = 64;
/// Rules with something to remember of one entity: an alarm, a delay that runs, a window.
pub const RULES_MAX: usize = 24;
/// Of those, rules with a window.
pub const WINDOWS_MAX: usize = 12;
/// Alarms of devices of one entity, open or cleared not long ago.
pub const DEVICE_ALARMS_MAX: usize = 32;
/// Bytes of a measure's word; a longer one is no word of ours.
pub const MEASURE_BYTES_MAX: usize = 64;
/// Bytes kept of a unit.
pub const UNIT_BYTES_MAX: usize = 16;
/// Bytes kept of an alarm's text.
pub const TEXT_BYTES_MAX: usize = 256;
/// Bytes kept of an alarm's type and of its qualifier.
pub const TYPE_BYTES_MAX: usize = 96;
/// Bytes kept of each thing known of an entity.
pub const ABOUT_BYTES_MAX: usize = 256;
/// Lists kept of a root.
pub const LISTS_MAX: usize = 4;

/// One slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Slot {
    /// Of an entity.
    Entity(Box<Entity>),
    /// The highest version of a rule; one that is removed stays, so that an older version cannot come back.
    Rule(Box<Rule>),
}

impl Slot {
    /// The entity in it.
    pub fn entity(&self) -> Option<&Entity> {
        match self {
            Self::Entity(entity) => Some(entity),
            Self::Rule(_) => None,
        }
    }
}

/// What is remembered of an entity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// What is known of it.
    pub about: Option<Arc<About>>,
    /// Its status.
    pub known: Option<Known>,
    /// The set of rules, and the root's site, that it has been looked at with.
    pub adopted: u64,
    /// What is measured of it, by the measures' words.
    pub measures: Vec<MeasureState>,
    /// Rules with something to remember, by their ids.
    pub rules: Vec<RuleState>,
    /// Alarms that a device says, by type and qualifier.
    pub device: Vec<DeviceAlarm>,
    /// It was out of service until then, in observed time: nobody could measure it.
    pub back_at: Micros,
    /// When its timer fires next, in observed time.
    pub armed: Option<Micros>,
    /// Of a root: how it is watched.
    pub watch: Option<Box<Watch>>,
}

/// The status of an entity, as told last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Its state.
    pub state: State,
    /// Why.
    pub cause: Option<Cause>,
    /// Since when.
    pub since: Micros,
    /// When that was observed.
    pub observed_at: Micros,
}

/// How a root is watched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// The newest heartbeat of a connector that measures, in observed time; `None`: never one.
    pub heartbeat: Option<Micros>,
    /// Readings of it fail one after the other.
    pub is_failing: bool,
    /// It could not be read until then, in observed time.
    pub back_at: Micros,
    /// Lists of its alarms that have been whole once: which, and when the first such one was asked for.
    pub lists: Vec<(Box<str>, Micros)>,
}

/// The newest good sample of a measure, and how often there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasureState {
    /// What is measured.
    pub measure: Arc<str>,
    /// Its unit.
    pub unit: Arc<str>,
    /// The value.
    pub value: f64,
    /// When it was observed.
    pub newest: Micros,
    /// When it was there, in observed time.
    pub arrived: Micros,
    /// Seconds between the last samples, the newest last.
    pub intervals: Vec<u32>,
}

/// What is remembered for a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleState {
    /// The rule.
    pub rule_id: Arc<str>,
    /// The version that last decided.
    pub version: i64,
    /// Who wrote that, hashed with it.
    pub stamp: u64,
    /// What that looks at, hashed.
    pub shape: u64,
    /// Its alarm.
    pub life: Life,
    /// What was compared last: the value, or how it moved.
    pub compared: Option<Compared>,
    /// Of a rule with a window.
    pub window: Option<Window>,
    /// What people were told of the alarm that is open.
    pub told: Option<Box<Told>>,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// What was compared.
    pub value: f64,
    /// When it was observed.
    pub at: Micros,
}

/// What people were told of an open alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Name of the rule.
    pub name: Arc<str>,
    /// Severity.
    pub severity: Severity,
    /// Text.
    pub text: Box<str>,
}

/// An alarm that a device says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceAlarm {
    /// Its type.
    pub alarm_type: Arc<str>,
    /// Tells apart those of one type.
    pub qualifier: Arc<str>,
    /// Its life.
    pub life: Life,
    /// The newest sign of it.
    pub seen: Seen,
    /// How bad.
    pub severity: Severity,
    /// What people read.
    pub text: Box<str>,
    /// The list that showed it last.
    pub list: Option<Box<str>>,
    /// A list raised it, no trap.
    pub is_listed_first: bool,
    /// It stood before we first asked.
    pub is_old: bool,
    /// It takes its entity out of service, which is: when that works again, it has ended.
    pub explains: bool,
    /// It is one that takes its entity out of service.
    pub is_fault: bool,
    /// The newest PDU that began it and the newest that ended it, hashed, with when they were received.
    pub prints: [Option<(u64, Micros)>; 2],
}

impl Entity {
    /// Bytes in a slot, at most: each text with its length, each number with ten.
    pub fn bytes_max(&self) -> usize {
        const LIFE: usize = 96;
        let text = |text: &str| text.len() + 5;
        let about = self.about.as_deref().map_or(0, |about| {
            let words = [
                &about.vendor,
                &about.family,
                &about.model,
                &about.site,
                &about.name,
                &about.serial,
            ];
            words.into_iter().flatten().map(|word| text(word)).sum::<usize>() + 8
        });
        let measures: usize = self
            .measures
            .iter()
            .map(|m| text(&m.measure) + text(&m.unit) + 30 + 6 * m.intervals.len())
            .sum();
        let rules: usize = self
            .rules
            .iter()
            .map(|rule| {
                let told = rule
                    .told
                    .as_deref()
                    .map_or(0, |told| text(&told.name) + text(&told.text) + 2);
                let window = rule.window.as_ref().map_or(0, Window::bytes_max);
                text(&rule.rule_id) + 64 + LIFE + told + window
            })
            .sum();
        let device: usize = self
            .device
            .iter()
            .map(|alarm| {
                let list = alarm.list.as_deref().map_or(0, text);
                text(&alarm.alarm_type) + text(&alarm.qualifier) + text(&alarm.text) + list + LIFE + 100
            })
            .sum();
        let watch = self.watch.as_deref().map_or(0, |watch| {
            40 + watch.lists.iter().map(|(list, _)| text(list) + 10).sum::<usize>()
        });
        about + measures + rules + device + watch + 96
    }

    /// Where a measure is, or would be.
    pub fn measure(&self, measure: &str) -> Result<usize, usize> {
        self.measures.binary_search_by(|m| (*m.measure).cmp(measure))
    }

    /// Where a rule's state is, or would be.
    pub fn rule(&self, rule_id: &str) -> Result<usize, usize> {
        self.rules.binary_search_by(|rule| (*rule.rule_id).cmp(rule_id))
    }

    /// Where a device's alarm is, or would be.
    pub fn device(&self, alarm_type: &str, qualifier: &str) -> Result<usize, usize> {
        self.device
            .binary_search_by(|alarm| (&*alarm.alarm_type, &*alarm.qualifier).cmp(&(alarm_type, qualifier)))
    }

    /// It is known to be out of service.
    pub fn is_out(&self) -> bool {
        self.known.is_some_and(|known| known.state.is_out())
    }
}

/// At most so many bytes of a text, and no half letters.
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
