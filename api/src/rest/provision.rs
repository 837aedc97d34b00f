//! `POST /devices`: says that devices exist. The answer is the position of the record; the effect comes back by the log.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use model::{EntityId, Kind, Serial, is_name};
use schemas::{AuditEntry, DeviceRegistered};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{JsonBytes, json_text, parse};
use crate::audit::entry;
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::idempotency::{KEY_BYTES_MAX, Seen};
use crate::live::items::{PositionItem, json};
use crate::registrar::{RegisterError, Registration};
use crate::time::now;
use crate::{ApiError, ApiState, Code};

/// Devices in one request.
const DEVICES_MAX: usize = 1_000;
const TEXT_CHARS_MAX: usize = 512;
const ATTRIBUTES_MAX: usize = 64;

/// A device to register.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// Entity id, of the caller's tenant: `default/olt/rjo-01`, `default/olt/rjo-01/onu/0/3/5/17`.
    entity: String,
    /// What it is; follows from the id, and is checked if given.
    kind: Option<String>,
    /// Serial number; of an ONU in any written form.
    serial: Option<String>,
    /// Name.
    name: Option<String>,
    /// Site.
    site: Option<String>,
    /// Description.
    description: Option<String>,
    /// Vendor.
    vendor: Option<String>,
    /// Model.
    model: Option<String>,
    /// Management address.
    address: Option<String>,
    /// Anything else: at most 64 names.
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    /// It no longer exists.
    #[serde(default)]
    removed: bool,
}

/// One device, or up to 1,000.
#[derive(ToSchema)]
#[schema(as = NewDevices)]
#[serde(untagged)]
#[allow(
    dead_code,
    clippy::large_enum_variant,
    reason = "describes the body, which is read by hand for better messages"
)]
pub enum NewDevices {
    /// One.
    One(NewDevice),
    /// Many.
    Many(Vec<NewDevice>),
}

/// What was written.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Registered {
    /// Which.
    entity: String,
    /// Where it stands in the log.
    position: PositionItem,
}

/// What was written for one device, or the list of many.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes the answer")]
pub enum RegisteredAnswer {
    /// For one.
    One(Registered),
    /// For many.
    Many {
        /// In the order of the request.
        items: Vec<Registered>,
    },
}

/// Registers devices.
#[utoipa::path(post, path = "/devices", tag = "devices",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body get the same answer, and one effect")),
    request_body = NewDevices, responses(
    (status = 202, description = "Written; the effect comes by the log", body = RegisteredAnswer),
    (status = 400, description = "Not JSON", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 403, description = "Needs the role operator", body = ErrorBody),
    (status = 409, description = "The key was used for something else, or is being worked on", body = ErrorBody),
    (status = 413, description = "Too large", body = ErrorBody),
    (status = 415, description = "Not application/json", body = ErrorBody),
    (status = 422, description = "A device is wrong; nothing was written", body = ErrorBody),
    (status = 503, description = "The log is away", body = ErrorBody),
))]
pub async fn register(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, ApiError> {
    let key = idempotency_key(&headers)?.map(|key| format!("{}/{}/{key}", caller.tenant, caller.user));
    let many = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    let devices: Vec<NewDevice> = if many { parse(&body)? } else { vec![parse(&body)?] };
    let registrations = checked(devices, &caller, key.as_deref())?;
    if let Some(key) = &key {
        match api.idempotency.begin(key, hash(&body)) {
            Seen::New => {}
            Seen::Answered(answer) => return Ok(accepted(answer)),
            Seen::Running => return Err(conflict("a request with this Idempotency-Key is being worked on")),
            Seen::Different => return Err(conflict("this Idempotency-Key was used for another body")),
        }
    }
    // A task of its own: a client that hangs up does not leave it half done.
    let work = tokio::spawn(async move {
        let answer = write(&api, &caller, registrations, many).await;
        match (&key, &answer) {
            (Some(key), Ok(answer)) => api.idempotency.answer(key, answer),
            (Some(key), Err(_)) => api.idempotency.forget(key),
            (None, _) => {}
        }
        answer
    });
    let answer = work
        .await
        .map_err(|e| ApiError::internal("registering devices", &e))??;
    Ok(accepted(answer))
}

async fn write(
    api: &Arc<ApiState>,
    caller: &Caller,
    registrations: Vec<Registration>,
    many: bool,
) -> Result<String, ApiError> {
    let entities: Vec<String> = registrations.iter().map(|r| r.entity.to_string()).collect();
    let registrar = api.registrar.clone();
    let written = tokio::task::spawn_blocking(move || registrar.write(&registrations)).await;
    let written = written.map_err(|e| ApiError::internal("writing to the log", &e))?;
    let target = match entities.as_slice() {
        [one] => one.clone(),
        [first, ..] => format!("{first} and {} more", entities.len() - 1),
        [] => String::new(),
    };
    let outcome = if written.is_ok() { "done" } else { "failed" };
    let told = AuditEntry {
        outcome: outcome.into(),
        ..entry(Some(caller), "register devices", Some(&target))
    };
    let audited = api.audit.write(told).await;
    let positions = written.map_err(|error| match error {
        RegisterError::Unfit(problem) => ApiError::new(Code::ValidationFailed, problem),
        RegisterError::Log { acknowledged, .. } => {
            ApiError::unavailable("writing to the log", &error).with("acknowledged", acknowledged)
        }
    })?;
    if !audited {
        return Err(ApiError::new(
            Code::UpstreamUnavailable,
            "written, but the audit entry was not: try again",
        ));
    }
    let items = entities.into_iter().zip(positions);
    let items: Vec<_> = items
        .map(|(entity, p)| Registered {
            entity,
            position: p.into(),
        })
        .collect();
    Ok(match items.as_slice() {
        [one] if !many => json(one),
        items => format!(r#"{{"items":{}}}"#, json(&items)),
    })
}

pub(super) fn accepted(answer: String) -> Response {
    (StatusCode::ACCEPTED, json_text(answer)).into_response()
}

pub(super) fn conflict(message: &str) -> ApiError {
    ApiError::new(Code::Conflict, message)
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|t| (1..=KEY_BYTES_MAX).contains(&t.len()));
    let bad = || {
        ApiError::new(
            Code::BadRequest,
            format!("`Idempotency-Key` is 1 to {KEY_BYTES_MAX} printable characters"),
        )
    };
    text.map(|t| Some(t.to_owned())).ok_or_else(bad)
}

/// For comparing bodies within this process.
pub(super) fn hash(body: &[u8]) -> u64 {
    static STATE: std::sync::OnceLock<foldhash::quality::RandomState> = std::sync::OnceLock::new();
    let mut hasher = STATE.get_or_init(Default::default).build_hasher();
    hasher.write(body);
    hasher.finish()
}

/// All of them, or none.
fn checked(devices: Vec<NewDevice>, caller: &Caller, key: Option<&str>) -> Result<Vec<Registration>, ApiError> {
    if devices.is_empty() || devices.len() > DEVICES_MAX {
        let message = format!("1 to {DEVICES_MAX} devices a request");
        return Err(ApiError::new(Code::ValidationFailed, message));
    }
    let mut named = HashMap::with_capacity(devices.len());
    let checked = devices.into_iter().enumerate().map(|(index, device)| {
        let refused = |(field, problem): Wrong| {
            ApiError::new(Code::ValidationFailed, problem)
                .with("field", field)
                .with("index", index)
        };
        let registration = check(device, caller).map_err(refused)?;
        if let Some(first) = named.insert(registration.entity.clone(), index) {
            let problem = format!("already named by device {first} of this request: which of the two counts?");
            return Err(refused(("entity", problem)));
        }
        Ok(Registration {
            idempotency: key.map(str::to_owned),
            ..registration
        })
    });
    checked.collect()
}

type Wrong = (&'static str, String);

fn check(device: NewDevice, caller: &Caller) -> Result<Registration, Wrong> {
    let entity = EntityId::parse(&device.entity).map_err(|e| ("entity", e.to_string()))?;
    if entity.root().tenant() != caller.tenant {
        return Err(("entity", format!("an id begins with your tenant, `{}/`", caller.tenant)));
    }
    let kind = entity.kind();
    if device.kind.as_deref().is_some_and(|k| k != kind.as_str()) {
        return Err(("kind", format!("by its id this is a `{kind}`")));
    }
    let serial = match device.serial.filter(|s| !s.trim().is_empty()) {
        Some(serial) if kind == Kind::Onu => Some(
            Serial::parse(&serial)
                .map_err(|e| ("serial", e.to_string()))?
                .to_string(),
        ),
        serial => text("serial", serial)?,
    };
    let site = text("site", device.site)?;
    if site.as_deref().is_some_and(|s| !is_name(s)) {
        return Err((
            "site",
            "a site's name has 1 to 64 letters, digits, `.`, `_`, `-` or blanks inside".into(),
        ));
    }
    if device.attributes.len() > ATTRIBUTES_MAX {
        return Err(("attributes", format!("at most {ATTRIBUTES_MAX}")));
    }
    for (name, value) in &device.attributes {
        if !is_name(name) {
            return Err((
                "attributes",
                "a name has 1 to 64 letters, digits, `.`, `_` or `-`".into(),
            ));
        }
        text("attributes", Some(value.clone()))?;
    }
    let at = now();
    let record = DeviceRegistered {
        entity: device.entity,
        kind: kind.as_str().into(),
        serial,
        name: text("name", device.name)?,
        site,
        description: text("description", device.description)?,
        vendor: text("vendor", device.vendor)?,
        model: text("model", device.model)?,
        address: text("address", device.address)?,
        attributes: device.attributes,
        origin: "api".into(),
        removed: device.removed,
        observed_at: at,
        received_at: at,
    };
    Ok(Registration {
        entity,
        record,
        idempotency: None,
    })
}

/// A text field: short, and without control characters, so that it is inert in a terminal, a log line or a table. An empty one
/// is a missing one, as in the file of `inventory import`.
fn text(field: &'static str, value: Option<String>) -> Result<Option<String>, Wrong> {
    match value {
        Some(v) if v.chars().count() > TEXT_CHARS_MAX => Err((field, format!("at most {TEXT_CHARS_MAX} characters"))),
        Some(v) if v.chars().any(char::is_control) => Err((field, "no control characters".into())),
        value => Ok(value.filter(|v| !v.trim().is_empty())),
    }
}
