//! T3: the product is killed at random and at named points, under load, and nothing is lost or doubled: not in the log, not
//! for a reader of a fast topic, not in the store, not on the board. The oracle is the same chain over the same
//! observations without a crash.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its figures"
)]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use common::checker::{compare, oracle, read_all, request_ids, with_id_rule};
use load_tests::client::{list, login, wait_ready};
use load_tests::device::{Devices, Note};
use load_tests::product::{FirstStart, Running, Setup};
use log::{CRASH_AT_ENV, CrashPoint, Log};
use topology::{Group, Topic};

const OLTS: u8 = 3;
/// Informs that wait for an answer at a time: far below the ONUs, so that each ONU has one at most.
const WINDOW: usize = 400;
const RESEND: Duration = Duration::from_millis(400);

/// How one life of the product ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// `kill -9` this long after the first answer.
    After(Duration),
    /// It kills itself at the nth passage of a point.
    At(CrashPoint, u32),
}

fn ends() -> Vec<End> {
    let passages = |point| match point {
        CrashPoint::AfterInformAppendBeforeAnswer => [700, 2_500],
        CrashPoint::DuringRestore => [1, 3],
        CrashPoint::PersistBetweenRowsAndPosition => [3, 12],
        _ => [5, 40],
    };
    let mut ends: Vec<_> = CrashPoint::ALL
        .iter()
        .flat_map(|&point| passages(point).map(|nth| End::At(point, nth)))
        .collect();
    // Milliseconds of a fixed pseudo-random sequence, so that a failure can be repeated.
    let mut x: u64 = 0x2545_F491_4F6C_DD1D;
    for _ in 0..12 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        ends.push(End::After(Duration::from_millis(100 + x % 900)));
    }
    // Mixed, so that random kills fall between the named ones.
    let half = ends.len() / 2;
    (0..half).flat_map(|i| [ends[i], ends[i + half]]).collect()
}

/// The other side: sends informs until each is answered, over any number of lives of the product.
struct Sender {
    devices: Devices,
    next: u32,
    waiting: HashMap<i32, (Note, u32, Instant)>,
    acknowledged: Vec<Note>,
}

impl Sender {
    fn turn(&mut self) {
        for id in self.devices.answered() {
            if let Some((note, _, _)) = self.waiting.remove(&id) {
                self.acknowledged.push(note);
            }
        }
        while self.waiting.len() < WINDOW {
            let note = Note::nth(self.next, OLTS);
            // One at a time of each ONU, or a resent one could arrive behind its successor: order is what is tested.
            if self
                .waiting
                .values()
                .any(|(n, _, _)| (n.olt, n.onu) == (note.olt, note.onu))
            {
                break;
            }
            self.next += 1;
            let uptime = 50_000_000 + self.next;
            self.devices.send_at(&note, true, uptime);
            self.waiting.insert(note.request_id, (note, uptime, Instant::now()));
        }
        for (note, uptime, sent) in self.waiting.values_mut() {
            if sent.elapsed() > RESEND {
                self.devices.send_at(note, true, *uptime);
                *sent = Instant::now();
            }
        }
        std::thread::sleep(Duration::from_micros(300));
    }

    fn until(&mut self, deadline: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = Instant::now() + deadline;
        while !done(self) {
            if Instant::now() > end {
                return false;
            }
            self.turn();
        }
        true
    }
}

fn live_and_die(setup: &Setup, sender: &mut Sender, end: End, first: &mut Option<FirstStart>) {
    let armed = match end {
        End::At(point, nth) => vec![(CRASH_AT_ENV, format!("{}:{nth}", point.name()))],
        End::After(_) => Vec::new(),
    };
    let mut product = setup.spawn(&armed).unwrap();
    match end {
        End::At(point, _) => {
            let died = sender.until(Duration::from_secs(40), |_| product.child.try_wait().unwrap().is_some());
            assert!(
                died,
                "the point {} was not passed; the product says:\n{}",
                point.name(),
                tail_of(setup)
            );
        }
        End::After(delay) => {
            let before = sender.acknowledged.len();
            let alive = sender.until(Duration::from_secs(30), |s| s.acknowledged.len() > before);
            assert!(alive, "no inform was answered; the product says:\n{}", tail_of(setup));
            if first.is_none() {
                *first = product.wait_board(Duration::from_secs(10)).unwrap();
            }
            let kill_at = Instant::now() + delay;
            sender.until(delay * 2, |_| Instant::now() >= kill_at);
            product.kill().unwrap();
        }
    }
}

fn tail_of(setup: &Setup) -> String {
    let text = setup.log_text();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// Input that no commit has covered, in records: what a restart has to process again.
fn uncommitted(log: &dyn Log) -> u64 {
    let ends = log.ends(Topic::Observations).unwrap();
    let committed = log.committed(Group::Network, Topic::Observations).unwrap();
    ends.iter()
        .zip(committed)
        .map(|(end, next)| end - next.unwrap_or(0).min(*end))
        .sum()
}

fn finish(setup: &Setup, sender: &mut Sender, first: &mut Option<FirstStart>, events: usize) -> Running {
    let mut product = setup.spawn(&[]).unwrap();
    if let Some(found) = product.wait_board(Duration::from_secs(20)).unwrap() {
        *first = Some(found);
    }
    let enough = sender.until(Duration::from_secs(240), |s| s.acknowledged.len() >= events);
    assert!(
        enough,
        "only {} informs answered; the product says:\n{}",
        sender.acknowledged.len(),
        tail_of(setup)
    );
    product
}

/// What the store and the board say at the end, of every ONU.
async fn views(
    setup: &Setup,
    first: &FirstStart,
    sample: &[String],
) -> (BTreeMap<String, (String, String)>, BTreeMap<String, Vec<String>>) {
    let at = setup.http();
    wait_ready(at, Duration::from_secs(20)).await.unwrap();
    let token = login(at, &first.user, &first.password).await.unwrap();
    let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    let board = list(at, "/api/v1/devices?kind=onu&limit=500", &token)
        .await
        .unwrap()
        .iter()
        .map(|i| (text(&i["entity"]), (text(&i["state"]), text(&i["cause"]))))
        .collect();
    let mut history = BTreeMap::new();
    for entity in sample {
        let path = format!("/api/v1/devices/{}/events?limit=200", entity.replace('/', "%2F"));
        let events = list(at, &path, &token).await.unwrap();
        history.insert(entity.clone(), events.iter().map(|e| text(&e["id"])).collect());
    }
    (board, history)
}

#[test]
fn nothing_is_lost_or_doubled_whenever_it_is_killed() {
    let soak = std::env::var_os("ATALAIA_SOAK").is_some();
    let (rounds, events) = if soak { (8, 1_000_000) } else { (1, 100_000) };
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(common::binary(), folder.path(), OLTS).unwrap();
    let mut sender = Sender {
        devices: Devices::new(OLTS, setup.trap_target()).unwrap(),
        next: 0,
        waiting: HashMap::new(),
        acknowledged: Vec::new(),
    };
    let mut first = None;
    let mut kills = 0;
    let mut with_uncommitted = 0;
    // The first life must not be cut short: it prints the password that the end of this test logs in with.
    live_and_die(&setup, &mut sender, End::After(Duration::from_millis(700)), &mut first);
    for end in (0..rounds).flat_map(|_| ends()) {
        live_and_die(&setup, &mut sender, end, &mut first);
        kills += 1;
        let log = common::open_log(&setup.data());
        let left = uncommitted(&*log);
        with_uncommitted += usize::from(left > 0);
        println!(
            "kill {kills:>2} {end:?}: {left} records without a commit, {} informs answered",
            sender.acknowledged.len()
        );
        log.close().unwrap();
    }
    assert!(kills >= 20);
    assert!(
        with_uncommitted >= 15,
        "only {with_uncommitted} kills met uncommitted input"
    );

    let product = finish(&setup, &mut sender, &mut first, events);
    // The rest of the window is answered too: after that nothing is in flight.
    let first = first.expect("the first start printed a password");
    drain(&mut sender);
    let status = product.terminate(Duration::from_secs(25)).unwrap();
    assert!(status.success(), "SIGTERM ended with {status}");

    let log = common::open_log(&setup.data());
    let codec = log.codec().clone();
    let observations = read_all(&*log, Topic::Observations);
    let ids = request_ids(&observations, &codec);
    let distinct: std::collections::HashSet<_> = ids.iter().map(|(_, id)| *id).collect();
    let lost: Vec<_> = sender
        .acknowledged
        .iter()
        .filter(|n| !distinct.contains(&n.request_id))
        .collect();
    assert!(lost.is_empty(), "answered informs that are not in the log: {lost:?}");

    let expected = oracle(&observations, &codec, log.partitions(), log.generation());
    let got = read_all(&*log, Topic::DeviceEvents);
    let repeats = got.len() - with_id_rule(&got).len();
    let difference = compare(&expected.fast, &with_id_rule(&got));
    println!(
        "{kills} kills, {with_uncommitted} with uncommitted input; {} informs answered, {} observations, {} events \
         ({repeats} repeats dropped by their ids): {difference:?}",
        sender.acknowledged.len(),
        observations.len(),
        expected.fast.len()
    );
    assert_eq!(difference, common::checker::Difference::default());
    assert_exact_topics(&*log, &expected);
    assert_order(&sender, &expected, &codec);

    let onus: BTreeMap<_, _> = expected_states(&expected, &codec);
    let sample: Vec<String> = onus.keys().step_by(97).cloned().collect();
    let expected_history = history_of(&expected, &codec, &sample);
    log.close().unwrap();
    drop(log);

    let mut product = setup.spawn(&[]).unwrap();
    product.wait_board(Duration::from_secs(20)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let (board, history) = runtime.block_on(views(&setup, &first, &sample));
        if board == onus && history == expected_history {
            break;
        }
        assert!(
            Instant::now() < end,
            "board differs in {} of {} ONUs, store in {} of {} histories",
            onus.iter().filter(|(e, s)| board.get(*e) != Some(s)).count(),
            onus.len(),
            expected_history
                .iter()
                .filter(|(e, h)| history.get(*e) != Some(h))
                .count(),
            sample.len()
        );
    }
    product.terminate(Duration::from_secs(25)).unwrap();

    // Not a sample: the store has exactly as many events and states as the oracle.
    let store = atalaia::open_store(&setup.data().join("store")).unwrap();
    let tables = store.dump_hash().unwrap().tables;
    let rows = |name: &str| tables.iter().find(|t| t.name == name).map_or(0, |t| t.rows);
    let statuses = expected
        .exact
        .keys()
        .filter(|(topic, _)| *topic == Topic::DeviceStatus)
        .count();
    println!(
        "store: {} events, {} status rows",
        rows("device_events"),
        rows("status")
    );
    assert_eq!(rows("device_events"), expected.fast.len() as u64, "events in the store");
    assert_eq!(rows("status"), statuses as u64, "status rows in the store");
}

fn drain(sender: &mut Sender) {
    let end = Instant::now() + Duration::from_secs(30);
    while !sender.waiting.is_empty() {
        assert!(Instant::now() < end, "{} informs stay unanswered", sender.waiting.len());
        for id in sender.devices.answered() {
            if let Some((note, _, _)) = sender.waiting.remove(&id) {
                sender.acknowledged.push(note);
            }
        }
        for (note, uptime, sent) in sender.waiting.values_mut() {
            if sent.elapsed() > RESEND {
                sender.devices.send_at(note, true, *uptime);
                *sent = Instant::now();
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn assert_exact_topics(log: &dyn Log, expected: &common::checker::Expected) {
    for topic in [Topic::DeviceStatus, Topic::Inventory] {
        let got: BTreeMap<_, _> = read_all(log, topic)
            .into_iter()
            .map(|s| (s.record.key.to_vec(), s.record.value.map(|v| v.to_vec())))
            .collect();
        let wanted: BTreeMap<_, _> = expected
            .exact
            .iter()
            .filter(|((t, _), _)| *t == topic)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect();
        assert_eq!(got.len(), wanted.len(), "{topic}");
        assert!(got == wanted, "{topic}: same keys, other rows");
    }
}

/// Each ONU's events alternate as they were sent: one at a time was under way.
fn assert_order(sender: &Sender, expected: &common::checker::Expected, codec: &schemas::Codec) {
    let mut sent: BTreeMap<String, Vec<(i32, bool)>> = BTreeMap::new();
    for note in &sender.acknowledged {
        sent.entry(note.entity())
            .or_default()
            .push((note.request_id, note.raise));
    }
    let mut seen: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for output in &expected.fast {
        if let Ok(schemas::AnyRecord::DeviceEvent(event)) = codec.decode(output.4.as_deref().unwrap_or_default())
            && event.event == "dying_gasp"
        {
            seen.entry(event.entity)
                .or_default()
                .push(event.phase == schemas::Phase::Raise);
        }
    }
    for (entity, mut notes) in sent {
        notes.sort_unstable();
        let wanted: Vec<_> = notes.iter().map(|(_, raise)| *raise).collect();
        assert_eq!(
            seen.get(&entity),
            Some(&wanted),
            "{entity}: events in the order they were sent, each once"
        );
    }
}

fn expected_states(expected: &common::checker::Expected, codec: &schemas::Codec) -> BTreeMap<String, (String, String)> {
    expected
        .exact
        .iter()
        .filter(|((topic, _), _)| *topic == Topic::DeviceStatus)
        .filter_map(|(_, value)| match codec.decode(value.as_deref()?).ok()? {
            schemas::AnyRecord::DeviceStatus(row) if row.kind == "onu" => {
                Some((row.entity, (row.state, row.cause.unwrap_or_default())))
            }
            _ => None,
        })
        .collect()
}

/// Ids of a few ONUs' events, newest first, as the store should have them.
fn history_of(
    expected: &common::checker::Expected,
    codec: &schemas::Codec,
    sample: &[String],
) -> BTreeMap<String, Vec<String>> {
    let mut history: BTreeMap<String, Vec<String>> = sample.iter().map(|e| (e.clone(), Vec::new())).collect();
    for output in &expected.fast {
        if let Ok(schemas::AnyRecord::DeviceEvent(event)) = codec.decode(output.4.as_deref().unwrap_or_default())
            && let Some(ids) = history.get_mut(&event.entity)
        {
            ids.insert(0, output.2.iter().map(|b| format!("{b:02x}")).collect());
        }
    }
    history
}

/// The checker is no use if it cannot fail.
#[test]
fn the_checker_sees_one_record_removed_and_one_doubled() {
    let output = |n: u8| (Topic::DeviceEvents, 0, vec![n], vec![n], Some(vec![n]));
    let expected: Vec<_> = (0..10).map(output).collect();
    assert_eq!(compare(&expected, &expected), common::checker::Difference::default());
    let mut removed = expected.clone();
    removed.remove(4);
    assert_eq!(compare(&expected, &removed).lost, 1);
    let mut doubled = expected.clone();
    doubled.insert(5, output(4));
    assert_eq!(compare(&expected, &doubled).doubled, 1);
    let mut swapped = expected.clone();
    swapped.swap(2, 3);
    assert_eq!(compare(&expected, &swapped).disordered, 1);
}
