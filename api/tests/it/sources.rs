//! The ledger as the API tells it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use model::Micros;
use serde_json::json;
use store::rows::{LedgerEntryRow, LedgerOf};

use crate::support::{World, now};

fn entry(of: LedgerOf, writer: &str, at: Micros) -> LedgerEntryRow {
    LedgerEntryRow {
        of,
        writer: writer.into(),
        root: None,
        at,
        received: 100,
        accepted: 97,
        recovered: 0,
        acknowledged: 97,
        waiting: 0,
        over_limit: 1,
        kernel_drops: 0,
        dropped: BTreeMap::new(),
        refused: BTreeMap::from([("community".into(), 2)]),
        undecodable: BTreeMap::new(),
        first_at: Some(at),
        last_at: Some(at),
        lost_first_at: None,
        lost_last_at: None,
    }
}

fn listener(name: &str) -> LedgerOf {
    LedgerOf::Listener(name.into())
}

fn sender(listener: &str, sender: &str) -> LedgerOf {
    LedgerOf::Sender {
        listener: listener.into(),
        sender: sender.into(),
    }
}

/// A listener and a sender that heard something just now.
pub fn rows() -> Vec<store::Row> {
    let of = [listener("main"), sender("main", "192.0.2.1")];
    of.map(|of| entry(of, "run", now()).to_row()).into()
}

#[tokio::test]
async fn every_listener_and_sender_has_its_equation() {
    let world = World::new().await.with_users().await;
    let (old, at) = (Micros(now().0 - 3_600_000_000), now());
    let mut losing = entry(listener("main"), "run-2", at);
    (losing.kernel_drops, losing.lost_first_at, losing.lost_last_at) = (12, Some(Micros(0)), Some(Micros(60_000_000)));
    let mut device = entry(sender("main", "192.0.2.1"), "run-2", at);
    (device.root, device.over_limit, device.received) = (Some("default/olt/rjo-01".into()), 0, 99);
    let rows = [
        entry(listener("main"), "run-1", old),
        losing,
        entry(sender("main", "192.0.2.9"), "run-1", old),
        device,
        entry(listener("spare"), "run-0", old),
    ];
    world
        .store
        .upsert(rows.iter().map(LedgerEntryRow::to_row).collect())
        .await
        .unwrap();

    let token = world.login("viewer").await.access;
    let answer = world.get("/api/v1/sources", Some(&token)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let items = answer.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{}", answer.text);
    let main = &items[0];
    assert_eq!(
        (&main["listener"], &main["current"], &main["account"]["run"]),
        (&json!("main"), &json!(true), &json!("run-2"))
    );
    assert_eq!(
        (
            &main["account"]["lost"],
            &main["account"]["balances"],
            &main["account"]["verdict"]
        ),
        (
            &json!(12),
            &json!(true),
            &json!("12 lost between 1970-01-01T00:00:00.000Z and 1970-01-01T00:01:00.000Z")
        )
    );
    assert_eq!(
        main["account"]["equation"],
        "100 received = 0 undecodable + 2 refused + 1 over limit + 97 accepted; 97 accepted = 97 in the log + 0 waiting + 0 dropped"
    );
    let senders = main["senders"].as_array().unwrap();
    assert_eq!(senders.len(), 1, "of this run alone");
    assert_eq!(
        (
            &senders[0]["sender"],
            &senders[0]["root"],
            &senders[0]["account"]["verdict"]
        ),
        (&json!("192.0.2.1"), &json!("default/olt/rjo-01"), &json!("complete"))
    );
    assert_eq!(
        (&items[1]["listener"], &items[1]["current"]),
        (&json!("spare"), &json!(false))
    );

    let one = world.get("/api/v1/sources?listener=spare&limit=1", Some(&token)).await;
    assert_eq!(one.body["items"].as_array().unwrap().len(), 1);
    let wrong = world.get("/api/v1/sources?limit=0", Some(&token)).await;
    assert_eq!((wrong.status, wrong.code()), (StatusCode::BAD_REQUEST, "BAD_REQUEST"));
    let stranger = world.login("stranger").await.access;
    let none = world.get("/api/v1/sources", Some(&stranger)).await;
    assert_eq!(none.body["items"], json!([]), "another tenant sees no listener of ours");
}
