//! The log away, and the process killed while it spools and again while it drains: everything it had accepted is in the log
//! once by the reader's rule, every answered inform too. The process is this test binary, started again as a child.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that panics has failed; its figures are printed"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::gated::GatedLog;
use common::{COMMUNITY_V2C, config, inform_pdu, trap_pdu, v2c};
use connector_snmp_traps::{Running, build, validate};
use log::{EmbeddedConfig, EmbeddedLog, Log, Start};
use schemas::AnyRecord;
use snmp_pdu::TrapPdu;
use topology::Topic;

const FOLDER: &str = "ATALAIA_TEST_OUTAGE_FOLDER";
const PORT: &str = "ATALAIA_TEST_OUTAGE_PORT";
const PATIENCE: Duration = Duration::from_secs(60);
/// The log rests so long after so many records: about 20,000 a second. Half of it is sent.
const CAPACITY: (u64, Duration) = (100, Duration::from_millis(5));
const SENT_PER_MS: u64 = 8;
/// Every so-manieth is an inform.
const INFORM_EVERY: i32 = 50;

fn open_log(folder: &Path) -> Arc<EmbeddedLog> {
    let config = EmbeddedConfig {
        disk_reserve_bytes: 0,
        ..EmbeddedConfig::new(folder.join("log"))
    };
    EmbeddedLog::open(config).unwrap()
}

/// The child: a listener over an embedded log that is away while a file says so, until another says to end.
#[test]
#[ignore = "the child of the test below"]
fn child() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let log = open_log(&folder);
    let away = folder.join("away");
    let gated = Arc::new(GatedLog {
        inner: log.clone(),
        away: Arc::new(move || away.exists()),
        rest: Some(CAPACITY),
    });
    let mut raw = config();
    raw.data = Some(folder.clone());
    raw.listeners[0].bind = format!("127.0.0.1:{}", std::env::var(PORT).unwrap());
    let running = build(validate(raw).unwrap(), gated).unwrap().run().unwrap();
    while !folder.join("end").exists() {
        report(&folder, &running);
        std::thread::sleep(Duration::from_millis(2));
    }
    let (_, complete) = running.stop();
    assert!(complete);
    log.close().unwrap();
}

/// What the child says of itself, whole or not at all.
fn report(folder: &Path, running: &Running) {
    let now = running.snapshot().remove(0);
    let c = &now.counts;
    assert!(c.balance());
    let text = format!(
        "{} {} {} {} {} {} {}",
        now.writer, c.received, c.accepted, c.acknowledged, c.in_window, c.recovered, now.spool.bytes
    );
    std::fs::write(folder.join("status.new"), text).unwrap();
    std::fs::rename(folder.join("status.new"), folder.join("status")).unwrap();
}

#[derive(Debug, Clone, Default)]
struct Status {
    writer: String,
    accepted: u64,
    acknowledged: u64,
    waiting: u64,
    spool_bytes: u64,
}

struct Process {
    child: Child,
    folder: PathBuf,
}

impl Process {
    fn start(folder: &Path, port: u16) -> Self {
        let _absent = std::fs::remove_file(folder.join("status"));
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .env(PORT, port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            folder: folder.to_owned(),
        }
    }

    fn status(&self) -> Option<Status> {
        let text = std::fs::read_to_string(self.folder.join("status")).ok()?;
        let mut words = text.split(' ');
        let writer = words.next()?.to_owned();
        let numbers: Vec<u64> = words.map(|w| w.parse().unwrap()).collect();
        Some(Status {
            writer,
            accepted: numbers[1],
            acknowledged: numbers[2],
            waiting: numbers[3],
            spool_bytes: numbers[5],
        })
    }

    fn wait(&mut self, what: &str, reached: impl Fn(&Status) -> bool) -> Status {
        let began = Instant::now();
        loop {
            let status = self.status();
            if let Some(status) = status.clone().filter(&reached) {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "no {what} in time: {status:?}");
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "the child ended before {what}"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Kills it; what it had said last it must have kept.
    fn kill(&mut self) -> Status {
        let status = self.status().unwrap();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, unless a test fails.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends at a steady pace until told to stop, each number once; notes which informs were answered.
fn send(socket: &UdpSocket, stop: &AtomicBool, answered: &Mutex<BTreeSet<i32>>) -> i32 {
    let began = Instant::now();
    let mut n = 0;
    let mut buffer = [0; 1_500];
    socket.set_nonblocking(true).unwrap();
    while !stop.load(Ordering::Relaxed) {
        let due = u64::try_from(began.elapsed().as_millis()).unwrap() * SENT_PER_MS;
        while u64::try_from(n).unwrap() < due {
            let pdu = if n % INFORM_EVERY == 0 {
                inform_pdu(n)
            } else {
                trap_pdu(n)
            };
            // Refused while nobody listens: then it was not accepted.
            drop(socket.send(&v2c(&pdu)));
            n += 1;
        }
        while let Ok(length) = socket.recv(&mut buffer) {
            answered.lock().unwrap().insert(number_of(&buffer[..length]));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    n
}

/// The request id of an answer, which has the inform's bytes with another tag.
fn number_of(answer: &[u8]) -> i32 {
    let community = COMMUNITY_V2C.as_bytes();
    let at = answer.windows(community.len()).position(|w| w == community).unwrap() + community.len();
    assert_eq!(answer[at], 0xA2, "a response");
    request_id(&[&[0xA6], &answer[at + 1..]].concat())
}

fn request_id(pdu: &[u8]) -> i32 {
    TrapPdu::parse(pdu).unwrap().request_id.unwrap()
}

struct Truth {
    /// Last words of every run: all it had accepted by then must be in the log.
    runs: Vec<Status>,
    answered: BTreeSet<i32>,
}

#[test]
fn killed_while_spooling_and_while_draining_nothing_accepted_is_lost_or_doubled() {
    let soak = std::env::var_os("ATALAIA_SOAK").is_some();
    let (cycles, outage) = if soak {
        (10, Duration::from_secs(60))
    } else {
        (3, Duration::from_millis(1_500))
    };
    let folder = tempfile::tempdir().unwrap();
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(Mutex::new(BTreeSet::new()));
    let sender = {
        let (stop, answered) = (stop.clone(), answered.clone());
        std::thread::spawn(move || send(&socket, &stop, &answered))
    };

    let away = folder.path().join("away");
    let mut runs = Vec::new();
    let mut process = Process::start(folder.path(), port);
    for cycle in 0..cycles {
        process.wait("records in the log", |s| s.acknowledged > 200);
        std::fs::write(&away, b"").unwrap();
        let began = Instant::now();
        process.wait("spool", |s| s.spool_bytes > 0);
        // Anywhere in the first half of the outage.
        let moment = outage.mul_f64(rand_part(cycle) / 2.0);
        std::thread::sleep(moment.saturating_sub(began.elapsed()));
        runs.push(process.kill());
        process = Process::start(folder.path(), port);
        process.wait("spool behind what the first run left", |s| {
            s.accepted > 100 && s.spool_bytes > 0
        });
        std::thread::sleep(outage.saturating_sub(began.elapsed()));
        let spooled = process.status().unwrap().spool_bytes;
        let outage = began.elapsed();
        std::fs::remove_file(&away).unwrap();
        let began = Instant::now();
        let draining = process.wait("drain", |s| s.spool_bytes < spooled * 9 / 10);
        assert!(draining.spool_bytes > 0, "drained before it could be killed");
        runs.push(process.kill());
        process = Process::start(folder.path(), port);
        process.wait("end of the drain", |s| s.spool_bytes == 0 && s.waiting < 2_000);
        let drain = began.elapsed();
        println!(
            "cycle {cycle}: outage {outage:.2?}, {spooled} bytes spooled, killed twice, drained after {drain:.2?}"
        );
        assert!(spooled > 0);
        assert!(
            drain <= outage * 2,
            "drained in {drain:?} after an outage of {outage:?}"
        );
    }
    stop.store(true, Ordering::Relaxed);
    let sent = sender.join().unwrap();
    runs.push(process.wait("quiet", |s| s.waiting == 0));
    std::fs::write(folder.path().join("end"), b"").unwrap();
    assert!(process.child.wait().unwrap().success());
    let answered = std::mem::take(&mut *answered.lock().unwrap());
    compare(folder.path(), &Truth { runs, answered }, sent);
}

/// A part of a whole, another one for each cycle.
fn rand_part(cycle: u32) -> f64 {
    f64::from(cycle.wrapping_mul(2_654_435_761) >> 8) / f64::from(u32::MAX >> 8)
}

/// What the log has, by the reader's rule, against what was accepted and answered.
fn compare(folder: &Path, truth: &Truth, sent: i32) {
    let log = open_log(folder);
    let mut tail = log.tail(&[(Topic::Observations, Start::Beginning)]).unwrap();
    let mut highest: HashMap<(u32, String), u64> = HashMap::new();
    let mut sequences: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let mut numbers = BTreeSet::new();
    let mut repeats = 0;
    loop {
        let records = tail.poll(10_000, Duration::from_millis(200)).unwrap();
        if records.is_empty() {
            break;
        }
        for stored in records {
            let AnyRecord::TrapReceived(trap) = log.codec().decode(stored.record.value.as_ref().unwrap()).unwrap()
            else {
                continue;
            };
            let id = stored.record.headers.writer.unwrap();
            let seen = highest
                .entry((stored.record.partition, id.writer.clone()))
                .or_insert(u64::MAX);
            if *seen != u64::MAX && id.sequence <= *seen {
                repeats += 1;
                continue;
            }
            *seen = id.sequence;
            sequences.entry(id.writer).or_default().insert(id.sequence);
            assert!(numbers.insert(request_id(&trap.pdu)), "a trap is there twice");
        }
    }
    let accepted: u64 = truth.runs.iter().map(|r| r.accepted).sum();
    println!(
        "{sent} sent, {accepted} known to be accepted in {} runs, {} in the log once, {repeats} repeats dropped by their writer id, {} informs answered",
        truth.runs.len(),
        numbers.len(),
        truth.answered.len()
    );
    for run in &truth.runs {
        let there = sequences
            .get(&run.writer)
            .map_or(0, |s| s.range(..run.accepted).count() as u64);
        assert_eq!(there, run.accepted, "of run {run:?}");
    }
    assert!(truth.answered.len() > 20, "hardly any inform was answered");
    let missing: Vec<_> = truth.answered.difference(&numbers).collect();
    assert!(missing.is_empty(), "answered and not there: {missing:?}");
}
