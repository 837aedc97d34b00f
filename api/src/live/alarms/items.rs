//! Items of alarms and incidents, as `docs/specs/live-protocol.md` has them.

use model::Micros;
use schemas::{Alarm, AlarmComment, AlarmReason, Incident};
use serde::Serialize;
use utoipa::ToSchema;

use crate::live::items::PositionItem;
use crate::time::Instant3339;

/// What was asked for (m87): made from the axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum AlarmStatus {
    /// It stands, and nobody has said anything.
    Active,
    /// It stands, and somebody looks after it.
    Acknowledged,
    /// It is over, or somebody closed it.
    Cleared,
}

impl AlarmStatus {
    /// Each, and its word.
    pub const WORDS: [(Self, &'static str); 3] = [
        (Self::Active, "ACTIVE"),
        (Self::Acknowledged, "ACKNOWLEDGED"),
        (Self::Cleared, "CLEARED"),
    ];

    /// Of an alarm.
    pub fn of(alarm: &Alarm) -> Self {
        match (alarm.condition.as_str(), alarm.operator_state.as_str()) {
            ("cleared", _) | (_, "closed") => Self::Cleared,
            (_, "acknowledged") => Self::Acknowledged,
            _ => Self::Active,
        }
    }
}

/// Why an alarm is as it is, with the numbers that decided.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReasonItem<'a> {
    /// above, below, outside, rate, state, no_data, slope, trap, table … or why it cleared.
    pub word: &'a str,
    /// Measure.
    pub measure: Option<&'a str>,
    /// Value that decided.
    pub value: Option<f64>,
    /// Its unit.
    pub unit: Option<&'a str>,
    /// Limit it was compared with, the dead band counted in.
    pub limit: Option<f64>,
    /// When that was observed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<Instant3339>,
    /// For how many seconds the condition had held.
    pub held_s: Option<i64>,
    /// State.
    pub state: Option<&'a str>,
    /// Cause of the state.
    pub cause: Option<&'a str>,
    /// More for people.
    pub detail: Option<&'a str>,
}

/// What a person wrote.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CommentItem<'a> {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant3339,
    /// Who.
    pub actor: &'a str,
    /// What.
    pub text: &'a str,
}

/// An alarm as it is now. Condition, operator state and visibility are three things.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlarmItem<'a> {
    /// `alarm`.
    #[serde(rename = "type")]
    pub item_type: &'static str,
    /// Its id.
    pub alarm_id: &'a str,
    /// ACTIVE, ACKNOWLEDGED or CLEARED, made from the axes.
    pub status: AlarmStatus,
    /// What it is about.
    pub entity: &'a str,
    /// The root of that.
    pub root: &'a str,
    /// Kind of the entity.
    pub kind: &'a str,
    /// Site.
    pub site: Option<&'a str>,
    /// Name of the entity, given by people.
    pub name: Option<&'a str>,
    /// Serial number of the entity.
    pub serial: Option<&'a str>,
    /// Id of the rule, or what the device calls it in our words.
    pub alarm_type: &'a str,
    /// Tells apart alarms of one type on one entity; mostly empty.
    pub qualifier: &'a str,
    /// `rule` or `device`: who says that there is one.
    pub origin: &'a str,
    /// Rule.
    pub rule_id: Option<&'a str>,
    /// Version of the rule that last decided.
    pub rule_version: Option<i64>,
    /// Name of the rule.
    pub rule_name: Option<&'a str>,
    /// critical, major, minor, warning, indeterminate.
    pub severity: &'a str,
    /// raised, cleared.
    pub condition: &'a str,
    /// none, acknowledged, closed.
    pub operator_state: &'a str,
    /// shown, silenced, inhibited, suppressed.
    pub visibility: &'a str,
    /// What people read.
    pub text: &'a str,
    /// Why it is raised; of a cleared one why it cleared.
    pub reason: ReasonItem<'a>,
    /// When what raised it was observed.
    #[schema(value_type = String, format = DateTime)]
    pub raised_at: Instant3339,
    /// When what cleared it was observed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cleared_at: Option<Instant3339>,
    /// Log time of its last change.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Instant3339,
    /// When it was acknowledged.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub acknowledged_at: Option<Instant3339>,
    /// Who did.
    pub acknowledged_by: Option<&'a str>,
    /// Silenced until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub silenced_until: Option<Instant3339>,
    /// By this silence; null: by an act on this alarm alone.
    pub silence_id: Option<&'a str>,
    /// The last 20, oldest first.
    pub comments: Vec<CommentItem<'a>>,
    /// The incident whose symptom it is.
    pub incident_id: Option<&'a str>,
    /// How often it was raised again within the time that counts as the same.
    pub reopened: i32,
    /// It stood on the device before we first asked: nobody is paged for it.
    pub is_old: bool,
    /// The input that raised it.
    pub raise_position: PositionItem,
    /// The input that made it as it is.
    pub position: PositionItem,
}

impl<'a> From<&'a AlarmReason> for ReasonItem<'a> {
    fn from(reason: &'a AlarmReason) -> Self {
        Self {
            word: &reason.word,
            measure: reason.measure.as_deref(),
            value: reason.value,
            unit: reason.unit.as_deref(),
            limit: reason.limit,
            observed_at: reason.observed_at.map(Instant3339),
            held_s: reason.held_s,
            state: reason.state.as_deref(),
            cause: reason.cause.as_deref(),
            detail: reason.detail.as_deref(),
        }
    }
}

impl<'a> From<&'a AlarmComment> for CommentItem<'a> {
    fn from(comment: &'a AlarmComment) -> Self {
        Self {
            at: Instant3339(comment.at),
            actor: &comment.actor,
            text: &comment.text,
        }
    }
}

impl<'a> From<&'a Alarm> for AlarmItem<'a> {
    fn from(alarm: &'a Alarm) -> Self {
        Self {
            item_type: "alarm",
            alarm_id: &alarm.alarm_id,
            status: AlarmStatus::of(alarm),
            entity: &alarm.entity,
            root: &alarm.root,
            kind: &alarm.kind,
            site: alarm.site.as_deref(),
            name: alarm.name.as_deref(),
            serial: alarm.serial.as_deref(),
            alarm_type: &alarm.alarm_type,
            qualifier: &alarm.qualifier,
            origin: &alarm.origin,
            rule_id: alarm.rule_id.as_deref(),
            rule_version: alarm.rule_version,
            rule_name: alarm.rule_name.as_deref(),
            severity: &alarm.severity,
            condition: &alarm.condition,
            operator_state: &alarm.operator_state,
            visibility: &alarm.visibility,
            text: &alarm.text,
            reason: (&alarm.reason).into(),
            raised_at: Instant3339(alarm.raised_at),
            cleared_at: alarm.cleared_at.map(Instant3339),
            changed_at: Instant3339(alarm.changed_at),
            acknowledged_at: alarm.acknowledged_at.map(Instant3339),
            acknowledged_by: alarm.acknowledged_by.as_deref(),
            silenced_until: alarm.silenced_until.map(Instant3339),
            silence_id: alarm.silence_id.as_deref(),
            comments: alarm.comments.iter().map(Into::into).collect(),
            incident_id: alarm.incident_id.as_deref(),
            reopened: alarm.reopened,
            is_old: alarm.is_old,
            raise_position: alarm.raise_position.position().into(),
            position: alarm.position.position().into(),
        }
    }
}

/// Losses with one cause.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IncidentItem<'a> {
    /// `incident`.
    #[serde(rename = "type")]
    pub item_type: &'static str,
    /// Its id.
    pub incident_id: &'a str,
    /// Root.
    pub root: &'a str,
    /// Where it is: a PON port, a board, an OLT, an ONU.
    pub entity: &'a str,
    /// Site.
    pub site: Option<&'a str>,
    /// open, settling, closed.
    pub state: &'a str,
    /// forming, feeder, port, branch, power_area, single_drop, board, monitoring_loss, unexplained.
    pub verdict: &'a str,
    /// How sure the verdict is, 0 to 1.
    pub confidence: f64,
    /// critical, major, minor, warning, indeterminate.
    pub severity: &'a str,
    /// What people read.
    pub text: &'a str,
    /// ONUs lost by it, those that came back counted in.
    pub lost: i32,
    /// ONUs not back yet.
    pub still_lost: i32,
    /// ONUs that hang on the place.
    pub total: i32,
    /// Of the lost ones those whose last words were a power failure.
    pub gasps: i32,
    /// Of the lost ones those whose light went out without a word.
    pub dark: i32,
    /// When the first loss was observed.
    #[schema(value_type = String, format = DateTime)]
    pub began_at: Instant3339,
    /// When it closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Instant3339>,
    /// Log time of its last change.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Instant3339,
    /// Entities lost by it, at most 512.
    pub affected: &'a [String],
    /// How many more there are.
    pub affected_more: i32,
    /// PON ports it spans, at most 64.
    pub pons: &'a [String],
    /// The input that made it as it is.
    pub position: PositionItem,
    /// Its alarms, the first 200 (one incident's page only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symptoms: Option<Vec<AlarmItem<'a>>>,
}

impl<'a> From<&'a Incident> for IncidentItem<'a> {
    fn from(incident: &'a Incident) -> Self {
        Self {
            item_type: "incident",
            incident_id: &incident.incident_id,
            root: &incident.root,
            entity: &incident.entity,
            site: incident.site.as_deref(),
            state: &incident.state,
            verdict: &incident.verdict,
            // JSON has no number for what is none.
            confidence: if incident.confidence.is_finite() {
                incident.confidence
            } else {
                0.0
            },
            severity: &incident.severity,
            text: &incident.text,
            lost: incident.lost,
            still_lost: incident.still_lost,
            total: incident.total,
            gasps: incident.gasps,
            dark: incident.dark,
            began_at: Instant3339(incident.began_at),
            ended_at: incident.ended_at.map(Instant3339),
            changed_at: Instant3339(incident.changed_at),
            affected: &incident.affected,
            affected_more: incident.affected_more,
            pons: &incident.pons,
            position: incident.position.position().into(),
            symptoms: None,
        }
    }
}

/// One that no longer is in a subscription.
#[derive(Debug, Serialize)]
pub struct GoneItem<'a> {
    #[serde(rename = "type")]
    item_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident_id: Option<&'a str>,
}

impl<'a> GoneItem<'a> {
    /// An alarm.
    pub fn alarm(id: &'a str) -> Self {
        Self {
            item_type: "removed",
            alarm_id: Some(id),
            incident_id: None,
        }
    }

    /// An incident.
    pub fn incident(id: &'a str) -> Self {
        Self {
            item_type: "removed",
            alarm_id: None,
            incident_id: Some(id),
        }
    }
}

/// An instant that a client wrote: RFC 3339.
pub fn instant_of(text: &str) -> Option<Micros> {
    text.parse::<jiff::Timestamp>()
        .ok()
        .map(|at| Micros(at.as_microsecond()))
}
