//! What people do to an alarm: a record in its root's partition, once, and who did it in the audit.

use api::Role;
use axum::http::{Method, StatusCode};
use log::{Log, Start, Stored};
use schemas::{AnyRecord, AuditEntry, OperatorActed};
use serde_json::{Value, json};
use topology::{Topic, partition_of};

use crate::alarms::persisted;
use crate::support::alarms::{ONU, ROOT, alarm, cleared};
use crate::support::{Answer, PARTITIONS, World, eventually, request};

/// Everything in a topic now.
pub fn records(world: &World, topic: Topic) -> Vec<(Stored, AnyRecord)> {
    let ends = world.log.ends(topic).unwrap();
    let mut tail = world.log.tail(&[(topic, Start::Beginning)]).unwrap();
    let mut all = Vec::new();
    while (0..).zip(&ends).any(|(p, end)| tail.position(topic, p) < *end) {
        for stored in tail.poll(1_000, std::time::Duration::from_millis(100)).unwrap() {
            if let Some(value) = &stored.record.value {
                let record = world.log.codec().decode(value).unwrap();
                all.push((stored, record));
            }
        }
    }
    all
}

fn acts(world: &World) -> Vec<(Stored, OperatorActed)> {
    let all = records(world, Topic::Observations).into_iter();
    all.filter_map(|(stored, record)| match record {
        AnyRecord::OperatorActed(act) => Some((stored, act)),
        _ => None,
    })
    .collect()
}

fn audited(world: &World) -> Vec<AuditEntry> {
    let all = records(world, Topic::Audit).into_iter();
    all.filter_map(|(_, record)| match record {
        AnyRecord::AuditEntry(entry) => Some(entry),
        _ => None,
    })
    .collect()
}

async fn keyed(world: &World, path: &str, token: &str, key: &str, body: &Value) -> Answer {
    let mut request = request(Method::POST, path, Some(token), Some(body));
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    world.call(request).await
}

async fn world() -> (World, String) {
    let world = World::new().await.with_users().await;
    let token = world.login("operator").await.access;
    world.alarm(alarm("a-1", ONU, 1), "raised");
    eventually("the alarm is in the live view", || world.live.standing_alarms() == 1).await;
    (world, token)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_act_is_a_record_of_its_root_and_an_audit_entry() {
    let (world, token) = world().await;
    let until = "2999-01-01T00:00:00Z";
    let soon = jiff::Timestamp::now() + std::time::Duration::from_secs(3_600);
    let calls = [
        (
            "/api/v1/alarms/a-1/acknowledge",
            Some(json!({ "text": " on the way " })),
            "acknowledge",
        ),
        ("/alerts/a-1/acknowledge", None, "acknowledge"),
        ("/api/alarms/a-1/acknowledge", Some(json!({})), "acknowledge"),
        ("/api/v1/alarms/a-1/unacknowledge", None, "unacknowledge"),
        (
            "/api/v1/alarms/a-1/comment",
            Some(json!({ "text": "<b>two\nlines" })),
            "comment",
        ),
        ("/alerts/a-1/clear", Some(json!({ "text": "known" })), "clear"),
        (
            "/api/v1/alarms/a-1/silence",
            Some(json!({ "until": soon.to_string() })),
            "silence",
        ),
        ("/api/v1/alarms/a-1/unsilence", None, "unsilence"),
    ];
    for (path, body, _) in &calls {
        let answer = world
            .call(request(Method::POST, path, Some(&token), body.as_ref()))
            .await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{path}: {}", answer.text);
        assert_eq!(answer.body["position"]["partition"], partition_of(ROOT, PARTITIONS));
        assert!(answer.body["act_id"].as_str().unwrap().len() >= 16);
    }
    let written = acts(&world);
    let words: Vec<_> = written.iter().map(|(_, act)| act.act.as_str()).collect();
    assert_eq!(words, calls.iter().map(|(_, _, word)| *word).collect::<Vec<_>>());
    for (stored, act) in &written {
        assert_eq!(
            (&stored.record.key[..], stored.record.partition),
            (ROOT.as_bytes(), partition_of(ROOT, PARTITIONS))
        );
        assert_eq!(
            (act.entity.as_str(), act.alarm_id.as_str(), act.actor.as_str()),
            (ONU, "a-1", "operator")
        );
        assert!(stored.record.headers.writer.is_some());
        schemas::network::decode(act.clone().into(), ROOT).unwrap();
    }
    assert_eq!(written[0].1.text.as_deref(), Some("on the way"));
    assert_eq!(written[4].1.text.as_deref(), Some("<b>two\nlines"));
    assert_eq!(written[6].1.until.map(|at| at.0), Some(soon.as_microsecond()));
    let told: Vec<_> = audited(&world)
        .into_iter()
        .filter(|e| e.action.ends_with(" alarm"))
        .collect();
    assert_eq!(told.len(), calls.len());
    assert!(
        told.iter()
            .all(|e| (e.actor.as_str(), e.outcome.as_str(), e.target.as_deref()) == ("operator", "done", Some("a-1")))
    );

    let refused = [
        ("/api/v1/alarms/a-1/clear", json!({}), "VALIDATION_FAILED"),
        (
            "/api/v1/alarms/a-1/comment",
            json!({ "text": "\u{7}" }),
            "VALIDATION_FAILED",
        ),
        (
            "/api/v1/alarms/a-1/comment",
            json!({ "text": "x".repeat(2_000) }),
            "VALIDATION_FAILED",
        ),
        (
            "/api/v1/alarms/a-1/silence",
            json!({ "until": until }),
            "VALIDATION_FAILED",
        ),
        ("/api/v1/alarms/a-1/silence", json!({}), "VALIDATION_FAILED"),
        (
            "/api/v1/alarms/a-1/acknowledge",
            json!({ "who": "me" }),
            "VALIDATION_FAILED",
        ),
        ("/api/v1/alarms/nobody/acknowledge", json!({}), "ALARM_NOT_FOUND"),
        ("/api/v1/alarms/%FF/acknowledge", json!({}), "BAD_REQUEST"),
    ];
    for (path, body, code) in refused {
        assert_eq!(
            world.post(path, Some(&token), &body).await.code(),
            code,
            "{path} {body}"
        );
    }
    assert_eq!(acts(&world).len(), calls.len(), "what was refused was not written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_is_the_same_act() {
    let (world, token) = world().await;
    let path = "/api/v1/alarms/a-1/acknowledge";
    let body = json!({ "text": "mine" });
    let first = keyed(&world, path, &token, "k-1", &body).await;
    let again = keyed(&world, path, &token, "k-1", &body).await;
    assert_eq!((first.status, &first.body), (StatusCode::ACCEPTED, &again.body));
    assert_eq!(first.body["act_id"], "operator:k-1");
    assert_eq!(acts(&world).len(), 1);
    for (path, body) in [
        (path, json!({ "text": "other" })),
        ("/api/v1/alarms/a-1/unacknowledge", body.clone()),
    ] {
        assert_eq!(keyed(&world, path, &token, "k-1", &body).await.code(), "CONFLICT");
    }
    assert_eq!(
        keyed(&world, path, &token, &"k".repeat(100), &body).await.code(),
        "BAD_REQUEST"
    );
    // Another person's key is another key.
    let admin = world.login("admin").await.access;
    let other = keyed(&world, path, &admin, "k-1", &body).await;
    assert_eq!(other.body["act_id"], "admin:k-1");
    // Another process does not know the key: it writes again, under the same act, which the step knows.
    let parts = api::Parts {
        log: world.log.clone(),
        store: world.store.clone(),
        live: world.live.clone(),
        explain_trap: None,
        ready: Vec::new(),
        render_metrics: std::sync::Arc::new(String::new),
    };
    let second = api::ApiState::new(api::ApiConfig::new(crate::support::KEY, "second", "default"), parts).unwrap();
    let world = world.serving(second);
    let repeated = keyed(&world, path, &token, "k-1", &body).await;
    assert_eq!(repeated.body["act_id"], "operator:k-1");
    let ids: Vec<_> = acts(&world).into_iter().map(|(_, act)| act.act_id).collect();
    assert_eq!(ids, ["operator:k-1", "admin:k-1", "operator:k-1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_operators_act_and_only_on_their_own_network() {
    let (world, _) = world().await;
    let (viewer, stranger) = (world.login("viewer").await.access, world.login("stranger").await.access);
    for path in [
        "/api/v1/alarms/a-1/acknowledge",
        "/alerts/a-1/acknowledge",
        "/api/alarms/a-1/acknowledge",
    ] {
        let body = json!({});
        assert_eq!(world.post(path, None, &body).await.code(), "UNAUTHENTICATED", "{path}");
        assert_eq!(
            world.post(path, Some(&viewer), &body).await.code(),
            "FORBIDDEN",
            "{path}"
        );
        assert_eq!(
            world.post(path, Some(&stranger), &body).await.code(),
            "ALARM_NOT_FOUND",
            "{path}"
        );
    }
    assert!(acts(&world).is_empty());
    let denied = || {
        audited(&world)
            .into_iter()
            .any(|e| e.outcome == "denied" && e.actor == "viewer")
    };
    eventually("the denials are audited", denied).await;
}

/// The live view has forgotten it, the store has not: what an operator says of it still comes to its root, and the step answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_that_is_over_can_be_commented() {
    let world = World::new().await.with_user(Role::Operator).await;
    let token = world.login("operator").await.access;
    persisted(&world, &cleared(&alarm("old", ONU, 1), 2), "cleared").await;
    let answer = world
        .post(
            "/api/v1/alarms/old/comment",
            Some(&token),
            &json!({ "text": "was a squirrel" }),
        )
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert_eq!(acts(&world)[0].1.root, ROOT);
}
