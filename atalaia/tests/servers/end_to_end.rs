//! K1: a trap's bytes reach a WebSocket client, the store and any reader of the topics, through four processes.

use std::time::Duration;

use load_tests::client::{Live, list};
use load_tests::device::{Devices, Note};
use serde_json::{Value, json};

use crate::common::checker::read_all;
use crate::world::{NETWORK, PERSIST, WAIT, World, until};

#[test]
fn a_trap_reaches_board_store_and_topics_through_four_processes() {
    let world = World::new("e2e", 1);
    let network = world.start(NETWORK);
    let persist = world.start(PERSIST);
    let (api, first) = world.start_board();
    let connector = world.start(&["connector", "snmp-traps"]);
    let token = world.token(&first);

    let subscription = json!({ "type": "subscribe", "id": "ev", "topic": "events", "limit": 1 });
    let connect = Live::connect(world.setup.http(), &token, &subscription);
    let mut live = world.runtime.block_on(connect).unwrap();
    let note = Note::nth(0, 1);
    let devices = Devices::new(1, world.setup.trap_target()).unwrap();
    devices.send(&note, true);

    let seen = world.runtime.block_on(async {
        loop {
            let frame = tokio::time::timeout(WAIT, live.next())
                .await
                .expect("a frame in time")
                .unwrap();
            let changes = frame["changes"].as_array().cloned().unwrap_or_default();
            if let Some(change) = changes.iter().find(|c| c["item"]["entity"] == note.entity().as_str()) {
                break change["item"].clone();
            }
        }
    });
    assert_eq!(
        (&seen["event"], &seen["phase"]),
        (&json!("dying_gasp"), &json!("raise"))
    );
    until("the inform is answered", || {
        devices.answered().contains(&note.request_id)
    });

    let path = format!("/api/v1/devices/{}/events", note.entity().replace('/', "%2F"));
    let history =
        |path: &str| -> Vec<Value> { world.runtime.block_on(list(world.setup.http(), path, &token)).unwrap() };
    until("the event is in the store", || history(&path).len() == 1);

    let log = world.log();
    let events = read_all(&*log, topology::Topic::DeviceEvents);
    assert!(events.iter().any(|e| e.record.key == note.entity().as_bytes()));
    assert!(events.iter().all(|e| e.record.headers.record_id.is_some()));

    // Each ends in order, whatever the order.
    for part in [connector, network, persist, api] {
        let status = part.terminate(Duration::from_secs(25)).unwrap();
        assert!(status.success(), "SIGTERM ended with {status}");
    }
}
