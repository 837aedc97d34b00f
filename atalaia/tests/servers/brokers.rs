//! K4: three brokers of the test's own. One is killed under load and comes back; then all of them are away. Nothing is lost, the
//! longest pause is printed, and the rest recovers by itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::sender::Sender;
use load_tests::product::Servers;
use log::Log;
use topology::Topic;

use crate::common;
use crate::pauses::Phases;
use crate::verdict::{assert_informs, assert_log, finish, wait_processed};
use crate::world::{NETWORK, WAIT, World};

const OLTS: u8 = 3;
/// Informs a second.
const RATE: u32 = 1_000;
/// Three brokers take two ports each from here.
const PORT: u16 = 29_333;
/// How long there is no broker at all.
const AWAY: Duration = Duration::from_secs(60);

/// Brokers that end with the test.
struct Brokers {
    folder: tempfile::TempDir,
    addresses: String,
}

impl Brokers {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("atalaia-brokers-").tempdir().unwrap();
        let mut brokers = Self {
            folder,
            addresses: String::new(),
        };
        let said = script(brokers.folder.path(), "up", &["kafka"]);
        let addresses = said.lines().find_map(|l| l.strip_prefix("export KAFKA="));
        addresses
            .expect("the script says where they are")
            .clone_into(&mut brokers.addresses);
        brokers
    }

    /// Does something with brokers on a thread of its own, while the load goes on.
    fn meanwhile(&self, sender: &mut Sender, verb: &'static str, names: &'static [&'static str]) {
        let folder = self.folder.path().to_owned();
        let doing = std::thread::spawn(move || script(&folder, verb, names));
        assert!(
            sender.until(3 * WAIT, |_| doing.is_finished()),
            "servers {verb} {names:?}"
        );
        doing.join().unwrap();
    }
}

impl Drop for Brokers {
    fn drop(&mut self) {
        script(self.folder.path(), "down", &[]);
    }
}

fn script(folder: &Path, verb: &str, names: &[&str]) -> String {
    let script: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/dev/servers");
    let output = Command::new(script)
        .arg(verb)
        .args(names)
        .env("ATALAIA_SERVERS_DIR", folder)
        .env("ATALAIA_KAFKA_PORT", PORT.to_string())
        .env("ATALAIA_KAFKA_BROKERS", "3")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "servers {verb} {names:?}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Sends until that many more events are in the log, and little waits for a commit.
fn flow(world: &World, sender: &mut Sender, log: &dyn Log, more: u64) {
    let events = || log.ends(Topic::DeviceEvents).map_or(0, |ends| ends.iter().sum::<u64>());
    let enough = events() + more;
    let mut asked = Instant::now();
    let flows = sender.until(2 * WAIT, |_| {
        let ask = asked.elapsed() > Duration::from_millis(50);
        if ask {
            asked = Instant::now();
        }
        ask && events() >= enough
    });
    assert!(flows, "{} events; network says:\n{}", events(), world.says(NETWORK));
}

#[test]
fn brokers_may_be_killed_one_or_all() {
    if std::env::var_os("ATALAIA_SOAK").is_none() {
        println!("three more brokers are too much for every day: ATALAIA_SOAK=1 runs this");
        return;
    }
    let brokers = Brokers::start();
    let mut servers = Servers::from_environment("brokers").unwrap();
    servers.kafka.clone_from(&brokers.addresses);
    servers.log_settings = "session_timeout_ms = 3000\n".to_owned();
    let world = World::bare(servers, OLTS);
    world.apply_topics();
    let connector = world.start(&["connector", "snmp-traps"]);
    let network = world.start(NETWORK);
    let log = world.log();
    let mut sender = Sender::paced(OLTS, world.setup.trap_target(), RATE);
    let mut phases = Phases::default();
    phases.begin("three brokers");
    flow(&world, &mut sender, &*log, 2_000);
    phases.begin("one of three killed");
    brokers.meanwhile(&mut sender, "kill", &["kafka2"]);
    flow(&world, &mut sender, &*log, 5_000);
    phases.begin("it comes back");
    brokers.meanwhile(&mut sender, "up", &["kafka2"]);
    flow(&world, &mut sender, &*log, 5_000);
    phases.begin("all killed");
    brokers.meanwhile(&mut sender, "kill", &["kafka"]);
    sender.go_on(AWAY);
    let spooled = world.metric(&connector, "atalaia_spool_records", &[]);
    println!("all brokers away for {AWAY:?}: {spooled} records in the spool");
    brokers.meanwhile(&mut sender, "up", &["kafka"]);
    let back = Instant::now();
    flow(&world, &mut sender, &*log, 5_000);
    println!(
        "events flow again {} ms after the brokers are back",
        back.elapsed().as_millis()
    );
    phases.begin("all back");
    flow(&world, &mut sender, &*log, 2_000);
    sender.drain();
    finish(&world, [connector]);
    wait_processed(&world, &*log);
    let found = assert_log("brokers killed", &*log);
    assert_informs(&sender, &found, &*log);
    phases.print(&found.events, log.codec());
    finish(&world, [network]);
}
