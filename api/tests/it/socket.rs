//! From a record in the log to a frame at a client.

use std::time::Duration;

use api::{RingLimits, Role};
use serde_json::{Value, json};
use topology::Topic;

use crate::support::socket::{Next, Socket};
use crate::support::{self, World, id_of, row};

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

fn onu(n: u32) -> String {
    format!("default/olt/rjo-01/onu/0/3/5/{n}")
}

fn events_of(frames: &[Value]) -> Vec<String> {
    let items = frames
        .iter()
        .flat_map(|f| f["changes"].as_array().unwrap())
        .map(|c| &c["item"]);
    items
        .filter(|i| i["type"] == "event")
        .map(|i| i["event"].as_str().unwrap().to_owned())
        .collect()
}

fn last_seq(frame: &Value) -> u64 {
    frame["seq"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_comes_back_gets_exactly_what_it_missed() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    world.status(row(ONU, "online", 1));
    world.shows(&token, ONU, "online").await;
    let listening = world.listen().await;
    let (mut socket, welcome) = Socket::open(listening.address, &token, None).await;
    socket
        .subscribe(json!({ "type": "subscribe", "id": "p", "topic": "children", "entity": PON }))
        .await;
    socket
        .subscribe(json!({ "type": "subscribe", "id": "e", "topic": "events" }))
        .await;
    world.event(row(ONU, "offline", 2), "first");
    let mut seq = 0;
    let mut heard = Vec::new();
    while events_of(&heard).is_empty() {
        heard.push(socket.frame_of("delta").await);
        seq = last_seq(heard.last().unwrap());
    }
    drop(socket);

    for n in 3..30 {
        world.event(
            row(ONU, if n % 2 == 0 { "offline" } else { "online" }, n),
            &format!("missed-{n}"),
        );
    }
    world.shows(&token, ONU, "online").await;
    let instance = welcome["instance"].as_str().unwrap();
    let (mut socket, again) = Socket::open(listening.address, &token, Some((instance, seq))).await;
    assert_eq!((&again["resumed"], &again["seq"]), (&json!(true), &json!(seq)));
    let mut missed = Vec::new();
    while events_of(&missed).len() < 27 {
        let frame = socket.frame().await;
        assert_eq!(frame["type"], "delta", "no snapshot is needed: {frame}");
        missed.push(frame);
    }
    assert_eq!(
        events_of(&missed),
        (3..30).map(|n| format!("missed-{n}")).collect::<Vec<_>>()
    );
    let states: Vec<_> = missed
        .iter()
        .flat_map(|f| f["changes"].as_array().unwrap())
        .filter(|c| c["ids"] == json!(["p"]))
        .collect();
    assert_eq!(states.last().unwrap()["item"]["state"], "online");

    world.event(row(ONU, "offline", 40), "live again");
    let items = socket.until(|i| i["event"] == "live again").await;
    assert_eq!(items.iter().filter(|i| i["type"] == "event").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_did_not_arrive_is_sent_after_the_resume() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    world.status(row(ONU, "online", 1));
    world.shows(&token, ONU, "online").await;
    let listening = world.listen().await;
    let (mut socket, welcome) = Socket::open(listening.address, &token, None).await;
    socket
        .subscribe(json!({ "type": "subscribe", "id": "p", "topic": "children", "entity": PON }))
        .await;
    drop(socket);
    let resume = (welcome["instance"].as_str().unwrap(), last_seq(&welcome));
    let (mut socket, again) = Socket::open(listening.address, &token, Some(resume)).await;
    assert_eq!(again["resumed"], true);
    let snapshot = socket.frame_of("snapshot").await;
    assert_eq!(
        (&snapshot["id"], &snapshot["items"][0]["entity"]),
        (&json!("p"), &json!(ONU))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resume_that_cannot_be_exact_is_refused() {
    let limits = RingLimits {
        keep_time: Duration::ZERO,
        keep_changes: 5,
        changes_max: 5,
    };
    let world = World::with_ring(limits, |_| {})
        .await
        .with_user(Role::Viewer)
        .await
        .with_user(Role::Admin)
        .await;
    let (token, other) = (world.login("viewer").await.access, world.login("admin").await.access);
    let listening = world.listen().await;
    let (socket, welcome) = Socket::open(listening.address, &token, None).await;
    drop(socket);
    let instance = welcome["instance"].as_str().unwrap().to_owned();
    let resumed = async |token: &str, instance: &str, seq: u64| {
        Socket::open(listening.address, token, Some((instance, seq))).await.1["resumed"].clone()
    };
    for nonsense in [
        json!("x"),
        json!({ "instance": 5 }),
        json!([1]),
        json!({ "instance": instance, "seq": -1 }),
    ] {
        let mut socket = Socket::connect(listening.address).await;
        socket
            .say(&json!({ "type": "auth", "token": token, "resume": nonsense }))
            .await;
        assert_eq!(socket.frame().await["resumed"], false, "{nonsense}");
    }
    let seq = last_seq(&welcome);
    assert_eq!(resumed(&other, &instance, seq).await, false, "another user");
    assert_eq!(resumed(&token, "elsewhere", seq).await, false, "another instance");
    assert_eq!(
        resumed(&token, &instance, 1_000_000).await,
        false,
        "a number that never was"
    );
    assert_eq!(resumed(&token, &instance, seq).await, true);
    for n in 1..=10 {
        world.event(row(&onu(n), "online", u64::from(n)), "new");
    }
    let deadline = std::time::Instant::now() + support::DEADLINE;
    while resumed(&token, &instance, seq).await == true {
        assert!(
            std::time::Instant::now() < deadline,
            "the ring holds five changes, and is left"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_leaves_a_filter_is_taken_away() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    for n in 0..3 {
        world.status(row(
            &onu(n),
            if n == 0 { "offline" } else { "online" },
            u64::from(n) + 1,
        ));
    }
    world.shows(&token, &onu(2), "online").await;
    let listening = world.listen().await;
    let (mut socket, _) = Socket::open(listening.address, &token, None).await;
    let frame =
        json!({ "type": "subscribe", "id": "p", "topic": "children", "entity": PON, "filter": { "state": "offline" } });
    let items = socket.subscribe(frame).await;
    assert_eq!(
        items.iter().map(|i| i["entity"].as_str().unwrap()).collect::<Vec<_>>(),
        [onu(0)]
    );
    world.event(row(&onu(0), "online", 10), "back");
    let items = socket.until(|i| i["entity"] == onu(0).as_str()).await;
    assert!(items.contains(&json!({ "type": "removed", "entity": onu(0) })));
    world.append(
        Topic::DeviceStatus,
        &onu(1),
        None,
        Some(id_of(&row(&onu(1), "online", 20), 1)),
    );
    let items = socket.until(|i| i["entity"] == onu(1).as_str()).await;
    assert_eq!(items.last().unwrap(), &json!({ "type": "removed", "entity": onu(1) }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_has_after_deltas_is_what_a_snapshot_gives() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    world.status(row(&onu(0), "online", 1));
    world.shows(&token, &onu(0), "online").await;
    let listening = world.listen().await;
    let (mut socket, _) = Socket::open(listening.address, &token, None).await;
    let key = |i: &Value| format!("{}{}{}", i["type"], i["entity"], i["site"]);
    let mut have = std::collections::BTreeMap::new();
    for frame in [
        json!({ "type": "subscribe", "id": "t", "topic": "tree" }),
        json!({ "type": "subscribe", "id": "p", "topic": "children", "entity": PON }),
    ] {
        have.extend(socket.subscribe(frame).await.into_iter().map(|i| (key(&i), i)));
    }
    socket
        .subscribe(json!({ "type": "subscribe", "id": "e", "topic": "events" }))
        .await;
    for n in 2..300_u64 {
        let entity = match n % 7 {
            0 => PON.to_owned(),
            1 => "default/olt/rjo-01/board/0/3".to_owned(),
            _ => onu(u32::try_from(n * 31 % 16).unwrap()),
        };
        let states = model::State::allowed(entity.parse_kind());
        let status = row(&entity, states[usize::try_from(n).unwrap() % states.len()].as_str(), n);
        if n % 3 == 0 {
            world.event(status, "change")
        } else {
            world.status(status)
        }
    }
    world.event(row(&onu(0), "online", 1_000), "the end");
    let items = socket.until(|i| i["event"] == "the end").await;
    for item in items.into_iter().filter(|i| i["type"] != "event") {
        have.insert(key(&item), item);
    }
    for (id, mut frame) in [
        ("t2", json!({ "type": "subscribe", "topic": "tree" })),
        ("p2", json!({ "type": "subscribe", "topic": "children", "entity": PON })),
    ] {
        frame["id"] = json!(id);
        for item in socket.subscribe(frame).await {
            assert_eq!(have.get(&key(&item)), Some(&item));
        }
    }
}

trait ParseKind {
    fn parse_kind(&self) -> model::Kind;
}

impl ParseKind for String {
    fn parse_kind(&self) -> model::Kind {
        model::EntityId::parse(self).unwrap().kind()
    }
}

#[tokio::test]
async fn thirty_five_thousand_entities_are_there_in_a_moment() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let mut written = 0;
    for board in 0..17 {
        for port in 0..16 {
            for n in 0..128_u32 {
                let status = row(
                    &format!("default/olt/big/onu/0/{board}/{port}/{n}"),
                    "online",
                    written + 1,
                );
                world.append_soon(status);
                written += 1;
            }
        }
    }
    world
        .producer
        .wait(written, std::time::Instant::now() + support::DEADLINE)
        .unwrap();
    let began = std::time::Instant::now();
    let view = api::LiveView::start(world.log.clone(), "again", RingLimits::default()).unwrap();
    support::eventually("the second view is ready", || view.is_ready()).await;
    println!("{written} entities in {:?}", began.elapsed());
}
