//! Devices: the present, from the live view; what it does not know, from the store.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use model::{Cause, EntityId, Kind, State as EntityState};
use serde::{Deserialize, Serialize};
use store::queries;
use store::rows::{EntityRow, StatusRow};
use utoipa::{IntoParams, ToSchema};

use super::extract::{DeviceId, Query, cursor, foreign_cursor, json_text, limit, list_text};
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::items::{InventoryItem, StatusItem, json};
use crate::live::reading::{OpticsItem, PollItem};
use crate::live::{Index, Narrow, wanted};
use crate::time::{Instant3339, now};
use crate::{ApiError, ApiState, Code};

/// Most items of a page.
const PAGE_MAX: usize = 1_000;
/// Longest text searched for.
const TEXT_BYTES_MAX: usize = 128;

/// A page of devices.
#[derive(Serialize, ToSchema)]
pub struct DeviceList<'a> {
    /// Devices, in tree order.
    items: Vec<StatusItem<'a>>,
    /// Cursor of the next page.
    next: Option<String>,
}

/// What a list is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Items a page, 1 to 1000; 100 unless asked.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// olt, board, pon, onu, padtec, site, card, cpe, unknown.
    kind: Option<String>,
    /// A site's name.
    site: Option<String>,
    /// Entity id or name of a root, such as `rjo-01`.
    root: Option<String>,
    /// A state.
    state: Option<String>,
    /// A cause.
    cause: Option<String>,
    /// Words, all of which are in name, serial, description or entity id; in any case, with or without accents, a serial
    /// in any written form.
    q: Option<String>,
}

impl ListQuery {
    fn narrow(&self) -> Result<Narrow, ApiError> {
        if self.q.as_ref().is_some_and(|q| q.len() > TEXT_BYTES_MAX) {
            return Err(ApiError::new(
                Code::BadRequest,
                format!("`q` has at most {TEXT_BYTES_MAX} bytes"),
            ));
        }
        Ok(Narrow {
            kind: word(self.kind.as_deref(), Kind::ALL)?,
            state: word(self.state.as_deref(), EntityState::ALL)?,
            cause: word(self.cause.as_deref(), Cause::ALL)?,
            site: self.site.clone(),
            root: self.root.clone(),
            parent: None,
            words: self.q.as_deref().map(wanted).unwrap_or_default(),
        })
    }
}

/// A word of a closed set; the refusal names the set.
fn word<T: FromStr<Err = model::UnknownWord> + Display>(text: Option<&str>, all: &[T]) -> Result<Option<T>, ApiError> {
    text.map(str::parse).transpose().map_err(|unknown: model::UnknownWord| {
        let all: Vec<String> = all.iter().map(T::to_string).collect();
        ApiError::new(Code::BadRequest, format!("{unknown}; there are {}", all.join(", ")))
    })
}

/// Lists devices.
#[utoipa::path(get, path = "/devices", tag = "devices", params(ListQuery), responses(
    (status = 200, description = "A page", body = DeviceList),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn list(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    page(&api, caller, &query, None).await
}

/// Lists ONUs.
#[utoipa::path(get, path = "/onts", tag = "devices", params(ListQuery), responses(
    (status = 200, description = "A page of ONUs", body = DeviceList),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn onts(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    page(&api, caller, &query, Some(Kind::Onu)).await
}

async fn page(
    api: &Arc<ApiState>,
    caller: Caller,
    query: &ListQuery,
    kind: Option<Kind>,
) -> Result<Response, ApiError> {
    let api = api.clone();
    let mut narrow = query.narrow()?;
    if let Some(kind) = kind {
        if narrow.kind.is_some_and(|asked| asked != kind) {
            let message = format!("this list has `kind` {kind} alone");
            return Err(ApiError::new(Code::BadRequest, message));
        }
        narrow.kind = Some(kind);
    }
    let (limit, cursor) = (limit(query.limit, PAGE_MAX)?, cursor(query.cursor.as_deref())?);
    // A list's cursor is the key of its last item, and keys begin with their tenant.
    let own = |c: &Vec<u8>| {
        c.strip_prefix(caller.tenant.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"/"))
    };
    if cursor.as_ref().is_some_and(|c| !own(c)) {
        return Err(foreign_cursor());
    }
    // A search may look at every entity: not on a thread that serves others.
    let work = tokio::task::spawn_blocking(move || {
        let state = api.live.serve()?;
        if let Some(root) = &narrow.root {
            narrow.root = state.root_of(&caller.tenant, root).or(narrow.root);
        }
        Ok(state.list(&caller.tenant, &narrow, cursor.as_deref(), limit))
    });
    let page = work.await.map_err(|e| ApiError::internal("listing devices", &e))??;
    Ok(list_text(&page.items, page.next.as_deref()))
}

/// The OLTs, each with its counters and when its first trap came.
#[utoipa::path(get, path = "/olts", tag = "devices", responses(
    (status = 200, description = "All OLTs; `first_trap_at` null: never", body = DeviceList),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn olts(State(api): State<Arc<ApiState>>, caller: Caller) -> Result<Response, ApiError> {
    let work = tokio::task::spawn_blocking(move || {
        let narrow = Narrow {
            kind: Some(Kind::Olt),
            ..Narrow::default()
        };
        let state = api.live.serve()?;
        Ok(state.list(&caller.tenant, &narrow, None, usize::MAX))
    });
    let page = work.await.map_err(|e| ApiError::internal("listing OLTs", &e))??;
    Ok(list_text(&page.items, None))
}

/// One device, with what the inventory says.
#[utoipa::path(get, path = "/devices/{id}", tag = "devices",
    params(("id" = String, Path, description = "Serial in any written form, configured name, or percent-encoded entity id")),
    responses(
    (status = 200, description = "The device", body = StatusItem),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such device", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn one(State(api): State<Arc<ApiState>>, caller: Caller, id: DeviceId) -> Result<Response, ApiError> {
    device(&api, &caller, &id.0, true).await
}

/// A device's present status.
#[utoipa::path(get, path = "/devices/{id}/status", tag = "devices",
    params(("id" = String, Path, description = "Serial in any written form, configured name, or percent-encoded entity id")),
    responses(
    (status = 200, description = "The status", body = StatusItem),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such device", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn status(State(api): State<Arc<ApiState>>, caller: Caller, id: DeviceId) -> Result<Response, ApiError> {
    device(&api, &caller, &id.0, false).await
}

async fn device(api: &ApiState, caller: &Caller, id: &str, detailed: bool) -> Result<Response, ApiError> {
    let found = resolve(api, caller, id).await?;
    let entity = match found {
        Found::Live(index) => {
            let state = api.live.read();
            let item = if detailed {
                state.detailed_item(index)
            } else {
                state.status_item(index)
            };
            return Ok(json_text(json(&item)));
        }
        Found::Stored(entity) => entity,
    };
    let away = |e| ApiError::unavailable("reading the store", &e);
    let status = queries::status(&*api.store, &entity).await.map_err(away)?;
    let inventory = queries::entity(&*api.store, &entity).await.map_err(away)?;
    if status.is_none() && inventory.is_none() {
        return Err(not_found(id));
    }
    let root = entity.root();
    Ok(json_text(json(&stored_item(
        &entity,
        root.as_str(),
        status.as_ref(),
        inventory.as_ref(),
        detailed,
    ))))
}

/// Where a device was found.
pub enum Found {
    /// In the live view.
    Live(Index),
    /// Perhaps in the store, under this id.
    Stored(EntityId),
}

/// What a text in a path stands for.
///
/// # Errors
/// DEVICE_NOT_FOUND, or UPSTREAM_UNAVAILABLE.
pub async fn resolve(api: &ApiState, caller: &Caller, text: &str) -> Result<Found, ApiError> {
    if api.live.is_ready()
        && let Some(index) = api.live.read().lookup(&caller.tenant, text)
    {
        return Ok(Found::Live(index));
    }
    if let Ok(entity) = EntityId::parse(text) {
        let own = entity.root().tenant() == caller.tenant;
        return if own {
            Ok(Found::Stored(entity))
        } else {
            Err(not_found(text))
        };
    }
    let by_serial = queries::entity_by_serial(&*api.store, &caller.tenant, text).await;
    match by_serial.map_err(|e| ApiError::unavailable("reading the store", &e))? {
        Some(entity) => Ok(Found::Stored(entity)),
        // A configured OLT, while the live view is being built.
        None => EntityId::parse(&format!("{}/olt/{text}", caller.tenant))
            .map(Found::Stored)
            .map_err(|_| not_found(text)),
    }
}

/// There is no such device (m65: with its id and the time).
pub fn not_found(id: &str) -> ApiError {
    ApiError::new(Code::DeviceNotFound, "there is no such device")
        .with("device_id", crate::audit::cut(id))
        .with("time", Instant3339(now()).to_string())
}

fn stored_item<'a>(
    entity: &'a EntityId,
    root: &'a str,
    status: Option<&'a StatusRow>,
    inventory: Option<&'a EntityRow>,
    detailed: bool,
) -> StatusItem<'a> {
    let text = |s: fn(&StatusRow) -> Option<&str>, i: fn(&EntityRow) -> Option<&str>| {
        status.and_then(s).or_else(|| inventory.and_then(i))
    };
    StatusItem {
        item_type: "status",
        entity: entity.as_str(),
        kind: entity.kind(),
        root,
        parent: status
            .and_then(|s| s.parent.as_deref())
            .or_else(|| inventory?.parent.as_deref()),
        site: text(|s| s.site.as_deref(), |i| i.site.as_deref()),
        name: text(|s| s.name.as_deref(), |i| i.name.as_deref()),
        description: text(|s| s.description.as_deref(), |i| i.description.as_deref()),
        vendor: text(|s| s.vendor.as_deref(), |i| i.vendor.as_deref()),
        model: text(|s| s.model.as_deref(), |i| i.model.as_deref()),
        serial: text(|s| s.serial.as_deref(), |i| i.serial.as_deref()),
        state: status
            .and_then(|s| s.state.parse().ok())
            .unwrap_or(EntityState::Unknown),
        cause: status.and_then(|s| s.cause.as_deref()).and_then(|c| c.parse().ok()),
        cause_raw: status.and_then(|s| s.cause_raw.as_deref()),
        since: status.map(|s| Instant3339(s.since)),
        observed_at: status.map(|s| Instant3339(s.observed_at)),
        received_at: status.map(|s| Instant3339(s.received_at)),
        first_trap_at: status.and_then(|s| s.first_trap_at).map(Instant3339),
        position: status.map(|s| s.position.into()),
        optics: status.and_then(|s| s.optics.as_ref()).map(OpticsItem::stored),
        poll: status.and_then(|s| s.poll.as_ref()).map(PollItem::stored),
        pending: None,
        counts: None,
        inventory: inventory.filter(|_| detailed).map(|i| InventoryItem {
            address: i.address.as_deref(),
            attributes: &i.attributes,
            origin: &i.origin,
            installed_at: i.installed_at.map(Instant3339),
            seen_at: Instant3339(i.seen_at),
        }),
    }
}
