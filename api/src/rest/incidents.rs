//! Incidents: open ones from the live view, closed ones from the store.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use futures_util::{StreamExt, TryStreamExt, stream};
use schemas::Incident;
use serde::{Deserialize, Serialize};
use store::{StoreError, queries};
use utoipa::{IntoParams, ToSchema};

use super::extract::{DeviceId, Query, cursor, foreign_cursor, json_text, limit, list_text};
use super::stored::incident_of;
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::alarms::IncidentNarrow;
use crate::live::alarms::items::{AlarmItem, IncidentItem};
use crate::live::items::json;
use crate::time::now;
use crate::{ApiError, ApiState, Code};

/// Most items of a page: one may name 512 entities.
const PAGE_MAX: usize = 200;
/// Alarms shown with one incident.
const SYMPTOMS_MAX: usize = 200;
const LOOKUPS_MAX: usize = 16;
const HISTORY_PAGES_MAX: usize = 8;
const KEPT_MS: (i64, i64) = (2 * 366 * 86_400_000, 86_400_000);

const OPEN: u8 = b'o';
const OVER: u8 = b'c';

/// A page of incidents.
#[derive(Serialize, ToSchema)]
pub struct IncidentList<'a> {
    /// Newest first; open ones before closed ones.
    items: Vec<IncidentItem<'a>>,
    /// Cursor of the next page. A page may be short, or empty, and have one.
    next: Option<String>,
}

/// What a list of incidents is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IncidentQuery {
    /// Items a page, 1 to 200; 100 unless asked.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// open, settling, closed; all unless asked.
    state: Option<String>,
    /// Entity id or name of a root.
    root: Option<String>,
    /// A site's name.
    site: Option<String>,
}

/// Lists incidents.
#[utoipa::path(get, path = "/incidents", tag = "alarms", params(IncidentQuery), responses(
    (status = 200, description = "A page", body = IncidentList),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "Not ready, or the store is away", body = ErrorBody),
))]
pub async fn list(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    Query(query): Query<IncidentQuery>,
) -> Result<Response, ApiError> {
    let (limit, cursor) = (limit(query.limit, PAGE_MAX)?, cursor(query.cursor.as_deref())?);
    let state = query.state.as_deref();
    if state.is_some_and(|s| !["open", "settling", "closed"].contains(&s)) {
        return Err(ApiError::new(Code::BadRequest, "`state` is open, settling or closed"));
    }
    let (open, over) = (state != Some("closed"), matches!(state, None | Some("closed")));
    let (mut items, mut over_from) = (Vec::new(), None);
    let narrow = {
        let live = api.live.read();
        let root = query
            .root
            .as_ref()
            .map(|root| live.root_of(&caller.tenant, root).unwrap_or_else(|| root.clone()));
        IncidentNarrow {
            state: query.state.clone(),
            root,
            site: query.site.clone(),
        }
    };
    match cursor.as_deref().map(|c| c.split_first()) {
        Some(Some((&OVER, rest))) if over => over_from = (!rest.is_empty()).then(|| rest.to_vec()),
        None | Some(Some((&OPEN, _))) if open => {
            let rest = cursor.as_deref().map(|c| &c[1..]);
            let page = api.live.serve()?.list_incidents(&caller.tenant, &narrow, rest, limit);
            let page = page.ok_or_else(foreign_cursor)?;
            if let Some(next) = page.next {
                return Ok(list_text(&page.items, Some(&[&[OPEN], &*next].concat())));
            }
            items = page.items;
        }
        None => {}
        _ => return Err(foreign_cursor()),
    }
    if !over {
        return Ok(list_text(&items, None));
    }
    if items.len() == limit {
        return Ok(list_text(&items, Some(&[OVER])));
    }
    let (closed, next) = closed(&api, &caller, &narrow, limit - items.len(), over_from).await?;
    items.extend(closed.iter().map(|incident| json(&IncidentItem::from(incident))));
    let next = next.map(|next| [&[OVER], &*next].concat());
    Ok(list_text(&items, next.as_deref()))
}

async fn closed(
    api: &ApiState,
    caller: &Caller,
    narrow: &IncidentNarrow,
    limit: usize,
    mut cursor: Option<Vec<u8>>,
) -> Result<(Vec<Incident>, Option<Vec<u8>>), ApiError> {
    let now_ms = now().millis();
    let between = now_ms - KEPT_MS.0..=now_ms + KEPT_MS.1;
    let mut found = Vec::new();
    for _ in 0..HISTORY_PAGES_MAX {
        let room = limit - found.len();
        let page = queries::incidents(&*api.store, &caller.tenant, between.clone(), room, cursor.as_deref());
        let page = page.await.map_err(away)?;
        let rows: Vec<_> = stream::iter(page.rows.into_iter().filter(|mark| mark.state == "closed"))
            .map(|mark| async move {
                let row = queries::incident(&*api.store, &mark.incident_id).await?;
                // Where an earlier loss came to be known later, another line is the one that counts.
                Ok::<_, StoreError>(row.filter(|row| row.began_at == mark.began_at && row.state == "closed"))
            })
            .buffered(LOOKUPS_MAX)
            .try_collect()
            .await
            .map_err(away)?;
        let incidents = rows.into_iter().flatten().map(incident_of);
        found.extend(incidents.filter(|incident| narrow.fits(incident)));
        cursor = page.next;
        if cursor.is_none() || found.len() >= limit {
            break;
        }
    }
    Ok((found, cursor))
}

fn away(error: StoreError) -> ApiError {
    match error {
        StoreError::BadCursor => foreign_cursor(),
        error => ApiError::unavailable("reading the store", &error),
    }
}

/// One incident, with its alarms.
#[utoipa::path(get, path = "/incidents/{id}", tag = "alarms", params(("id" = String, Path, description = "The incident's id")), responses(
    (status = 200, description = "The incident, and the first 200 of its alarms that stand", body = IncidentItem),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such incident", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn one(State(api): State<Arc<ApiState>>, caller: Caller, id: DeviceId) -> Result<Response, ApiError> {
    let live = api
        .live
        .read()
        .incident(&caller.tenant, &id.0)
        .filter(|_| api.live.is_ready());
    let incident = match live {
        Some(incident) => incident,
        None => {
            let row = queries::incident(&*api.store, &id.0).await.map_err(away)?;
            let own = row.filter(|row| row.entity.root().tenant() == caller.tenant);
            let missing = || {
                ApiError::new(Code::NotFound, "there is no such incident").with("incident_id", crate::audit::cut(&id.0))
            };
            Arc::new(own.map(incident_of).ok_or_else(missing)?)
        }
    };
    let symptoms = api
        .live
        .read()
        .symptoms(&caller.tenant, &incident.incident_id, SYMPTOMS_MAX);
    let item = IncidentItem {
        symptoms: Some(symptoms.iter().map(|alarm| AlarmItem::from(&**alarm)).collect()),
        ..IncidentItem::from(&*incident)
    };
    Ok(json_text(json(&item)))
}
