//! K7, the registry: away at the first start, at a later one, and in mid-run with a schema id that nobody has seen. What is known
//! flows on; the unknown id's partition waits, says so, and goes on when the registry is back.

use std::time::Instant;

use common::gate::Gate;
use load_tests::client::request_text;
use load_tests::device::{Devices, Note};
use load_tests::product::{Running, Servers};
use log::{Headers, Log, Record};
use schemas::RecordType;
use serde_json::{Value, json};
use topology::{Topic, partition_of};

use crate::common;
use crate::verdict::{assert_log, finish, wait_processed};
use crate::world::{NETWORK, WAIT, World, until};

const OLTS: u8 = 3;
const CONNECTOR: &[&str] = &["connector", "snmp-traps"];

/// `host:port` and the path of the registry's address.
fn parts(url: &str) -> (&str, &str) {
    url.trim_start_matches("http://").split_once('/').unwrap()
}

/// Registers what a newer build might write: a tick with one more field.
fn register_newer_tick(world: &World, registry: &str) -> u32 {
    let (at, path) = parts(registry);
    let field = format!("f{:08x}", rand::random::<u32>());
    let field = format!("\"fields\": [{{\"name\": \"{field}\", \"type\": [\"null\", \"string\"], \"default\": null}},");
    let schema = RecordType::Tick.schema_json().replacen("\"fields\": [", &field, 1);
    let subject = format!("/{path}/subjects/atalaia.v1.Tick/versions");
    let body = json!({ "schema": schema });
    let answer = request_text(at.parse().unwrap(), "POST", &subject, None, Some(&body));
    let (status, text) = world.runtime.block_on(answer).unwrap();
    let id = serde_json::from_str::<Value>(&text).unwrap()["id"].as_u64();
    u32::try_from(id.unwrap_or_else(|| panic!("registering answered {status}: {text}"))).unwrap()
}

/// A tick as that build writes it: no value in the new field, then the time.
fn append_newer_tick(log: &dyn Log, id: u32, partition: u32) {
    let value = [&[0][..], &id.to_be_bytes(), &[0, 14]].concat();
    let record = Record {
        topic: Topic::Observations,
        partition,
        key: Vec::new().into(),
        value: Some(value.into()),
        headers: Headers::default(),
    };
    let producer = log.producer("newer").unwrap();
    producer.send_and_wait(record, Instant::now() + WAIT).unwrap();
}

fn ready(world: &World, running: &Running) -> (u16, String) {
    let answer = request_text(running.http, "GET", "/ready", None, None);
    world.runtime.block_on(answer).unwrap_or_default()
}

#[test]
fn without_the_registry_what_is_known_flows_on_and_what_is_not_waits() {
    let servers = Servers::from_environment("registry").unwrap();
    let direct = servers.registry.clone();
    let (at, path) = parts(&direct);
    let gate = Gate::new(at);
    let registry = format!("http://{}/{path}", gate.address());
    let world = World::bare(Servers { registry, ..servers }, OLTS);
    world.apply_topics();
    // Whatever `apply` left on disk: the first start is to know nothing.
    drop(std::fs::remove_file(world.setup.data().join("schema-ids.json")));

    gate.close();
    let connector = world.spawn(CONNECTOR, &[]);
    until("the first start says what it waits for", || {
        world.says(CONNECTOR).contains("the schema registry is needed")
    });
    gate.open();
    world.wait_ready(&connector, CONNECTOR);

    gate.close();
    let network = world.start(NETWORK);
    println!("network started with the schema ids on disk");
    let log = {
        gate.open();
        let log = world.log();
        gate.close();
        log
    };
    let devices = Devices::new(OLTS, world.setup.trap_target()).unwrap();
    let mut sent = 0;
    let mut send = |olt: u8| {
        let note = (sent..).map(|n| Note::nth(n, OLTS)).find(|n| n.olt == olt).unwrap();
        sent += u32::from(OLTS);
        devices.send(&note, false);
    };
    let events = |partition: u32| log.ends(Topic::DeviceEvents).unwrap()[partition as usize];
    let of = |olt: u8| partition_of(&format!("default/olt/olt-{olt}"), log.partitions());
    let (held, flowing) = (0, (1..OLTS).find(|olt| of(*olt) != of(0)).expect("two partitions"));
    until("known schemas flow", || {
        send(held);
        send(flowing);
        events(of(held)) > 0 && events(of(flowing)) > 0
    });

    let id = register_newer_tick(&world, &direct);
    append_newer_tick(&*log, id, of(held));
    let waiting = || world.metric(&network, runtime::metrics::TASK_PARTITIONS, &["state=\"waiting\""]);
    until("its partition waits", || waiting() >= 1.0);
    let (status, text) = ready(&world, &network);
    assert!(status == 503 && text.contains(&id.to_string()), "{status}: {text}");
    let (stood, flowed) = (events(of(held)), events(of(flowing)));
    until("the others flow on", || {
        send(held);
        send(flowing);
        events(of(flowing)) > flowed + 5
    });
    assert_eq!(events(of(held)), stood, "nothing overtakes what waits");

    gate.open();
    let began = Instant::now();
    until("it has been learned", || waiting() < 1.0);
    println!(
        "unknown schema id learned {} ms after the registry's return",
        began.elapsed().as_millis()
    );
    until("what waited is processed", || events(of(held)) > stood + 5);
    finish(&world, [connector]);
    // This codec has met the id as well.
    let log = world.log();
    wait_processed(&world, &*log);
    assert_log("registry away", &*log);
    finish(&world, [network]);
}
