//! A publisher over a log that fails on cue: order kept, nothing lost, writer ids kept, every fate told.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Count, FakeLog, Script};
use connector_kit::{Deadline, DropReason, OnDurable, Outgoing, Publisher, PublisherConfig};
use model::Micros;
use schemas::{Codec, SourceHeartbeat};
use topology::Topic;

fn publisher(script: Script, config: PublisherConfig) -> (Publisher<usize>, Arc<Mutex<Script>>) {
    let script = Arc::new(Mutex::new(script));
    let log = Arc::new(FakeLog {
        script: script.clone(),
        codec: Arc::new(Codec::standalone()),
    });
    (Publisher::new(log, config), script)
}

fn send(publisher: &mut Publisher<usize>, n: usize, durable: Option<Arc<dyn OnDurable>>) -> Result<(), DropReason> {
    let root = format!("default/olt/a-{}", n % 7);
    let record = SourceHeartbeat {
        root: root.clone(),
        connector: "test".into(),
        sent_at: Micros(0),
    };
    let out = Outgoing {
        topic: Topic::Observations,
        key: &root,
        record: record.into(),
    };
    publisher.publish(out, n, durable).map_err(|(ticket, reason)| {
        assert_eq!(ticket, n, "the ticket comes back");
        reason
    })
}

/// 200 records through producers that end as scripted: every one lands in order, and each is told of once.
fn check(script: Script) {
    let (mut publisher, script) = publisher(script, PublisherConfig::new("test"));
    let durable = Arc::new(Count::default());
    let mut fates = Vec::new();
    for n in 0..200 {
        send(&mut publisher, n, Some(durable.clone())).unwrap();
        publisher.tend(|ticket, fate| fates.push((ticket, fate)));
    }
    publisher.drain(Deadline::after(Duration::from_secs(10)), |ticket, fate| {
        fates.push((ticket, fate))
    });
    assert_eq!(fates, (0..200).map(|n| (n, Ok(()))).collect::<Vec<_>>());
    assert!(durable.0.load(Ordering::Relaxed) >= 200);

    // The reader's rule: keep the highest sequence of a writer, drop what is not higher. Then all are there, in order.
    let script = script.lock().unwrap();
    let ids: Vec<_> = script
        .landed
        .iter()
        .map(|r| r.headers.writer.clone().unwrap())
        .collect();
    assert!(ids.iter().all(|id| id.writer == publisher.writer()));
    let mut kept: Vec<u64> = Vec::new();
    for id in &ids {
        if kept.last().is_none_or(|last| id.sequence > *last) {
            kept.push(id.sequence);
        }
    }
    assert_eq!(kept, (0..200).collect::<Vec<_>>(), "no gap and no other order");
    assert!(script.landed.iter().all(|r| r.headers.traceparent.is_some()));
}

#[test]
fn all_is_well() {
    check(Script::default());
}

#[test]
fn a_producer_that_ends_is_replaced_and_the_rest_sent_again_in_order() {
    check(Script {
        lives: vec![10, 0, 50, 1],
        ..Script::default()
    });
}

#[test]
fn a_failure_is_found_though_nothing_more_is_sent() {
    let script = Script {
        lives: vec![0, 0],
        ..Script::default()
    };
    let (mut publisher, script) = publisher(script, PublisherConfig::new("test"));
    send(&mut publisher, 0, None).unwrap();
    let mut fates = Vec::new();
    let patience = Deadline::after(Duration::from_secs(10));
    while fates.is_empty() {
        assert!(!patience.passed(), "the record waits for ever");
        publisher.tend(|ticket, fate| fates.push((ticket, fate)));
        std::thread::yield_now();
    }
    assert_eq!(fates, [(0, Ok(()))]);
    assert_eq!(script.lock().unwrap().made, 3);
}

#[test]
fn a_record_that_landed_though_its_send_failed_is_sent_again_with_its_own_id() {
    check(Script {
        lives: vec![10, 20, 3],
        lands_on_failure: true,
        ..Script::default()
    });
}

#[test]
fn a_log_that_is_away_is_waited_for() {
    check(Script {
        away: 3,
        ..Script::default()
    });
}

#[test]
fn what_does_not_fit_the_window_is_dropped_and_said() {
    let config = PublisherConfig {
        window_records_max: 5,
        ..PublisherConfig::new("test")
    };
    let (mut publisher, script) = publisher(
        Script {
            away: usize::MAX,
            ..Script::default()
        },
        config,
    );
    let results: Vec<_> = (0..8).map(|n| send(&mut publisher, n, None)).collect();
    assert_eq!(results[..5], [Ok(()); 5]);
    assert_eq!(results[5..], [Err(DropReason::WindowFull); 3]);
    assert_eq!(publisher.waiting(), 5);

    script.lock().unwrap().away = 0;
    let mut fates = Vec::new();
    publisher.drain(Deadline::after(Duration::from_secs(10)), |ticket, fate| {
        fates.push((ticket, fate))
    });
    assert_eq!(fates, (0..5).map(|n| (n, Ok(()))).collect::<Vec<_>>());
    assert_eq!(script.lock().unwrap().landed.len(), 5);
}

#[test]
fn a_drain_ends_at_its_deadline_and_says_what_was_given_up() {
    let script = Script {
        away: usize::MAX,
        ..Script::default()
    };
    let (mut publisher, _script) = publisher(script, PublisherConfig::new("test"));
    for n in 0..3 {
        send(&mut publisher, n, None).unwrap();
    }
    let started = Instant::now();
    let mut fates = Vec::new();
    publisher.drain(Deadline::after(Duration::from_millis(50)), |ticket, fate| {
        fates.push((ticket, fate))
    });
    assert_eq!(
        fates,
        (0..3).map(|n| (n, Err(DropReason::DrainOverdue))).collect::<Vec<_>>()
    );
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn writer_ids_differ_between_publishers() {
    let names: HashSet<_> = (0..100)
        .map(|_| {
            publisher(Script::default(), PublisherConfig::new("test"))
                .0
                .writer()
                .to_owned()
        })
        .collect();
    assert_eq!(names.len(), 100);
    assert!(names.iter().all(|n| n.starts_with("test-")));
}
