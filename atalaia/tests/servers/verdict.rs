//! The end of every test here: what log, store and board hold, beside what a life without a fault would have made of the same
//! input.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use common::checker::{
    Difference, Expected, behind, committed, compare, oracle, out_of_turn, read_all, read_fast, request_ids, strangers,
    with_id_rule,
};
use common::sender::Sender;
use common::views::{assert_exact_topics, assert_order, wait_views};
use load_tests::product::{FirstStart, Running};
use log::{Log, Stored};
use store::Store as _;
use topology::{Group, Topic};

use crate::common;
use crate::world::{NETWORK, PERSIST, WAIT, World};

/// What was found, and found to be right.
pub struct Found {
    pub observations: Vec<Stored>,
    pub events: Vec<Stored>,
    pub expected: Expected,
}

/// Waits until everything that is in the log now has been processed and committed. Ticks go on for ever.
pub fn wait_processed(world: &World, log: &dyn Log) {
    wait_caught_up(world, NETWORK, log, Group::Network, Topic::Observations);
}

/// However long it takes, as long as it goes on.
fn wait_caught_up(world: &World, part: &[&str], log: &dyn Log, group: Group, topic: Topic) {
    let ends = log.ends(topic).unwrap();
    let (mut least, mut since) = (u64::MAX, Instant::now());
    loop {
        let left = behind(log, group, topic, &ends);
        if left == 0 {
            return;
        }
        if left < least {
            (least, since) = (left, Instant::now());
        }
        assert!(
            since.elapsed() < WAIT,
            "{topic} stays unread: {:?} of {ends:?}; {part:?} says:\n{}",
            log.committed(group, topic).unwrap(),
            world.says(part)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Nothing lost, doubled or out of order on any topic, and nothing there that the oracle would not have made.
pub fn assert_log(what: &str, log: &dyn Log) -> Found {
    let observations = committed(log);
    let expected = oracle(&observations, log.codec(), log.partitions(), log.generation());
    let events: Vec<_> = read_fast(log)
        .into_iter()
        .filter(|event| expected.covers(event))
        .collect();
    let once = with_id_rule(&events);
    let difference = compare(&expected.fast, &once);
    println!(
        "{what}: {} observations, {} events ({} repeats dropped by their ids): {difference:?}",
        observations.len(),
        expected.fast.len(),
        events.len() - once.len()
    );
    assert_eq!(difference, Difference::default());
    assert_eq!(
        strangers(&expected.fast, &events),
        0,
        "events, repeats too, have the ids and bytes that their input gives them"
    );
    assert_exact_topics(log, &expected);
    for topic in [Topic::DeviceStatus, Topic::Inventory, Topic::Alarms, Topic::Incidents] {
        assert_eq!(
            out_of_turn(&read_all(log, topic)),
            0,
            "{topic}: each commit stands once"
        );
    }
    Found {
        observations,
        events,
        expected,
    }
}

/// Every answered inform is in the log, and each ONU's in the order in which they were sent.
pub fn assert_informs(sender: &Sender, found: &Found, log: &dyn Log) {
    let ids = request_ids(&found.observations, log.codec());
    let distinct: HashSet<_> = ids.into_iter().map(|(_, id)| id).collect();
    let lost = sender.acknowledged.iter().filter(|n| !distinct.contains(&n.request_id));
    assert_eq!(lost.count(), 0, "answered informs that are not in the log");
    assert_order(sender, &found.expected, log.codec());
}

/// Board and store, once they have caught up, are the oracle's: all states, some histories, and the number of all rows.
pub fn assert_views(world: &World, first: &FirstStart, found: &Found, log: &dyn Log) {
    wait_caught_up(world, PERSIST, log, Group::Persist, Topic::DeviceEvents);
    let (expected, codec) = (&found.expected, log.codec());
    let installation = (&world.setup, first);
    wait_views(&world.runtime, installation, expected, codec, WAIT, || {
        world.says(PERSIST)
    });
    let statuses = expected
        .exact
        .keys()
        .filter(|(topic, _)| *topic == Topic::DeviceStatus)
        .count();
    assert_eq!(
        rows(world),
        (expected.fast_of(Topic::DeviceEvents), statuses as u64),
        "rows of events and statuses in the store"
    );
}

/// Rows of events and of statuses.
fn rows(world: &World) -> (u64, u64) {
    let store = world.store();
    let tables = [&store::rows::DEVICE_EVENTS, &store::rows::STATUS];
    let dumps = world.runtime.block_on(store.dump(&tables)).unwrap();
    (dumps[0].rows, dumps[1].rows)
}

/// Ends parts in this order, each as an operator would.
pub fn finish(world: &World, parts: impl IntoIterator<Item = Running>) {
    for part in parts {
        let status = part.terminate(Duration::from_secs(25)).unwrap();
        assert!(
            status.success(),
            "SIGTERM ended with {status}; last words of all:\n{}",
            world.last_words()
        );
    }
}
