//! REST under `/api/v1`, and what every process serves at its root.

mod acts;
mod alarms;
mod auth;
mod devices;
mod events;
mod excerpt;
mod extract;
mod health;
mod incidents;
mod measurements;
mod olts;
mod provision;
mod rule_body;
mod rules;
mod series;
mod silences;
mod sites;
mod sources;
mod stored;
mod transitions;
mod why;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ApiState;

/// What stands in front of every path of the API.
pub const BASE: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(
    info(title = "Atalaia", description = "What an ISP's network does, the moment it happens."),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Alarms: under `/api/v1`, and as they were asked for, under `/api` alone.
fn alarm_routes() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(alarms::list))
        .routes(routes!(alarms::counts))
        .routes(routes!(alarms::one))
        .routes(routes!(transitions::list))
        .routes(routes!(why::why))
        .routes(routes!(acts::acknowledge))
        .routes(routes!(acts::unacknowledge))
        .routes(routes!(acts::comment))
        .routes(routes!(acts::clear))
        .routes(routes!(acts::silence))
        .routes(routes!(acts::unsilence))
}

/// Alerts: under `/api/v1`, and as they were asked for, at the root.
fn alert_routes() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(alarms::active))
        .routes(routes!(acts::acknowledge_alert))
        .routes(routes!(acts::clear_alert))
        .routes(routes!(rules::list, rules::write))
        .routes(routes!(rules::check))
        .routes(routes!(rules::one, rules::remove))
        .routes(routes!(rules::versions))
}

/// Sites, cards and measures: under `/api/v1`, and as they were asked for, under `/api` alone.
fn optical_routes() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(measurements::of_card))
        .routes(routes!(measurements::latest))
        .routes(routes!(sites::list))
        .routes(routes!(sites::cards))
}

/// How paths begin that are served under `/api` too.
const ALSO_UNDER_API: [&str; 4] = ["/alarms", "/sites", "/cards", "/measurements"];

/// The path under [`BASE`] of a route that is served elsewhere too: who may call it, and what it does, is the same.
pub fn canonical(path: &str) -> std::borrow::Cow<'_, str> {
    match path.strip_prefix("/api") {
        Some(rest) if ALSO_UNDER_API.iter().any(|path| rest.starts_with(path)) => format!("{BASE}{rest}").into(),
        None if path.starts_with("/alerts") => format!("{BASE}{path}").into(),
        _ => path.into(),
    }
}

/// Routes and the document generated from them.
pub fn routes(version: &str) -> (Router<Arc<ApiState>>, utoipa::openapi::OpenApi) {
    let v1 = OpenApiRouter::new()
        .routes(routes!(auth::login))
        .routes(routes!(auth::refresh))
        .routes(routes!(auth::logout))
        .routes(routes!(auth::me))
        .routes(routes!(devices::list, provision::register))
        .routes(routes!(devices::one))
        .routes(routes!(devices::status))
        .routes(routes!(events::of_device))
        .routes(routes!(devices::onts))
        .routes(routes!(devices::olts))
        .routes(routes!(olts::board_info))
        .routes(routes!(olts::autofind))
        .routes(routes!(olts::pon))
        .routes(routes!(sources::list))
        .routes(routes!(measurements::of_device))
        .routes(routes!(measurements::latest_of_device))
        .merge(optical_routes())
        .merge(alarm_routes())
        .merge(alert_routes())
        .routes(routes!(silences::list, silences::begin))
        .routes(routes!(silences::end))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::one))
        .routes(routes!(health::summary))
        .routes(routes!(health::health_v1));
    let (router, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .nest(BASE, v1)
        .split_for_parts();
    document.info.version = version.to_owned();
    let json: Arc<str> = document.to_json().expect("the document is plain data").into();
    let openapi = move || {
        let json = json.clone();
        async move { extract::json_text(json.to_string()) }
    };
    let (elsewhere, _) = OpenApiRouter::new()
        .nest("/api", alarm_routes().merge(optical_routes()))
        .merge(alert_routes())
        .split_for_parts();
    let router = router
        .merge(elsewhere)
        .route(&format!("{BASE}/openapi.json"), get(openapi))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(health::prometheus));
    (router, document)
}
