//! What hangs on one OLT: its boards, a PON port with its ONUs.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use model::Kind;
use serde::Serialize;
use utoipa::ToSchema;

use super::devices::{DeviceList, not_found};
use super::extract::{DeviceId, json_text, list_text};
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::Narrow;
use crate::live::items::{StatusItem, json};
use crate::live::reading::PendingList;
use crate::{ApiError, ApiState, Code};

/// The boards of an OLT, each with the counters of the ONUs below it.
#[utoipa::path(get, path = "/olts/{id}/board-info", tag = "devices",
    params(("id" = String, Path, description = "Configured name, or percent-encoded entity id")),
    responses(
    (status = 200, description = "All boards; `next` is null", body = DeviceList),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such OLT", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn board_info(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    DeviceId(id): DeviceId,
) -> Result<Response, ApiError> {
    blocking(move || {
        let root = olt(&api, &caller, &id)?;
        let narrow = Narrow {
            kind: Some(Kind::Board),
            root: Some(root),
            ..Narrow::default()
        };
        let page = api.live.serve()?.list(&caller.tenant, &narrow, None, usize::MAX);
        Ok(list_text(&page.items, None))
    })
    .await
}

/// The ONUs that an OLT found and that nobody has added yet, as of the newest complete reading.
#[utoipa::path(get, path = "/olts/{id}/autofind-onts/all", tag = "devices",
    params(("id" = String, Path, description = "Configured name, or percent-encoded entity id")),
    responses(
    (status = 200, description = "ONUs that wait; `observed_at` null: never read", body = PendingList),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such OLT", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn autofind(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    DeviceId(id): DeviceId,
) -> Result<Response, ApiError> {
    let root = olt(&api, &caller, &id)?;
    let state = api.live.serve()?;
    let index = state.shown(&caller.tenant, &root).ok_or_else(|| not_found(&id))?;
    let list = state.pending(index).unwrap_or_else(PendingList::unread);
    Ok(json_text(json(&list)))
}

/// A PON port and the ONUs on it.
#[derive(Serialize, ToSchema)]
pub struct PonPage<'a> {
    /// The port.
    pon: StatusItem<'a>,
    /// Its ONUs, by their number.
    onus: Vec<StatusItem<'a>>,
}

/// One PON port with its ONUs.
#[utoipa::path(get, path = "/olts/{id}/pons/{frame}/{slot}/{port}", tag = "devices",
    params(
        ("id" = String, Path, description = "Configured name, or percent-encoded entity id of an OLT"),
        ("frame" = u8, Path, description = "Frame"),
        ("slot" = u8, Path, description = "Slot of the board"),
        ("port" = u8, Path, description = "Port of the board"),
    ),
    responses(
    (status = 200, description = "The port and its ONUs", body = PonPage),
    (status = 400, description = "The place is not three numbers", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such OLT, or no such port on it", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn pon(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    place: Result<Path<(String, u8, u8, u8)>, axum::extract::rejection::PathRejection>,
) -> Result<Response, ApiError> {
    let Ok(Path((id, frame, slot, port))) = place else {
        return Err(ApiError::new(
            Code::BadRequest,
            "a PON port is frame/slot/port in numbers from 0 to 255, such as 0/3/5",
        ));
    };
    blocking(move || {
        let root = olt(&api, &caller, &id)?;
        let entity = format!("{root}/pon/{frame}/{slot}/{port}");
        let state = api.live.serve()?;
        let index = state.shown(&caller.tenant, &entity).ok_or_else(|| not_found(&entity))?;
        let narrow = Narrow {
            kind: Some(Kind::Onu),
            root: Some(root),
            parent: Some(entity),
            ..Narrow::default()
        };
        let onus = state.list(&caller.tenant, &narrow, None, usize::MAX).items;
        let pon = json(&state.status_item(index));
        Ok(json_text(format!(r#"{{"pon":{pon},"onus":[{}]}}"#, onus.join(","))))
    })
    .await
}

/// The root of an OLT by its name or id.
fn olt(api: &ApiState, caller: &Caller, id: &str) -> Result<String, ApiError> {
    let state = api.live.serve()?;
    let root = state.root_of(&caller.tenant, id);
    root.filter(|root| root.split('/').nth(1) == Some("olt"))
        .ok_or_else(|| not_found(id))
}

/// A list may look at every entity of an OLT: not on a thread that serves others.
async fn blocking(work: impl FnOnce() -> Result<Response, ApiError> + Send + 'static) -> Result<Response, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| ApiError::internal("listing what hangs on an OLT", &e))?
}
