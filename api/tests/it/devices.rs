//! Devices: read from the live view and the store, written into the log.

use std::time::Duration;

use api::Role;
use axum::http::{Method, StatusCode};
use log::{Fault, Log, Start, Stored};
use schemas::{AnyRecord, DeviceRegistered};
use serde_json::{Value, json};
use store::rows::{DeviceEventRow, StatusRow};
use topology::{Topic, partition_of};

use crate::support::{PARTITIONS, World, id_of, now, request, row};

const ONU: &str = "default/olt/rjo-01/onu/0/3/5/17";

fn path(id: &str, tail: &str) -> String {
    format!("/api/v1/devices/{}{tail}", id.replace('/', "%2F").replace(' ', "%20"))
}

#[tokio::test]
async fn a_device_is_found_by_any_of_its_names() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    let mut onu = row(ONU, "offline", 7);
    (onu.serial, onu.name) = (Some("HWTC1234ABCD".into()), Some("Ana <b>".into()));
    world.status(onu);
    world.shows(&token, ONU, "offline").await;
    for id in [ONU, "HWTC1234ABCD", "hwtc-1234abcd", "485754431234ABCD", "ana <b>"] {
        let answer = world
            .get(
                &path(id, "/status").replace('<', "%3C").replace('>', "%3E"),
                Some(&token),
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{id}: {}", answer.text);
        let item = &answer.body;
        assert_eq!(
            (&item["entity"], &item["cause"], &item["name"]),
            (&json!(ONU), &json!("power"), &json!("Ana <b>"))
        );
        let position = json!({ "topic": "observations", "generation": 1,
            "partition": partition_of("default/olt/rjo-01", PARTITIONS), "offset": 7 });
        assert_eq!(
            (&item["position"], &item["since"]),
            (&position, &json!("2023-11-14T22:13:27.000Z"))
        );
    }
    let missing = world.get(&path("HWTC00000000", "/status"), Some(&token)).await;
    assert_eq!(
        (missing.status, missing.code()),
        (StatusCode::NOT_FOUND, "DEVICE_NOT_FOUND")
    );
    assert_eq!(missing.body["error"]["details"]["device_id"], "HWTC00000000");
    assert!(
        missing.body["error"]["details"]["time"]
            .as_str()
            .unwrap()
            .ends_with('Z')
    );
    let olts = world.get("/api/v1/olts", Some(&token)).await;
    assert_eq!(
        (
            &olts.body["items"][0]["entity"],
            &olts.body["items"][0]["first_trap_at"]
        ),
        (&json!("default/olt/rjo-01"), &Value::Null)
    );
    assert_eq!(olts.body["items"][0]["counts"]["offline"], 1);
}

#[tokio::test]
async fn what_the_live_view_does_not_know_comes_from_the_store() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    let wire = row(ONU, "offline", 7);
    let stored = StatusRow {
        entity: ONU.parse_entity(),
        kind: "onu".into(),
        site: Some("RJO".into()),
        parent: None,
        name: None,
        description: None,
        vendor: None,
        model: None,
        serial: Some("HWTC1234ABCD".into()),
        state: "offline".into(),
        cause: Some("fibre".into()),
        cause_raw: None,
        since: wire.since,
        observed_at: wire.observed_at,
        received_at: wire.received_at,
        first_trap_at: None,
        optics: None,
        poll: None,
        position: wire.position.position(),
        wts: wire.wts,
    };
    world.store.upsert(vec![stored.to_row()]).await.unwrap();
    let answer = world.get(&path(ONU, "/status"), Some(&token)).await;
    assert_eq!(
        (&answer.body["cause"], &answer.body["site"]),
        (&json!("fibre"), &json!("RJO"))
    );
}

trait ParseEntity {
    fn parse_entity(&self) -> model::EntityId;
}

impl ParseEntity for str {
    fn parse_entity(&self) -> model::EntityId {
        model::EntityId::parse(self).unwrap()
    }
}

#[tokio::test]
async fn events_are_paged_newest_first() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    world.status(row(ONU, "online", 1));
    world.shows(&token, ONU, "online").await;
    let mut rows = Vec::new();
    for n in 0..25 {
        let status = row(ONU, "offline", n);
        rows.push(
            DeviceEventRow {
                entity: ONU.parse_entity(),
                at: now().plus(-(i64::try_from(n).unwrap()) * 60_000_000),
                id: id_of(&status, 0).as_bytes().to_vec(),
                kind: "onu".into(),
                event_type: "DEVICE_DISCONNECTED".into(),
                event: format!("e{n}"),
                phase: "RAISE".into(),
                severity: None,
                trap_oid: None,
                source: Some("trap".into()),
                state: Some("offline".into()),
                previous: None,
                cause: None,
                cause_raw: None,
                serial: None,
                detail: [("note".to_owned(), "<script>\u{202e}".to_owned())].into(),
                received_at: now(),
                position: status.position.position(),
            }
            .to_row(),
        );
    }
    world.store.upsert(rows).await.unwrap();
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = world
            .get(&path(ONU, &format!("/events?limit=10{cursor}")), Some(&token))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        for item in answer.body["items"].as_array().unwrap() {
            assert_eq!(
                (&item["event_type"], &item["phase"]),
                (&json!("device.disconnected"), &json!("raise"))
            );
            assert_eq!(item["detail"]["note"], "<script>\u{202e}");
            names.push(item["event"].as_str().unwrap().to_owned());
        }
        match answer.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, (0..25).map(|n| format!("e{n}")).collect::<Vec<_>>());
    for bad in [
        "?limit=0",
        "?limit=1001",
        "?limit=x",
        "?cursor=!!",
        "?cursor=AAAA",
        "?colour=red",
    ] {
        assert_eq!(
            world
                .get(&path(ONU, &format!("/events{bad}")), Some(&token))
                .await
                .code(),
            "BAD_REQUEST",
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_list_takes_its_filters_and_refuses_others() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    for (n, state) in [(1, "online"), (2, "offline"), (3, "online")] {
        let mut onu = row(&format!("default/olt/rjo-01/onu/0/3/5/{n}"), state, n);
        (onu.site, onu.description) = (Some("São Paulo".into()), Some(format!("customer-{n}")));
        world.status(onu);
    }
    world.shows(&token, "default/olt/rjo-01/onu/0/3/5/3", "online").await;
    let check = async |query: &str, expected: &[u32]| {
        let answer = world
            .get(&format!("/api/v1/devices?kind=onu{query}"), Some(&token))
            .await;
        let numbers: Vec<u32> = answer
            .entities()
            .iter()
            .map(|e| e.rsplit('/').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(numbers, expected, "{query}");
    };
    check("", &[1, 2, 3]).await;
    check("&state=online", &[1, 3]).await;
    check("&cause=power", &[2]).await;
    check("&site=S%C3%A3o%20Paulo", &[1, 2, 3]).await;
    check("&site=RJO", &[]).await;
    check("&root=default/olt/rjo-01", &[1, 2, 3]).await;
    check("&q=CUSTOMER-2", &[2]).await;
    check("&q=%3Cscript%3E", &[]).await;
    check("&root=rjo-01", &[1, 2, 3]).await;
    check("&root=nowhere", &[]).await;
    check("&cursor=&limit=1", &[1]).await;
    // As a person types it, and as the board writes it.
    check("&q=c%C3%BAstomer-3", &[3]).await;
    check("&q=rjo-01%200/3/5/2", &[2]).await;
    check("&q=rjo-01%20nothing", &[]).await;
    for bad in [
        "cursor=AAAA",
        "cursor=b3RoZXIvb2x0L3gA",
        "state=purple",
        "kind=onu&cause=x",
        "limit=-1",
        "unknown=1",
        "cursor=%00",
    ] {
        assert_eq!(
            world.get(&format!("/api/v1/devices?{bad}"), Some(&token)).await.code(),
            "BAD_REQUEST",
            "{bad}"
        );
    }
    let message = async |query: &str| {
        let answer = world.get(&format!("/api/v1/devices?{query}"), Some(&token)).await;
        answer.body["error"]["message"].as_str().unwrap().to_owned()
    };
    let kinds = message("kind=ONU").await;
    assert!(
        kinds.starts_with("`ONU` is not a kind; there are olt, board, pon, onu"),
        "{kinds}"
    );
    assert_eq!(message("limit=x").await, "limit: invalid digit found in string");
}

fn written(world: &World) -> Vec<(Stored, DeviceRegistered)> {
    let mut tail = world.log.tail(&[(Topic::Observations, Start::Beginning)]).unwrap();
    let records = tail.poll(10_000, Duration::ZERO).unwrap();
    let decoded = |s: Stored| match world.log.codec().decode(s.record.value.as_ref().unwrap()).unwrap() {
        AnyRecord::DeviceRegistered(r) => Some((s, r)),
        // Every partition is told the rules.
        AnyRecord::RulesChanged(_) => None,
        other => panic!("{other:?}"),
    };
    records.into_iter().filter_map(decoded).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_is_a_record_and_answers_its_position() {
    let world = World::new().await.with_user(Role::Operator).await;
    let token = world.login("operator").await.access;
    let one = json!({ "entity": ONU, "serial": "hwtc-1234abcd", "name": "Ana", "attributes": { "plan": "500M" } });
    let answer = world.post("/api/v1/devices", Some(&token), &one).await;
    assert_eq!(
        (answer.status, &answer.body["entity"]),
        (StatusCode::ACCEPTED, &json!(ONU)),
        "{}",
        answer.text
    );
    let many: Vec<_> = (0..3)
        .map(|n| json!({ "entity": format!("default/olt/rjo-01/onu/0/0/0/{n}"), "serial": "", "name": " " }))
        .collect();
    let answer_many = world.post("/api/v1/devices", Some(&token), &json!(many)).await;
    assert_eq!(answer_many.body["items"].as_array().unwrap().len(), 3);
    let records = written(&world);
    assert_eq!(records.len(), 4);
    let (first, record) = &records[0];
    assert_eq!(
        (record.serial.as_deref(), record.kind.as_str(), record.origin.as_str()),
        (Some("HWTC1234ABCD"), "onu", "api")
    );
    let (_, empty) = &records[1];
    assert_eq!(
        (&empty.serial, &empty.name),
        (&None, &None),
        "an empty text is a missing one"
    );
    assert_eq!(first.record.partition, partition_of("default/olt/rjo-01", PARTITIONS));
    assert_eq!(answer.body["position"]["offset"], first.offset);
    let sequences: Vec<_> = records
        .iter()
        .map(|(s, _)| s.record.headers.writer.clone().unwrap().sequence)
        .collect();
    // The rules were told before, by the same writer.
    let first = sequences[0];
    assert_eq!(sequences, [first, first + 1, first + 2, first + 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_is_one_act() {
    let world = World::new().await.with_user(Role::Operator).await;
    let token = world.login("operator").await.access;
    let send = async |key: &str, body: &Value| {
        let mut request = request(Method::POST, "/api/v1/devices", Some(&token), Some(body));
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        world.call(request).await
    };
    let body = json!({ "entity": ONU });
    let first = send("k1", &body).await;
    let again = send("k1", &body).await;
    assert_eq!((first.status, &first.body), (StatusCode::ACCEPTED, &again.body));
    assert_eq!(
        send("k1", &json!({ "entity": "default/olt/b" })).await.code(),
        "CONFLICT"
    );
    assert_eq!(send("k2", &body).await.status, StatusCode::ACCEPTED);
    let records = written(&world);
    assert_eq!(records.len(), 2);
    assert_ne!(
        records[0].0.record.headers.record_id,
        records[1].0.record.headers.record_id
    );
    assert!(records.iter().all(|(s, _)| s.record.headers.record_id.is_some()));
    assert_eq!(send(&"k".repeat(200), &body).await.code(), "BAD_REQUEST");
}

#[tokio::test]
async fn a_wrong_device_writes_nothing_of_the_request() {
    let world = World::new().await.with_user(Role::Operator).await;
    let token = world.login("operator").await.access;
    let good = json!({ "entity": "default/olt/a" });
    let check = async |body: Value, field: &str| {
        let answer = world.post("/api/v1/devices", Some(&token), &body).await;
        assert_eq!(answer.code(), "VALIDATION_FAILED", "{body}: {}", answer.text);
        assert_eq!(
            answer.body["error"]["details"]["field"].as_str().unwrap_or_default(),
            field,
            "{body}"
        );
    };
    check(json!([good, { "entity": "default/olt/<b>" }]), "entity").await;
    check(json!([good, { "entity": ONU }, good]), "entity").await;
    check(json!({ "entity": "other/olt/a" }), "entity").await;
    check(json!({ "entity": "default/olt/a", "kind": "onu" }), "kind").await;
    check(json!({ "entity": ONU, "serial": "12" }), "serial").await;
    check(json!({ "entity": ONU, "site": "a/b" }), "site").await;
    check(json!({ "entity": ONU, "name": "a\u{1b}[31m" }), "name").await;
    check(json!({ "entity": ONU, "description": "x".repeat(513) }), "description").await;
    check(json!({ "entity": ONU, "attributes": { "a b\n": "x" } }), "attributes").await;
    check(json!({ "entity": ONU, "attributes": { "a": "x\u{0}" } }), "attributes").await;
    check(json!({ "entity": ONU, "role": "admin" }), "").await;
    check(json!([]), "").await;
    check(json!(vec![good.clone(); 1_001]), "").await;
    assert!(written(&world).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_does_not_answer_is_said_and_the_next_write_goes_on() {
    let world = World::new().await.with_user(Role::Operator).await;
    let token = world.login("operator").await.access;
    let body = json!({ "entity": "default/olt/a" });
    world.log.inject(Fault::FailSend, 1);
    let failed = world.post("/api/v1/devices", Some(&token), &body).await;
    assert_eq!(
        (failed.status, failed.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "UPSTREAM_UNAVAILABLE")
    );
    assert_eq!(
        world.post("/api/v1/devices", Some(&token), &body).await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(written(&world).len(), 1);
}
