//! Who may do what: every row of the table, walked with every role; and no route without a row.

use api::{Access, RULES, Role};
use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::support::socket::Socket;
use crate::support::{World, request, row};

const TOPICS: [&str; 6] = ["tree", "children", "entity", "events", "alarms", "incidents"];

#[test]
fn every_route_of_the_document_has_a_rule_and_every_rule_a_route() {
    let document = serde_json::to_value(api::openapi("0")).unwrap();
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.push((method.to_uppercase(), path.clone()));
        }
    }
    for (method, path) in &described {
        assert!(
            RULES.iter().any(|(m, p, _)| m == method && p == path),
            "{method} {path} has no rule"
        );
    }
    for (method, path, _) in RULES
        .iter()
        .filter(|(_, p, _)| p.starts_with("/api") && !p.ends_with("openapi.json"))
    {
        let known = described.iter().any(|(m, p)| m == method && p == path);
        assert!(known, "{method} {path} has a rule and no description");
    }
}

#[tokio::test]
async fn each_rule_holds_for_each_role() {
    let world = World::new().await.with_users().await;
    let tokens: Vec<_> = {
        let mut tokens = vec![(None, String::new())];
        for role in Role::ALL {
            tokens.push((Some(role), world.login(role.as_str()).await.access));
        }
        tokens
    };
    for (method, path, access) in RULES {
        for (role, token) in &tokens {
            // A logout would end the token that the other rows need.
            let token = if path.ends_with("logout") && role.is_some() {
                world.login(role.unwrap().as_str()).await.access
            } else {
                token.clone()
            };
            let path = path.replace("{id}", "nothing");
            let body = json!({});
            let body = (*method == "POST").then_some(&body);
            let token = role.is_some().then_some(token.as_str());
            let answer = world
                .call(request(method.parse::<Method>().unwrap(), &path, token, body))
                .await;
            let allowed = match access {
                Access::Open | Access::OpenUnlessClosed => true,
                Access::From(least) => role.is_some_and(|r| r >= *least),
            };
            let expected = match (allowed, role) {
                (true, _) => None,
                (false, None) => Some(StatusCode::UNAUTHORIZED),
                (false, Some(_)) => Some(StatusCode::FORBIDDEN),
            };
            let refused = matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
            let wrong_token = answer.text.contains("refresh") || answer.text.contains("user name");
            let got = (refused && !wrong_token).then_some(answer.status);
            assert_eq!(got, expected, "{method} {path} as {role:?}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_route_that_is_not_there_is_not_found_before_anything_else() {
    let world = World::new().await;
    for path in [
        "/api/v1/secrets",
        "/api/v2/devices",
        "/api/places",
        "/alerts/nothing/at/all",
        "/api/alarms/a/b/c",
        "/ws/x",
        "/collector/status",
    ] {
        assert_eq!(world.get(path, None).await.code(), "NOT_FOUND", "{path}");
    }
}

#[tokio::test]
async fn metrics_can_be_closed() {
    let world = World::with(|config| config.metrics_open = false)
        .await
        .with_user(Role::Viewer)
        .await;
    assert_eq!(world.get("/metrics", None).await.status, StatusCode::UNAUTHORIZED);
    let token = world.login("viewer").await.access;
    assert_eq!(world.get("/metrics", Some(&token)).await.text, "# metrics\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenant_sees_nothing() {
    let (onu, olt) = ("default/olt/a/onu/0/1/2/3", "default/olt/a");
    let world = World::new().await.with_users().await;
    let (own, stranger) = (world.login("viewer").await.access, world.login("stranger").await.access);
    world.status(row(onu, "online", 1));
    world.event(row(onu, "offline", 2), "los");
    world.shows(&own, onu, "offline").await;
    let listening = world.listen().await;
    let (mut socket, welcome) = Socket::open(listening.address, &stranger, None).await;
    assert_eq!(welcome["tenant"], "other");
    for topic in TOPICS {
        let frame = json!({ "type": "subscribe", "id": topic, "topic": topic, "entity": olt });
        socket.say(&frame).await;
        let answer = socket.frame().await;
        let nothing = answer["code"] == "NOT_FOUND"
            || answer["items"].as_array().is_some_and(|items| {
                items
                    .iter()
                    .all(|i| i["type"] == "summary" && i["counts"]["onus"] == 0 && i["olts"] == 0)
            });
        assert!(nothing, "{answer}");
    }
    let root = json!({ "type": "subscribe", "id": "r", "topic": "events", "filter": { "root": olt } });
    socket.say(&root).await;
    assert_eq!(socket.frame().await["code"], "NOT_FOUND");
    assert!(
        world
            .get("/api/v1/devices", Some(&stranger))
            .await
            .entities()
            .is_empty()
    );
    assert!(
        world
            .get(&format!("/api/v1/devices?root={olt}"), Some(&stranger))
            .await
            .entities()
            .is_empty()
    );
    assert!(world.get("/api/v1/olts", Some(&stranger)).await.entities().is_empty());
    assert_eq!(world.get("/api/v1/metrics", Some(&stranger)).await.body["olts"], 0);
    for tail in ["", "/status", "/events"] {
        for id in [onu, olt, "a"] {
            let path = format!("/api/v1/devices/{}{tail}", id.replace('/', "%2F"));
            assert_eq!(
                world.get(&path, Some(&stranger)).await.code(),
                "DEVICE_NOT_FOUND",
                "{path}"
            );
        }
    }
    let foreign = world
        .post("/api/v1/devices", Some(&stranger), &json!({ "entity": olt }))
        .await;
    assert_eq!(foreign.code(), "VALIDATION_FAILED");
    world.event(row(onu, "online", 3), "los_clear");
    world.shows(&own, onu, "online").await;
    socket.say(&json!({ "type": "ping" })).await;
    assert_eq!(socket.frame().await["type"], "pong", "no frame about it came before");
}
