//! Why there is an alarm, down to the packet.

use api::Role;
use bytes::Bytes;
use log::{Headers, Log, Record};
use model::Micros;
use schemas::rules::default_rules;
use schemas::{AnyRecord, SnmpVersion, TrapReceived};
use serde_json::json;
use topology::{Topic, partition_of};

use crate::alarms::persisted;
use crate::support::alarms::{ONU, ROOT, alarm, position};
use crate::support::{DEADLINE, PARTITIONS, World, eventually};

fn trap() -> AnyRecord {
    TrapReceived {
        root: ROOT.into(),
        sender: "192.0.2.10".into(),
        sender_port: 40_000,
        listener: "main".into(),
        version: SnmpVersion::V2c,
        credential: "noc".into(),
        inform: false,
        relay: None,
        inner_address: None,
        received_at: Micros(1),
        pdu: vec![0xa7, 0x00, 0xde, 0xad],
    }
    .into()
}

/// Appends to the root's partition of `observations` and answers the offset.
fn observe(world: &World, record: &AnyRecord) -> u64 {
    let record = Record {
        topic: Topic::Observations,
        partition: partition_of(ROOT, PARTITIONS),
        key: Bytes::from_static(ROOT.as_bytes()),
        value: Some(world.log.codec().encode(record).unwrap().into()),
        headers: Headers::default(),
    };
    let deadline = std::time::Instant::now() + DEADLINE;
    world.producer.send_and_wait(record, deadline).unwrap().offset
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_walks_to_the_record_and_the_rule() {
    let world = World::new().await.with_users().await;
    let (token, stranger) = (world.login("viewer").await.access, world.login("stranger").await.access);
    let raised_at = observe(&world, &trap());
    let changed_at = observe(&world, &trap());
    let rule = default_rules().remove(0);
    let generation = world.log.generation();
    let at = |offset| {
        let mut at = position(ROOT, offset);
        at.generation = generation;
        at
    };
    let mut raised = alarm("a-1", ONU, raised_at);
    (raised.rule_id, raised.rule_version) = (Some(rule.rule_id.clone()), Some(1));
    (raised.raise_position, raised.position) = (at(raised_at).into(), at(raised_at).into());
    persisted(&world, &raised, "raised").await;
    let mut changed = raised.clone();
    changed.position = at(changed_at).into();
    world.exact_alarm(changed);
    eventually("the alarm is in the live view", || world.live.standing_alarms() == 1).await;
    eventually("the rules are known", || world.api_is_ready()).await;

    let answer = world.get("/api/v1/alarms/a-1/why", Some(&token)).await;
    let why = &answer.body;
    assert_eq!(
        (&why["alarm"]["alarm_id"], &why["reason"]["value"]),
        (&json!("a-1"), &json!(-28.25)),
        "{}",
        answer.text
    );
    assert_eq!(
        (
            &why["rule"]["rule_id"],
            &why["rule"]["version"],
            &why["rule_version_now"]
        ),
        (&json!(rule.rule_id), &json!(1), &json!(1))
    );
    let inputs = why["inputs"].as_array().unwrap();
    assert_eq!(inputs.len(), 2);
    assert_eq!(
        (&inputs[0]["made"], &inputs[1]["made"]),
        (&json!("raised"), &json!("changed"))
    );
    for (input, offset) in inputs.iter().zip([raised_at, changed_at]) {
        assert_eq!(
            (&input["position"]["offset"], &input["record_type"]),
            (&json!(offset), &json!("TrapReceived"))
        );
        assert_eq!(
            (&input["record"]["pdu"], &input["record"]["credential"]),
            (&json!("a700dead"), &json!("noc"))
        );
        assert_eq!(input["decoded"], json!({ "bytes": 4, "root": ROOT }));
        assert!(input["appended_at"].is_string() && input["missing"].is_null());
    }
    assert_eq!(
        world.get("/api/v1/alarms/a-1/why", Some(&stranger)).await.code(),
        "ALARM_NOT_FOUND"
    );
    assert_eq!(
        world.get("/api/alarms/nobody/why", Some(&token)).await.code(),
        "ALARM_NOT_FOUND"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_log_no_longer_has_is_said_to_be_gone() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    let mut alarm = alarm("a-1", ONU, 1);
    alarm.rule_version = Some(99);
    alarm.raise_position.generation = 7;
    alarm.position.offset = 1_000_000;
    alarm.position.generation = i32::try_from(world.log.generation()).unwrap();
    world.exact_alarm(alarm);
    eventually("the alarm is in the live view", || world.live.standing_alarms() == 1).await;
    eventually("the rules are known", || world.api_is_ready()).await;
    let why = world.get("/api/v1/alarms/a-1/why", Some(&token)).await.body;
    let missing: Vec<_> = why["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["missing"].as_str().unwrap())
        .collect();
    assert!(
        missing.contains(&"it stood in an earlier log") && missing.iter().any(|m| m.contains("does not reach")),
        "{missing:?}"
    );
    assert_eq!((&why["rule"], &why["rule_version_now"]), (&json!(null), &json!(null)));
}
