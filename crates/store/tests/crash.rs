//! A process that writes numbered rows is killed in the middle of it, again and again: every acknowledged row is there.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use model::{EntityId, Micros, Position};
use store::rows::{DEVICE_EVENTS, DeviceEventRow, SERIALS, SerialRow};
use store::{FjallStore, Row, Scan, Store, TableDef, Value};

const FOLDER_ENV: &str = "STORE_CRASH_FOLDER";
const FIRST_ENV: &str = "STORE_CRASH_FIRST";
/// Rounds, unless the environment says otherwise.
const ROUNDS_ENV: &str = "STORE_CRASH_ROUNDS";
const ROUNDS: u32 = 12;
const SIGKILL: i32 = 9;
/// Writes at one time.
const IN_FLIGHT: u32 = 4;
/// Both rows of a number have these times; far from any retention.
const AT: Micros = Micros(4_000_000_000_000_000);

fn entity() -> EntityId {
    EntityId::parse("default/olt/a").unwrap()
}

fn event(n: u32) -> Row {
    let row = DeviceEventRow {
        entity: entity(),
        at: AT,
        id: n.to_be_bytes().to_vec(),
        kind: "olt".into(),
        event_type: "DEVICE_ALARM".into(),
        event: "numbered".into(),
        phase: "EVENT".into(),
        severity: None,
        trap_oid: None,
        source: None,
        state: None,
        previous: None,
        cause: None,
        cause_raw: None,
        serial: None,
        detail: [("n".to_owned(), n.to_string())].into(),
        received_at: AT,
        position: Position {
            generation: 1,
            partition: 0,
            offset: u64::from(n),
        },
    };
    row.to_row()
}

/// One row over and over, each time with a higher write time.
fn changing(n: u32) -> Row {
    let wts = Micros(AT.0 + i64::from(n));
    let row = SerialRow {
        tenant: "t".into(),
        serial: "s".into(),
        entity: entity(),
        since: Micros(i64::from(n) * 1_000),
        wts,
    };
    row.to_row()
}

async fn whole(store: &dyn Store, table: &'static TableDef, partition: Vec<Value>) -> Vec<Row> {
    let scan = Scan {
        table,
        partition,
        prefix: vec![],
        limit: 10_000_000,
        cursor: None,
        reverse: true,
    };
    store.scan(scan).await.unwrap().rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let rounds = std::env::var(ROUNDS_ENV).map_or(ROUNDS, |text| text.parse().unwrap());
    let mut acknowledged = 0;
    for round in 0..rounds {
        let (path, first) = (folder.path().to_owned(), acknowledged);
        // Sometimes in the first write, sometimes after hundreds.
        let patience = 1 + (round * 97) % 400;
        acknowledged = tokio::task::spawn_blocking(move || run_and_kill(&path, first, patience))
            .await
            .unwrap();
        let store = FjallStore::open(folder.path()).unwrap();
        check(&*store, acknowledged).await;
    }
    println!("{rounds} kills, {acknowledged} acknowledged writes of two rows, all there");
    assert!(acknowledged > rounds);
}

/// Lets a child write until it has said so `patience` times, and kills it. Answers the first number not acknowledged.
fn run_and_kill(folder: &Path, first: u32, patience: u32) -> u32 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--include-ignored", "--nocapture"])
        .env(FOLDER_ENV, folder)
        .env(FIRST_ENV, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = first;
    let mut said = 0;
    for line in lines {
        if let Some(n) = line.unwrap().strip_prefix("acknowledged ") {
            next = n.parse::<u32>().unwrap() + 1;
            said += 1;
            if said == patience {
                child.kill().unwrap();
            }
        }
    }
    assert_eq!(child.wait().unwrap().signal(), Some(SIGKILL));
    next
}

async fn check(store: &dyn Store, acknowledged: u32) {
    let year = match &event(0).key[1] {
        Value::Int(year) => *year,
        other => panic!("{other:?} is a year"),
    };
    let events = whole(
        store,
        &DEVICE_EVENTS,
        vec![Value::Text(entity().to_string()), Value::Int(year)],
    )
    .await;
    let count = u32::try_from(events.len()).unwrap();
    assert!(
        count >= acknowledged,
        "{acknowledged} were acknowledged, {count} are there"
    );
    let acknowledged_rows = usize::try_from(acknowledged).unwrap();
    for (n, row) in (0..).zip(&events[..acknowledged_rows]) {
        assert_eq!(*row, event(n), "no gap, nothing torn");
    }
    assert!(
        events.len() <= acknowledged_rows + usize::try_from(IN_FLIGHT).unwrap() * 2,
        "nothing that was not written"
    );
    let changed = whole(store, &SERIALS, vec![Value::Text("t".into()), Value::Text("s".into())]).await;
    let n = changed.iter().map(|r| r.wts_us - AT.0).next_back();
    assert!(
        n >= i64::from(acknowledged).checked_sub(1).filter(|&n| n >= 0),
        "{n:?} is older than {acknowledged}"
    );
}

/// Writes pairs of rows from a number on, several at one time, and says each once it is acknowledged, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a child of the test above: it is killed"]
async fn child() {
    let Ok(folder) = std::env::var(FOLDER_ENV) else { return };
    let first: u32 = std::env::var(FIRST_ENV).unwrap().parse().unwrap();
    let store = FjallStore::open(Path::new(&folder)).unwrap();
    let mut running = std::collections::VecDeque::new();
    for n in first.. {
        let store = Arc::clone(&store);
        running.push_back((
            n,
            tokio::spawn(async move { store.upsert(vec![event(n), changing(n)]).await }),
        ));
        // Writes from several tasks may be gathered in any order, but a gap may only stand behind what was acknowledged.
        if running.len() >= usize::try_from(IN_FLIGHT).unwrap() {
            let (n, write) = running.pop_front().unwrap();
            write.await.unwrap().unwrap();
            // `println!` would be caught by the test harness.
            writeln!(std::io::stdout(), "acknowledged {n}").unwrap();
        }
    }
}
