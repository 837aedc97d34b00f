//! From a record in the log to a frame at a client.

mod support;

use serde_json::json;
use support::socket::{Next, Socket};
use support::{World, row};

const ONU: &str = "default/olt/rjo-01/onu/0/3/5/17";
const PON: &str = "default/olt/rjo-01/pon/0/3/5";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_reaches_the_board_the_port_and_the_event_stream() {
    let world = World::new().await.with_users().await;
    let token = world.login("viewer").await.access;
    world.status(row(ONU, "online", 1));
    world.shows(&token, ONU, "online").await;
    let listening = world.listen().await;
    let (mut socket, welcome) = Socket::open(listening.address, &token, None).await;
    assert_eq!(
        (&welcome["user"], &welcome["role"], &welcome["resumed"]),
        (&json!("viewer"), &json!("viewer"), &json!(false))
    );

    let tree = socket
        .subscribe(json!({ "type": "subscribe", "id": "t", "topic": "tree" }))
        .await;
    let entities: Vec<_> = tree.iter().filter_map(|i| i["entity"].as_str()).collect();
    assert_eq!(entities, ["default/olt/rjo-01", "default/olt/rjo-01/board/0/3", PON]);
    assert_eq!(tree[0]["counts"]["online"], 1);
    let children = json!({ "type": "subscribe", "id": "p", "topic": "children", "entity": PON });
    assert_eq!(socket.subscribe(children).await[0]["state"], "online");
    assert!(
        socket
            .subscribe(json!({ "type": "subscribe", "id": "e", "topic": "events" }))
            .await
            .is_empty()
    );

    world.event(row(ONU, "offline", 2), "dying_gasp");
    let items = socket.until(|i| i["type"] == "event").await;
    let of = |entity: &str| {
        items
            .iter()
            .rev()
            .find(|i| i["entity"] == entity && i["type"] == "status")
            .unwrap()
    };
    assert_eq!(
        (&of(ONU)["state"], &of(ONU)["cause"]),
        (&json!("offline"), &json!("power"))
    );
    assert_eq!(
        (&of(PON)["counts"]["offline"], &of(PON)["counts"]["power"]),
        (&json!(1), &json!(1))
    );
    let all = items.iter().rev().find(|i| i["type"] == "summary").unwrap();
    assert_eq!((&all["scope"], &all["counts"]["offline"]), (&json!("all"), &json!(1)));
    let event = items.iter().find(|i| i["type"] == "event").unwrap();
    assert_eq!((&event["event"], &event["entity"]), (&json!("dying_gasp"), &json!(ONU)));

    drop(listening.stop);
    assert_eq!(socket.next().await, Next::Closed(1001));
    listening.task.await.unwrap().unwrap();
}
