//! Alarm rules: every write is a new version, and everybody hears of it by the log.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use schemas::rules::CheckedRule;
use schemas::{AuditEntry, FlapPolicy, Rule, Scope};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::acts::unaudited;
use super::extract::{Body, DeviceId, json_text, list_text};
use super::rule_body::{self, Draft};
use crate::audit::entry;
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::items::json;
use crate::rules::{Book, Versioned};
use crate::time::{Instant3339, now};
use crate::{ApiError, ApiState, Code};

/// One version of a rule. Seconds, and the units of its measure.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleItem<'a> {
    /// `rule`.
    #[serde(rename = "type")]
    pub item_type: &'static str,
    /// The rule; all its versions have it.
    pub rule_id: &'a str,
    /// Counts its versions, from 1.
    pub version: i64,
    /// Which server wrote this version: decides between two of one number.
    pub writer: &'a str,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant3339,
    /// Who wrote it; `atalaia` for what comes with the product.
    pub author: &'a str,
    /// The rule is gone: its open alarms clear.
    pub removed: bool,
    /// It is applied.
    pub enabled: bool,
    /// Name, for people.
    pub name: &'a str,
    /// What it is for.
    pub description: Option<&'a str>,
    /// critical, major, minor, warning, indeterminate.
    pub severity: &'a str,
    /// above, below, outside, rate, state, no_data, slope.
    pub condition: &'a str,
    /// Measure it looks at; null for state, and for no_data of anything that is measured.
    pub measure: Option<&'a str>,
    /// below, outside: lower limit. rate: fall over the window. slope: fall in a day.
    pub low: Option<f64>,
    /// above, outside: upper limit. rate: rise over the window. slope: rise in a day.
    pub high: Option<f64>,
    /// rate, slope: the time looked at.
    pub window_s: Option<i64>,
    /// state: the states in which it raises.
    pub states: &'a [String],
    /// state: the causes with which it raises; empty: any.
    pub causes: &'a [String],
    /// How far inside the limit a value has to come back before it clears.
    pub dead_band: f64,
    /// For how long the condition has to hold before it raises.
    pub raise_after_s: i64,
    /// For how long it has to be over before it clears.
    pub clear_after_s: i64,
    /// A raise within so many seconds of a clear opens the same alarm again.
    pub reraise_after_s: i64,
    /// Text of its alarms, with {entity} {name} {site} {measure} {value} {unit} {limit} {state} {cause} {since}.
    pub message: &'a str,
    /// What it applies to.
    #[schema(value_type = ScopeItem)]
    pub scope: &'a Scope,
    /// When it is suppressed; null: never.
    #[schema(value_type = Option<FlapItem>)]
    pub flap: Option<FlapPolicy>,
}

/// What something applies to: everything that all the given words fit.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the record `Scope`")]
pub struct ScopeItem {
    /// Tenant.
    tenant: Option<String>,
    /// Kind of entity.
    kind: Option<String>,
    /// Vendor, any case.
    vendor: Option<String>,
    /// Family of a card.
    family: Option<String>,
    /// Model, any case.
    model: Option<String>,
    /// Site.
    site: Option<String>,
    /// Pattern of the entity's id: `*` stands for any run of characters.
    entity: Option<String>,
}

/// When an alarm that comes and goes is suppressed.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the record `FlapPolicy`")]
pub struct FlapItem {
    /// Added at each raise.
    penalty: f64,
    /// Seconds in which the figure halves.
    half_life_s: i64,
    /// At or above this it is suppressed.
    suppress: f64,
    /// Below this it is shown again.
    reuse: f64,
    /// It never grows beyond this.
    ceiling: f64,
}

impl<'a> From<&'a Rule> for RuleItem<'a> {
    fn from(rule: &'a Rule) -> Self {
        Self {
            item_type: "rule",
            rule_id: &rule.rule_id,
            version: rule.version,
            writer: &rule.writer,
            at: Instant3339(rule.at),
            author: &rule.author,
            removed: rule.removed,
            enabled: rule.enabled,
            name: &rule.name,
            description: rule.description.as_deref(),
            severity: &rule.severity,
            condition: &rule.condition,
            measure: rule.measure.as_deref(),
            low: rule.low,
            high: rule.high,
            window_s: rule.window_s,
            states: &rule.states,
            causes: &rule.causes,
            dead_band: rule.dead_band,
            raise_after_s: rule.raise_after_s,
            clear_after_s: rule.clear_after_s,
            reraise_after_s: rule.reraise_after_s,
            message: &rule.message,
            scope: &rule.scope,
            flap: rule.flap,
        }
    }
}

/// Rules, or versions of one.
#[derive(Serialize, ToSchema)]
pub struct RuleList<'a> {
    /// By id; versions the newest first.
    items: Vec<RuleItem<'a>>,
    /// Always null.
    next: Option<String>,
}

/// Whether something of this scope is a tenant's to see: its own, or everybody's.
pub fn is_visible(scope: &Scope, tenant: &str) -> bool {
    scope.tenant.as_deref().is_none_or(|t| t == tenant)
}

/// Whether it is a caller's to change: its own, or everybody's if the caller is of the installation's own tenant.
pub fn is_own(scope: &Scope, caller: &Caller, api: &ApiState) -> bool {
    match scope.tenant.as_deref() {
        Some(tenant) => tenant == caller.tenant,
        None => caller.tenant == api.config.tenant,
    }
}

fn not_found(id: &str) -> ApiError {
    ApiError::new(Code::RuleNotFound, "there is no such rule").with("rule_id", crate::audit::cut(id))
}

/// Lists the rules.
#[utoipa::path(get, path = "/alerts/rules", tag = "rules", responses(
    (status = 200, description = "All of them, by id", body = RuleList),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn list(State(api): State<Arc<ApiState>>, caller: Caller) -> Result<Response, ApiError> {
    let book = api.rules.serve()?;
    let rules = book
        .current_rules()
        .filter(|rule| !rule.removed && is_visible(&rule.scope, &caller.tenant));
    let items: Vec<_> = rules.map(|rule| json(&RuleItem::from(rule))).collect();
    Ok(list_text(&items, None))
}

/// One rule.
#[utoipa::path(get, path = "/alerts/rules/{id}", tag = "rules", params(("id" = String, Path, description = "The rule's id")), responses(
    (status = 200, description = "Its version that stands", body = RuleItem),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such rule", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn one(State(api): State<Arc<ApiState>>, caller: Caller, id: DeviceId) -> Result<Response, ApiError> {
    let book = api.rules.serve()?;
    let rule = book.rule(&id.0).filter(|rule| is_visible(&rule.scope, &caller.tenant));
    let rule = rule.ok_or_else(|| not_found(&id.0))?;
    Ok(json_text(json(&RuleItem::from(rule))))
}

/// Every version of a rule, the newest first; of a removed one too.
#[utoipa::path(get, path = "/alerts/rules/{id}/versions", tag = "rules", params(("id" = String, Path, description = "The rule's id")), responses(
    (status = 200, description = "All of them", body = RuleList),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such rule", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn versions(State(api): State<Arc<ApiState>>, caller: Caller, id: DeviceId) -> Result<Response, ApiError> {
    let book = api.rules.serve()?;
    let versions = Rule::versions(&book, &id.0)
        .iter()
        .rev()
        .filter(|rule| is_visible(&rule.scope, &caller.tenant));
    let items: Vec<_> = versions.map(|rule| json(&RuleItem::from(rule))).collect();
    if items.is_empty() {
        return Err(not_found(&id.0));
    }
    Ok(list_text(&items, None))
}

/// Creates a rule, or with `rule_id` writes its next version. What an update does not name stays as it is; with `version` it is refused
/// if somebody else has written one since.
#[utoipa::path(post, path = "/alerts/rules", tag = "rules", request_body = rule_body::RuleBody, responses(
    (status = 200, description = "The new version", body = RuleItem),
    (status = 400, description = "Not JSON", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 403, description = "Needs the role operator, or it is not your tenant's rule", body = ErrorBody),
    (status = 404, description = "No such rule", body = ErrorBody),
    (status = 409, description = "Somebody else has written a version since", body = ErrorBody),
    (status = 413, description = "Too large", body = ErrorBody),
    (status = 415, description = "Not application/json", body = ErrorBody),
    (status = 422, description = "Fields are wrong: `details` has what would be right, by field", body = ErrorBody),
    (status = 503, description = "The log is away, or not ready", body = ErrorBody),
))]
pub async fn write(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<Map<String, Value>>,
) -> Result<Response, ApiError> {
    put(api, caller, "write rule", move |api, caller, book| {
        draft(api, caller, book, &body)
    })
    .await
}

/// Checks a rule as if it were to be written, and writes nothing.
#[utoipa::path(post, path = "/alerts/rules/check", tag = "rules", request_body = rule_body::RuleBody, responses(
    (status = 200, description = "It would be taken: the version as it would be", body = RuleItem),
    (status = 400, description = "Not JSON", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 403, description = "Needs the role operator, or it is not your tenant's rule", body = ErrorBody),
    (status = 404, description = "No such rule", body = ErrorBody),
    (status = 409, description = "Somebody else has written a version since", body = ErrorBody),
    (status = 413, description = "Too large", body = ErrorBody),
    (status = 415, description = "Not application/json", body = ErrorBody),
    (status = 422, description = "Fields are wrong: `details` has what would be right, by field", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn check(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let rule = draft(&api, &caller, &*api.rules.serve()?, &body)?;
    Ok(json_text(json(&RuleItem::from(&rule))))
}

/// Removes a rule; its open alarms clear. Its versions stay.
#[utoipa::path(delete, path = "/alerts/rules/{id}", tag = "rules", params(("id" = String, Path, description = "The rule's id")), responses(
    (status = 200, description = "The version that says so", body = RuleItem),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 403, description = "Needs the role operator, or it is not your tenant's rule", body = ErrorBody),
    (status = 404, description = "No such rule", body = ErrorBody),
    (status = 503, description = "The log is away, or not ready", body = ErrorBody),
))]
pub async fn remove(State(api): State<Arc<ApiState>>, caller: Caller, id: DeviceId) -> Result<Response, ApiError> {
    put(api, caller, "remove rule", move |api, caller, book| {
        let mut rule = known(api, caller, book, &id.0)?;
        (rule.removed, rule.at, rule.author) = (true, now(), caller.user.clone());
        Ok(rule)
    })
    .await
}

/// The rule of this id, to be changed by this caller.
fn known(api: &ApiState, caller: &Caller, book: &Book, id: &str) -> Result<Rule, ApiError> {
    let rule = book.rule(id).filter(|rule| is_visible(&rule.scope, &caller.tenant));
    let rule = rule.ok_or_else(|| not_found(id))?;
    if !is_own(&rule.scope, caller, api) {
        return Err(ApiError::new(
            Code::Forbidden,
            "this rule is everybody's: it is not your tenant's to change",
        ));
    }
    Ok(rule.clone())
}

/// The version that a body asks for, whole and sane; its number is not its own yet.
fn draft(api: &ApiState, caller: &Caller, book: &Book, body: &Map<String, Value>) -> Result<Rule, ApiError> {
    let id = body.get("rule_id").filter(|id| !id.is_null());
    let before = match id {
        None => None,
        Some(Value::String(id)) => Some(known(api, caller, book, id)?),
        Some(_) => return Err(ApiError::new(Code::ValidationFailed, "`rule_id` is a text").with("rule_id", "a text")),
    };
    let draft = Draft::read(body, before.as_ref())?;
    if let (Some(version), Some(before)) = (draft.version, &before)
        && version != before.version
    {
        let message = format!(
            "somebody has written version {} since: read it, and change that",
            before.version
        );
        return Err(ApiError::new(Code::Conflict, message).with("version", before.version));
    }
    let mut rule = draft.rule;
    (rule.at, rule.author, rule.removed) = (now(), caller.user.clone(), false);
    rule.version = before.map_or(1, |before| before.version + 1);
    // Whoever is not of the installation's own tenant has rules for its own network alone.
    if caller.tenant != api.config.tenant {
        rule.scope.tenant = Some(caller.tenant.clone());
    }
    if rule
        .scope
        .tenant
        .as_ref()
        .is_some_and(|tenant| *tenant != caller.tenant)
    {
        return Err(rule_body::refused([("scope.tenant", "your own tenant, or none")]));
    }
    match CheckedRule::new(&rule) {
        Ok(_) => Ok(rule),
        Err(errors) => Err(rule_body::refused(errors.iter().map(|e| (e.field, e.message.as_str())))),
    }
}

/// Writes a version and says so.
async fn put(
    api: Arc<ApiState>,
    caller: Caller,
    action: &'static str,
    make: impl FnOnce(&ApiState, &Caller, &Book) -> Result<Rule, ApiError> + Send + 'static,
) -> Result<Response, ApiError> {
    let rule = put_version(api, caller, action, make).await?;
    Ok(json_text(json(&RuleItem::from(&rule))))
}

/// Writes the next version of a rule or a silence, and who did it.
///
/// # Errors
/// What `make` refuses, or UPSTREAM_UNAVAILABLE.
pub async fn put_version<T: Versioned + Send + 'static>(
    api: Arc<ApiState>,
    caller: Caller,
    action: &'static str,
    make: impl FnOnce(&ApiState, &Caller, &Book) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    // A task of its own: a client that hangs up does not leave it half done.
    let work = tokio::spawn(async move {
        let (writer, author) = (api.clone(), caller.clone());
        let written = tokio::task::spawn_blocking(move || writer.rules.put(|book| make(&writer, &author, book))).await;
        let written = written.map_err(|e| ApiError::internal("writing a version", &e))?;
        // What was refused was not done; that the log was away is worth knowing.
        if let Err(error) = &written
            && error.code != Code::UpstreamUnavailable
        {
            return written;
        }
        let target = written.as_ref().ok().map(Versioned::key);
        let told = AuditEntry {
            outcome: if written.is_ok() { "done" } else { "failed" }.into(),
            ..entry(Some(&caller), action, target.as_deref())
        };
        let audited = api.audit.write(told).await;
        let version = written?;
        if audited { Ok(version) } else { Err(unaudited()) }
    });
    work.await.map_err(|e| ApiError::internal("writing a version", &e))?
}
