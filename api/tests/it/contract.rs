//! Answers keep what the OpenAPI document says: statuses, and bodies by their schemas.

use api::Role;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, PASSWORD, World, eventually, request, row};

const ONU: &str = "default/olt/rjo-01/onu/0/3/5/17";

/// Method, described path, path (empty: as described), token, body.
type Call<'a> = (&'a str, &'a str, String, Option<&'a str>, Option<Value>);

/// The document, asked about answers.
struct Contract(Value);

impl Contract {
    fn check(&self, method: &str, path: &str, answer: &Answer) {
        let operation = &self.0["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "{method} {path} is not described");
        let status = answer.status.as_u16().to_string();
        let response = &operation["responses"][&status];
        assert!(
            response.is_object(),
            "{method} {path} answers {status}, which is not described: {}",
            answer.text
        );
        match response["content"]["application/json"].get("schema") {
            Some(schema) => {
                assert_eq!(answer.headers["content-type"], "application/json");
                self.fits(schema, &answer.body)
                    .unwrap_or_else(|e| panic!("{method} {path} {status}: {e}: {}", answer.text));
            }
            None => assert!(answer.text.is_empty(), "{method} {path} {status} has no described body"),
        }
    }

    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.0.pointer(reference.trim_start_matches('#'));
            return self.fits(target.ok_or(format!("{reference} is missing"))?, value);
        }
        if let Some(options) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
            let fitting = options.iter().any(|o| self.fits(o, value).is_ok());
            return if fitting {
                Ok(())
            } else {
                Err(format!("{value} fits none of {schema}"))
            };
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.fits(part, value)?;
        }
        self.fits_type(schema, value)?;
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(value)
        {
            return Err(format!("{value} is none of {words:?}"));
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            if value.get(name.as_str().unwrap()).is_none() {
                return Err(format!("{name} is missing"));
            }
        }
        let described = schema["properties"].as_object();
        for (name, field) in value.as_object().into_iter().flatten() {
            match described.and_then(|d| d.get(name)) {
                Some(schema) => self.fits(schema, field).map_err(|e| format!("{name}: {e}"))?,
                None if described.is_some() => return Err(format!("{name} is not described")),
                None => {}
            }
        }
        for item in value.as_array().into_iter().flatten() {
            self.fits(&schema["items"], item)?;
        }
        Ok(())
    }

    fn fits_type(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let of = |name: &str| match name {
            "null" => value.is_null(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("unknown type {other}"),
        };
        let fits = match &schema["type"] {
            Value::String(name) => of(name),
            Value::Array(names) => names.iter().any(|n| of(n.as_str().unwrap())),
            _ => true,
        };
        if fits {
            Ok(())
        } else {
            Err(format!("{value} is not {}", schema["type"]))
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_described_operation_answers_as_described() {
    let world = World::new()
        .await
        .with_user(Role::Viewer)
        .await
        .with_user(Role::Operator)
        .await;
    let document = world.get("/api/v1/openapi.json", None).await;
    assert_eq!(document.status, StatusCode::OK);
    let contract = Contract(document.body);
    let mut open: Vec<(String, String)> = Vec::new();
    for (path, item) in contract.0["paths"].as_object().unwrap() {
        open.extend(
            item.as_object()
                .unwrap()
                .keys()
                .map(|m| (m.to_uppercase(), path.clone())),
        );
    }
    let (viewer, operator) = (world.login("viewer").await, world.login("operator").await.access);
    let mut onu = row(ONU, "offline", 7);
    onu.serial = Some("HWTC1234ABCD".into());
    world.status(onu);
    world.shows(&viewer.access, ONU, "offline").await;
    let ledger = crate::sources::rows();
    world.store.upsert(ledger).await.unwrap();
    world.store.upsert(crate::measurements::rows(ONU, 3)).await.unwrap();
    world.status(row("default/padtec/nms-1/site/POP-A", "up", 8));
    let device = "/api/v1/devices/{id}";
    let login = |password: &str| json!({ "username": "viewer", "password": password });
    let token = Some(viewer.access.as_str());
    let mut calls: Vec<Call> = vec![
        ("POST", "/api/v1/auth/login", "".into(), None, Some(login(PASSWORD))),
        ("POST", "/api/v1/auth/login", "".into(), None, Some(login("wrong"))),
        (
            "POST",
            "/api/v1/auth/login",
            "".into(),
            None,
            Some(json!({ "username": 1 })),
        ),
        (
            "POST",
            "/api/v1/auth/refresh",
            "".into(),
            None,
            Some(json!({ "refresh_token": viewer.refresh })),
        ),
        (
            "POST",
            "/api/v1/auth/refresh",
            "".into(),
            None,
            Some(json!({ "refresh_token": viewer.refresh })),
        ),
        (
            "POST",
            "/api/v1/auth/refresh",
            "".into(),
            None,
            Some(json!({ "refresh_token": "x" })),
        ),
        ("GET", "/api/v1/auth/me", "".into(), token, None),
        ("GET", "/api/v1/auth/me", "".into(), None, None),
        ("GET", "/api/v1/health", "".into(), None, None),
        ("GET", "/api/v1/metrics", "".into(), token, None),
        ("GET", "/api/v1/olts", "".into(), token, None),
        ("GET", "/api/v1/onts", "/api/v1/onts?limit=1".into(), token, None),
        ("GET", "/api/v1/onts", "/api/v1/onts?kind=olt".into(), token, None),
        (
            "GET",
            "/api/v1/olts/{id}/autofind-onts/all",
            "/api/v1/olts/rjo-01/autofind-onts/all".into(),
            token,
            None,
        ),
        (
            "GET",
            "/api/v1/olts/{id}/autofind-onts/all",
            "/api/v1/olts/nobody/autofind-onts/all".into(),
            token,
            None,
        ),
        (
            "GET",
            "/api/v1/olts/{id}/board-info",
            "/api/v1/olts/rjo-01/board-info".into(),
            token,
            None,
        ),
        (
            "GET",
            "/api/v1/olts/{id}/board-info",
            "/api/v1/olts/nobody/board-info".into(),
            token,
            None,
        ),
        (
            "GET",
            "/api/v1/olts/{id}/pons/{frame}/{slot}/{port}",
            "/api/v1/olts/rjo-01/pons/0/3/5".into(),
            token,
            None,
        ),
        (
            "GET",
            "/api/v1/olts/{id}/pons/{frame}/{slot}/{port}",
            "/api/v1/olts/rjo-01/pons/0/3/x".into(),
            token,
            None,
        ),
        ("GET", "/api/v1/sources", "/api/v1/sources?limit=1".into(), token, None),
        ("GET", "/api/v1/sources", "/api/v1/sources?limit=0".into(), token, None),
        ("GET", "/api/v1/sites", "".into(), token, None),
        (
            "GET",
            "/api/v1/sites/{site}/cards",
            "/api/v1/sites/POP-A/cards".into(),
            token,
            None,
        ),
        (
            "GET",
            "/api/v1/sites/{site}/cards",
            "/api/v1/sites/nowhere/cards".into(),
            token,
            None,
        ),
        ("GET", "/api/v1/measurements/latest", "".into(), token, None),
        (
            "GET",
            "/api/v1/measurements/latest",
            "/api/v1/measurements/latest?device=HWTC1234ABCD&limit=1".into(),
            token,
            None,
        ),
        (
            "GET",
            "/api/v1/devices/{id}/measurements/latest",
            "/api/v1/devices/HWTC1234ABCD/measurements/latest".into(),
            token,
            None,
        ),
        (
            "GET",
            "/api/v1/cards/{serial}/measurements",
            "/api/v1/cards/nobody/measurements".into(),
            token,
            None,
        ),
        ("GET", "/api/v1/devices", "".into(), token, None),
        ("GET", "/api/v1/devices", "/api/v1/devices?limit=1".into(), token, None),
        (
            "GET",
            "/api/v1/devices",
            "/api/v1/devices?kind=boat".into(),
            token,
            None,
        ),
        ("GET", "/api/v1/devices", "".into(), Some("rubbish"), None),
        (
            "POST",
            "/api/v1/devices",
            "".into(),
            Some(&operator),
            Some(json!({ "entity": ONU })),
        ),
        (
            "POST",
            "/api/v1/devices",
            "".into(),
            Some(&operator),
            Some(json!([{ "entity": ONU }])),
        ),
        (
            "POST",
            "/api/v1/devices",
            "".into(),
            Some(&operator),
            Some(json!({ "entity": "x" })),
        ),
        (
            "POST",
            "/api/v1/devices",
            "".into(),
            token,
            Some(json!({ "entity": ONU })),
        ),
    ];
    for tail in ["", "/status", "/events"] {
        for id in ["HWTC1234ABCD", "nothing", "%FF"] {
            let described: &'static str = [device, "/api/v1/devices/{id}/status", "/api/v1/devices/{id}/events"]
                [["", "/status", "/events"].iter().position(|t| *t == tail).unwrap()];
            calls.push(("GET", described, format!("/api/v1/devices/{id}{tail}"), token, None));
        }
    }
    for query in [
        "",
        "?measure=onu_rx_power",
        "?measure=onu_rx_power&tier=raw&limit=1",
        "?measure=onu_rx_power&tier=month",
        "?measure=onu_rx_power&tier=week",
        "?measure=onu_rx_power&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    ] {
        let path = format!("/api/v1/devices/HWTC1234ABCD/measurements{query}");
        calls.push(("GET", "/api/v1/devices/{id}/measurements", path, token, None));
    }
    calls.extend(alarm_calls(&world, token, &operator).await);
    calls.push(("POST", "/api/v1/auth/logout", "".into(), token, Some(json!({}))));
    calls.push(("POST", "/api/v1/auth/logout", "".into(), token, Some(json!({}))));
    for (method, described, path, token, body) in calls {
        let path = if path.is_empty() { described.to_owned() } else { path };
        let answer = world
            .call(request(method.parse().unwrap(), &path, token, body.as_ref()))
            .await;
        assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}");
        contract.check(method, described, &answer);
        open.retain(|(m, p)| !(m == method && p == described));
    }
    assert!(open.is_empty(), "described but not exercised: {open:?}");
}

/// Calls about an alarm that stands, one that is nowhere, and the rules.
async fn alarm_calls<'a>(world: &World, viewer: Option<&'a str>, operator: &'a str) -> Vec<Call<'a>> {
    let mut alarm = crate::support::alarms::alarm("a-1", ONU, 1);
    alarm.comments = vec![schemas::AlarmComment {
        at: model::Micros(1),
        actor: "ana".into(),
        text: "hm".into(),
    }];
    crate::alarms::persisted(world, &alarm, "raised").await;
    world.alarm(alarm, "raised");
    world.incident(crate::support::alarms::incident("i-1", "default/olt/rjo-01", "open", 1));
    eventually("the alarm and the rules are there", || {
        world.live.standing_alarms() == 1 && world.api_is_ready()
    })
    .await;
    let rule = json!({ "name": "x", "severity": "minor", "condition": "below", "measure": "onu_rx_power", "low": -27.0, "flap": {
        "penalty": 1000.0, "half_life_s": 600, "suppress": 4500.0, "reuse": 1000.0, "ceiling": 8000.0 } });
    let until = (jiff::Timestamp::now() + std::time::Duration::from_secs(600)).to_string();
    let silence = json!({ "scope": { "kind": "onu" }, "until": until, "reason": "x" });
    let made = world.post("/api/v1/alerts/rules", Some(operator), &rule).await.body;
    let silenced = world.post("/api/v1/silences", Some(operator), &silence).await.body;
    let id = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let (rule_id, silence_id) = (id(&made, "rule_id"), id(&silenced, "silence_id"));
    let at = |path: &str, id: &str| path.replace("{id}", id);
    let mut calls: Vec<Call> = Vec::new();
    let lists = [
        "/api/v1/alarms",
        "/api/v1/alerts/active",
        "/api/v1/alarms/counts",
        "/api/v1/incidents",
        "/api/v1/silences",
        "/api/v1/alerts/rules",
    ];
    for list in lists {
        calls.push(("GET", list, "".into(), viewer, None));
        calls.push(("GET", list, "".into(), None, None));
    }
    for list in ["/api/v1/alarms", "/api/v1/alerts/active", "/api/v1/incidents"] {
        calls.push(("GET", list, format!("{list}?limit=0"), viewer, None));
    }
    for path in [
        "/api/v1/alarms/{id}",
        "/api/v1/alarms/{id}/transitions",
        "/api/v1/alarms/{id}/why",
    ] {
        for id in ["a-1", "nobody", "%FF"] {
            calls.push(("GET", path, at(path, id), viewer, None));
        }
    }
    for id in ["i-1", "nobody", "%FF"] {
        calls.push((
            "GET",
            "/api/v1/incidents/{id}",
            at("/api/v1/incidents/{id}", id),
            viewer,
            None,
        ));
    }
    for id in [rule_id.as_str(), "nobody", "%FF"] {
        for path in ["/api/v1/alerts/rules/{id}", "/api/v1/alerts/rules/{id}/versions"] {
            calls.push(("GET", path, at(path, id), viewer, None));
        }
    }
    let acts = [
        ("/api/v1/alarms/{id}/acknowledge", json!({})),
        ("/api/v1/alarms/{id}/unacknowledge", json!({})),
        ("/api/v1/alarms/{id}/comment", json!({ "text": "x" })),
        ("/api/v1/alarms/{id}/clear", json!({ "text": "x" })),
        ("/api/v1/alarms/{id}/silence", json!({ "until": until })),
        ("/api/v1/alarms/{id}/unsilence", json!({})),
        ("/api/v1/alerts/{id}/acknowledge", json!({})),
        ("/api/v1/alerts/{id}/clear", json!({ "text": "x" })),
    ];
    for (path, body) in acts {
        calls.push(("POST", path, at(path, "a-1"), Some(operator), Some(body.clone())));
        calls.push(("POST", path, at(path, "nobody"), Some(operator), Some(body.clone())));
        calls.push(("POST", path, at(path, "a-1"), Some(operator), Some(json!({ "who": 1 }))));
        calls.push(("POST", path, at(path, "a-1"), viewer, Some(body)));
    }
    for path in ["/api/v1/alerts/rules", "/api/v1/alerts/rules/check"] {
        let old = json!({ "rule_id": rule_id, "version": 7 });
        let none = json!({ "rule_id": "rule-none" });
        for body in [rule.clone(), json!({}), json!([]), old, none] {
            calls.push(("POST", path, "".into(), Some(operator), Some(body)));
        }
        calls.push(("POST", path, "".into(), viewer, Some(rule.clone())));
    }
    for body in [silence.clone(), json!({}), json!({ "until": "x", "reason": "" })] {
        calls.push(("POST", "/api/v1/silences", "".into(), Some(operator), Some(body)));
    }
    for (path, id) in [
        ("/api/v1/alerts/rules/{id}", rule_id),
        ("/api/v1/silences/{id}", silence_id),
    ] {
        calls.push(("DELETE", path, at(path, &id), viewer, None));
        calls.push(("DELETE", path, at(path, &id), Some(operator), None));
        calls.push(("DELETE", path, at(path, "nobody"), Some(operator), None));
    }
    calls
}

#[tokio::test]
async fn every_error_has_the_one_body() {
    let world = World::with(|config| config.limits.body_bytes_max = 1_000)
        .await
        .with_user(Role::Operator)
        .await;
    let token = world.login("operator").await.access;
    let raw = |method: Method, path: &str, kind: &str, body: Vec<u8>| {
        let builder = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"));
        builder.header("content-type", kind).body(Body::from(body)).unwrap()
    };
    let json = "application/json";
    let deep = format!("{{\"username\":{}", "[".repeat(900)).into_bytes();
    let checks = [
        (raw(Method::GET, "/api/v1/nothing", json, vec![]), 404, "NOT_FOUND"),
        (
            raw(Method::DELETE, "/api/v1/devices", json, vec![]),
            405,
            "METHOD_NOT_ALLOWED",
        ),
        (raw(Method::POST, "/some/page", json, vec![]), 405, "METHOD_NOT_ALLOWED"),
        (
            raw(Method::POST, "/api/v1/devices", json, vec![b' '; 2_000]),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        (
            raw(Method::POST, "/api/v1/devices", "text/plain", b"{}".to_vec()),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            raw(Method::POST, "/api/v1/devices", json, b"{".to_vec()),
            400,
            "BAD_REQUEST",
        ),
        (
            raw(Method::POST, "/api/v1/devices", json, b"\xff\xfe".to_vec()),
            400,
            "BAD_REQUEST",
        ),
        (
            raw(Method::POST, "/api/v1/auth/login", json, deep),
            422,
            "VALIDATION_FAILED",
        ),
        (
            raw(Method::POST, "/api/v1/devices", json, b"{\"entity\": 7}".to_vec()),
            422,
            "VALIDATION_FAILED",
        ),
        (
            raw(Method::POST, "/api/v1/devices", json, b"{}".to_vec()),
            422,
            "VALIDATION_FAILED",
        ),
        (raw(Method::GET, "/ws", json, vec![]), 400, "BAD_REQUEST"),
    ];
    for (request, status, code) in checks {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = world.call(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (status, code),
            "{what}: {}",
            answer.text
        );
        let error = answer.body["error"].as_object().unwrap();
        assert_eq!(error.keys().collect::<Vec<_>>(), ["code", "details", "message"]);
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{what}");
    }
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    struct Never;
    impl api::ReadyCheck for Never {
        fn name(&self) -> &str {
            "persist"
        }
        fn check(&self) -> Result<(), String> {
            Err("12 records behind".into())
        }
    }
    let world = World::new().await;
    assert_eq!(world.get("/ready", None).await.status, StatusCode::OK);
    let parts = api::Parts {
        log: world.log.clone(),
        store: world.store.clone(),
        live: world.live.clone(),
        explain_trap: None,
        ready: vec![std::sync::Arc::new(Never)],
        render_metrics: std::sync::Arc::new(String::new),
    };
    let state = api::ApiState::new(api::ApiConfig::new([1; 32], "x", "default"), parts).unwrap();
    let world = world.serving(state);
    let answer = world.get("/ready", None).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "NOT_READY")
    );
    assert_eq!(
        answer.body["error"]["details"],
        json!({ "persist": "12 records behind" })
    );
}
