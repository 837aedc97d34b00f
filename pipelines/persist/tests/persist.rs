//! Persist over a log in memory and a real store.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::{Failing, Feed, Hanging, ROOT, caught_up, dump, life, onu, open, serial, start, stop, until};
use log::{Log, MemoryLog, Start};
use model::EntityId;
use schemas::AnyRecord;
use store::rows::{GroupKind, year_of};
use store::{Store, queries};
use topology::Topic;

const PARTITIONS: u32 = 4;

struct Setup {
    log: Arc<dyn Log>,
    store: Arc<dyn Store>,
    _folder: tempfile::TempDir,
}

fn setup() -> Setup {
    let folder = tempfile::tempdir().unwrap();
    Setup {
        log: MemoryLog::new(PARTITIONS),
        store: open(folder.path()),
        _folder: folder,
    }
}

fn entity(text: &str) -> EntityId {
    EntityId::parse(text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_topic_becomes_its_rows() {
    let s = setup();
    life(&Feed::new(&s.log), 10);
    let handle = start(&s.log, &s.store, 2);
    caught_up(&s.log).await;
    until(|| handle.status().lag() == Some(0)).await;
    assert_eq!(
        (handle.status().last_error(), handle.status().is_running()),
        (None, true)
    );

    let status = queries::status(&*s.store, &entity(&onu(5))).await.unwrap().unwrap();
    assert_eq!(status.state, "offline");
    let pon = format!("{ROOT}/pon/0/1/0");
    let group = queries::status_by_group(&*s.store, &pon, 100, None).await.unwrap();
    assert_eq!(group.rows.len(), 9, "ten, and one removed");
    assert_eq!(group.rows[5].entity, entity(&onu(6)));
    let year = year_of(common::base().millis());
    let events = queries::events(&*s.store, &entity(&onu(5)), 2000..=year, 2, None)
        .await
        .unwrap();
    let states: Vec<_> = events.rows.iter().map(|e| e.state.clone().unwrap()).collect();
    assert_eq!(states, ["offline", "online"]);
    let rest = queries::events(&*s.store, &entity(&onu(5)), 2000..=year, 2, events.next.as_deref())
        .await
        .unwrap();
    assert_eq!((rest.rows.len(), rest.next), (1, None));
    let sites = queries::groups(&*s.store, GroupKind::Site).await.unwrap();
    assert_eq!(
        sites.iter().map(|g| g.name.as_deref()).collect::<Vec<_>>(),
        [Some("RJO")]
    );
    assert_eq!(queries::groups(&*s.store, GroupKind::Olt).await.unwrap().len(), 1);
    stop(handle).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_polls_add_to_a_status_is_in_its_row() {
    let s = setup();
    let feed = Feed::new(&s.log);
    let mut row = common::status(&onu(1), "online", 1);
    row.optics = Some(schemas::OnuOptics {
        rx_dbm: Some(-24.68),
        tx_dbm: Some(2.25),
        olt_rx_dbm: None,
        temperature_c: Some(38.0),
        voltage_v: None,
        bias_ma: None,
        distance_m: Some(1_807),
        observed_at: row.observed_at,
    });
    feed.put(Topic::DeviceStatus, &onu(1), 1, row);
    let mut olt = common::status(ROOT, "unreachable", 2);
    olt.poll = Some(schemas::PollHealth {
        last_good_at: Some(common::base()),
        took_ms: Some(3_000),
        failing_since: Some(common::base().plus(1)),
        class: Some("timeout".into()),
        detail: Some("no answer within 10 s".into()),
        in_a_row: 3,
        firmware: Some("MA5800V100R018C00 SPH505".into()),
        security: None,
        legacy: true,
        rows_refused: 1,
        pending: None,
    });
    feed.put(Topic::DeviceStatus, ROOT, 2, olt.clone());
    let handle = start(&s.log, &s.store, 1);
    caught_up(&s.log).await;
    let read = async |text: &str| queries::status(&*s.store, &entity(text)).await.unwrap().unwrap();
    let optics = read(&onu(1)).await.optics.unwrap();
    assert_eq!(
        (optics.rx_dbm, optics.olt_rx_dbm, optics.distance_m),
        (Some(-24.68), None, Some(1_807))
    );
    let poll = read(ROOT).await.poll.unwrap();
    let wire = olt.poll.unwrap();
    assert_eq!(
        (poll.class, poll.detail, poll.firmware),
        (wire.class, wire.detail, wire.firmware)
    );
    assert_eq!(
        (poll.last_good_at, poll.failing_since),
        (wire.last_good_at, wire.failing_since)
    );
    assert_eq!(
        (poll.took_ms, poll.in_a_row, poll.legacy, poll.rows_refused),
        (Some(3_000), 3, true, 1)
    );
    // Rows are whole: one without levels keeps none of the one before.
    feed.status(&onu(1), "online", 3);
    caught_up(&s.log).await;
    assert_eq!(read(&onu(1)).await.optics, None);
    stop(handle).await;
}

/// Serials follow the entities that carry them: no row of an earlier serial stays, a swap is a swap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serials_move_with_their_entities() {
    let s = setup();
    life(&Feed::new(&s.log), 10);
    let handle = start(&s.log, &s.store, 1);
    caught_up(&s.log).await;
    let places = async |n: u16| {
        let key = store::rows::SerialRow::key_form(&serial(n));
        let found = queries::sightings(&*s.store, "default", &key).await.unwrap();
        found
            .into_iter()
            .map(|r| r.entity.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(places(0).await, [onu(1)]);
    assert_eq!(places(1).await, [onu(0)]);
    assert_eq!(places(2).await, [""; 0], "replaced");
    assert_eq!(places(1_000).await, [onu(2)]);
    assert_eq!(places(3).await, [""; 0], "removed");
    assert_eq!(places(4).await, [onu(4)], "returned");
    assert_eq!(queries::status(&*s.store, &entity(&onu(3))).await.unwrap(), None);
    assert_eq!(queries::entity(&*s.store, &entity(&onu(3))).await.unwrap(), None);
    assert_eq!(
        queries::status(&*s.store, &entity(&onu(4)))
            .await
            .unwrap()
            .unwrap()
            .state,
        "online"
    );
    stop(handle).await;
}

/// A tombstone is appended with its commit, after an input that makes the entity again: input positions decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_return_right_behind_a_removal_stays() {
    let s = setup();
    let feed = Feed::new(&s.log);
    feed.entry(&onu(1), Some(serial(1)), 1);
    feed.status(&onu(1), "online", 1);
    let handle = start(&s.log, &s.store, 1);
    caught_up(&s.log).await;
    // Write times of the return are below the tombstones' append times: those are the machine's clock.
    feed.raw(Topic::DeviceStatus, &onu(1), Some(2), None);
    feed.raw(Topic::Inventory, &onu(1), Some(2), None);
    caught_up(&s.log).await;
    feed.entry(&onu(1), Some(serial(1)), 3);
    feed.status(&onu(1), "unknown", 3);
    caught_up(&s.log).await;
    assert_eq!(
        queries::status(&*s.store, &entity(&onu(1)))
            .await
            .unwrap()
            .unwrap()
            .state,
        "unknown"
    );
    assert!(queries::entity(&*s.store, &entity(&onu(1))).await.unwrap().is_some());
    // An older removal that comes again removes nothing.
    feed.raw(Topic::Inventory, &onu(1), Some(2), None);
    caught_up(&s.log).await;
    assert!(queries::entity(&*s.store, &entity(&onu(1))).await.unwrap().is_some());
    stop(handle).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_ledger_the_last_word_of_each_stands() {
    let s = setup();
    let feed = Feed::new(&s.log);
    let handle = start(&s.log, &s.store, 1);
    for (sender, received) in [(None, 10), (Some("192.0.2.1"), 6), (Some("192.0.2.1"), 4), (None, 12)] {
        let key = sender.unwrap_or("main");
        feed.put(Topic::Ledger, key, 1, common::ledger(sender, received));
    }
    caught_up(&s.log).await;
    let read = async |listener| {
        let page = queries::ledger(&*s.store, listener, 10).await.unwrap();
        page.rows.iter().map(|r| (r.received, r.balances())).collect::<Vec<_>>()
    };
    assert_eq!(read(None).await, [(12, true)]);
    assert_eq!(
        read(Some("main")).await,
        [(6, true)],
        "what was said earlier and came later"
    );
    assert_eq!(read(Some("spare")).await, []);
    stop(handle).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_makes_the_same_rows() {
    let s = setup();
    let feed = Feed::new(&s.log);
    life(&feed, 100);
    common::alarms::alarm_life(&feed);
    feed.raw(Topic::DeviceStatus, &onu(1), Some(9_000), Some(b"nonsense".to_vec()));
    let handle = start(&s.log, &s.store, 2);
    caught_up(&s.log).await;
    stop(handle).await;
    let before = dump(&*s.store).await;
    assert!(before.iter().all(|table| table.rows > 0), "{before:?}");
    let users = vec![store::rows::UserRow {
        name: "admin".into(),
        tenant: "default".into(),
        role: "admin".into(),
        password_hash: "x".into(),
        enabled: true,
        created_at: common::base(),
        updated_at: common::base(),
    }];
    assert!(queries::put_user_if(&*s.store, &users[0], None).await.unwrap());

    // A row that no log knows goes; users stay.
    let stray = store::rows::SerialRow {
        tenant: "default".into(),
        serial: "stray".into(),
        entity: entity(&onu(9)),
        since: common::base(),
        wts: common::base(),
    };
    s.store.upsert(vec![stray.to_row()]).await.unwrap();
    assert_ne!(dump(&*s.store).await, before);
    let (log, store, runtime) = (s.log.clone(), s.store.clone(), tokio::runtime::Handle::current());
    let counts = tokio::task::spawn_blocking(move || pipeline_persist::rebuild(log, store, runtime));
    let counts = counts.await.unwrap().unwrap();
    assert_eq!(dump(&*s.store).await, before);
    assert_eq!(queries::users(&*s.store).await.unwrap(), users);
    assert!(counts.records > 300 && counts.rows > counts.records, "{counts:?}");
    assert_eq!(letters(&s.log).len(), 1, "a rebuild repeats no dead letter");
    caught_up(&s.log).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_comes_back_misses_nothing() {
    let s = setup();
    life(&Feed::new(&s.log), 30);
    let expected = {
        let other = setup();
        let handle = start(&s.log, &other.store, 1);
        caught_up(&s.log).await;
        stop(handle).await;
        dump(&*other.store).await
    };
    let again = setup();
    life(&Feed::new(&again.log), 30);
    let failing = Failing::new(again.store.clone(), 5);
    let store: Arc<dyn Store> = failing.clone();
    let handle = start(&again.log, &store, 1);
    until(|| failing.attempts.load(Ordering::SeqCst) >= 2).await;
    caught_up(&again.log).await;
    assert!(failing.attempts.load(Ordering::SeqCst) > 5);
    assert_eq!(handle.status().last_error(), None, "forgotten once it goes on");
    stop(handle).await;
    assert_eq!(dump(&*again.store).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_stays_away_is_said_and_does_not_hold_up_a_stop() {
    let s = setup();
    life(&Feed::new(&s.log), 5);
    let store: Arc<dyn Store> = Failing::new(s.store.clone(), u32::MAX);
    let handle = start(&s.log, &store, 1);
    let status = handle.status();
    until(|| status.last_error().is_some()).await;
    assert_eq!(status.last_error().unwrap(), "store: writing: the store is away");
    let began = Instant::now();
    stop(handle).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(!status.is_running());
    // Nothing was skipped.
    let handle = start(&s.log, &s.store, 1);
    caught_up(&s.log).await;
    assert!(queries::status(&*s.store, &entity(&onu(2))).await.unwrap().is_some());
    stop(handle).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_hangs_does_not_hold_up_a_stop() {
    let s = setup();
    life(&Feed::new(&s.log), 5);
    let store: Arc<dyn Store> = Arc::new(Hanging(s.store.clone()));
    let handle = start(&s.log, &store, 1);
    assert_eq!(handle.status().lag(), None, "nothing is known yet");
    stop(handle).await;
    let committed = s.log.committed(topology::Group::Persist, Topic::DeviceStatus).unwrap();
    assert!(committed.iter().all(Option::is_none), "no position without its rows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_handle_ends_its_threads() {
    let s = setup();
    life(&Feed::new(&s.log), 5);
    let store: Arc<dyn Store> = Failing::new(s.store.clone(), u32::MAX);
    let status = start(&s.log, &store, 2).status();
    until(|| !status.is_running()).await;
    // A log that is closed ends them too.
    let handle = start(&s.log, &s.store, 1);
    caught_up(&s.log).await;
    s.log.close().unwrap();
    until(|| !handle.status().is_running()).await;
    stop(handle).await;
}

fn letters(log: &Arc<dyn Log>) -> Vec<schemas::DeadLetter> {
    let mut tail = log.tail(&[(Topic::DeadLetters, Start::Beginning)]).unwrap();
    let records = tail.poll(1_000, Duration::from_millis(50)).unwrap();
    let decode = |stored: &log::Stored| match log.codec().decode(stored.record.value.as_ref().unwrap()).unwrap() {
        AnyRecord::DeadLetter(letter) => letter,
        other => panic!("{other:?} among the dead letters"),
    };
    records.iter().map(decode).collect()
}

/// Reason, topic, key, input offset, value.
type Poison = (&'static str, Topic, String, Option<u64>, Option<Vec<u8>>);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_row_is_a_dead_letter_and_stops_nothing() {
    let s = setup();
    let feed = Feed::new(&s.log);
    feed.status(&onu(1), "online", 1);
    let whole = s
        .log
        .codec()
        .encode(&common::status(&onu(2), "online", 2).into())
        .unwrap();
    let mut oversized = common::entry(&onu(3), Some("x".repeat(10_000)), 3);
    oversized.site = Some("RJO".into());
    let poison: Vec<Poison> = vec![
        (
            "undecodable",
            Topic::DeviceStatus,
            onu(2),
            Some(2),
            Some(b"nonsense".to_vec()),
        ),
        (
            "undecodable",
            Topic::DeviceStatus,
            onu(2),
            Some(2),
            Some(whole[..whole.len() - 1].to_vec()),
        ),
        ("unexpected_record", Topic::Inventory, onu(2), Some(2), Some(whole)),
        (
            "no_record_id",
            Topic::DeviceEvents,
            onu(2),
            None,
            Some(
                s.log
                    .codec()
                    .encode(&common::event(&onu(2), "online", 2).into())
                    .unwrap(),
            ),
        ),
        ("bad_entity", Topic::DeviceStatus, "somebody".into(), Some(2), None),
        (
            "bad_entity",
            Topic::DeviceStatus,
            "nobody".into(),
            Some(2),
            Some(
                s.log
                    .codec()
                    .encode(&common::status("nobody", "online", 2).into())
                    .unwrap(),
            ),
        ),
        (
            "does_not_fit",
            Topic::Inventory,
            onu(3),
            Some(3),
            Some(s.log.codec().encode(&oversized.into()).unwrap()),
        ),
        ("unexpected_record", Topic::DeviceEvents, onu(2), Some(2), None),
    ];
    for (n, (_, topic, key, offset, value)) in poison.iter().enumerate() {
        // Keys of their own: these topics keep the last record of each. A tombstone's key is what it is about.
        let key = if value.is_some() {
            format!("{key}-{n}")
        } else {
            key.clone()
        };
        feed.raw(*topic, &key, *offset, value.clone());
    }
    feed.status(&onu(4), "online", 4);
    let handle = start(&s.log, &s.store, 1);
    caught_up(&s.log).await;
    for n in [1, 4] {
        assert!(queries::status(&*s.store, &entity(&onu(n))).await.unwrap().is_some());
    }
    let key = |reason: &str, value: &Option<Vec<u8>>| {
        (reason.to_owned(), value.as_ref().map(|v| v[..v.len().min(40)].to_vec()))
    };
    let mut found: Vec<_> = letters(&s.log).iter().map(|l| key(&l.reason, &l.value)).collect();
    let mut expected: Vec<_> = poison
        .iter()
        .map(|(reason, _, _, _, value)| key(reason, value))
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(handle.status().dead_letters(), u64::try_from(poison.len()).unwrap());
    stop(handle).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_an_unknown_schema_waits_and_others_go_on() {
    let s = setup();
    let feed = Feed::new(&s.log);
    feed.status(&onu(1), "online", 1);
    feed.raw(Topic::DeviceStatus, &onu(2), Some(2), Some(vec![0, 0, 0, 99, 99, 1]));
    feed.status(&onu(3), "online", 3);
    feed.event(&onu(3), "online", 3);
    let handle = start(&s.log, &s.store, 1);
    let status = handle.status();
    until(|| {
        status
            .last_error()
            .is_some_and(|e| e.contains("schema id 25443 of device-status"))
    })
    .await;
    let year = year_of(common::base().millis());
    let found = queries::events(&*s.store, &entity(&onu(3)), year..=year, 10, None)
        .await
        .unwrap();
    assert_eq!(found.rows.len(), 1, "the other topic goes on");
    assert!(
        queries::status(&*s.store, &entity(&onu(1))).await.unwrap().is_some(),
        "what came before is written"
    );
    assert_eq!(
        queries::status(&*s.store, &entity(&onu(3))).await.unwrap(),
        None,
        "what came behind waits"
    );
    assert_eq!(letters(&s.log).len(), 0);
    assert!(status.lag().is_some_and(|lag| lag > 0), "what waits is lag");

    // The registry is back: the id turns out to be somebody else's, which is a dead letter and holds up nobody.
    s.log.codec().learn_foreign(25443, "com.example.Order").unwrap();
    until(|| status.last_error().is_none() && status.lag() == Some(0)).await;
    assert!(queries::status(&*s.store, &entity(&onu(3))).await.unwrap().is_some());
    assert_eq!(letters(&s.log).len(), 1);
    stop(handle).await;
}

/// Fast records may come again with the same id and bytes: dropped by the id rule, and one row even without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeats_of_fast_records_are_one_row() {
    let s = setup();
    let feed = Feed::new(&s.log);
    let handle = start(&s.log, &s.store, 1);
    for offset in [1, 2, 1, 2, 3] {
        feed.event(&onu(1), "online", offset);
    }
    caught_up(&s.log).await;
    stop(handle).await;
    let handle = start(&s.log, &s.store, 1);
    feed.event(&onu(1), "online", 3);
    caught_up(&s.log).await;
    let year = year_of(common::base().millis());
    let found = queries::events(&*s.store, &entity(&onu(1)), year..=year, 10, None)
        .await
        .unwrap();
    assert_eq!(found.rows.len(), 3);
    stop(handle).await;
}

#[test]
fn a_record_gives_the_same_rows_whenever_it_is_read() {
    let log: Arc<dyn Log> = MemoryLog::new(1);
    let feed = Feed::new(&log);
    life(&feed, 5);
    let mut tail = log
        .tail(&[
            (Topic::DeviceEvents, Start::Beginning),
            (Topic::Inventory, Start::Beginning),
        ])
        .unwrap();
    let mut any = 0;
    for stored in tail.poll(1_000, Duration::from_millis(50)).unwrap() {
        let change = || pipeline_persist::change_of(log.codec(), &stored).unwrap();
        let rows = pipeline_persist::rows_of(&change());
        let mut later = stored.clone();
        later.appended_at = later.appended_at.plus(5_000_000);
        let again = pipeline_persist::rows_of(&pipeline_persist::change_of(log.codec(), &later).unwrap());
        assert_eq!(rows, again, "no clock, not even the log's");
        any += rows.len();
    }
    assert!(any > 20);
}
