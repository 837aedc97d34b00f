//! Row types read back, and questions find what was written.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{EntityId, Micros, Position};
use store::rows::{
    DeviceEventRow, EntityRow, GroupKind, GroupRow, SerialRow, StatusOptics, StatusRow, UserRow, year_of,
};
use store::{FjallStore, Store, StoreError, queries};

fn entity(text: &str) -> EntityId {
    EntityId::parse(text).unwrap()
}

fn onu(n: u16) -> EntityId {
    entity(&format!("default/olt/a/onu/0/1/2/{n}"))
}

/// An instant of the present day in whole milliseconds, as rows keep them.
fn now() -> Micros {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Micros(i64::try_from(now.as_millis()).unwrap() * 1_000)
}

fn position() -> Position {
    Position {
        generation: 2,
        partition: 7,
        offset: 1 << 40,
    }
}

fn status(entity: EntityId, serial: Option<&str>) -> StatusRow {
    StatusRow {
        entity,
        kind: "onu".into(),
        site: Some("RJO".into()),
        parent: None,
        name: Some("ação".into()),
        description: None,
        vendor: Some("huawei".into()),
        model: None,
        serial: serial.map(str::to_owned),
        state: "offline".into(),
        cause: Some("power".into()),
        cause_raw: None,
        since: Micros(1_000),
        observed_at: Micros(2_000),
        received_at: Micros(-3_000),
        first_trap_at: Some(Micros(0)),
        optics: Some(StatusOptics {
            rx_dbm: Some(-24.68),
            tx_dbm: None,
            olt_rx_dbm: None,
            temperature_c: None,
            voltage_v: None,
            bias_ma: None,
            distance_m: Some(1_807),
            observed_at: Micros(2_001),
        }),
        poll: None,
        position: position(),
        wts: Micros(123_456),
    }
}

fn event(at: Micros, id: u8) -> DeviceEventRow {
    DeviceEventRow {
        entity: onu(1),
        at,
        id: vec![id, 0, 255],
        kind: "onu".into(),
        event_type: "DEVICE_DISCONNECTED".into(),
        event: "dying_gasp".into(),
        phase: "RAISE".into(),
        severity: Some("minor".into()),
        trap_oid: Some("1.3.6.1".into()),
        source: Some("trap".into()),
        state: Some("offline".into()),
        previous: Some("online".into()),
        cause: Some("power".into()),
        cause_raw: None,
        serial: None,
        detail: BTreeMap::from([("a".into(), "b".into())]),
        received_at: at,
        position: position(),
    }
}

fn open() -> (tempfile::TempDir, Arc<FjallStore>) {
    let folder = tempfile::tempdir().unwrap();
    let store = FjallStore::open(folder.path()).unwrap();
    (folder, store)
}

#[test]
fn every_row_type_reads_back() {
    let s = status(onu(1), Some("HWTC1234ABCD"));
    assert_eq!(StatusRow::from_row(&s.to_row()).unwrap(), s);
    assert_eq!(StatusRow::from_row(&s.to_group_row()).unwrap(), s);
    let e = event(now(), 1);
    assert_eq!(DeviceEventRow::from_row(&e.to_row()).unwrap(), e);
    let entity = EntityRow {
        entity: onu(1),
        kind: "onu".into(),
        site: None,
        parent: Some("p".into()),
        name: None,
        description: Some("d".into()),
        vendor: None,
        model: Some("m".into()),
        serial: None,
        address: Some("192.0.2.1".into()),
        attributes: BTreeMap::from([("k".into(), "v".into())]),
        origin: "import".into(),
        installed_at: None,
        seen_at: Micros(5_000),
        serial_since: Some(Micros(6_000)),
        position: position(),
        wts: Micros(7),
    };
    assert_eq!(EntityRow::from_row(&entity.to_row()).unwrap(), entity);
    let group = GroupRow {
        kind: GroupKind::Pon,
        read_group: "default/olt/a/pon/0/1/2".into(),
        name: None,
        parent: Some("default/olt/a/board/0/1".into()),
        attributes: BTreeMap::new(),
        wts: Micros(9),
    };
    assert_eq!(GroupRow::from_row(&group.to_row()).unwrap(), group);
    for row in [
        s.to_row(),
        s.to_group_row(),
        e.to_row(),
        entity.to_row(),
        group.to_row(),
    ] {
        store::check_row(&row).unwrap();
    }
    // A row of another table, or one that lacks what it must have.
    assert!(GroupRow::from_row(&s.to_row()).is_err());
    let mut damaged = s.to_row();
    damaged.columns[8] = None;
    assert!(StatusRow::from_row(&damaged).unwrap_err().to_string().contains("state"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_walk_back_over_the_years() {
    let (_folder, store) = open();
    let newest = now().millis();
    // About three weeks apart, back over one new year at least, all within what is kept.
    let all: Vec<_> = (0..17)
        .map(|i| event(Micros((newest - i * 21 * 86_400_000) * 1_000), 1))
        .collect();
    store
        .upsert(all.iter().map(DeviceEventRow::to_row).collect())
        .await
        .unwrap();
    let year = year_of(newest);
    for limit in [1, 2, 5, 17, 100] {
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let page = queries::events(&*store, &onu(1), year - 3..=year, limit, cursor.as_deref())
                .await
                .unwrap();
            found.extend(page.rows);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, all, "by {limit}");
    }
    for bad in [&b""[..], b"abc", &[0x7F, 0, 0, 0], &(year - 1).to_be_bytes()[..3]] {
        let refused = queries::events(&*store, &onu(1), year - 3..=year, 5, Some(bad)).await;
        assert!(matches!(refused, Err(StoreError::BadCursor)), "{bad:?}");
    }
    let first = queries::events(&*store, &onu(1), year - 3..=year, 2, None)
        .await
        .unwrap();
    let other = queries::events(&*store, &onu(2), year - 3..=year, 2, first.next.as_deref()).await;
    assert!(
        matches!(other, Err(StoreError::BadCursor)),
        "a cursor of another entity"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pon_is_read_page_by_page() {
    let (_folder, store) = open();
    let rows: Vec<_> = (0..25).map(|n| status(onu(n), None)).collect();
    store
        .upsert(rows.iter().map(StatusRow::to_group_row).collect())
        .await
        .unwrap();
    let pon = "default/olt/a/pon/0/1/2";
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = queries::status_by_group(&*store, pon, 10, cursor.as_deref())
            .await
            .unwrap();
        found.extend(page.rows.into_iter().map(|r| r.entity));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let mut expected: Vec<_> = rows.into_iter().map(|r| r.entity).collect();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(
        queries::status(&*store, &onu(1)).await.unwrap(),
        None,
        "the other table"
    );
}

/// After a move both places stand in the index: the one whose status carries the serial is right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_leads_to_who_carries_it() {
    let (_folder, store) = open();
    let serial = "HWTC1234ABCD";
    let sighting = |entity: EntityId, since: i64| SerialRow {
        tenant: "default".into(),
        serial: SerialRow::key_form(serial),
        entity,
        since: Micros(since),
        wts: Micros(since),
    };
    store
        .upsert(vec![sighting(onu(1), 1_000).to_row(), sighting(onu(2), 2_000).to_row()])
        .await
        .unwrap();
    let find = async |text: &str| queries::entity_by_serial(&*store, "default", text).await.unwrap();
    assert_eq!(find(serial).await, None, "nobody confirms it");
    store.upsert(vec![status(onu(1), Some(serial)).to_row()]).await.unwrap();
    assert_eq!(find(serial).await, Some(onu(1)));
    store
        .upsert(vec![status(onu(2), Some("hwtc-1234abcd")).to_row()])
        .await
        .unwrap();
    for form in [serial, "485754431234abcd", " hwtc-1234ABCD "] {
        assert_eq!(find(form).await, Some(onu(2)), "the last sighting of two that confirm");
    }
    assert_eq!(queries::entity_by_serial(&*store, "other", serial).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_change_one_at_a_time() {
    let (_folder, store) = open();
    let user = |name: &str, hash: &str| UserRow {
        name: name.into(),
        tenant: "default".into(),
        role: "viewer".into(),
        password_hash: hash.into(),
        enabled: true,
        created_at: Micros(1_000),
        updated_at: Micros(1_000),
    };
    let (first, changed) = (user("ana", "one"), user("ana", "two"));
    assert!(queries::put_user_if(&*store, &first, None).await.unwrap());
    assert!(!queries::put_user_if(&*store, &changed, None).await.unwrap());
    assert!(queries::put_user_if(&*store, &user("bia", "x"), None).await.unwrap());
    assert!(queries::put_user_if(&*store, &changed, Some(&first)).await.unwrap());
    assert!(!queries::put_user_if(&*store, &first, Some(&first)).await.unwrap());
    assert_eq!(queries::user(&*store, "ana").await.unwrap(), Some(changed.clone()));
    assert_eq!(
        queries::users(&*store).await.unwrap(),
        [changed.clone(), user("bia", "x")]
    );
    assert!(!format!("{changed:?}").contains("two"), "a hash is not printed");
}
