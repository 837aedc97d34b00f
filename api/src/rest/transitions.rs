//! What happened to an alarm, from the store.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use store::queries;
use store::rows::{AlarmEventRow, AlarmScope};
use utoipa::{IntoParams, ToSchema};

use super::alarms::{KEPT_MS, PAGE_MAX, away, find};
use super::extract::{DeviceId, Query, cursor, limit, list_text};
use super::stored::reason_of;
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::alarms::items::ReasonItem;
use crate::live::items::{PositionItem, json};
use crate::time::{Instant3339, now};
use crate::{ApiError, ApiState};

/// Something that happened to an alarm.
#[derive(Serialize, ToSchema)]
pub struct TransitionItem<'a> {
    /// Record id, hexadecimal.
    id: String,
    /// The alarm.
    alarm_id: &'a str,
    /// Its root.
    root: &'a str,
    /// raised, reopened, changed, cleared, acknowledged, unacknowledged, commented, silenced, unsilenced, inhibited, uninhibited,
    /// suppressed, unsuppressed, refused.
    transition: &'a str,
    /// Log time.
    #[schema(value_type = String, format = DateTime)]
    at: Instant3339,
    /// Who did it, if a person did.
    actor: Option<&'a str>,
    /// The act.
    act_id: Option<&'a str>,
    /// Note, comment or reason of the act.
    text: Option<&'a str>,
    /// refused: why, a word.
    refusal: Option<&'a str>,
    /// Severity after it; here and below null where a refused act named an alarm that nobody knows.
    severity: Option<&'a str>,
    /// Condition after it.
    condition: Option<&'a str>,
    /// Operator state after it.
    operator_state: Option<&'a str>,
    /// Visibility after it.
    visibility: Option<&'a str>,
    /// What people read after it.
    alarm_text: Option<&'a str>,
    /// Version of the rule that decided.
    rule_version: Option<i64>,
    /// Why.
    reason: Option<ReasonItem<'a>>,
    /// The input that made it.
    position: PositionItem,
}

/// What happened to an alarm.
#[derive(Serialize, ToSchema)]
pub struct TransitionList<'a> {
    /// Newest first.
    items: Vec<TransitionItem<'a>>,
    /// Cursor of the next page.
    next: Option<String>,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TransitionQuery {
    /// Items a page, 1 to 1000; 100 unless asked.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// What happened to an alarm, newest first.
#[utoipa::path(get, path = "/alarms/{id}/transitions", tag = "alarms",
    params(("id" = String, Path, description = "The alarm's id"), TransitionQuery), responses(
    (status = 200, description = "A page", body = TransitionList),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such alarm", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn list(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    id: DeviceId,
    Query(query): Query<TransitionQuery>,
) -> Result<Response, ApiError> {
    let (limit, cursor) = (limit(query.limit, PAGE_MAX)?, cursor(query.cursor.as_deref())?);
    let alarm = find(&api, &caller, &id.0).await?;
    let page = history(&api, &alarm.alarm_id, limit, cursor.as_deref()).await?;
    let items: Vec<_> = page.rows.iter().map(transition_json).collect();
    Ok(list_text(&items, page.next.as_deref()))
}

/// What happened to one alarm, newest first.
pub async fn history(
    api: &ApiState,
    alarm_id: &str,
    limit: usize,
    cursor: Option<&[u8]>,
) -> Result<queries::Paged<AlarmEventRow>, ApiError> {
    let scope = AlarmScope::Alarm(alarm_id.to_owned());
    let between = 0..=now().millis() + KEPT_MS.1;
    queries::alarm_events(&*api.store, &scope, between, limit, cursor)
        .await
        .map_err(away)
}

fn transition_json(row: &AlarmEventRow) -> String {
    let alarm = row.alarm.as_ref();
    let reason = alarm.map(|a| reason_of(a.reason.clone()));
    json(&TransitionItem {
        id: row.id.iter().map(|b| format!("{b:02x}")).collect(),
        alarm_id: &row.alarm_id,
        root: row.root.as_str(),
        transition: &row.transition,
        at: Instant3339(row.at),
        actor: row.actor.as_deref(),
        act_id: row.act_id.as_deref(),
        text: row.text.as_deref(),
        refusal: row.refusal.as_deref(),
        severity: alarm.map(|a| &*a.severity),
        condition: alarm.map(|a| &*a.condition),
        operator_state: alarm.map(|a| &*a.operator_state),
        visibility: alarm.map(|a| &*a.visibility),
        alarm_text: alarm.map(|a| &*a.text),
        rule_version: alarm.and_then(|a| a.rule_version),
        reason: reason.as_ref().map(Into::into),
        position: row.position.into(),
    })
}
