//! Rules and silences: versions, and that every partition hears of each, whoever dies.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{ApiConfig, ApiState, LiveView, Parts, RingLimits, Role};
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use log::{Headers, Log, Record};
use schemas::rules::{CheckedRule, default_rules};
use schemas::{AnyRecord, Rule, RulesChanged};
use serde_json::{Value, json};
use topology::{Topic, partition_of};

use crate::acts::records;
use crate::support::{KEY, PARTITIONS, World, eventually, request};

type Versions = BTreeMap<String, (i64, String, bool)>;

/// The version of each rule and silence that stands in each partition of `observations`, as a step would have it.
fn applied(world: &World) -> Vec<Versions> {
    let mut partitions = vec![Versions::new(); PARTITIONS as usize];
    for (stored, record) in records(world, Topic::Observations) {
        let (id, version) = match record {
            AnyRecord::RulesChanged(RulesChanged { rule }) => {
                CheckedRule::new(&rule).expect("what is told can be applied");
                (rule.rule_id, (rule.version, rule.writer, rule.removed))
            }
            AnyRecord::SilencesChanged(changed) => {
                let silence = changed.silence;
                (silence.silence_id, (silence.version, silence.writer, silence.removed))
            }
            _ => continue,
        };
        assert!(stored.record.key.is_empty() && stored.record.headers.writer.is_some());
        let known = partitions[stored.record.partition as usize].entry(id).or_default();
        if (known.0, &known.1) < (version.0, &version.1) {
            *known = version;
        }
    }
    partitions
}

/// Waits until every partition has the same, and this many.
async fn all_have(world: &World, count: usize) -> Versions {
    let same = || {
        let partitions = applied(world);
        partitions[0].len() == count && partitions.iter().all(|p| *p == partitions[0])
    };
    eventually("every partition has every version", same).await;
    applied(world).remove(0)
}

fn another(world: &World, name: &str) -> Arc<ApiState> {
    let parts = Parts {
        log: world.log.clone(),
        store: world.store.clone(),
        live: LiveView::start(world.log.clone(), name, RingLimits::default()).unwrap(),
        explain_trap: None,
        ready: Vec::new(),
        render_metrics: Arc::new(String::new),
    };
    ApiState::new(ApiConfig::new(KEY, name, "default"), parts).unwrap()
}

fn rule() -> Value {
    json!({
        "name": "ONU hears little", "severity": "major", "condition": "below", "measure": "onu_rx_power", "low": -26.5,
        "scope": { "kind": "onu", "site": "RJO" }
    })
}

fn writes(world: &World) -> usize {
    records(world, Topic::Rules).len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_writes_the_rules_that_come_with_the_product() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let defaults = default_rules();
    let told = all_have(&world, defaults.len()).await;
    assert!(
        told.values().all(|v| *v == (1, "atalaia".to_owned(), false)),
        "{told:?}"
    );
    let token = world.login("viewer").await.access;
    let list = world.get("/alerts/rules", Some(&token)).await.body;
    let mut ids: Vec<_> = defaults.iter().map(|r| r.rule_id.as_str()).collect();
    ids.sort_unstable();
    let listed: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["rule_id"].as_str().unwrap())
        .collect();
    assert_eq!(listed, ids);
    // Another start finds them, and writes nothing.
    let (before, world) = (writes(&world), {
        let second = another(&world, "second");
        world.serving(second)
    });
    all_have(&world, defaults.len()).await;
    eventually("the second one answers", || world.api_is_ready()).await;
    assert_eq!(writes(&world), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_made_changed_and_removed_by_versions() {
    let world = World::new().await.with_users().await;
    let defaults = all_have(&world, default_rules().len()).await.len();
    let token = world.login("operator").await.access;
    let made = world.post("/alerts/rules", Some(&token), &rule()).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    assert_eq!(
        (&made.body["type"], &made.body["version"], &made.body["author"]),
        (&json!("rule"), &json!(1), &json!("operator"))
    );
    assert_eq!(
        (&made.body["dead_band"], &made.body["enabled"]),
        (&json!(0.5), &json!(true))
    );
    let id = made.body["rule_id"].as_str().unwrap().to_owned();
    let at = |path: &str| format!("/api/v1/alerts/rules/{id}{path}");

    // An update names what changes; what was read can be sent back.
    let changed = world
        .post(
            "/api/v1/alerts/rules",
            Some(&token),
            &json!({ "rule_id": id, "low": -25 }),
        )
        .await;
    assert_eq!(
        (&changed.body["version"], &changed.body["low"], &changed.body["name"]),
        (&json!(2), &json!(-25.0), &made.body["name"])
    );
    let mut back = world.get(&at(""), Some(&token)).await.body;
    assert_eq!(back, changed.body);
    back["enabled"] = json!(false);
    let sent = world.post("/alerts/rules", Some(&token), &back).await;
    assert_eq!(
        (sent.status, &sent.body["version"], &sent.body["enabled"]),
        (StatusCode::OK, &json!(3), &json!(false))
    );
    assert_eq!(
        world.post("/alerts/rules", Some(&token), &back).await.code(),
        "CONFLICT",
        "it was version 2 that was read"
    );

    let versions = world.get(&at("/versions"), Some(&token)).await.body;
    let numbers: Vec<_> = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["version"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [3, 2, 1]);
    let gone = world.call(request(Method::DELETE, &at(""), Some(&token), None)).await;
    assert_eq!(
        (gone.status, &gone.body["removed"], &gone.body["version"]),
        (StatusCode::OK, &json!(true), &json!(4))
    );
    assert_eq!(world.get(&at(""), Some(&token)).await.code(), "RULE_NOT_FOUND");
    assert_eq!(
        world
            .call(request(Method::DELETE, &at(""), Some(&token), None))
            .await
            .code(),
        "RULE_NOT_FOUND"
    );
    assert_eq!(
        world.get(&at("/versions"), Some(&token)).await.body["items"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        world
            .post("/alerts/rules", Some(&token), &json!({ "rule_id": id, "low": 1 }))
            .await
            .code(),
        "RULE_NOT_FOUND"
    );
    let told = all_have(&world, defaults + 1).await;
    assert_eq!((told[&id].0, told[&id].2), (4, true));
    let kept: Vec<_> = records(&world, Topic::Rules)
        .into_iter()
        .filter(|(s, _)| s.record.key.starts_with(id.as_bytes()))
        .collect();
    assert_eq!(kept.len(), 4, "compaction keeps every version");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_field_by_field_and_nothing_is_written() {
    let world = World::new().await.with_users().await;
    let defaults = all_have(&world, default_rules().len()).await;
    let token = world.login("operator").await.access;
    let before = writes(&world);
    let check = async |change: Value, fields: &[&str]| {
        let mut body = rule();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        for path in ["/alerts/rules", "/alerts/rules/check"] {
            let answer = world.post(path, Some(&token), &body).await;
            assert_eq!(answer.code(), "VALIDATION_FAILED", "{path} {body}: {}", answer.text);
            let details = answer.body["error"]["details"].as_object().unwrap();
            assert_eq!(details.keys().collect::<Vec<_>>(), fields, "{}", answer.text);
        }
    };
    check(json!({ "severity": "cleared" }), &["severity"]).await;
    check(json!({ "low": "weak" }), &["low"]).await;
    check(json!({ "low": null, "name": "" }), &["low", "name"]).await;
    check(json!({ "message": "{watt}" }), &["message"]).await;
    check(json!({ "scope": { "kind": "router" } }), &["scope.kind"]).await;
    check(json!({ "scope": { "tenant": "other" } }), &["scope.tenant"]).await;
    check(json!({ "colour": "red" }), &["colour"]).await;
    let good = world.post("/alerts/rules/check", Some(&token), &rule()).await;
    assert_eq!((good.status, &good.body["name"]), (StatusCode::OK, &rule()["name"]));
    assert_eq!(
        world.post("/alerts/rules", Some(&token), &json!([])).await.code(),
        "VALIDATION_FAILED"
    );
    assert_eq!(writes(&world), before);
    // Another tenant has rules of its own and sees everybody's, which it cannot change.
    let stranger = world.login("stranger").await.access;
    let theirs = world.post("/alerts/rules", Some(&stranger), &rule()).await.body;
    assert_eq!(theirs["scope"]["tenant"], "other");
    let own = theirs["rule_id"].as_str().unwrap();
    assert_eq!(
        world.get(&format!("/alerts/rules/{own}"), Some(&token)).await.code(),
        "RULE_NOT_FOUND"
    );
    let shared = defaults.keys().next().unwrap();
    assert_eq!(
        world
            .get(&format!("/alerts/rules/{shared}"), Some(&stranger))
            .await
            .status,
        StatusCode::OK
    );
    let theft = json!({ "rule_id": shared, "enabled": false });
    assert_eq!(
        world.post("/alerts/rules", Some(&stranger), &theft).await.code(),
        "FORBIDDEN"
    );
    assert_eq!(
        world
            .post("/alerts/rules", Some(&token), &json!({ "rule_id": own, "low": 1 }))
            .await
            .code(),
        "RULE_NOT_FOUND"
    );
}

/// A broadcaster wrote the version and died when one partition had heard of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcaster_that_dies_half_way_converges() {
    let log = World::new().await;
    let defaults = all_have(&log, default_rules().len()).await.len();
    let mut half = default_rules().remove(0);
    (half.version, half.writer, half.enabled) = (2, "dead-1".into(), false);
    let value = |record: AnyRecord| Some(Bytes::from(log.log.codec().encode(&record).unwrap()));
    let told = Record {
        topic: Topic::Observations,
        partition: 2,
        key: Bytes::new(),
        value: value(RulesChanged { rule: half.clone() }.into()),
        headers: Headers {
            writer: Some(model::WriterId {
                writer: "dead-1-api".into(),
                sequence: 0,
            }),
            ..Headers::default()
        },
    };
    log.producer.send(told, None).unwrap();
    let written = Record {
        topic: Topic::Rules,
        partition: partition_of(&half.rule_id, PARTITIONS),
        key: Bytes::from(format!("{}#2#dead-1", half.rule_id)),
        value: value(half.clone().into()),
        headers: Headers::default(),
    };
    log.producer.send(written, None).unwrap();
    // The one that lives tells all; so does the next that starts.
    let versions = all_have(&log, defaults).await;
    assert_eq!(versions[&half.rule_id], (2, "dead-1".into(), false));
    let again = another(&log, "again");
    let versions = all_have(&log, defaults).await;
    assert_eq!(versions[&half.rule_id].0, 2);
    drop(again);
}

/// Two servers change one rule at one time: one version stands, everywhere the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_at_one_time_converge() {
    let world = World::new().await.with_users().await;
    let defaults = all_have(&world, default_rules().len()).await;
    let token = world.login("operator").await.access;
    let (first, second) = (world.app.clone(), api::app(another(&world, "second")));
    let id = defaults.keys().next().unwrap().clone();
    let ready = json!({ "rule_id": id, "enabled": true });
    // Both know the rule.
    let mut known = false;
    for _ in 0..500 {
        let call = request(Method::POST, "/alerts/rules/check", Some(&token), Some(&ready));
        known = tower::ServiceExt::oneshot(second.clone(), call).await.unwrap().status() == StatusCode::OK;
        if known {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(known);
    let mut calls = Vec::new();
    for n in 0..20_u32 {
        let body = json!({ "rule_id": id, "name": format!("name {n}") });
        let app = if n % 2 == 0 { first.clone() } else { second.clone() };
        let call = request(Method::POST, "/alerts/rules", Some(&token), Some(&body));
        calls.push(tokio::spawn(async move {
            tower::ServiceExt::oneshot(app, call).await.unwrap().status()
        }));
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), StatusCode::OK);
    }
    let all: Vec<Rule> = records(&world, Topic::Rules)
        .into_iter()
        .filter_map(|(_, record)| match record {
            AnyRecord::Rule(rule) if rule.rule_id == id => Some(rule),
            _ => None,
        })
        .collect();
    assert_eq!(all.len(), 21, "no version has taken the place of another");
    let stands = all.iter().max_by_key(|r| (r.version, r.writer.clone())).unwrap();
    let everywhere = || {
        applied(&world)
            .iter()
            .all(|p| p[&id] == (stands.version, stands.writer.clone(), false))
    };
    eventually("every partition has the version that stands", everywhere).await;
    for app in [first, second] {
        let path = format!("/alerts/rules/{id}");
        let name = async || {
            let call = request(Method::GET, &path, Some(&token), None);
            let answer = tower::ServiceExt::oneshot(app.clone(), call).await.unwrap();
            let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            serde_json::from_slice::<Value>(&bytes).unwrap()["name"].clone()
        };
        for turn in 0.. {
            if name().await == stands.name.as_str() {
                break;
            }
            assert!(turn < 500, "both servers show the one that stands");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_begins_and_ends() {
    let world = World::new().await.with_users().await;
    let defaults = all_have(&world, default_rules().len()).await.len();
    let token = world.login("operator").await.access;
    let until = (jiff::Timestamp::now() + std::time::Duration::from_secs(3_600)).to_string();
    let body = json!({ "scope": { "site": "RJO", "kind": "onu" }, "until": until, "reason": "works on the pole" });
    let made = world.post("/api/v1/silences", Some(&token), &body).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    assert_eq!(
        (&made.body["type"], &made.body["scope"]["tenant"]),
        (&json!("silence"), &json!("default"))
    );
    let id = made.body["silence_id"].as_str().unwrap().to_owned();
    let listed = async |token: &str| {
        world.get("/api/v1/silences", Some(token)).await.body["items"]
            .as_array()
            .unwrap()
            .len()
    };
    let stranger = world.login("stranger").await.access;
    assert_eq!((listed(&token).await, listed(&stranger).await), (1, 0));
    let path = format!("/api/v1/silences/{id}");
    let end = async |token: &str| world.call(request(Method::DELETE, &path, Some(token), None)).await;
    assert_eq!(end(&stranger).await.code(), "NOT_FOUND");
    let ended = end(&token).await;
    assert_eq!(
        (&ended.body["removed"], &ended.body["version"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(end(&token).await.code(), "NOT_FOUND");
    assert_eq!(listed(&token).await, 0);
    let told = all_have(&world, defaults + 1).await;
    assert_eq!((told[&id].0, told[&id].2), (2, true));
    for (wrong, field) in [
        (json!({ "until": until, "reason": "x" }), "scope"),
        (json!({ "scope": {}, "until": until, "reason": "x" }), "scope"),
        (
            json!({ "scope": { "planet": "earth" }, "until": until, "reason": "x" }),
            "scope",
        ),
        (
            json!({ "scope": { "kind": "boat" }, "until": until, "reason": "x" }),
            "scope.kind",
        ),
        (json!({ "alarm_type": "los", "until": until, "reason": " " }), "reason"),
        (
            json!({ "alarm_type": "los", "until": "2001-01-01T00:00:00Z", "reason": "x" }),
            "until",
        ),
    ] {
        let answer = world.post("/api/v1/silences", Some(&token), &wrong).await;
        assert_eq!(answer.code(), "VALIDATION_FAILED", "{wrong}");
        assert!(
            answer.body["error"]["details"].get(field).is_some(),
            "{wrong}: {}",
            answer.text
        );
    }
}
