//! The suite. Each test names its partition after itself.

use std::collections::BTreeMap;

use super::Subject;
use super::tables::{EVENT_RETENTION_MS, EVENTS, STATES, event, events, state, states, text};
use crate::kit::RowsHash;
use crate::{Row, Scan, Store, StoreError, Value};

async fn rows(store: &dyn Store, scan: Scan) -> Vec<Row> {
    store.scan(scan).await.unwrap().rows
}

async fn one(store: &dyn Store, p: &str) -> Row {
    let mut found = rows(store, states(p)).await;
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// Reads page by page; every page but the last is full.
async fn pages(store: &dyn Store, scan: &Scan, limit: usize) -> Vec<Row> {
    let mut all = Vec::new();
    let mut scan = Scan { limit, ..scan.clone() };
    loop {
        let page = store.scan(scan.clone()).await.unwrap();
        assert!(page.rows.len() <= limit);
        assert!(
            page.next.is_none() || page.rows.len() == limit,
            "a short page has no next one"
        );
        all.extend(page.rows);
        match page.next {
            Some(next) => scan.cursor = Some(next),
            None => return all,
        }
    }
}

fn invalid(result: Result<impl Sized, StoreError>) -> bool {
    matches!(result, Err(StoreError::Invalid { .. }))
}

pub async fn rows_read_back_whole(subject: &mut impl Subject) {
    let store = subject.store();
    let mut row = state("whole", 1, "ação\0\n", 5);
    row.columns[2] = Some(Value::Map(BTreeMap::from([("k".to_owned(), "v".to_owned())])));
    store
        .upsert(vec![row.clone(), state("whole", -1, "", 6)])
        .await
        .unwrap();
    assert_eq!(rows(&*store, states("whole")).await, [state("whole", -1, "", 6), row]);
    assert_eq!(rows(&*store, states("nobody")).await, []);
}

pub async fn the_higher_write_time_stays(subject: &mut impl Subject) {
    let store = subject.store();
    for (wts, expected) in [(10, "10"), (5, "10"), (11, "11"), (10, "11")] {
        store
            .upsert(vec![state("order", 0, &wts.to_string(), wts)])
            .await
            .unwrap();
        assert_eq!(one(&*store, "order").await.columns[0], Some(text(expected)));
    }
    // Within one batch too, whichever stands first.
    let batch = vec![
        state("order", 0, "13", 13),
        state("order", 0, "12", 12),
        state("order", 0, "14", 14),
    ];
    store.upsert(batch).await.unwrap();
    assert_eq!(one(&*store, "order").await, state("order", 0, "14", 14));
}

pub async fn equal_write_times_end_alike_in_any_order(subject: &mut impl Subject) {
    let store = subject.store();
    store
        .upsert(vec![state("tie", 1, "a", 5), state("tie", 2, "b", 5)])
        .await
        .unwrap();
    store
        .upsert(vec![state("tie", 1, "b", 5), state("tie", 2, "a", 5)])
        .await
        .unwrap();
    store
        .upsert(vec![state("tie", 3, "a", 5), state("tie", 3, "b", 5)])
        .await
        .unwrap();
    for row in rows(&*store, states("tie")).await {
        assert_eq!(row.columns[0], Some(text("b")), "the larger value, in every order");
    }
}

pub async fn a_newer_row_unsets_what_it_does_not_say(subject: &mut impl Subject) {
    let store = subject.store();
    let mut newer = state("unset", 0, "x", 2);
    newer.columns = vec![None, None, None];
    store.upsert(vec![state("unset", 0, "old", 1)]).await.unwrap();
    store.upsert(vec![newer.clone()]).await.unwrap();
    assert_eq!(one(&*store, "unset").await, newer);
}

pub async fn a_partial_row_is_refused(subject: &mut impl Subject) {
    let store = subject.store();
    let mut partial = state("partial", 0, "x", 1);
    partial.columns.pop();
    // The whole call is refused: nothing of it is written.
    assert!(invalid(
        store.upsert(vec![state("partial", 1, "y", 1), partial.clone()]).await
    ));
    assert!(invalid(store.put_if(partial, None).await));
    assert_eq!(rows(&*store, states("partial")).await, []);
}

pub async fn a_row_that_does_not_fit_is_refused(subject: &mut impl Subject) {
    let store = subject.store();
    let changed = |change: fn(&mut Row)| {
        let mut row = state("fit", 0, "x", 1);
        change(&mut row);
        row
    };
    for row in [
        changed(|r| r.columns[0] = Some(Value::Int(1))),
        changed(|r| r.key[1] = text("1")),
        changed(|r| r.key.truncate(1)),
        changed(|r| r.key[0] = text("")),
        changed(|r| r.key.push(Value::Int(1))),
        changed(|r| r.columns[0] = Some(text(&"x".repeat(2 << 20)))),
        changed(|r| r.key[0] = text(&"x".repeat(70_000))),
        Row {
            expires_at_ms: None,
            ..event("fit", 1, 1)
        },
    ] {
        assert!(invalid(store.upsert(vec![row]).await));
    }
    assert!(invalid(
        store
            .scan(Scan {
                partition: vec![],
                ..states("fit")
            })
            .await
    ));
    assert!(invalid(
        store
            .scan(Scan {
                prefix: vec![text("1")],
                ..states("fit")
            })
            .await
    ));
    assert_eq!(rows(&*store, states("")).await, [], "nothing can be there");
    assert!(invalid(store.delete(&STATES, vec![text("fit")], 1).await));
    assert!(invalid(store.delete(&EVENTS, event("fit", 1, 1).key, 1).await));
}

pub async fn two_events_of_one_moment_are_two_rows(subject: &mut impl Subject) {
    let store = subject.store();
    let at = subject.now_ms();
    let both = vec![event("moment", at, 1), event("moment", at, 2)];
    store.upsert(both.clone()).await.unwrap();
    store.upsert(both.clone()).await.unwrap();
    assert_eq!(
        rows(&*store, events("moment")).await,
        [both[1].clone(), both[0].clone()]
    );
}

pub async fn rows_end_at_their_time(subject: &mut impl Subject) {
    let store = subject.store();
    let now = subject.now_ms();
    let ending = |n, ms| Row {
        expires_at_ms: Some(now + ms),
        ..state("ttl", n, "x", 1)
    };
    store
        .upsert(vec![ending(1, 2_000), ending(2, 60_000), state("ttl", 3, "x", 1)])
        .await
        .unwrap();
    assert_eq!(rows(&*store, states("ttl")).await.len(), 3);
    subject.pass(2_500).await;
    assert_eq!(
        rows(&*store, states("ttl")).await,
        [ending(2, 60_000), state("ttl", 3, "x", 1)]
    );
    // What has ended is as if it were not there.
    assert!(store.put_if(state("ttl", 1, "new", 2), None).await.unwrap());
}

pub async fn late_rows_end_with_their_time(subject: &mut impl Subject) {
    let store = subject.store();
    let now = subject.now_ms();
    let late = event("late", now - EVENT_RETENTION_MS + 2_000, 1);
    let too_late = event("late", now - EVENT_RETENTION_MS - 1, 2);
    store
        .upsert(vec![event("late", now, 3), late.clone(), too_late])
        .await
        .unwrap();
    assert_eq!(rows(&*store, events("late")).await, [event("late", now, 3), late]);
    subject.pass(2_500).await;
    assert_eq!(rows(&*store, events("late")).await, [event("late", now, 3)]);
}

/// Rows over more than a year's worth of places, so that an engine with windows has to merge them.
async fn many_events(subject: &impl Subject, p: &str) -> Vec<Row> {
    let now = subject.now_ms();
    let mut all: Vec<Row> = (0..10)
        .flat_map(|i| [event(p, now - i * 5_000_000, 1), event(p, now + i * 900_000_000, 2)])
        .collect();
    subject.store().upsert(all.clone()).await.unwrap();
    all.sort_by_key(|r| match (&r.key[2], &r.key[3]) {
        (Value::Timestamp(at), Value::Blob(id)) => std::cmp::Reverse((*at, id.clone())),
        _ => unreachable!("an event's key"),
    });
    all
}

pub async fn newest_first_pages_resume(subject: &mut impl Subject) {
    let expected = many_events(subject, "pages").await;
    for limit in [1, 3, 7, 20, 100] {
        assert_eq!(pages(&*subject.store(), &events("pages"), limit).await, expected);
    }
}

pub async fn backwards_pages_resume(subject: &mut impl Subject) {
    let mut expected = many_events(subject, "backwards").await;
    expected.reverse();
    let scan = Scan {
        reverse: true,
        ..events("backwards")
    };
    for limit in [1, 3, 7, 20, 100] {
        assert_eq!(pages(&*subject.store(), &scan, limit).await, expected);
    }
}

pub async fn a_prefix_reads_a_part(subject: &mut impl Subject) {
    let store = subject.store();
    let at = subject.now_ms();
    let all = [
        event("prefix", at, 1),
        event("prefix", at, 2),
        event("prefix", at + 1, 1),
        event("prefix", at - 1, 1),
    ];
    store.upsert(all.to_vec()).await.unwrap();
    let scan = Scan {
        prefix: vec![Value::Timestamp(at)],
        ..events("prefix")
    };
    assert_eq!(pages(&*store, &scan, 1).await, [all[1].clone(), all[0].clone()]);
    let whole = Scan {
        prefix: vec![Value::Timestamp(at), Value::Blob(vec![1])],
        ..events("prefix")
    };
    assert_eq!(rows(&*store, whole).await, [all[0].clone()]);
}

pub async fn partitions_do_not_run_into_each_other(subject: &mut impl Subject) {
    let store = subject.store();
    let names = ["run", "run\0", "run\0\u{1}", "run/", "ru", "rum"];
    store
        .upsert(names.iter().map(|p| state(p, 0, p, 1)).collect())
        .await
        .unwrap();
    for p in names {
        assert_eq!(one(&*store, p).await, state(p, 0, p, 1));
    }
}

pub async fn a_cursor_of_another_query_is_refused(subject: &mut impl Subject) {
    let store = subject.store();
    let all = (0..5)
        .flat_map(|n| [state("cursor", n, "x", 1), state("other", n, "x", 1)])
        .collect();
    store.upsert(all).await.unwrap();
    let cursor = store
        .scan(Scan {
            limit: 2,
            ..states("cursor")
        })
        .await
        .unwrap()
        .next
        .unwrap();
    let mut longer = cursor.clone();
    longer.extend_from_slice(&[0xFF; 70_000]);
    for scan in [
        Scan {
            cursor: Some(cursor.clone()),
            ..states("other")
        },
        Scan {
            cursor: Some(cursor.clone()),
            reverse: true,
            ..states("cursor")
        },
        Scan {
            cursor: Some(cursor.clone()),
            ..events("cursor")
        },
        Scan {
            cursor: Some(cursor.clone()),
            prefix: vec![Value::Int(3)],
            ..states("cursor")
        },
        Scan {
            cursor: Some(vec![]),
            ..states("cursor")
        },
        Scan {
            cursor: Some(b"nonsense".to_vec()),
            ..states("cursor")
        },
        Scan {
            cursor: Some(longer),
            ..states("cursor")
        },
    ] {
        assert!(
            matches!(store.scan(scan.clone()).await, Err(StoreError::BadCursor)),
            "{scan:?}"
        );
    }
    // A cursor cut or bent may be refused or may lead elsewhere in its partition, never out of it.
    for i in 0..cursor.len() {
        let mut bent = cursor.clone();
        bent[i] ^= 0x10;
        for damaged in [cursor[..i].to_vec(), bent] {
            if let Ok(page) = store
                .scan(Scan {
                    cursor: Some(damaged),
                    ..states("cursor")
                })
                .await
            {
                assert!(page.rows.iter().all(|r| r.key[0] == text("cursor")));
            }
        }
    }
}

pub async fn a_cursor_survives_what_it_stood_on(subject: &mut impl Subject) {
    let store = subject.store();
    store
        .upsert((0..6).map(|n| state("gone", n, "x", 1)).collect())
        .await
        .unwrap();
    let page = store
        .scan(Scan {
            limit: 3,
            ..states("gone")
        })
        .await
        .unwrap();
    store.delete(&STATES, page.rows[2].key.clone(), 1).await.unwrap();
    drop(store);
    subject.reopen().await;
    let store = subject.store();
    let rest = rows(
        &*store,
        Scan {
            cursor: page.next,
            ..states("gone")
        },
    )
    .await;
    assert_eq!(rest, [3, 4, 5].map(|n| state("gone", n, "x", 1)));
}

pub async fn a_deletion_stays(subject: &mut impl Subject) {
    let store = subject.store();
    let key = state("deleted", 0, "x", 0).key;
    store.upsert(vec![state("deleted", 0, "x", 5)]).await.unwrap();
    store.delete(&STATES, key.clone(), 7).await.unwrap();
    // What was written before it, or at its time, comes late.
    store
        .upsert(vec![state("deleted", 0, "x", 5), state("deleted", 0, "z", 7)])
        .await
        .unwrap();
    assert_eq!(rows(&*store, states("deleted")).await, []);
    drop(store);
    subject.reopen().await;
    let store = subject.store();
    store.upsert(vec![state("deleted", 0, "x", 6)]).await.unwrap();
    assert_eq!(rows(&*store, states("deleted")).await, []);
    store.upsert(vec![state("deleted", 0, "new", 8)]).await.unwrap();
    assert_eq!(one(&*store, "deleted").await, state("deleted", 0, "new", 8));
    // And a deletion of what is not there yet holds too.
    store.delete(&STATES, state("deleted", 1, "x", 0).key, 7).await.unwrap();
    store.upsert(vec![state("deleted", 1, "x", 6)]).await.unwrap();
    assert_eq!(rows(&*store, states("deleted")).await.len(), 1);
}

pub async fn a_deletion_spares_what_is_newer(subject: &mut impl Subject) {
    let store = subject.store();
    let row = state("spared", 0, "x", 5);
    store.upsert(vec![row.clone()]).await.unwrap();
    store.delete(&STATES, row.key.clone(), 4).await.unwrap();
    assert_eq!(one(&*store, "spared").await, row);
    store.delete(&STATES, row.key.clone(), 5).await.unwrap();
    assert_eq!(rows(&*store, states("spared")).await, []);
}

pub async fn conditional_writes_have_one_winner(subject: &mut impl Subject) {
    let store = subject.store();
    let first = state("if", 0, "first", 1);
    assert!(
        !store.put_if(first.clone(), Some(first.columns.clone())).await.unwrap(),
        "nothing is there yet"
    );
    assert!(store.put_if(first.clone(), None).await.unwrap());
    assert!(
        !store.put_if(state("if", 0, "other", 2), None).await.unwrap(),
        "something is there"
    );
    let attempts = (0..20).map(|i| {
        let (store, expect) = (subject.store(), Some(first.columns.clone()));
        tokio::spawn(async move { store.put_if(state("if", 0, &i.to_string(), 2), expect).await.unwrap() })
    });
    let mut winners = Vec::new();
    for (i, attempt) in attempts.collect::<Vec<_>>().into_iter().enumerate() {
        if attempt.await.unwrap() {
            winners.push(i);
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(one(&*store, "if").await.columns[0], Some(text(&winners[0].to_string())));
    // After a deletion there is nothing.
    store.delete(&STATES, first.key.clone(), i64::MAX - 1).await.unwrap();
    assert!(store.put_if(state("if", 0, "again", 3), None).await.unwrap());
}

pub async fn a_conditional_write_wins_over_any_clock(subject: &mut impl Subject) {
    let store = subject.store();
    let ahead = state("clock", 0, "ahead", 1_000);
    let behind = state("clock", 0, "behind", 1);
    assert!(store.put_if(ahead.clone(), None).await.unwrap());
    assert!(store.put_if(behind.clone(), Some(ahead.columns)).await.unwrap());
    assert_eq!(one(&*store, "clock").await.columns, behind.columns);
}

pub async fn replay_leaves_the_same(subject: &mut impl Subject) {
    let store = subject.store();
    let at = subject.now_ms();
    let mut history: Vec<Row> = (0..200i32)
        .map(|i| state("replay", i % 17, &i.to_string(), i64::from(i)))
        .chain((0..100).map(|i| event("replay", at - i64::from(i / 2), u8::try_from(i % 2).expect("0 or 1"))))
        .collect();
    let tables: &[_] = &[&STATES, &EVENTS];
    store.upsert(history.clone()).await.unwrap();
    let once = store.dump(tables).await.unwrap();
    assert_eq!((once[0].rows, once[1].rows), (17, 100));
    store.upsert(history.clone()).await.unwrap();
    assert_eq!(store.dump(tables).await.unwrap(), once);
    // In another order, in pieces, into an emptied store.
    store.wipe(tables).await.unwrap();
    let empty = store.dump(tables).await.unwrap();
    assert_eq!((empty[0].rows, empty[1].rows), (0, 0));
    history.reverse();
    for piece in history.chunks(7) {
        store.upsert(piece.to_vec()).await.unwrap();
    }
    assert_eq!(store.dump(tables).await.unwrap(), once);
    drop(store);
    subject.reopen().await;
    assert_eq!(subject.store().dump(tables).await.unwrap(), once);
    // The hash sees one write time.
    let mut touched = state("replay", 16, "x", 0);
    touched.columns = rows(&*subject.store(), states("replay")).await[16].columns.clone();
    touched.wts_us = 10_000;
    subject.store().upsert(vec![touched]).await.unwrap();
    assert_ne!(subject.store().dump(tables).await.unwrap()[0].hash, once[0].hash);
}

/// The hash of a dump is of rows, not of an engine's bytes or its order.
pub async fn engines_agree_on_what_a_store_holds(subject: &mut impl Subject) {
    let rows = [
        state("agree", 1, "a", 5),
        state("agree", 2, "", 6),
        state("agreed", 1, "ação\0", 7),
    ];
    let store = subject.store();
    let before = store.dump(&[&STATES]).await.unwrap().remove(0);
    store.upsert(rows.to_vec()).await.unwrap();
    let after = store.dump(&[&STATES]).await.unwrap().remove(0);
    let mut expected = RowsHash::starting_from(&before);
    rows.iter().for_each(|row| expected.add(row));
    assert_eq!(after, expected.dump(&STATES));
}

pub async fn acknowledged_rows_survive_a_restart(subject: &mut impl Subject) {
    for n in 0..3 {
        subject
            .store()
            .upsert(vec![
                state("restart", n, "x", 1),
                event("restart", subject.now_ms(), u8::try_from(n).expect("small")),
            ])
            .await
            .unwrap();
        subject.reopen().await;
        let found = rows(&*subject.store(), states("restart")).await.len();
        assert_eq!(found, usize::try_from(n).expect("small") + 1);
        assert_eq!(rows(&*subject.store(), events("restart")).await.len(), found);
    }
}

pub async fn the_store_is_healthy(subject: &mut impl Subject) {
    subject.store().health().await.unwrap();
}
