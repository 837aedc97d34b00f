//! What people do to an alarm. The answer is the position of the record; the effect comes back by the log, as exactly one transition.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use model::Micros;
use schemas::{Alarm, AuditEntry, OperatorActed};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::alarms::find;
use super::extract::{DeviceId, OptionalBody};
use super::provision::{accepted, conflict, hash, idempotency_key};
use crate::audit::entry;
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::idempotency::Seen;
use crate::live::alarms::items::instant_of;
use crate::live::items::{PositionItem, json};
use crate::registrar::RegisterError;
use crate::time::now;
use crate::{ApiError, ApiState, Code};

/// Longest note, in bytes: the step keeps no more of one, because an alarm keeps 20 comments and its slot has 64 KiB.
const TEXT_BYTES_MAX: usize = 500;
/// Longest id of an act, in bytes: transitions carry no more.
const ACT_ID_BYTES_MAX: usize = 80;
/// Longest silence.
pub const SILENCE_US_MAX: i64 = 365 * 86_400 * Micros::SECOND;

/// What goes with an act.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActBody {
    /// Note, comment or reason: at most 500 bytes; needed to comment and to clear.
    text: Option<String>,
    /// silence: until when, RFC 3339.
    until: Option<String>,
}

/// What was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActAnswer {
    /// The act: its transition carries it.
    act_id: String,
    /// Where it stands in the log.
    position: PositionItem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Acknowledge,
    Unacknowledge,
    Comment,
    Clear,
    Silence,
    Unsilence,
}

impl Act {
    /// The word that records carry.
    fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Unacknowledge => "unacknowledge",
            Self::Comment => "comment",
            Self::Clear => "clear",
            Self::Silence => "silence",
            Self::Unsilence => "unsilence",
        }
    }
}

macro_rules! acts {
    ($($name:ident, $path:literal, $act:ident, $about:literal;)+) => {
        $(
            #[doc = $about]
            #[utoipa::path(post, path = $path, tag = "alarms",
                params(
                    ("id" = String, Path, description = "The alarm's id"),
                    ("Idempotency-Key" = Option<String>, Header, description = "The same key and body get the same answer, and one effect"),
                ),
                request_body = Option<ActBody>, responses(
                (status = 202, description = "Written; the effect comes by the log", body = ActAnswer),
                (status = 400, description = "Not JSON", body = ErrorBody),
                (status = 401, description = "Not logged in", body = ErrorBody),
                (status = 403, description = "Needs the role operator", body = ErrorBody),
                (status = 404, description = "No such alarm", body = ErrorBody),
                (status = 409, description = "The key was used for something else, or is being worked on", body = ErrorBody),
                (status = 413, description = "Too large", body = ErrorBody),
                (status = 415, description = "Not application/json", body = ErrorBody),
                (status = 422, description = "A field is wrong; nothing was written", body = ErrorBody),
                (status = 503, description = "The log is away", body = ErrorBody),
            ))]
            pub async fn $name(
                State(api): State<Arc<ApiState>>,
                caller: Caller,
                id: DeviceId,
                headers: HeaderMap,
                body: OptionalBody<ActBody>,
            ) -> Result<Response, ApiError> {
                act(api, caller, &id.0, &headers, body, Act::$act).await
            }
        )+
    };
}

acts! {
    acknowledge, "/alarms/{id}/acknowledge", Acknowledge, "Says that somebody looks after an alarm.";
    unacknowledge, "/alarms/{id}/unacknowledge", Unacknowledge, "Takes an acknowledgement back.";
    comment, "/alarms/{id}/comment", Comment, "Adds a comment to an alarm.";
    clear, "/alarms/{id}/clear", Clear, "Closes an alarm, with a reason.";
    silence, "/alarms/{id}/silence", Silence, "Silences one alarm until a time.";
    unsilence, "/alarms/{id}/unsilence", Unsilence, "Ends the silence of one alarm.";
    acknowledge_alert, "/alerts/{id}/acknowledge", Acknowledge, "Says that somebody looks after an alarm: the same operation under its other path.";
    clear_alert, "/alerts/{id}/clear", Clear, "Closes an alarm, with a reason: the same operation under its other path.";
}

async fn act(
    api: Arc<ApiState>,
    caller: Caller,
    id: &str,
    headers: &HeaderMap,
    OptionalBody(body, bytes): OptionalBody<ActBody>,
    act: Act,
) -> Result<Response, ApiError> {
    let key = idempotency_key(headers)?;
    let (text, until) = checked(body.unwrap_or_default(), act)?;
    let alarm = find(&api, &caller, id).await?;
    // A key is a person's own: two people may think of the same one.
    let act_id = match &key {
        Some(key) => format!("{}:{key}", caller.user),
        None => random_id(),
    };
    if act_id.len() > ACT_ID_BYTES_MAX {
        let most = ACT_ID_BYTES_MAX.saturating_sub(caller.user.len() + 1);
        let message = format!("`Idempotency-Key` has at most {most} characters here");
        return Err(ApiError::new(Code::BadRequest, message));
    }
    let remembered = key.map(|key| format!("{}/{}/{key}", caller.tenant, caller.user));
    if let Some(remembered) = &remembered {
        let what = [bytes.as_ref(), b"\0", act.as_str().as_bytes(), b"\0", id.as_bytes()].concat();
        match api.idempotency.begin(remembered, hash(&what)) {
            Seen::New => {}
            Seen::Answered(answer) => return Ok(accepted(answer)),
            Seen::Running => return Err(conflict("a request with this Idempotency-Key is being worked on")),
            Seen::Different => return Err(conflict("this Idempotency-Key was used for something else")),
        }
    }
    let record = OperatorActed {
        root: alarm.root.clone(),
        entity: alarm.entity.clone(),
        alarm_id: alarm.alarm_id.clone(),
        act_id,
        act: act.as_str().to_owned(),
        actor: caller.user.clone(),
        at: now(),
        text,
        until,
    };
    // A task of its own: a client that hangs up does not leave it half done.
    let work = tokio::spawn(async move {
        let answer = write(&api, &caller, &alarm, record).await;
        match (&remembered, &answer) {
            (Some(key), Ok(answer)) => api.idempotency.answer(key, answer),
            (Some(key), Err(_)) => api.idempotency.forget(key),
            (None, _) => {}
        }
        answer
    });
    let answer = work.await.map_err(|e| ApiError::internal("writing an act", &e))??;
    Ok(accepted(answer))
}

async fn write(api: &Arc<ApiState>, caller: &Caller, alarm: &Alarm, record: OperatorActed) -> Result<String, ApiError> {
    let (registrar, root, act_id) = (api.registrar.clone(), alarm.root.clone(), record.act_id.clone());
    let action = format!("{} alarm", record.act);
    let about = format!("{} on {}", alarm.alarm_type, alarm.entity);
    let written =
        tokio::task::spawn_blocking(move || registrar.act(&root, record.clone().into(), Some(record.act_id))).await;
    let written = written.map_err(|e| ApiError::internal("writing to the log", &e))?;
    let told = AuditEntry {
        outcome: if written.is_ok() { "done" } else { "failed" }.into(),
        detail: Some(crate::audit::cut(&about)),
        ..entry(Some(caller), &action, Some(&alarm.alarm_id))
    };
    let audited = api.audit.write(told).await;
    let position = written.map_err(|error| match error {
        RegisterError::Unfit(problem) => ApiError::new(Code::ValidationFailed, problem),
        RegisterError::Log { .. } => ApiError::unavailable("writing to the log", &error),
    })?;
    if !audited {
        return Err(unaudited());
    }
    Ok(json(&ActAnswer {
        act_id,
        position: position.into(),
    }))
}

/// It stands, and nobody could write down who did it.
pub fn unaudited() -> ApiError {
    ApiError::new(
        Code::UpstreamUnavailable,
        "written, but the audit entry was not: try again",
    )
}

fn checked(body: ActBody, act: Act) -> Result<(Option<String>, Option<Micros>), ApiError> {
    let refused = |field: &str, problem: &str| {
        Err(ApiError::new(Code::ValidationFailed, format!("`{field}`: {problem}")).with(field, problem))
    };
    let text = body
        .text
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty());
    if text.is_none() && matches!(act, Act::Comment | Act::Clear) {
        return refused("text", "say something: it is what others read later");
    }
    if text.as_ref().is_some_and(|text| text.len() > TEXT_BYTES_MAX) {
        return refused("text", "at most 500 bytes");
    }
    if text
        .as_ref()
        .is_some_and(|text| text.chars().any(|c| c.is_control() && c != '\n'))
    {
        return refused("text", "no control characters but line ends");
    }
    let until = match (act, body.until.as_deref()) {
        (Act::Silence, None) => return refused("until", "until when, such as 2026-11-21T10:00:00Z"),
        (Act::Silence, Some(until)) => match silence_until(until) {
            Ok(until) => Some(until),
            Err(problem) => return refused("until", problem),
        },
        (_, Some(_)) => return refused("until", "only a silence has one"),
        (_, None) => None,
    };
    Ok((text, until))
}

/// The end of a silence: an instant to come, within a year.
pub fn silence_until(text: &str) -> Result<Micros, &'static str> {
    let until = instant_of(text).ok_or("an instant such as 2026-11-21T10:00:00Z")?;
    match until.since(now()) {
        ..=0 => Err("that is over already"),
        left if left > SILENCE_US_MAX => Err("at most a year from now"),
        _ => Ok(until),
    }
}

fn random_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant3339;

    fn body(text: Option<&str>, until: Option<i64>) -> ActBody {
        ActBody {
            text: text.map(str::to_owned),
            until: until.map(|s| Instant3339(now().plus(s * Micros::SECOND)).to_string()),
        }
    }

    #[test]
    fn each_act_has_what_it_needs() {
        let check = |act, body: ActBody, refused: Option<&str>| {
            let problem = checked(body, act)
                .err()
                .map(|e| e.details.keys().next().cloned().unwrap());
            assert_eq!(problem.as_deref(), refused, "{act:?}");
        };
        check(Act::Acknowledge, body(None, None), None);
        check(Act::Acknowledge, body(Some("on the way"), None), None);
        check(Act::Acknowledge, body(None, Some(60)), Some("until"));
        check(Act::Comment, body(Some(" \n"), None), Some("text"));
        check(Act::Comment, body(Some("two\nlines"), None), None);
        check(Act::Comment, body(Some("\u{1b}[31m"), None), Some("text"));
        check(Act::Comment, body(Some(&"x".repeat(501)), None), Some("text"));
        check(Act::Clear, body(None, None), Some("text"));
        check(Act::Silence, body(None, None), Some("until"));
        check(Act::Silence, body(None, Some(-1)), Some("until"));
        check(Act::Silence, body(None, Some(3_600)), None);
        check(Act::Silence, body(None, Some(400 * 86_400)), Some("until"));
        check(Act::Unsilence, body(None, None), None);
        assert!(silence_until("tomorrow").is_err());
    }
}
