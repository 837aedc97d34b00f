//! What a client may not do, and what becomes of a slow one.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use api::Role;
use futures_util::{SinkExt, StreamExt};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async};

use crate::support::socket::{Next, Socket};
use crate::support::{KEY, World, event_of, id_of, now, row};

const ONU: &str = "default/olt/rjo-01/onu/0/3/5/17";
const PON: &str = "default/olt/rjo-01/pon/0/3/5";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_token_it_is_closed() {
    let world = World::with(|c| c.limits.ws.auth_within = Duration::from_millis(200))
        .await
        .with_user(Role::Viewer)
        .await;
    let tokens = world.login("viewer").await;
    let listening = world.listen().await;
    let first = async |frame: Option<Value>| {
        let mut socket = Socket::connect(listening.address).await;
        if let Some(frame) = frame {
            socket.say(&frame).await;
        }
        socket.next().await
    };
    let auth = |token: &str| json!({ "type": "auth", "token": token });
    assert_eq!(first(None).await, Next::Closed(4401), "silence");
    assert_eq!(first(Some(json!({ "type": "ping" }))).await, Next::Closed(4401));
    assert_eq!(first(Some(auth("rubbish"))).await, Next::Closed(4401));
    assert_eq!(first(Some(auth(&tokens.refresh))).await, Next::Closed(4401));
    world
        .post("/api/v1/auth/logout", Some(&tokens.access), &json!({}))
        .await;
    assert_eq!(
        first(Some(auth(&tokens.access))).await,
        Next::Closed(4401),
        "after the logout"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_with_its_token() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    let mut claims: Value = jsonwebtoken::dangerous::insecure_decode(&token).unwrap().claims;
    let issued = now().millis() / 1_000 - 3_598;
    (claims["iat"], claims["nbf"], claims["exp"]) = (json!(issued), json!(issued), json!(issued + 3_600));
    let derived =
        jsonwebtoken::crypto::sign(b"access token", &EncodingKey::from_secret(&KEY), Algorithm::HS256).unwrap();
    let header = Header {
        typ: Some("at+jwt".into()),
        ..Header::new(Algorithm::HS256)
    };
    let ending = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(derived.as_bytes())).unwrap();
    let listening = world.listen().await;
    let (mut socket, _) = Socket::open(listening.address, &ending, None).await;
    assert_eq!(socket.next().await, Next::Closed(4401));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_is_wrong_is_answered_and_a_flood_ends_it() {
    let world = World::with(|c| {
        c.limits.ws.subscriptions_max = 2;
        c.limits.ws.messages = (40.0, 1.0);
    })
    .await
    .with_user(Role::Viewer)
    .await;
    let token = world.login("viewer").await.access;
    world.status(row(ONU, "online", 1));
    world.shows(&token, ONU, "online").await;
    let listening = world.listen().await;
    let (mut socket, _) = Socket::open(listening.address, &token, None).await;
    let subscribe = |id: &str, topic: &str| json!({ "type": "subscribe", "id": id, "topic": topic });
    let checks = [
        (json!({ "type": "dance" }), "BAD_REQUEST"),
        (json!([1, 2]), "BAD_REQUEST"),
        (json!({ "type": "auth", "token": token }), "BAD_REQUEST"),
        (subscribe("", "tree"), "BAD_REQUEST"),
        (subscribe(&"x".repeat(65), "tree"), "BAD_REQUEST"),
        (subscribe("a", "forest"), "BAD_REQUEST"),
        (subscribe("a", "entity"), "BAD_REQUEST"),
        (
            json!({ "type": "subscribe", "id": "a", "topic": "entity", "entity": "default/olt/none" }),
            "NOT_FOUND",
        ),
        (
            json!({ "type": "subscribe", "id": "a", "topic": "entity", "entity": "<script>" }),
            "NOT_FOUND",
        ),
        (
            json!({ "type": "subscribe", "id": "a", "topic": "tree", "filter": { "state": "online" } }),
            "BAD_REQUEST",
        ),
        (
            json!({ "type": "subscribe", "id": "a", "topic": "events", "filter": { "state": "purple" } }),
            "BAD_REQUEST",
        ),
    ];
    for (frame, code) in checks {
        socket.say(&frame).await;
        let answer = socket.frame().await;
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!(code)),
            "{frame}"
        );
    }
    socket.subscribe(subscribe("a", "tree")).await;
    socket.subscribe(subscribe("\"<b>\u{7}", "events")).await;
    socket.say(&subscribe("c", "tree")).await;
    assert_eq!(socket.frame().await["code"], "RATE_LIMITED");
    socket.say(&json!({ "type": "unsubscribe", "id": "a" })).await;
    socket.subscribe(subscribe("c", "tree")).await;
    for _ in 0..60 {
        if socket.inner.send(Message::text(r#"{"type":"ping"}"#)).await.is_err() {
            break;
        }
    }
    while matches!(socket.next().await, Next::Frame(_)) {}

    let (mut socket, _) = Socket::open(listening.address, &token, None).await;
    socket.inner.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(socket.next().await, Next::Closed(1003));
    let (mut socket, _) = Socket::open(listening.address, &token, None).await;
    socket.inner.send(Message::text("x".repeat(100_000))).await.unwrap();
    assert!(matches!(socket.next().await, Next::Gone | Next::Closed(_)));
}

/// A client that reads only when told, over a socket that holds little.
async fn lazy_client(address: SocketAddr, token: &str) -> Socket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1_024).unwrap();
    let stream = MaybeTlsStream::Plain(socket.connect(address).await.unwrap());
    let (inner, _): (WebSocketStream<_>, _) = client_async(format!("ws://{address}/ws"), stream).await.unwrap();
    let mut socket = Socket { inner };
    socket.say(&json!({ "type": "auth", "token": token })).await;
    assert_eq!(socket.frame().await["type"], "welcome");
    socket
}

/// Events of some kilobytes each: more than the buffers between two sockets hold.
fn flood(world: &World, from: u64, count: u64) {
    for n in from..from + count {
        let status = row(ONU, if n % 2 == 0 { "online" } else { "offline" }, n);
        let id = id_of(&status, 0);
        let mut event = event_of(status, &format!("e{n}"));
        event.detail = [("note".to_owned(), "x".repeat(8_000))].into();
        world.append(topology::Topic::DeviceEvents, ONU, Some(event.into()), Some(id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_dropped_and_moves_nobody_else() {
    let world = World::with(|c| c.limits.ws.stalled_write = Duration::from_millis(100))
        .await
        .with_user(Role::Viewer)
        .await;
    let token = world.login("viewer").await.access;
    world.status(row(ONU, "online", 1));
    world.shows(&token, ONU, "online").await;
    let listening = world.listen().await;
    let mut lazy = lazy_client(listening.address, &token).await;
    let (mut quick, _) = Socket::open(listening.address, &token, None).await;
    let events = json!({ "type": "subscribe", "id": "e", "topic": "events" });
    lazy.subscribe(events.clone()).await;
    quick.subscribe(events).await;
    let reader = tokio::spawn(async move {
        let items = quick.until(|i| i["event"] == "e1199").await;
        items
            .into_iter()
            .map(|i| i["event"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    });
    let began = Instant::now();
    flood(&world, 200, 1_000);
    assert_eq!(
        reader.await.unwrap(),
        (200..1_200).map(|n| format!("e{n}")).collect::<Vec<_>>()
    );
    assert!(began.elapsed() < Duration::from_secs(8), "the quick one did not wait");
    // Time is what this is about: the lazy one sleeps on, past the limit.
    tokio::time::sleep(Duration::from_millis(500)).await;
    // It wakes up: what was on its way, and why it was dropped.
    loop {
        match lazy.next().await {
            Next::Frame(_) => {}
            end => break assert_eq!(end, Next::Closed(4408)),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_is_told_and_has_the_latest_state() {
    let world = World::with(|c| {
        c.limits.ws.slow_write = Duration::from_millis(50);
        c.limits.ws.slow_events_max = 20;
        c.limits.ws.slow_writes_max = 1_000;
    })
    .await
    .with_user(Role::Viewer)
    .await;
    let token = world.login("viewer").await.access;
    world.status(row(ONU, "online", 1));
    world.shows(&token, ONU, "online").await;
    let listening = world.listen().await;
    let mut slow = lazy_client(listening.address, &token).await;
    slow.subscribe(json!({ "type": "subscribe", "id": "e", "topic": "events" }))
        .await;
    slow.subscribe(json!({ "type": "subscribe", "id": "p", "topic": "children", "entity": PON }))
        .await;
    flood(&world, 200, 1_201);
    world.shows(&token, ONU, "online").await;
    // Its write has been waiting for a while now.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (mut events, mut told, mut state) = (0, 0, Value::Null);
    while events + told < 1_201 {
        let frame = slow.frame().await;
        if frame["type"] == "lagging" {
            told += frame["dropped"].as_u64().unwrap();
        }
        for change in frame["changes"].as_array().into_iter().flatten() {
            match change["item"]["type"].as_str() {
                Some("event") => events += 1,
                _ => state = change["item"].clone(),
            }
        }
    }
    assert!(
        told > 0,
        "all {events} events fitted into the buffers: make the flood larger"
    );
    assert_eq!(events + told, 1_201, "every event was sent or counted");
    assert_eq!(
        (&state["state"], &state["position"]["offset"]),
        (&json!("online"), &json!(1_400))
    );
    slow.inner.close(None).await.unwrap();
    while slow.inner.next().await.is_some_and(|m| m.is_ok()) {}
}
