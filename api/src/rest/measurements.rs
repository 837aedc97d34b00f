//! What was measured: history of any span in a bounded number of points, and the newest values.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::rollup::Window;
use model::{EntityId, Kind, Micros};
use serde::{Deserialize, Serialize};
use store::queries::Span;
use store::rows::{LatestRow, read_group};
use store::{StoreError, queries};
use utoipa::{IntoParams, ToSchema};

use super::devices::{Found, not_found, resolve};
use super::extract::{DeviceId, Query, cursor, foreign_cursor, json_text, limit, list_text};
use super::series::{Point, Tier, raw, thin, windows};
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::Narrow;
use crate::live::items::json;
use crate::time::{Instant3339, now};
use crate::{ApiError, ApiState, Code};

const DAY: i64 = 86_400 * Micros::SECOND;
/// Points of a chart unless asked, and at most.
const POINTS: usize = 1_000;
const POINTS_MAX: usize = 5_000;
/// Most samples of a page, and newest values.
const PAGE_MAX: usize = 5_000;
/// Longest span that is answered from raw samples: there are no older ones.
const RAW_SPAN_MAX: i64 = 31 * DAY;
/// Longest span that is answered hour by hour.
const HOUR_SPAN_MAX: i64 = 400 * DAY;

/// A measure over a span; or, where none is named, which measures there are.
#[derive(Serialize, ToSchema)]
pub struct Series<'a> {
    /// The measure.
    measure: &'a str,
    /// Its unit; empty where nobody knows.
    unit: &'a str,
    /// What a point is made of: raw, hour, day, month.
    tier: &'a str,
    /// The first instant of the span.
    #[schema(value_type = String)]
    from: Instant3339,
    /// The first instant after it.
    #[schema(value_type = String)]
    to: Instant3339,
    /// Oldest first; single samples page by page newest first.
    points: Vec<Point>,
    /// Cursor of the next page of single samples.
    next: Option<String>,
}

/// A measure that there is.
#[derive(Serialize, ToSchema)]
pub struct MeasureItem<'a> {
    measure: &'a str,
    unit: &'a str,
    group: Option<&'a str>,
}

/// Measures that there are.
#[derive(Serialize, ToSchema)]
pub struct MeasureList<'a> {
    items: Vec<MeasureItem<'a>>,
    /// Always null.
    next: Option<String>,
}

/// Either answer of a device's measurements.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Measurements<'a> {
    /// With `measure`.
    Series(Series<'a>),
    /// Without.
    Measures(MeasureList<'a>),
}

/// The newest value of a measure.
#[derive(Serialize, ToSchema)]
pub struct LatestItem<'a> {
    entity: &'a str,
    measure: &'a str,
    value: f64,
    unit: &'a str,
    group: Option<&'a str>,
    quality: &'a str,
    #[schema(value_type = String)]
    observed_at: Instant3339,
}

/// Newest values.
#[derive(Serialize, ToSchema)]
pub struct LatestList<'a> {
    items: Vec<LatestItem<'a>>,
    /// Cursor of the next page.
    next: Option<String>,
}

/// Which measure, which span, how fine.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SeriesQuery {
    /// The measure; without one, the answer is which there are.
    measure: Option<String>,
    /// First instant, RFC 3339; a day before `to` unless asked.
    from: Option<String>,
    /// First instant after the span, RFC 3339; now unless asked.
    to: Option<String>,
    /// auto, raw, hour, day, month. Auto: raw up to a day, hours up to 31 days, days up to a year, else months.
    tier: Option<String>,
    /// Most points, 1 to 5000; 1000 unless asked.
    points: Option<usize>,
    /// Samples a page, 1 to 5000: single samples, newest first, instead of points.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Whose newest values, and which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LatestQuery {
    /// Serial in any written form, configured name, or entity id: its values, and those of what is read together with it. All Padtec
    /// systems unless asked.
    device: Option<String>,
    /// Items a page, 1 to 5000; 100 unless asked.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A device's measures, or one of them over a span.
#[utoipa::path(get, path = "/devices/{id}/measurements", tag = "measurements",
    params(("id" = String, Path, description = "Serial in any written form, configured name, or percent-encoded entity id"), SeriesQuery),
    responses(
    (status = 200, description = "Points, or measures", body = Measurements),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such device", body = ErrorBody),
    (status = 422, description = "The span is not one", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn of_device(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    id: DeviceId,
    Query(query): Query<SeriesQuery>,
) -> Result<Response, ApiError> {
    series(&api, &caller, &id.0, &query).await
}

/// A card's measures, or one of them over a span.
#[utoipa::path(get, path = "/cards/{serial}/measurements", tag = "measurements",
    params(("serial" = String, Path, description = "Serial in any written form, or percent-encoded entity id"), SeriesQuery),
    responses(
    (status = 200, description = "Points, or measures", body = Measurements),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such card", body = ErrorBody),
    (status = 422, description = "The span is not one", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn of_card(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    id: DeviceId,
    Query(query): Query<SeriesQuery>,
) -> Result<Response, ApiError> {
    series(&api, &caller, &id.0, &query).await
}

/// A device's newest values.
#[utoipa::path(get, path = "/devices/{id}/measurements/latest", tag = "measurements",
    params(("id" = String, Path, description = "Serial in any written form, configured name, or percent-encoded entity id")),
    responses(
    (status = 200, description = "The newest value of each measure", body = LatestList),
    (status = 400, description = "The id is not text", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such device", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn latest_of_device(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    id: DeviceId,
) -> Result<Response, ApiError> {
    let entity = entity(&api, &caller, &id.0).await?;
    let rows = queries::latest(&*api.store, &entity).await.map_err(|e| away(&e))?;
    let items: Vec<String> = rows.iter().map(|row| json(&latest_item(row))).collect();
    Ok(list_text(&items, None))
}

/// The newest values of what is read together: all cards of a Padtec system, the ONUs of a PON port.
#[utoipa::path(get, path = "/measurements/latest", tag = "measurements", params(LatestQuery), responses(
    (status = 200, description = "A page", body = LatestList),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 404, description = "No such device", body = ErrorBody),
    (status = 503, description = "Not ready, or the store is away", body = ErrorBody),
))]
pub async fn latest(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    Query(query): Query<LatestQuery>,
) -> Result<Response, ApiError> {
    let (limit, cursor) = (limit(query.limit, PAGE_MAX)?, cursor(query.cursor.as_deref())?);
    let groups = match &query.device {
        Some(device) => vec![group_of(&entity(&api, &caller, device).await?)],
        None => api.live.serve()?.ids(&caller.tenant, &padtec_roots()),
    };
    let (mut at, mut within) = match cursor {
        None => (0, None),
        Some(bytes) => {
            let (at, within) = bytes.split_first_chunk::<4>().ok_or_else(foreign_cursor)?;
            let at = usize::try_from(u32::from_be_bytes(*at)).unwrap_or(usize::MAX);
            (at, (!within.is_empty()).then(|| within.to_vec()))
        }
    };
    let mut items = Vec::new();
    while let Some(group) = groups.get(at) {
        let page = queries::latest_of_group(&*api.store, group, limit - items.len(), within.as_deref()).await;
        let page = page.map_err(|error| match error {
            StoreError::BadCursor => foreign_cursor(),
            error => away(&error),
        })?;
        items.extend(page.rows.iter().map(|row| json(&latest_item(row))));
        within = page.next;
        if within.is_none() {
            at += 1;
        }
        if items.len() >= limit && at < groups.len() {
            let group = u32::try_from(at).unwrap_or(u32::MAX).to_be_bytes();
            let next = [&group[..], within.as_deref().unwrap_or_default()].concat();
            return Ok(list_text(&items, Some(&next)));
        }
    }
    Ok(list_text(&items, None))
}

fn padtec_roots() -> Narrow {
    Narrow {
        kind: Some(Kind::Padtec),
        ..Narrow::default()
    }
}

/// What is read together with an entity: of a root or a PON port, what hangs on it.
fn group_of(entity: &EntityId) -> String {
    match entity.kind() {
        Kind::Olt | Kind::Padtec | Kind::Pon | Kind::Cpe => entity.as_str().to_owned(),
        _ => read_group(entity),
    }
}

async fn series(api: &ApiState, caller: &Caller, id: &str, query: &SeriesQuery) -> Result<Response, ApiError> {
    let span = span(query)?;
    let tier = tier(query, span)?;
    let points = query.points.unwrap_or(POINTS);
    if !(1..=POINTS_MAX).contains(&points) {
        return Err(ApiError::new(
            Code::BadRequest,
            format!("`points` is 1 to {POINTS_MAX}"),
        ));
    }
    let entity = entity(api, caller, id).await?;
    let known = queries::latest(&*api.store, &entity).await.map_err(|e| away(&e))?;
    let Some(measure) = &query.measure else {
        let items = known.iter().map(|row| MeasureItem {
            measure: &row.measure,
            unit: &row.unit,
            group: row.group.as_deref(),
        });
        let list = MeasureList {
            items: items.collect(),
            next: None,
        };
        return Ok(json_text(json(&Measurements::Measures(list))));
    };
    let unit = known
        .iter()
        .find(|row| row.measure == *measure)
        .map(|row| row.unit.as_str());
    let mut answer = Series {
        measure,
        unit: unit.unwrap_or_else(|| measure.parse::<model::Measure>().map_or("", model::Measure::unit)),
        tier: tier.as_str(),
        from: Instant3339(span.from),
        to: Instant3339(span.to),
        points: Vec::new(),
        next: None,
    };
    if query.limit.is_some() || query.cursor.is_some() {
        if tier != Tier::Raw {
            return Err(ApiError::new(
                Code::BadRequest,
                "`limit` and `cursor` are for `tier=raw`",
            ));
        }
        let (limit, cursor) = (limit(query.limit, PAGE_MAX)?, cursor(query.cursor.as_deref())?);
        let page = queries::samples_page(&*api.store, &entity, measure, span, limit, cursor.as_deref()).await;
        let page = page.map_err(|error| match error {
            StoreError::BadCursor => foreign_cursor(),
            error => away(&error),
        })?;
        let sum = |s: &store::rows::SampleRow| model::rollup::Summary::of(s.observed_at, s.value);
        answer.points = page.rows.iter().map(|s| Point::of(s.observed_at, &sum(s))).collect();
        answer.next = page.next.map(|next| URL_SAFE_NO_PAD.encode(next));
        return Ok(json_text(json(&Measurements::Series(answer))));
    }
    let parts = match tier {
        Tier::Raw => raw(&*api.store, &entity, measure, span).await,
        Tier::Of(window) => windows(&*api.store, &entity, measure, window, span, now()).await,
    };
    let parts = thin(parts.map_err(|e| away(&e))?, span, points);
    answer.points = parts.iter().map(|(at, sum)| Point::of(*at, sum)).collect();
    Ok(json_text(json(&Measurements::Series(answer))))
}

fn span(query: &SeriesQuery) -> Result<Span, ApiError> {
    let instant = |name: &str, text: &Option<String>| -> Result<Option<Micros>, ApiError> {
        let Some(text) = text else { return Ok(None) };
        let parsed: Result<jiff::Timestamp, _> = text.parse();
        let wrong = |_| {
            let message = format!("`{name}` is an instant such as 2026-11-21T10:00:00Z");
            ApiError::new(Code::BadRequest, message)
        };
        parsed.map(|t| Some(Micros(t.as_microsecond()))).map_err(wrong)
    };
    let to = instant("to", &query.to)?.unwrap_or_else(now);
    let from = instant("from", &query.from)?.unwrap_or_else(|| to.plus(-DAY));
    if from >= to {
        return Err(ApiError::new(Code::ValidationFailed, "`from` has to be before `to`"));
    }
    Ok(Span { from, to })
}

fn tier(query: &SeriesQuery, span: Span) -> Result<Tier, ApiError> {
    let tier = match query.tier.as_deref() {
        None | Some("auto") if query.limit.is_some() || query.cursor.is_some() => Tier::Raw,
        None | Some("auto") => Tier::of_span(span),
        Some(word) => Tier::parse(word)
            .ok_or_else(|| ApiError::new(Code::BadRequest, "`tier` is auto, raw, hour, day or month"))?,
    };
    let (longest, words) = match tier {
        Tier::Raw => (RAW_SPAN_MAX, "31 days of single samples"),
        Tier::Of(Window::Hour) => (HOUR_SPAN_MAX, "400 days of hours"),
        Tier::Of(Window::Day | Window::Month) => (200 * 366 * DAY, "200 years"),
    };
    if span.to.since(span.from) > longest {
        let message = format!("at most {words} are answered at once: ask for a coarser `tier`");
        return Err(ApiError::new(Code::ValidationFailed, message));
    }
    Ok(tier)
}

/// The entity behind what a path calls it; one that nobody knows is not found.
async fn entity(api: &ApiState, caller: &Caller, id: &str) -> Result<EntityId, ApiError> {
    match resolve(api, caller, id).await? {
        Found::Live(index) => {
            let state = api.live.read();
            EntityId::parse(state.status_item(index).entity).map_err(|_| not_found(id))
        }
        Found::Stored(entity) => {
            let known = queries::status(&*api.store, &entity)
                .await
                .map_err(|e| away(&e))?
                .is_some()
                || queries::entity(&*api.store, &entity)
                    .await
                    .map_err(|e| away(&e))?
                    .is_some();
            if known { Ok(entity) } else { Err(not_found(id)) }
        }
    }
}

fn latest_item(row: &LatestRow) -> LatestItem<'_> {
    LatestItem {
        entity: row.entity.as_str(),
        measure: &row.measure,
        value: row.value,
        unit: &row.unit,
        group: row.group.as_deref(),
        quality: &row.quality,
        observed_at: Instant3339(row.observed_at),
    }
}

fn away(error: &StoreError) -> ApiError {
    ApiError::unavailable("reading the store", error)
}
