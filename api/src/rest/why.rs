//! Why there is an alarm: the rule, the numbers, and the records of the log that they came from, for people.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use log::{Log, LogError, Start, Stored};
use model::{EntityId, Position};
use schemas::{Alarm, AnyRecord};
use serde::Serialize;
use serde_json::Value;
use topology::Topic;
use utoipa::ToSchema;

use super::alarms::find;
use super::excerpt::excerpt;
use super::extract::{DeviceId, json_text};
use super::rules::{RuleItem, is_visible};
use super::transitions::history;
use crate::auth::Caller;
use crate::config::ExplainTrap;
use crate::error::ErrorBody;
use crate::live::alarms::items::{AlarmItem, ReasonItem};
use crate::live::items::{PositionItem, json};
use crate::time::Instant3339;
use crate::{ApiError, ApiState};

/// Records read for one answer.
const INPUTS_MAX: usize = 6;
/// Transitions looked at for them.
const HISTORY_MAX: usize = 50;
/// The log must have answered within this time.
const WITHIN: Duration = Duration::from_secs(5);

/// Why there is an alarm.
#[derive(Serialize, ToSchema)]
pub struct WhyItem<'a> {
    /// The alarm.
    alarm: AlarmItem<'a>,
    /// The version of the rule that decided last; null: the device says so, or that version is not known here.
    rule: Option<RuleItem<'a>>,
    /// The version of that rule that stands now.
    rule_version_now: Option<i64>,
    /// The numbers that decided.
    reason: ReasonItem<'a>,
    /// What made it so, oldest first: the raise, and the last changes.
    inputs: Vec<InputItem>,
}

/// A record of the log.
#[derive(Serialize, ToSchema)]
pub struct InputItem {
    /// What it made of the alarm: raised, cleared, acknowledged …
    made: String,
    /// Where it stands.
    position: PositionItem,
    /// When it was appended; null if it is not there.
    #[schema(value_type = Option<String>, format = DateTime)]
    appended_at: Option<Instant3339>,
    /// Which record it is.
    record_type: Option<&'static str>,
    /// Its fields. Of a reading with many rows those about the alarm's entity; `…_rows_left_out` says how many others there are.
    #[schema(value_type = Option<Object>)]
    record: Option<Value>,
    /// What the bytes of a trap say, by the catalogue.
    #[schema(value_type = Option<Object>)]
    decoded: Option<Value>,
    /// Why it is not there: older than what the log keeps, or of an earlier log.
    missing: Option<String>,
}

/// Why there is an alarm.
#[utoipa::path(get, path = "/alarms/{id}/why", tag = "alarms", params(("id" = String, Path, description = "The alarm's id")), responses(
    (status = 200, description = "Rule, numbers and inputs", body = WhyItem),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such alarm", body = ErrorBody),
    (status = 503, description = "The store or the log is away", body = ErrorBody),
))]
pub async fn why(State(api): State<Arc<ApiState>>, caller: Caller, id: DeviceId) -> Result<Response, ApiError> {
    let alarm = find(&api, &caller, &id.0).await?;
    let inputs = positions(&api, &alarm).await?;
    let (reading, entity) = (api.clone(), alarm.entity.clone());
    // The log is read by blocking calls.
    let work = tokio::task::spawn_blocking(move || {
        let explain = reading.explain_trap.as_ref();
        let read = |(made, position)| input(&*reading.log, explain, &entity, made, position);
        inputs.into_iter().map(read).collect::<Result<Vec<_>, LogError>>()
    });
    let inputs = work.await.map_err(|e| ApiError::internal("reading the log", &e))?;
    let inputs = inputs.map_err(|e| ApiError::unavailable("reading the log", &e))?;
    let book = api.rules.serve()?;
    let version = alarm.rule_id.as_deref().zip(alarm.rule_version);
    let rule = version.and_then(|(id, version)| book.rule_version(id, version));
    let rule = rule.filter(|rule| is_visible(&rule.scope, &caller.tenant));
    let now = alarm.rule_id.as_deref().and_then(|id| book.rule(id));
    Ok(json_text(json(&WhyItem {
        rule: rule.map(RuleItem::from),
        rule_version_now: now.map(|rule| rule.version),
        reason: ReasonItem::from(&alarm.reason),
        inputs,
        alarm: AlarmItem::from(&*alarm),
    })))
}

/// The raise, and the last changes, each input once, oldest first.
async fn positions(api: &ApiState, alarm: &Alarm) -> Result<Vec<(String, Position)>, ApiError> {
    let raise = alarm.raise_position.position();
    let mut inputs = vec![("raised".to_owned(), raise)];
    let happened = history(api, &alarm.alarm_id, HISTORY_MAX, None).await?;
    let newest = happened.rows.into_iter().map(|row| (row.transition, row.position));
    // The store may be a moment behind.
    let last = ("changed".to_owned(), alarm.position.position());
    let mut later: Vec<_> = Vec::new();
    for (made, position) in newest.chain([last]) {
        let known = position == raise || later.iter().any(|(_, p)| *p == position);
        if !known && later.len() < INPUTS_MAX - 1 {
            later.push((made, position));
        }
    }
    later.sort_by_key(|(_, position)| *position);
    inputs.extend(later);
    Ok(inputs)
}

fn input(
    log: &dyn Log,
    explain: Option<&ExplainTrap>,
    entity: &str,
    made: String,
    position: Position,
) -> Result<InputItem, LogError> {
    let mut item = InputItem {
        made,
        position: position.into(),
        appended_at: None,
        record_type: None,
        record: None,
        decoded: None,
        missing: None,
    };
    let stored = match record_at(log, position)? {
        Ok(stored) => stored,
        Err(missing) => {
            item.missing = Some(missing.to_owned());
            return Ok(item);
        }
    };
    item.appended_at = Some(Instant3339(stored.appended_at));
    let decoded = stored.record.value.as_deref().map(|value| log.codec().decode(value));
    match decoded {
        Some(Ok(record)) => {
            item.record_type = Some(record.record_type().name());
            if let AnyRecord::TrapReceived(trap) = &record {
                item.decoded = explain.map(|explain| explain(&trap.pdu, &trap.root));
            }
            let place = EntityId::parse(entity).ok();
            item.record = Some(excerpt(record.to_json(), place.as_ref()));
        }
        Some(Err(error)) => item.missing = Some(format!("the record cannot be read: {error}")),
        None => item.missing = Some("the record has no value".to_owned()),
    }
    Ok(item)
}

/// A record of `observations`, or why it is not there.
fn record_at(log: &dyn Log, position: Position) -> Result<Result<Stored, &'static str>, LogError> {
    let partition = position.partition;
    if position.generation != log.generation() || partition >= log.partitions() {
        return Ok(Err("it stood in an earlier log"));
    }
    let topic = Topic::Observations;
    let (starts, mut offsets) = (log.starts(topic)?, log.ends(topic)?);
    let index = usize::try_from(partition).unwrap_or(usize::MAX);
    let (Some(start), Some(end)) = (starts.get(index), offsets.get_mut(index)) else {
        return Ok(Err("it stood in an earlier log"));
    };
    if position.offset < *start {
        return Ok(Err("it is older than what the log keeps"));
    }
    if position.offset >= *end {
        return Ok(Err("the log does not reach so far: it was made again since"));
    }
    *end = position.offset;
    let mut tail = match log.tail(&[(topic, Start::Offsets(offsets))]) {
        // What retention has taken between the question and this.
        Err(LogError::OffsetTooOld { .. }) => return Ok(Err("it is older than what the log keeps")),
        tail => tail?,
    };
    let deadline = Instant::now() + WITHIN;
    while tail.position(topic, partition) <= position.offset {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(LogError::Timeout(WITHIN));
        }
        let records = tail.poll(16, left.min(Duration::from_millis(200)))?;
        let found = records
            .into_iter()
            .find(|s| s.record.partition == partition && s.offset == position.offset);
        if let Some(found) = found {
            return Ok(Ok(found));
        }
    }
    Ok(Err("there is no record at this position"))
}
