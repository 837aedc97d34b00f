//! Alarms, incidents, rules and silences in the store.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;

use common::alarms::{alarm, alarm_life, incident, say};
use common::{Feed, ROOT, base, caught_up, dump, onu, open, start, stop};
use log::{Log, MemoryLog};
use model::EntityId;
use store::rows::{ALERT_RULES, AlarmScope, RuleRow, SILENCES, SilenceRow};
use store::{Scan, Store, TableDef, Value, queries};
use topology::Topic;

struct Setup {
    log: Arc<dyn Log>,
    store: Arc<dyn Store>,
    _folder: tempfile::TempDir,
}

fn setup() -> Setup {
    let folder = tempfile::tempdir().unwrap();
    Setup {
        log: MemoryLog::new(4),
        store: open(folder.path()),
        _folder: folder,
    }
}

fn day() -> std::ops::RangeInclusive<i64> {
    let from = base().millis();
    from..=from + 86_400_000
}

async fn versions(store: &dyn Store, table: &'static TableDef, id: &str) -> Vec<store::Row> {
    let scan = Scan {
        table,
        partition: vec![Value::Text("*".into()), Value::Text(id.into())],
        prefix: vec![],
        limit: 100,
        cursor: None,
        reverse: false,
    };
    store.scan(scan).await.unwrap().rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_and_its_history_are_found_by_every_scope() {
    let s = setup();
    let feed = Feed::new(&s.log);
    alarm_life(&feed);
    let handle = start(&s.log, &s.store, 2);
    caught_up(&s.log).await;
    // The topics forget what is over.
    feed.raw(Topic::Alarms, "a-1", Some(20), None);
    feed.raw(Topic::Incidents, "i-1", Some(21), None);
    caught_up(&s.log).await;
    assert!(queries::incident(&*s.store, "i-1").await.unwrap().is_some());

    let cleared = queries::alarm(&*s.store, "a-1").await.unwrap().unwrap();
    let wire = alarm("a-1", &onu(5), "cleared", 3);
    assert_eq!(cleared.condition, "cleared", "a tombstone takes no history away");
    assert_eq!((&cleared.text, cleared.reason.value), (&wire.text, wire.reason.value));
    assert_eq!(cleared.reason.observed_at, wire.reason.observed_at);
    assert_eq!(
        (cleared.comments[0].text.as_str(), cleared.comments[0].at),
        ("two\nlines", wire.comments[0].at)
    );
    assert_eq!(cleared.raise_position, wire.raise_position.position());
    assert_eq!(queries::alarm(&*s.store, "nobody").await.unwrap(), None);

    let words = async |scope: AlarmScope| {
        let page = queries::alarm_events(&*s.store, &scope, day(), 100, None)
            .await
            .unwrap();
        page.rows.into_iter().map(|r| r.transition).collect::<Vec<_>>()
    };
    let of_five = ["cleared", "acknowledged", "raised"];
    assert_eq!(words(AlarmScope::Alarm("a-1".into())).await, of_five);
    assert_eq!(
        words(AlarmScope::Entity(EntityId::parse(&onu(5)).unwrap())).await,
        of_five
    );
    let everything = ["raised", "cleared", "acknowledged", "raised"];
    assert_eq!(words(AlarmScope::Tenant("default".into())).await, everything);
    assert_eq!(
        words(AlarmScope::Site("default".into(), "RJO".into())).await,
        everything
    );
    assert!(words(AlarmScope::Site("other".into(), "RJO".into())).await.is_empty());
    stop(handle).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_history_join_without_a_gap() {
    let s = setup();
    let feed = Feed::new(&s.log);
    for offset in 0..25 {
        let mut alarm = alarm(&format!("a-{offset}"), &onu(5), "raised", offset);
        // Over 25 days: most spans hold one, and the walk goes on where a page ended.
        alarm.changed_at = alarm.changed_at.plus(-i64::try_from(offset).unwrap() * 86_400_000_000);
        say(&feed, alarm, "raised");
    }
    let handle = start(&s.log, &s.store, 1);
    caught_up(&s.log).await;
    let scope = AlarmScope::Tenant("default".into());
    let between = base().millis() - 200 * 86_400_000..=base().millis() + 86_400_000;
    let (mut cursor, mut found, mut calls) = (None, Vec::new(), 0);
    loop {
        let page = queries::alarm_events(&*s.store, &scope, between.clone(), 4, cursor.as_deref())
            .await
            .unwrap();
        assert!(page.rows.len() <= 4);
        found.extend(page.rows.into_iter().map(|r| r.alarm_id));
        calls += 1;
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(found, (0..25).map(|n| format!("a-{n}")).collect::<Vec<_>>());
    assert!((7..=12).contains(&calls), "empty spans cost no page each: {calls}");
    stop(handle).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incidents_rules_and_silences_read_back_whole() {
    let s = setup();
    alarm_life(&Feed::new(&s.log));
    let handle = start(&s.log, &s.store, 1);
    caught_up(&s.log).await;
    let stored = queries::incident(&*s.store, "i-1").await.unwrap().unwrap();
    let wire = incident("i-1", "closed", 6);
    assert_eq!((stored.state.as_str(), &stored.affected), ("closed", &wire.affected));
    assert_eq!((stored.confidence, stored.pons.len()), (0.93, 0));
    let marks = queries::incidents(&*s.store, "default", day(), 10, None).await.unwrap();
    assert_eq!(
        marks
            .rows
            .iter()
            .map(|m| (m.incident_id.as_str(), m.state.as_str()))
            .collect::<Vec<_>>(),
        [("i-1", "closed")]
    );
    let rules = versions(&*s.store, &ALERT_RULES, "onu-rx-low").await;
    let read: Vec<_> = rules.iter().map(|r| RuleRow::from_row(r).unwrap()).collect();
    assert_eq!(read.iter().map(|r| r.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(read[1].states, ["offline", "absent"]);
    assert_eq!(read[1].flap.unwrap().ceiling, 12_000.0);
    assert_eq!(read[1].scope.entity.as_deref(), Some("default/olt/*"));
    let silences = versions(&*s.store, &SILENCES, "s-1").await;
    let silence = SilenceRow::from_row(&silences[0]).unwrap();
    assert_eq!(
        (silence.silence_id.as_str(), silence.scope.kind.as_deref()),
        ("s-1", Some("onu"))
    );
    stop(handle).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_twice_the_store_is_the_same() {
    let s = setup();
    let feed = Feed::new(&s.log);
    alarm_life(&feed);
    let handle = start(&s.log, &s.store, 1);
    caught_up(&s.log).await;
    stop(handle).await;
    let before = dump(&*s.store).await;
    let (log, store) = (s.log.clone(), s.store.clone());
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || pipeline_persist::rebuild(log, store, runtime))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(dump(&*s.store).await, before);
    assert!(before.iter().filter(|t| t.rows > 0).count() >= 6, "{ROOT}: {before:?}");
}
