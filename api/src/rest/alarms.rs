//! Alarms: those that stand, from the live view; those that are over, and what happened to any, from the store.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use futures_util::{StreamExt, TryStreamExt, stream};
use model::{EntityId, Micros, Severity};
use schemas::Alarm;
use serde::{Deserialize, Serialize};
use store::rows::AlarmScope;
use store::{StoreError, queries};
use utoipa::{IntoParams, ToSchema};

use super::extract::{DeviceId, Query, cursor, foreign_cursor, instant, json_text, limit, list_text};
use super::stored::alarm_of;
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::Visibility;
use crate::live::alarms::items::{AlarmItem, AlarmStatus};
use crate::live::alarms::{AlarmNarrow, CountsItem};
use crate::live::items::json;
use crate::time::now;
use crate::{ApiError, ApiState, Code};

/// Most items of a page.
pub const PAGE_MAX: usize = 1_000;
/// Rows looked up at one time.
const LOOKUPS_MAX: usize = 16;
/// Pages of history read for one page of what is over: most of it is about other things.
const HISTORY_PAGES_MAX: usize = 8;
/// What happened is kept a year, and a device's clock may be a little ahead of ours.
pub const KEPT_MS: (i64, i64) = (366 * 86_400_000, 86_400_000);

/// A page of alarms.
#[derive(Serialize, ToSchema)]
pub struct AlarmList<'a> {
    /// Alarms, newest first.
    items: Vec<AlarmItem<'a>>,
    /// Cursor of the next page. A page may be short, or empty, and have one.
    next: Option<String>,
}

/// What a list of alarms is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlarmQuery {
    /// Items a page, 1 to 1000; 100 unless asked.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// `raised`: those that stand; `cleared`: those that are over; both unless asked, the standing ones first.
    condition: Option<String>,
    /// ACTIVE, ACKNOWLEDGED, CLEARED.
    status: Option<String>,
    /// critical, major, minor, warning, indeterminate.
    severity: Option<String>,
    /// shown, silenced, inhibited, suppressed.
    visibility: Option<String>,
    /// What they are about: entity id, serial in any written form, or configured name.
    entity: Option<String>,
    /// Entity id or name of a root.
    root: Option<String>,
    /// A site's name.
    site: Option<String>,
    /// Id of a rule, or what the device calls it in our words.
    #[serde(rename = "type")]
    alarm_type: Option<String>,
    /// An incident's id: its symptoms.
    incident: Option<String>,
    /// Of standing ones: raised at or after; of those that are over: cleared at or after. RFC 3339.
    from: Option<String>,
    /// Raised, or cleared, at or before.
    to: Option<String>,
}

/// Which alarms, and from where.
struct Wanted {
    narrow: AlarmNarrow,
    raised: bool,
    cleared: bool,
}

fn word<'a>(name: &str, text: Option<&'a str>, all: &[&str]) -> Result<Option<&'a str>, ApiError> {
    match text {
        Some(text) if !all.contains(&text) => {
            let message = format!("`{name}` is one of {}", all.join(", "));
            Err(ApiError::new(Code::BadRequest, message))
        }
        text => Ok(text),
    }
}

impl AlarmQuery {
    fn wanted(&self, api: &ApiState, caller: &Caller) -> Result<Wanted, ApiError> {
        let severities: Vec<_> = Severity::ALL.iter().map(|s| s.as_str()).collect();
        let visibilities = Visibility::WORDS.map(|(_, word)| word);
        let statuses = AlarmStatus::WORDS.map(|(_, word)| word);
        let condition = word("condition", self.condition.as_deref(), &["raised", "cleared"])?;
        let status = word("status", self.status.as_deref(), &statuses)?;
        let status = status.and_then(|word| AlarmStatus::WORDS.iter().find(|(_, w)| *w == word).map(|(s, _)| *s));
        let state = api.live.read();
        let entity = self.entity.as_ref().map(|text| {
            let known = state.lookup(&caller.tenant, text);
            known.map_or_else(|| text.clone(), |index| state.status_item(index).entity.to_owned())
        });
        let root = self
            .root
            .as_ref()
            .map(|root| state.root_of(&caller.tenant, root).unwrap_or_else(|| root.clone()));
        let own = |text: Option<&str>| text.map(str::to_owned);
        Ok(Wanted {
            // An alarm that an operator closed stands and is CLEARED: such ones are asked for among the standing ones, too.
            raised: condition != Some("cleared"),
            cleared: condition != Some("raised")
                && !matches!(status, Some(AlarmStatus::Active | AlarmStatus::Acknowledged)),
            narrow: AlarmNarrow {
                condition: own(condition),
                status,
                severity: own(word("severity", self.severity.as_deref(), &severities)?),
                visibility: own(word("visibility", self.visibility.as_deref(), &visibilities)?),
                entity,
                root,
                site: self.site.clone(),
                alarm_type: self.alarm_type.clone(),
                incident: self.incident.clone(),
                from: instant("from", self.from.as_deref())?,
                to: instant("to", self.to.as_deref())?,
            },
        })
    }
}

/// First byte of a cursor: which of the two lists it goes on with.
const STANDING: u8 = b'r';
const OVER: u8 = b'c';

/// Lists alarms.
#[utoipa::path(get, path = "/alarms", tag = "alarms", params(AlarmQuery), responses(
    (status = 200, description = "A page", body = AlarmList),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "Not ready, or the store is away", body = ErrorBody),
))]
pub async fn list(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    Query(query): Query<AlarmQuery>,
) -> Result<Response, ApiError> {
    page(api, caller, query).await
}

/// Lists alarms that stand.
#[utoipa::path(get, path = "/alerts/active", tag = "alarms", params(AlarmQuery), responses(
    (status = 200, description = "A page", body = AlarmList),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn active(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    Query(query): Query<AlarmQuery>,
) -> Result<Response, ApiError> {
    if query.condition.as_deref().is_some_and(|c| c != "raised") {
        return Err(ApiError::new(
            Code::BadRequest,
            "this list has `condition` raised alone",
        ));
    }
    let condition = Some("raised".to_owned());
    page(api, caller, AlarmQuery { condition, ..query }).await
}

async fn page(api: Arc<ApiState>, caller: Caller, query: AlarmQuery) -> Result<Response, ApiError> {
    let (limit, cursor) = (limit(query.limit, PAGE_MAX)?, cursor(query.cursor.as_deref())?);
    let wanted = query.wanted(&api, &caller)?;
    let (mut items, mut over_from) = (Vec::new(), None);
    match cursor.as_deref().map(|c| c.split_first()) {
        Some(Some((&OVER, rest))) if wanted.cleared => over_from = (!rest.is_empty()).then(|| rest.to_vec()),
        None | Some(Some((&STANDING, _))) if wanted.raised => {
            let rest = cursor.as_ref().map(|c| c[1..].to_vec());
            let (listed, narrow, tenant) = (api.clone(), wanted.narrow.clone(), caller.tenant.clone());
            // A list may look at every alarm: not on a thread that serves others.
            let work = tokio::task::spawn_blocking(move || {
                let state = listed.live.serve()?;
                let page = state.list_alarms(&tenant, &narrow, rest.as_deref(), limit);
                page.ok_or_else(foreign_cursor)
            });
            let page = work.await.map_err(|e| ApiError::internal("listing alarms", &e))??;
            if let Some(next) = page.next {
                return Ok(list_text(&page.items, Some(&tagged(STANDING, &next))));
            }
            items = page.items;
        }
        None => {}
        _ => return Err(foreign_cursor()),
    }
    if !wanted.cleared {
        return Ok(list_text(&items, None));
    }
    if items.len() == limit {
        return Ok(list_text(&items, Some(&tagged(OVER, &[]))));
    }
    let room = limit - items.len();
    let (over, next) = over(&api, &caller, &wanted.narrow, room, over_from).await?;
    items.extend(over.iter().map(|alarm| json(&AlarmItem::from(alarm))));
    Ok(list_text(&items, next.map(|next| tagged(OVER, &next)).as_deref()))
}

fn tagged(which: u8, rest: &[u8]) -> Vec<u8> {
    [&[which], rest].concat()
}

/// Alarms that are over, the last cleared first: what happened says which, their rows say the rest.
async fn over(
    api: &ApiState,
    caller: &Caller,
    narrow: &AlarmNarrow,
    limit: usize,
    mut cursor: Option<Vec<u8>>,
) -> Result<(Vec<Alarm>, Option<Vec<u8>>), ApiError> {
    let scope = match (&narrow.entity, &narrow.site) {
        (Some(entity), _) => {
            let entity = EntityId::parse(entity);
            let own = entity.ok().filter(|e| e.root().tenant() == caller.tenant);
            match own {
                Some(entity) => AlarmScope::Entity(entity),
                None => return Ok((Vec::new(), None)),
            }
        }
        (None, Some(site)) => AlarmScope::Site(caller.tenant.clone(), site.clone()),
        (None, None) => AlarmScope::Tenant(caller.tenant.clone()),
    };
    let between = between(narrow.from, narrow.to);
    // Times are those of the clear here.
    let narrow = AlarmNarrow {
        from: None,
        to: None,
        ..narrow.clone()
    };
    let mut found = Vec::new();
    for _ in 0..HISTORY_PAGES_MAX {
        let page = queries::alarm_events(
            &*api.store,
            &scope,
            between.clone(),
            limit - found.len(),
            cursor.as_deref(),
        );
        let page = page.await.map_err(away)?;
        let cleared = page.rows.into_iter().filter(|row| row.transition == "cleared");
        let rows: Vec<_> = stream::iter(cleared)
            .map(|event| async move {
                let row = queries::alarm(&*api.store, &event.alarm_id).await?;
                // Cleared again since, or raised again: another line says so, or none.
                let then = event.alarm.and_then(|alarm| alarm.cleared_at);
                Ok::<_, StoreError>(row.filter(|row| row.condition == "cleared" && row.cleared_at == then))
            })
            .buffered(LOOKUPS_MAX)
            .try_collect()
            .await
            .map_err(away)?;
        found.extend(
            rows.into_iter()
                .flatten()
                .map(alarm_of)
                .filter(|alarm| narrow.fits(alarm)),
        );
        cursor = page.next;
        if cursor.is_none() || found.len() >= limit {
            break;
        }
    }
    Ok((found, cursor))
}

fn between(from: Option<Micros>, to: Option<Micros>) -> std::ops::RangeInclusive<i64> {
    let now_ms = now().millis();
    let oldest = now_ms - KEPT_MS.0;
    let newest = now_ms + KEPT_MS.1;
    let from = from.map_or(oldest, Micros::millis).clamp(oldest, newest);
    from..=to.map_or(newest, Micros::millis).clamp(from, newest)
}

/// What the store could not answer.
pub fn away(error: StoreError) -> ApiError {
    match error {
        StoreError::BadCursor => foreign_cursor(),
        error => ApiError::unavailable("reading the store", &error),
    }
}

/// There is no such alarm.
pub fn not_found(id: &str) -> ApiError {
    ApiError::new(Code::AlarmNotFound, "there is no such alarm").with("alarm_id", crate::audit::cut(id))
}

/// An alarm of the caller's tenant, wherever it is known.
///
/// # Errors
/// ALARM_NOT_FOUND, or UPSTREAM_UNAVAILABLE.
pub async fn find(api: &ApiState, caller: &Caller, id: &str) -> Result<Arc<Alarm>, ApiError> {
    if api.live.is_ready()
        && let Some(alarm) = api.live.read().alarm(&caller.tenant, id)
    {
        return Ok(alarm);
    }
    let row = queries::alarm(&*api.store, id).await.map_err(away)?;
    let own = row.filter(|row| row.entity.root().tenant() == caller.tenant);
    own.map(|row| Arc::new(alarm_of(row))).ok_or_else(|| not_found(id))
}

/// One alarm.
#[utoipa::path(get, path = "/alarms/{id}", tag = "alarms", params(("id" = String, Path, description = "The alarm's id")), responses(
    (status = 200, description = "The alarm", body = AlarmItem),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such alarm", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn one(State(api): State<Arc<ApiState>>, caller: Caller, id: DeviceId) -> Result<Response, ApiError> {
    let alarm = find(&api, &caller, &id.0).await?;
    Ok(json_text(json(&AlarmItem::from(&*alarm))))
}

/// How many alarms stand.
#[derive(Serialize, ToSchema)]
pub struct CountsList {
    /// Of everything first, then of each site and each root in which there are some.
    items: Vec<CountsItem>,
    /// Always null.
    next: Option<String>,
}

/// How many alarms stand, by severity: of everything, of each site and of each root.
#[utoipa::path(get, path = "/alarms/counts", tag = "alarms", responses(
    (status = 200, description = "Counts", body = CountsList),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn counts(State(api): State<Arc<ApiState>>, caller: Caller) -> Result<Response, ApiError> {
    let items = api.live.serve()?.alarm_counts(&caller.tenant);
    Ok(json_text(json(&CountsList { items, next: None })))
}
