//! Login, tokens that are not ours, refresh chains, logout, limits.

use std::net::IpAddr;
use std::sync::Arc;

use api::{ApiConfig, ApiState, Parts, Rate, Remote, Role};
use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use log::{Log, Start};
use schemas::AnyRecord;
use serde_json::{Value, json};
use topology::Topic;

use crate::support::{KEY, PASSWORD, World, eventually, now, request};

const ME: &str = "/api/v1/auth/me";

/// The key access tokens are signed with, derived as the product does.
fn access_key(secret: &[u8]) -> EncodingKey {
    let derived = jsonwebtoken::crypto::sign(b"access token", &EncodingKey::from_secret(secret), Algorithm::HS256);
    EncodingKey::from_secret(derived.unwrap().as_bytes())
}

/// Claims as the product writes them, of a living session.
fn claims(session: &str) -> Value {
    let now_s = now().millis() / 1_000;
    json!({
        "iss": "atalaia", "aud": "atalaia-api", "sub": "viewer", "tenant": "default", "role": "viewer", "sid": session,
        "jti": "1", "iat": now_s, "nbf": now_s, "exp": now_s + 3_600,
    })
}

fn header() -> Header {
    Header {
        typ: Some("at+jwt".into()),
        ..Header::new(Algorithm::HS256)
    }
}

fn signed(header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &access_key(&KEY)).unwrap()
}

fn session_of(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    claims["sid"].as_str().unwrap().to_owned()
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[tokio::test]
async fn only_our_own_living_access_tokens_are_accepted() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let tokens = world.login("viewer").await;
    let session = session_of(&tokens.access);
    let good = claims(&session);
    assert_eq!(
        world.get(ME, Some(&signed(&header(), &good))).await.status,
        StatusCode::OK,
        "the forger knows his trade"
    );

    let now_s = now().millis() / 1_000;
    let b64 = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let payload = b64(&good.to_string());
    let real: Vec<&str> = tokens.access.split('.').collect();
    let typ = |typ: Option<&str>| Header {
        typ: typ.map(str::to_owned),
        ..Header::new(Algorithm::HS256)
    };
    let forged: Vec<(&str, String)> = vec![
        ("empty", String::new()),
        (
            "alg none, no signature",
            format!("{}.{payload}.", b64(r#"{"alg":"none","typ":"at+jwt"}"#)),
        ),
        (
            "alg none, with signature",
            format!("{}.{payload}.{}", b64(r#"{"alg":"none","typ":"at+jwt"}"#), real[2]),
        ),
        ("alg None", format!("{}.{payload}.", b64(r#"{"alg":"None"}"#))),
        (
            "other algorithm",
            jsonwebtoken::encode(
                &Header {
                    typ: Some("at+jwt".into()),
                    ..Header::new(Algorithm::HS512)
                },
                &good,
                &access_key(&KEY),
            )
            .unwrap(),
        ),
        (
            "other key",
            jsonwebtoken::encode(&header(), &good, &access_key(&[8; 32])).unwrap(),
        ),
        (
            "the master key itself",
            jsonwebtoken::encode(&header(), &good, &EncodingKey::from_secret(&KEY)).unwrap(),
        ),
        ("empty signature", format!("{}.{}.", real[0], real[1])),
        (
            "one bit of the signature",
            format!("{}.{}.{}", real[0], real[1], flipped(real[2])),
        ),
        ("padding", format!("{}=", tokens.access)),
        ("payload of another", format!("{}.{payload}.{}", real[0], real[2])),
        ("four parts", format!("{}.x", tokens.access)),
        (
            "expired",
            signed(
                &header(),
                &with(with(good.clone(), "iat", json!(now_s - 3_600)), "exp", json!(now_s)),
            ),
        ),
        ("no exp", signed(&header(), &without(&good, "exp"))),
        ("no nbf", signed(&header(), &without(&good, "nbf"))),
        (
            "not yet",
            signed(&header(), &with(good.clone(), "nbf", json!(now_s + 60))),
        ),
        (
            "issued later",
            signed(
                &header(),
                &with(
                    with(good.clone(), "iat", json!(now_s + 60)),
                    "exp",
                    json!(now_s + 3_660),
                ),
            ),
        ),
        (
            "for years",
            signed(&header(), &with(good.clone(), "exp", json!(now_s + 360_000))),
        ),
        (
            "other audience",
            signed(&header(), &with(good.clone(), "aud", json!("other"))),
        ),
        ("no audience", signed(&header(), &without(&good, "aud"))),
        (
            "other issuer",
            signed(&header(), &with(good.clone(), "iss", json!("other"))),
        ),
        ("no issuer", signed(&header(), &without(&good, "iss"))),
        ("type missing", signed(&typ(None), &good)),
        ("type JWT", signed(&typ(Some("JWT")), &good)),
        ("type of a refresh token", signed(&typ(Some("rt+jwt")), &good)),
        (
            "more rights",
            signed(&header(), &with(good.clone(), "role", json!("admin"))),
        ),
        (
            "unknown role",
            signed(&header(), &with(good.clone(), "role", json!("root"))),
        ),
        (
            "other tenant",
            signed(&header(), &with(good.clone(), "tenant", json!("other"))),
        ),
        (
            "other user",
            signed(&header(), &with(good.clone(), "sub", json!("nobody"))),
        ),
        (
            "no such session",
            signed(&header(), &with(good.clone(), "sid", json!("nowhere"))),
        ),
        ("refresh as access", tokens.refresh.clone()),
        ("too long", "a".repeat(100_000)),
    ];
    for (what, token) in &forged {
        let answer = world.get(ME, Some(token)).await;
        // A believed session is looked up again only after a while: rights are checked against the user then.
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
            "{what}"
        );
    }
    let mut kid = header();
    kid.kid = Some("../../etc/passwd".into());
    kid.jku = Some("http://127.0.0.1/keys".into());
    assert_eq!(
        world.get(ME, Some(&signed(&kid, &good))).await.status,
        StatusCode::OK,
        "hints to keys are not followed"
    );
}

fn flipped(signature: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[0] ^= 1;
    URL_SAFE_NO_PAD.encode(bytes)
}

fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[tokio::test]
async fn after_a_logout_nothing_of_the_session_works() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let (first, second) = (world.login("viewer").await, world.login("viewer").await);
    let answer = world.post("/api/v1/auth/logout", Some(&first.access), &json!({})).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(ME, Some(&first.access)).await.code(), "UNAUTHENTICATED");
    assert_eq!(refresh(&world, &first.refresh).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(
        world.get(ME, Some(&second.access)).await.status,
        StatusCode::OK,
        "another session goes on"
    );
}

async fn refresh(world: &World, token: &str) -> (StatusCode, String) {
    let answer = world
        .post("/api/v1/auth/refresh", None, &json!({ "refresh_token": token }))
        .await;
    (
        answer.status,
        answer.body["refresh_token"].as_str().unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn a_refresh_token_used_twice_later_ends_its_session() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let first = world.login("viewer").await.refresh;
    let (_, second) = refresh(&world, &first).await;
    assert_eq!(
        refresh(&world, &first).await.0,
        StatusCode::CONFLICT,
        "a moment later: a race, not a thief"
    );
    let (status, third) = refresh(&world, &second).await;
    assert_eq!(status, StatusCode::OK, "and the winner goes on");
    assert_eq!(
        refresh(&world, &first).await.0,
        StatusCode::UNAUTHORIZED,
        "two turns old: a copy"
    );
    assert_eq!(
        refresh(&world, &third).await.0,
        StatusCode::UNAUTHORIZED,
        "the session has ended"
    );
    for rubbish in ["", "rt1", "rt1.a.b.c", "rt1...", "rt2.a.b.c", &"x".repeat(10_000)] {
        assert_eq!(
            refresh(&world, rubbish).await.0,
            StatusCode::UNAUTHORIZED,
            "{rubbish:.20}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_refreshes_at_once_one_wins_and_nobody_is_locked_out() {
    let world = Arc::new(World::new().await.with_user(Role::Viewer).await);
    let token = world.login("viewer").await.refresh;
    let tries = (0..100).map(|_| {
        let (world, token) = (world.clone(), token.clone());
        tokio::spawn(async move { refresh(&world, &token).await })
    });
    let mut won = Vec::new();
    for task in tries.collect::<Vec<_>>() {
        match task.await.unwrap() {
            (StatusCode::OK, next) => won.push(next),
            (status, _) => assert_eq!(status, StatusCode::CONFLICT),
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(refresh(&world, &won[0]).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_crash_between_rotation_and_answer_locks_nobody_out() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.refresh;
    let (_, lost) = refresh(&world, &token).await;
    // The process that rotated is gone, and with it what it remembered; the client never saw the answer.
    let parts = Parts {
        log: world.log.clone(),
        store: world.store.clone(),
        live: world.live.clone(),
        explain_trap: None,
        ready: Vec::new(),
        render_metrics: Arc::new(String::new),
    };
    let api = ApiState::new(ApiConfig::new(KEY, "again", "default"), parts).unwrap();
    let again = world.serving(api);
    assert_eq!(refresh(&again, &token).await, (StatusCode::OK, lost));
}

#[tokio::test]
async fn wrong_logins_are_alike_and_audited() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let login = |user: &str, password: &str| json!({ "username": user, "password": password });
    let wrong = world.post("/api/v1/auth/login", None, &login("viewer", "wrong")).await;
    let unknown = world.post("/api/v1/auth/login", None, &login("nobody", PASSWORD)).await;
    let hostile = world
        .post("/api/v1/auth/login", None, &login("a\n\u{1b}[2Jb", &"x".repeat(5_000)))
        .await;
    for answer in [&wrong, &unknown, &hostile] {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.text, wrong.text);
    }
    world.login("viewer").await;
    let token = world.login("viewer").await.access;
    let denied = world
        .post("/api/v1/devices", Some(&token), &json!({ "entity": "default/olt/a" }))
        .await;
    assert_eq!(denied.code(), "FORBIDDEN");
    let expected = [
        "login viewer denied",
        "login nobody denied",
        "login viewer done",
        "POST /api/v1/devices viewer denied",
    ];
    eventually("all of it is in the audit", || {
        let audit = audit(&world);
        expected.iter().all(|e| audit.iter().any(|a| a == e))
    })
    .await;
    assert!(
        audit(&world)
            .iter()
            .all(|a| !a.contains(PASSWORD) && !a.contains('\n') && !a.contains('\u{1b}'))
    );
}

fn audit(world: &World) -> Vec<String> {
    let mut tail = world.log.tail(&[(Topic::Audit, Start::Beginning)]).unwrap();
    let records = tail.poll(10_000, std::time::Duration::ZERO).unwrap();
    let entry = |bytes: &[u8]| match world.log.codec().decode(bytes).unwrap() {
        AnyRecord::AuditEntry(e) => format!("{} {} {}", e.action, e.actor, e.outcome),
        other => panic!("{other:?}"),
    };
    records
        .iter()
        .map(|r| entry(r.record.value.as_ref().unwrap()))
        .collect()
}

#[tokio::test]
async fn logins_are_limited_by_address_and_by_user() {
    let world = World::with(|config| {
        config.limits.logins_by_address = Rate {
            burst: 4.0,
            per_minute: 1.0,
        };
        config.limits.logins_by_user = Rate {
            burst: 2.0,
            per_minute: 1.0,
        };
    })
    .await
    .with_user(Role::Viewer)
    .await;
    let login = async |address: &str, user: &str, password: &str| {
        let body = json!({ "username": user, "password": password });
        let mut request = request(Method::POST, "/api/v1/auth/login", None, Some(&body));
        request
            .extensions_mut()
            .insert(Remote(address.parse::<IpAddr>().unwrap()));
        world.call(request).await
    };
    for _ in 0..2 {
        assert_eq!(login("192.0.2.1", "viewer", "wrong").await.code(), "UNAUTHENTICATED");
    }
    let limited = login("192.0.2.2", "viewer", PASSWORD).await;
    assert_eq!(
        (limited.status, limited.code()),
        (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"),
        "this user, from anywhere"
    );
    assert!(limited.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    for user in ["a", "b"] {
        assert_eq!(login("192.0.2.1", user, "wrong").await.code(), "UNAUTHENTICATED");
    }
    assert_eq!(
        login("192.0.2.1", "c", "wrong").await.code(),
        "RATE_LIMITED",
        "this address, as anyone"
    );
    assert_eq!(login("192.0.2.3", "c", "wrong").await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_first_start_makes_one_admin() {
    let world = World::new().await;
    let password = api::users::ensure_admin(&*world.store, "default")
        .await
        .unwrap()
        .expect("there was nobody");
    assert!(
        api::users::ensure_admin(&*world.store, "default")
            .await
            .unwrap()
            .is_none()
    );
    let login = async |password: &str| {
        let body = json!({ "username": "admin", "password": password });
        world.post("/api/v1/auth/login", None, &body).await
    };
    let answer = login(password.reveal()).await;
    assert_eq!(
        (answer.status, &answer.body["expires_in"]),
        (StatusCode::OK, &json!(3_600))
    );
    let access = answer.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(
        world.get(ME, Some(&access)).await.body,
        json!({ "user": "admin", "tenant": "default", "role": "admin" })
    );
    assert!(!format!("{password:?}").contains(password.reveal()));

    api::users::set_password(&*world.store, "admin", "another good password")
        .await
        .unwrap();
    assert_eq!(login(password.reveal()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(login("another good password").await.status, StatusCode::OK);
    let refresh_token = answer.body["refresh_token"].as_str().unwrap();
    assert_eq!(
        refresh(&world, refresh_token).await.0,
        StatusCode::UNAUTHORIZED,
        "its old sessions have ended"
    );
    let again = api::users::add_or_change(&*world.store, "admin", "default", Role::Viewer, PASSWORD);
    assert_eq!(again.await.unwrap(), api::users::Written::Changed);
    let access = login(PASSWORD).await.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.get(ME, Some(&access)).await.body["role"], "viewer");
    let names: Vec<_> = api::users::list(&*world.store)
        .await
        .unwrap()
        .into_iter()
        .map(|u| u.name)
        .collect();
    assert_eq!(names, ["admin"]);
    assert!(
        api::users::add_user(&*world.store, "bob", "default", Role::Viewer, "short")
            .await
            .is_err()
    );
    assert!(
        api::users::add_user(&*world.store, "b\nb", "default", Role::Viewer, PASSWORD)
            .await
            .is_err()
    );
}
