//! What happened to a device: its history, from the store.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use model::EntityId;
use serde::{Deserialize, Serialize};
use store::rows::{DeviceEventRow, year_of};
use store::{StoreError, queries};
use utoipa::{IntoParams, ToSchema};

use super::devices::{Found, not_found, resolve};
use super::extract::{DeviceId, Query, cursor, foreign_cursor, limit, list_text};
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::items::{EventItem, json};
use crate::time::{Instant3339, now};
use crate::{ApiError, ApiState};

/// Most items of a page.
const PAGE_MAX: usize = 1_000;

/// A page of events.
#[derive(Serialize, ToSchema)]
pub struct EventList<'a> {
    /// Events, newest first.
    items: Vec<EventItem<'a>>,
    /// Cursor of the next page.
    next: Option<String>,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items a page, 1 to 1000; 100 unless asked.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A device's events, newest first.
#[utoipa::path(get, path = "/devices/{id}/events", tag = "devices",
    params(("id" = String, Path, description = "Serial in any written form, configured name, or percent-encoded entity id"), PageQuery),
    responses(
    (status = 200, description = "A page", body = EventList),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such device", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn of_device(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    id: DeviceId,
    Query(page): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let (limit, cursor) = (limit(page.limit, PAGE_MAX)?, cursor(page.cursor.as_deref())?);
    let device = about(&api, &caller, &id.0).await?;
    // Events are kept a year; a device's clock may be a little ahead of ours.
    let this_year = year_of(now().millis());
    let years = this_year - 1..=this_year + 1;
    let events = queries::events(&*api.store, &device.entity, years, limit, cursor.as_deref()).await;
    let events = events.map_err(|error| match error {
        StoreError::BadCursor => foreign_cursor(),
        error => ApiError::unavailable("reading the store", &error),
    })?;
    let items: Vec<_> = events.rows.iter().map(|row| device.item(row)).collect();
    Ok(list_text(&items, events.next.as_deref()))
}

/// What events say of their device.
struct About {
    entity: EntityId,
    root: String,
    site: Option<String>,
    name: Option<String>,
    description: Option<String>,
}

async fn about(api: &ApiState, caller: &Caller, id: &str) -> Result<About, ApiError> {
    match resolve(api, caller, id).await? {
        Found::Live(index) => {
            let state = api.live.read();
            let item = state.status_item(index);
            let own = |text: Option<&str>| text.map(str::to_owned);
            let entity = EntityId::parse(item.entity).map_err(|_| not_found(id))?;
            let (site, name, description) = (own(item.site), own(item.name), own(item.description));
            Ok(About {
                entity,
                root: item.root.to_owned(),
                site,
                name,
                description,
            })
        }
        Found::Stored(entity) => {
            let away = |e| ApiError::unavailable("reading the store", &e);
            let row = queries::entity(&*api.store, &entity).await.map_err(away)?;
            let known = row.is_some() || queries::status(&*api.store, &entity).await.map_err(away)?.is_some();
            if !known {
                return Err(not_found(id));
            }
            let (site, name, description) = row.map_or((None, None, None), |r| (r.site, r.name, r.description));
            Ok(About {
                root: entity.root().to_string(),
                entity,
                site,
                name,
                description,
            })
        }
    }
}

impl About {
    fn item(&self, row: &DeviceEventRow) -> String {
        let id: String = row.id.iter().map(|b| format!("{b:02x}")).collect();
        let event_type = row.event_type.to_lowercase().replace('_', ".");
        let phase = row.phase.to_lowercase();
        json(&EventItem {
            item_type: "event",
            id: &id,
            entity: self.entity.as_str(),
            kind: &row.kind,
            root: &self.root,
            site: self.site.as_deref(),
            name: self.name.as_deref(),
            serial: row.serial.as_deref(),
            description: self.description.as_deref(),
            event: &row.event,
            event_type: Some(&event_type),
            phase: Some(&phase),
            severity: row.severity.as_deref(),
            at: Instant3339(row.at),
            received_at: Instant3339(row.received_at),
            state: row.state.as_deref(),
            previous: row.previous.as_deref(),
            cause: row.cause.as_deref(),
            cause_raw: row.cause_raw.as_deref(),
            detail: &row.detail,
            trap_oid: row.trap_oid.as_deref(),
            source: row.source.as_deref(),
            position: row.position.into(),
        })
    }
}
