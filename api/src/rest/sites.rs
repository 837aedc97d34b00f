//! Sites of optical networks, and their cards.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use model::Kind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::devices::DeviceList;
use super::extract::{DeviceId, Query, cursor, foreign_cursor, limit, list_text};
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::items::json;
use crate::live::{Narrow, SiteItem};
use crate::{ApiError, ApiState, Code};

/// Most cards of a page.
const PAGE_MAX: usize = 1_000;

/// Sites.
#[derive(Serialize, ToSchema)]
pub struct SiteList {
    items: Vec<SiteItem>,
    /// Always null.
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

/// Sites, each of each system, with the cards that there are.
#[utoipa::path(get, path = "/sites", tag = "sites", responses(
    (status = 200, description = "All sites", body = SiteList),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn list(State(api): State<Arc<ApiState>>, caller: Caller) -> Result<Response, ApiError> {
    let sites = blocking(move || Ok(api.live.serve()?.sites(&caller.tenant))).await?;
    let items: Vec<String> = sites.iter().map(json).collect();
    Ok(list_text(&items, None))
}

/// The cards of a site.
#[utoipa::path(get, path = "/sites/{site}/cards", tag = "sites",
    params(("site" = String, Path, description = "The site's name"), PageQuery),
    responses(
    (status = 200, description = "A page of cards", body = DeviceList),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such site", body = ErrorBody),
    (status = 503, description = "Not ready", body = ErrorBody),
))]
pub async fn cards(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    DeviceId(site): DeviceId,
    Query(page): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let (limit, cursor) = (limit(page.limit, PAGE_MAX)?, cursor(page.cursor.as_deref())?);
    let is_own = |c: &Vec<u8>| {
        c.strip_prefix(caller.tenant.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"/"))
    };
    if cursor.as_ref().is_some_and(|c| !is_own(c)) {
        return Err(foreign_cursor());
    }
    let page = blocking(move || {
        let state = api.live.serve()?;
        if !state.sites(&caller.tenant).iter().any(|known| known.site == site) {
            let message = "there is no such site";
            return Err(ApiError::new(Code::NotFound, message).with("site", crate::audit::cut(&site)));
        }
        let narrow = Narrow {
            kind: Some(Kind::Card),
            site: Some(site),
            ..Narrow::default()
        };
        Ok(state.list(&caller.tenant, &narrow, cursor.as_deref(), limit))
    })
    .await?;
    Ok(list_text(&page.items, page.next.as_deref()))
}

/// Looks at every entity: not on a thread that serves others.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let work = tokio::task::spawn_blocking(work);
    work.await.map_err(|e| ApiError::internal("looking at sites", &e))?
}
