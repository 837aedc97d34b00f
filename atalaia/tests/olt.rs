//! Rows O3, O4 and O5: the product reads simulated OLTs over SSH, follows what operators do on them, and tells nothing twice and
//! nothing false when it is killed in the middle of a read.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its figures"
)]

mod common;

use std::collections::BTreeMap;
use std::net::{TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use common::checker::{Difference, compare, oracle, out_of_turn, read_all, read_fast, with_id_rule};
use load_tests::client::{list, login, request, wait_ready};
use load_tests::product::{COMMUNITY, FirstStart, Running, Setup};
use schemas::AnyRecord;
use serde_json::Value;
use simulator::cli::{Cli, CliConfig, CliFault, Pace, PonAddress};
use simulator::{Dialect, Head, OnuAlarm, SimConfig, Simulation, Trap, datagram};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use topology::{PARTITIONS_EMBEDDED, Topic};

const WAIT: Duration = Duration::from_secs(60);
/// Of the OLTs: found in nothing that the product writes.
const PASSWORD: &str = "canary-0d7b41";

/// Two OLTs, one of each family, and the product that knows of them no more than address, user and password.
struct World {
    simulation: Simulation,
    cli: Cli,
    folder: TempDir,
    setup: Setup,
    runtime: Runtime,
}

impl World {
    fn new(pace: Pace) -> Self {
        let port = TcpListener::bind(("127.10.0.1", 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let simulation = Simulation::new(SimConfig {
            olts: 2,
            onus: 120,
            cli: Some(CliConfig {
                port,
                password: PASSWORD.to_owned(),
                forgets_after: Duration::from_secs(1),
                pace,
                ..CliConfig::default()
            }),
            ..SimConfig::default()
        })
        .unwrap();
        let cli = simulation.serve_cli().unwrap().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::new(common::binary(), folder.path(), 0).unwrap();
        let file = folder.path().join("atalaia.toml");
        let polling = "[olt_polling]\nstate_interval_s = 1\noptics_interval_s = 5\nalarms_interval_s = 2\nautofind_interval_s = 2\ninventory_interval_s = 10\n";
        let text = std::fs::read_to_string(&file).unwrap() + polling + &simulation.olt_entries();
        std::fs::write(file, text).unwrap();
        Self {
            simulation,
            cli,
            folder,
            setup,
            runtime: Runtime::new().unwrap(),
        }
    }

    fn start(&self) -> (Running, Option<FirstStart>) {
        let mut product = self.setup.spawn(&[("OLT_PASSWORD", PASSWORD.to_owned())]).unwrap();
        let first = product.wait_board(WAIT).unwrap();
        (product, first)
    }

    /// State and serial by entity, as the command lines show them.
    fn shown(&self) -> BTreeMap<String, (String, String)> {
        let mut shown = BTreeMap::new();
        for (n, olt) in self.simulation.network().olts.iter().enumerate() {
            for onu in self.cli.shown(n) {
                let state = (onu.truth.state.to_string(), onu.serial.to_string());
                shown.insert(olt.root.onu(onu.place).to_string(), state);
            }
        }
        shown
    }
}

/// A logged-in person.
struct Person<'a> {
    world: &'a World,
    token: String,
}

impl<'a> Person<'a> {
    fn login(world: &'a World, first: &FirstStart) -> Self {
        let http = world.setup.http();
        let token = world.runtime.block_on(async {
            wait_ready(http, WAIT).await.unwrap();
            login(http, &first.user, &first.password).await.unwrap()
        });
        Self { world, token }
    }

    fn get(&self, path: &str) -> Value {
        let http = self.world.setup.http();
        let asked = request(http, "GET", path, Some(&self.token), None);
        self.world.runtime.block_on(asked).unwrap().1
    }

    /// State and serial by entity; those that are on no OLT any more are left out.
    fn board(&self) -> BTreeMap<String, (String, String)> {
        let listed = list(self.world.setup.http(), "/api/v1/onts?limit=1000", &self.token);
        let items = self.world.runtime.block_on(listed).unwrap();
        let text = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
        items
            .iter()
            .filter(|item| item["state"] != "absent")
            .map(|item| (text(item, "entity"), (text(item, "state"), text(item, "serial"))))
            .collect()
    }

    #[track_caller]
    fn until(&self, what: &str, mut done: impl FnMut(&Self) -> bool) -> Duration {
        let began = Instant::now();
        while !done(self) {
            assert!(
                began.elapsed() < WAIT,
                "{what}: not within {WAIT:?}; it says:\n{}",
                tail_of(&self.world.setup)
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        began.elapsed()
    }
}

fn tail_of(setup: &Setup) -> String {
    let text = setup.log_text();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

#[test]
fn the_board_fills_from_the_command_lines_and_follows_what_operators_do() {
    let world = World::new(Pace::default());
    let (product, first) = world.start();
    let person = Person::login(&world, &first.unwrap());
    let took = person.until("the board has what the OLTs have", |p| p.board() == world.shown());
    println!("120 ONUs of 2 OLTs on the board after {took:?}");
    person.until("optical levels and firmware are there", |p| {
        let online = p.get("/api/v1/onts?limit=1000&state=online");
        let olts = p.get("/api/v1/olts");
        let items = |page: &Value| page["items"].as_array().unwrap().clone();
        items(&online).iter().all(|onu| onu["optics"]["rx_dbm"].is_number())
            && items(&olts)
                .iter()
                .all(|olt| olt["poll"]["firmware"].is_string() && olt["model"].is_string())
    });
    let legacy = |n: usize| person.get("/api/v1/olts")["items"][n]["poll"]["legacy"].clone();
    let mut both = [legacy(0).as_bool().unwrap(), legacy(1).as_bool().unwrap()];
    both.sort_unstable();
    assert_eq!(both, [false, true], "the legacy profile is shown where it is used");

    a_trap_shows_its_serial(&world, &person);
    a_moved_serial_is_followed(&world, &person);
    a_removed_onu_is_absent_only_after_a_complete_read(&world, &person);

    product.terminate(Duration::from_secs(25)).unwrap();
    no_password_anywhere(&world);
}

/// No registration ever named it: the serial is from the command line.
fn a_trap_shows_its_serial(world: &World, person: &Person<'_>) {
    let olt = &world.simulation.network().olts[0];
    let onu = world.cli.shown(0).into_iter().next().unwrap();
    let trap = Trap::Onu {
        place: onu.place,
        alarm: OnuAlarm::SignalDegraded,
        raised: true,
    };
    let head = Head {
        request_id: 1,
        uptime: 1_000,
    };
    let bytes = datagram(&trap, olt, head, Dialect::default(), COMMUNITY);
    let socket = UdpSocket::bind((olt.address, 0)).unwrap();
    socket.send_to(&bytes, world.setup.trap_target()).unwrap();
    let path = format!("/api/v1/devices/{}/events?limit=20", onu.serial);
    person.until("the event has the serial", |p| {
        let events = p.get(&path);
        let items = events["items"].as_array().cloned().unwrap_or_default();
        items
            .iter()
            .any(|event| event["event"] == "sd" && event["serial"] == onu.serial.to_string())
    });
    let device = person.get(&format!("/api/v1/devices/{}", onu.serial));
    assert_eq!(device["serial"], onu.serial.to_string());
    assert_eq!(device["description"], onu.description);
}

fn a_moved_serial_is_followed(world: &World, person: &Person<'_>) {
    let onu = world.cli.shown(0).into_iter().nth(1).unwrap();
    let root = &world.simulation.network().olts[0].root;
    let board = world.simulation.network().olts[0].boards.last().unwrap();
    let to = PonAddress {
        olt: 0,
        slot: board.slot,
        port: board.ports - 1,
    };
    let place = world.cli.move_onu(onu.serial, to).unwrap();
    let (from, to) = (root.onu(onu.place).to_string(), root.onu(place).to_string());
    person.until("the serial is found at its new place", |p| {
        p.get(&format!("/api/v1/devices/{}", onu.serial))["entity"] == *to
    });
    let from = from.replace('/', "%2F");
    person.until("nothing is at the old place", |p| {
        p.get(&format!("/api/v1/devices/{from}"))["state"] == "absent"
    });
    person.until("the board has what the OLTs have", |p| p.board() == world.shown());
}

fn a_removed_onu_is_absent_only_after_a_complete_read(world: &World, person: &Person<'_>) {
    let onu = world.cli.shown(1).into_iter().next().unwrap();
    let root = &world.simulation.network().olts[1].root;
    let entity = root.onu(onu.place).to_string().replace('/', "%2F");
    let state = || person.get(&format!("/api/v1/devices/{entity}"))["state"].clone();
    world.cli.set_fault(1, Some(CliFault::CloseMidTable));
    let olt = root.name();
    let failing = |p: &Person<'_>| p.get(&format!("/api/v1/devices/{olt}"))["poll"]["failing_since"].is_string();
    person.until("reads fail", failing);
    world.cli.remove_onu(onu.serial).unwrap();
    // Another try comes and is cut too.
    let logins = world.cli.counts(1).logins;
    person.until("it was tried again", |_| world.cli.counts(1).logins > logins);
    person.until("and failed again", failing);
    assert_ne!(state(), "absent", "no complete read says so");
    world.cli.set_fault(1, None);
    person.until("a complete read finds it no more", |_| state() == "absent");
    // It goes on shining: its OLT finds it, and it waits there for somebody.
    let waits = |list: &Value| {
        let items = list["items"].as_array().cloned().unwrap_or_default();
        items.iter().any(|found| found["serial"] == onu.serial.to_string())
    };
    let path = format!("/api/v1/olts/{olt}/autofind-onts/all");
    person.until("it waits to be provisioned", |p| waits(&p.get(&path)));
    assert_eq!(person.get(&format!("/api/v1/devices/{olt}"))["pending"], 1);
    person.until("the board has what the OLTs have", |p| p.board() == world.shown());
}

/// Row O5: in no file of the installation, log output included.
fn no_password_anywhere(world: &World) {
    let mut folders = vec![world.folder.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(PASSWORD.len())
                .any(|window| window == PASSWORD.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
    assert!(files > 10, "{files}");
}

/// Row O4: killed again and again while reads go on, slowly. Nothing is doubled, nobody is thought absent.
#[test]
fn killed_in_the_middle_of_reads_it_tells_nothing_twice_and_nothing_false() {
    let kills = if std::env::var_os("ATALAIA_SOAK").is_some() {
        40
    } else {
        4
    };
    let world = World::new(Pace {
        per_line: Duration::from_millis(4),
        ..Pace::default()
    });
    let (mut product, first) = world.start();
    let first = first.unwrap();
    for n in 0..kills {
        std::thread::sleep(Duration::from_millis(3_500 + 470 * (n % 5)));
        product.kill().unwrap();
        product = world.start().0;
    }
    let person = Person::login(&world, &first);
    person.until("the board has what the OLTs have", |p| p.board() == world.shown());
    product.kill().unwrap();

    let log = common::open_log(&world.setup.data());
    let codec = log.codec().clone();
    let observations = read_all(&*log, Topic::Observations);
    let reads = observations
        .iter()
        .filter_map(|s| codec.decode(s.record.value.as_deref()?).ok());
    let reads = reads.filter(|r| matches!(r, AnyRecord::OnuTableRead(_))).count();
    let committed = log.committed(topology::Group::Network, Topic::Observations).unwrap();
    let before: Vec<_> = observations
        .into_iter()
        .filter(|s| s.offset < committed[s.record.partition as usize].unwrap_or(0))
        .collect();
    let expected = oracle(&before, &codec, PARTITIONS_EMBEDDED, 1);
    let events = read_fast(&*log);
    let told = with_id_rule(&events);
    let known: Vec<_> = told
        .iter()
        .filter(|event| expected.fast.contains(event))
        .cloned()
        .collect();
    assert_eq!(compare(&expected.fast, &known), Difference::default());
    for topic in [Topic::DeviceStatus, Topic::Inventory, Topic::Measurements] {
        assert_eq!(out_of_turn(&read_all(&*log, topic)), 0, "{topic}");
    }
    let absent = events.iter().filter(|s| {
        let value = s.record.value.as_deref().unwrap();
        matches!(codec.decode(value), Ok(AnyRecord::DeviceEvent(event)) if event.state.as_deref() == Some("absent"))
    });
    assert_eq!(absent.count(), 0, "nothing was removed");
    let asked: u64 = (0..2)
        .flat_map(|olt| world.cli.counts(olt).commands)
        .filter(|(name, _)| name.starts_with("display ont info"))
        .map(|(_, n)| n)
        .sum();
    assert!(
        asked > reads as u64,
        "no kill came in the middle of a read: {asked} asked, {reads} read"
    );
    println!(
        "{kills} kills, {asked} reads of ONUs begun, {reads} published of ONUs, {} events",
        told.len()
    );
}
