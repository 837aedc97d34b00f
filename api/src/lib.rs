//! HTTP and WebSocket: the live view, the REST API, the fan-out, and the web application's files.
//!
//! Nothing is decided here: writes become records, and what is shown is a copy of what the log says.

mod access;
mod audit;
mod auth;
mod config;
mod error;
mod idempotency;
mod live;
mod metrics_names;
mod probes;
mod registrar;
mod rest;
mod rules;
mod server;
mod state;
mod time;
pub mod users;
mod web;
mod ws;

pub use access::{Access, RULES, Remote};
pub use auth::Role;
pub use auth::limiter::Rate;
pub use config::{ApiConfig, ExplainTrap, Limits, Parts};
pub use error::{ApiError, Code, ErrorBody};
pub use live::{LiveView, ProbeConfig, RingLimits};
pub use probes::{Probes, serve_probes};
pub use server::{app, serve};
pub use state::ApiState;
pub use ws::WsLimits;

/// A part of the process that says whether it is able to serve.
pub trait ReadyCheck: Send + Sync {
    /// Its name in `/ready`.
    fn name(&self) -> &str;

    /// Nothing, or why not, in a few words without secrets.
    ///
    /// # Errors
    /// When it is not able to serve.
    fn check(&self) -> Result<(), String>;
}

/// The OpenAPI document, generated from the code.
pub fn openapi(version: &str) -> utoipa::openapi::OpenApi {
    rest::routes(version).1
}
