//! Silences over many alarms: what fits a scope is raised and cleared as ever, and nobody is bothered with it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use schemas::rules::RuleScope;
use schemas::{Scope, Silence};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::acts::silence_until;
use super::extract::{Body, DeviceId, json_text, list_text};
use super::rule_body::{refused, scope_of};
use super::rules::{ScopeItem, is_own, is_visible};
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::items::json;
use crate::rules::Book;
use crate::time::{Instant3339, now};
use crate::{ApiError, ApiState, Code};

/// Longest reason, in bytes.
const REASON_BYTES_MAX: usize = 512;
/// Longest type of an alarm, in bytes.
const TYPE_BYTES_MAX: usize = 64;

/// One version of a silence.
#[derive(Debug, Serialize, ToSchema)]
pub struct SilenceItem<'a> {
    /// `silence`.
    #[serde(rename = "type")]
    item_type: &'static str,
    /// The silence; all its versions have it.
    silence_id: &'a str,
    /// Counts its versions, from 1.
    version: i64,
    /// Which server wrote this version.
    writer: &'a str,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    at: Instant3339,
    /// Who wrote it.
    author: &'a str,
    /// It is ended.
    removed: bool,
    /// Entities whose alarms are silenced.
    #[schema(value_type = ScopeItem)]
    scope: &'a Scope,
    /// Only alarms of this rule or type.
    alarm_type: Option<&'a str>,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    until: Instant3339,
    /// Why.
    reason: &'a str,
}

impl<'a> From<&'a Silence> for SilenceItem<'a> {
    fn from(silence: &'a Silence) -> Self {
        Self {
            item_type: "silence",
            silence_id: &silence.silence_id,
            version: silence.version,
            writer: &silence.writer,
            at: Instant3339(silence.at),
            author: &silence.author,
            removed: silence.removed,
            scope: &silence.scope,
            alarm_type: silence.alarm_type.as_deref(),
            until: Instant3339(silence.until),
            reason: &silence.reason,
        }
    }
}

/// Silences.
#[derive(Serialize, ToSchema)]
pub struct SilenceList<'a> {
    /// Those that hold, by id.
    items: Vec<SilenceItem<'a>>,
    /// Always null.
    next: Option<String>,
}

/// A silence to begin. It says at least one word of a scope, or a type.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceBody {
    /// Entities whose alarms are silenced.
    #[serde(default)]
    #[schema(value_type = Option<ScopeItem>)]
    scope: Value,
    /// Only alarms of this rule or type.
    alarm_type: Option<String>,
    /// Until when: RFC 3339, within a year.
    until: String,
    /// Why: at most 512 bytes.
    reason: String,
}

/// Lists the silences that hold.
#[utoipa::path(get, path = "/silences", tag = "alarms", responses(
    (status = 200, description = "All of them, by id", body = SilenceList),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn list(State(api): State<Arc<ApiState>>, caller: Caller) -> Result<Response, ApiError> {
    let (book, now) = (api.rules.serve()?, now());
    let holds =
        |silence: &&Silence| !silence.removed && silence.until > now && is_visible(&silence.scope, &caller.tenant);
    let items: Vec<_> = book
        .current_silences()
        .filter(holds)
        .map(|silence| json(&SilenceItem::from(silence)))
        .collect();
    Ok(list_text(&items, None))
}

/// Begins a silence.
#[utoipa::path(post, path = "/silences", tag = "alarms", request_body = SilenceBody, responses(
    (status = 200, description = "The silence", body = SilenceItem),
    (status = 400, description = "Not JSON", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 403, description = "Needs the role operator", body = ErrorBody),
    (status = 413, description = "Too large", body = ErrorBody),
    (status = 415, description = "Not application/json", body = ErrorBody),
    (status = 422, description = "Fields are wrong: `details` has what would be right, by field", body = ErrorBody),
    (status = 503, description = "The log is away, or not ready", body = ErrorBody),
))]
pub async fn begin(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<SilenceBody>,
) -> Result<Response, ApiError> {
    let silence = checked(body, &caller)?;
    put(api, caller, "begin silence", move |_, _, _| Ok(silence)).await
}

/// Ends a silence.
#[utoipa::path(delete, path = "/silences/{id}", tag = "alarms", params(("id" = String, Path, description = "The silence's id")), responses(
    (status = 200, description = "The version that says so", body = SilenceItem),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 403, description = "Needs the role operator", body = ErrorBody),
    (status = 404, description = "No such silence", body = ErrorBody),
    (status = 503, description = "The log is away, or not ready", body = ErrorBody),
))]
pub async fn end(State(api): State<Arc<ApiState>>, caller: Caller, id: DeviceId) -> Result<Response, ApiError> {
    put(api, caller, "end silence", move |api, caller, book| {
        let known = book.silence(&id.0).filter(|s| is_own(&s.scope, caller, api));
        let mut silence = known.cloned().ok_or_else(|| {
            ApiError::new(Code::NotFound, "there is no such silence").with("silence_id", crate::audit::cut(&id.0))
        })?;
        (silence.removed, silence.at, silence.author) = (true, now(), caller.user.clone());
        Ok(silence)
    })
    .await
}

fn checked(body: SilenceBody, caller: &Caller) -> Result<Silence, ApiError> {
    let mut wrong: Vec<(&str, String)> = Vec::new();
    let scope = if body.scope.is_null() {
        Some(Scope::EVERYTHING)
    } else {
        scope_of(&body.scope)
    };
    let mut scope = scope.unwrap_or_else(|| {
        let is = "an object of texts: kind, vendor, family, model, site, entity";
        wrong.push(("scope", is.to_owned()));
        Scope::EVERYTHING
    });
    let alarm_type = body.alarm_type.filter(|t| !t.trim().is_empty());
    scope.tenant = None;
    if wrong.is_empty() && scope == Scope::EVERYTHING && alarm_type.is_none() {
        wrong.push(("scope", "say what is to be silent: everything would be".to_owned()));
    }
    // A person silences the network of its own tenant.
    scope.tenant = Some(caller.tenant.clone());
    if let Err(errors) = RuleScope::parse(&scope) {
        wrong.extend(errors.into_iter().map(|error| (error.field, error.message)));
    }
    let is_line = |text: &str, bytes: usize| {
        !text.trim().is_empty() && text.len() <= bytes && !text.chars().any(char::is_control)
    };
    if alarm_type.as_deref().is_some_and(|t| !is_line(t, TYPE_BYTES_MAX)) {
        wrong.push((
            "alarm_type",
            format!("at most {TYPE_BYTES_MAX} bytes, no control characters"),
        ));
    }
    if !is_line(&body.reason, REASON_BYTES_MAX) {
        wrong.push((
            "reason",
            format!("1 to {REASON_BYTES_MAX} bytes, no control characters"),
        ));
    }
    let until = silence_until(&body.until).unwrap_or_else(|problem| {
        wrong.push(("until", problem.to_owned()));
        now()
    });
    if !wrong.is_empty() {
        return Err(refused(wrong.iter().map(|(field, problem)| (*field, problem.as_str()))));
    }
    Ok(Silence {
        silence_id: format!("silence-{:012x}", rand::random::<u64>() >> 16),
        version: 1,
        writer: String::new(),
        at: now(),
        author: caller.user.clone(),
        removed: false,
        scope,
        alarm_type,
        until,
        reason: body.reason,
    })
}

/// Writes a version and says so.
async fn put(
    api: Arc<ApiState>,
    caller: Caller,
    action: &'static str,
    make: impl FnOnce(&ApiState, &Caller, &Book) -> Result<Silence, ApiError> + Send + 'static,
) -> Result<Response, ApiError> {
    let silence = super::rules::put_version(api, caller, action, make).await?;
    Ok(json_text(json(&SilenceItem::from(&silence))))
}
