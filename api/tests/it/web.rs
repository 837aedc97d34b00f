//! The web application's files, and what every answer carries.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::support::World;

#[tokio::test]
async fn pages_are_the_applications_and_machine_paths_are_not() {
    let world = World::new().await;
    for path in ["/", "/olt/rjo-01", "/devices/HWTC1234ABCD", "/apis", "/healthy"] {
        let answer = world.get(path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8", "{path}");
        assert!(answer.text.to_lowercase().contains("<!doctype html>"));
    }
    for path in [
        "/api",
        "/api/",
        "/api/x",
        "/alerts/x",
        "/collector/start",
        "/ws/",
        "/health/x",
        "/ready/x",
        "/metrics/x",
        "/assets/missing.js",
        "/missing.png",
        "/../Cargo.toml",
        "/..%2fCargo.toml",
    ] {
        let answer = world.get(path, None).await;
        assert!(
            answer.code() == "NOT_FOUND" || answer.text.contains("<!doctype html>"),
            "{path}: {}",
            answer.text
        );
        assert!(!answer.text.contains("[package]"), "{path}");
        if !path.starts_with("/..") {
            assert_eq!(answer.code(), "NOT_FOUND", "{path}");
        }
    }
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again() {
    let world = World::new().await;
    let first = world.get("/", None).await;
    assert_eq!(first.headers["cache-control"], "no-cache");
    let again = Request::get("/")
        .header("if-none-match", &first.headers["etag"])
        .body(Body::empty())
        .unwrap();
    let again = world.call(again).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

#[tokio::test]
async fn answers_carry_the_headers_of_security_and_are_compressed() {
    let world = World::new().await;
    let request = Request::get("/api/v1/openapi.json")
        .header("accept-encoding", "gzip")
        .body(Body::empty())
        .unwrap();
    let answer = world.call(request).await;
    assert_eq!(answer.headers["content-encoding"], "gzip");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"));
    for name in ["x-frame-options", "referrer-policy", "x-content-type-options"] {
        assert!(answer.headers.contains_key(name), "{name}");
    }
}
