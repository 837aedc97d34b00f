//! REST under `/api/v1`, and what every process serves at its root.

mod auth;
mod devices;
mod events;
mod extract;
mod health;
mod measurements;
mod olts;
mod provision;
mod series;
mod sites;
mod sources;

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
        .routes(routes!(measurements::of_card))
        .routes(routes!(measurements::latest))
        .routes(routes!(sites::list))
        .routes(routes!(sites::cards))
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
    let router = router
        .route(&format!("{BASE}/openapi.json"), get(openapi))
        // Paths that were asked for as they stand here.
        .route("/api/sites", get(sites::list))
        .route("/api/sites/{site}/cards", get(sites::cards))
        .route("/api/cards/{serial}/measurements", get(measurements::of_card))
        .route("/api/measurements/latest", get(measurements::latest))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(health::prometheus));
    (router, document)
}
