//! Rows P1, P3, P4 and P5 of a whole installation: a simulated Padtec system becomes sites, cards and measures on the board; what it says
//! wrongly takes nothing away; killed in the middle of reads, nothing is told twice and nothing false; no secret is in anything it writes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its figures"
)]

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::checker::{Difference, compare, oracle, out_of_turn, read_all, read_fast, with_id_rule};
use load_tests::client::{login, request, request_text, wait_ready};
use load_tests::product::{FirstStart, Running, Setup};
use schemas::AnyRecord;
use serde_json::Value;
use simulator::padtec::{Padtec, PadtecConfig, PadtecFault, Shape};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use topology::{PARTITIONS_EMBEDDED, Topic};

const WAIT: Duration = Duration::from_secs(60);
/// Of the Padtec system: found in nothing that the product writes or shows.
const PASSWORD: &str = "canary-81c2f6";
const TOKEN: &str = "eyJ.canary-3be07d.x";

/// A management system, and the product that knows of it no more than address, user, password and zone.
struct World {
    padtec: Padtec,
    folder: TempDir,
    setup: Setup,
    runtime: Runtime,
}

impl World {
    fn new(cards: usize) -> Self {
        let padtec = Padtec::serve(PadtecConfig {
            shape: Shape::Smart,
            cards,
            password: PASSWORD.to_owned(),
            token: TOKEN.to_owned(),
            cycle: Duration::from_secs(1),
            lively: false,
            ..PadtecConfig::default()
        })
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::new(common::binary(), folder.path(), 0).unwrap();
        let file = folder.path().join("atalaia.toml");
        let more = format!(
            "[padtec_polling]\ncritical_interval_s = 1\nnormal_interval_s = 2\nalarms_interval_s = 1\ninventory_interval_s = 2\n\
             [[padtec]]\nname = \"nms-1\"\nbase = \"{}\"\nuser = \"noc\"\npassword = {{ env = \"PADTEC_PASSWORD\" }}\n\
             zone = \"America/Manaus\"\n",
            padtec.base()
        );
        let text = std::fs::read_to_string(&file).unwrap() + &more;
        std::fs::write(file, text).unwrap();
        Self {
            padtec,
            folder,
            setup,
            runtime: Runtime::new().unwrap(),
        }
    }

    fn start(&self) -> (Running, Option<FirstStart>) {
        let mut product = self.setup.spawn(&[("PADTEC_PASSWORD", PASSWORD.to_owned())]).unwrap();
        let first = product.wait_board(WAIT).unwrap();
        (product, first)
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
        let asked = request(self.world.setup.http(), "GET", path, Some(&self.token), None);
        self.world.runtime.block_on(asked).unwrap().1
    }

    /// The row of what is behind the system.
    fn row(&self, place: &str) -> Value {
        let entity = format!("default/padtec/nms-1{place}");
        let encoded: String = entity
            .bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect();
        self.get(&format!("/api/v1/devices/{encoded}"))
    }

    /// How many cards are in each state.
    fn cards(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for card in self.world.padtec.cards() {
            let state = self.row(&format!("/card/{card}"))["state"]
                .as_str()
                .unwrap_or("none")
                .to_owned();
            *states.entry(state).or_default() += 1;
        }
        states
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
fn an_optical_network_comes_onto_the_board_and_lies_take_nothing_away() {
    let world = World::new(20);
    let (product, first) = world.start();
    let person = Person::login(&world, &first.unwrap());
    let passive = world
        .padtec
        .cards()
        .iter()
        .filter(|card| card.starts_with("MDDC"))
        .count();
    let took = person.until("every card that measures works", |p| {
        p.cards().get("up") == Some(&(20 - passive))
    });
    println!("20 cards on the board after {took:?}");
    let card = world.padtec.cards()[1].clone();
    let row = person.row(&format!("/card/{card}"));
    assert_eq!(
        (row["serial"].as_str(), row["kind"].as_str()),
        (Some("101"), Some("card")),
        "{row}"
    );
    let site = row["site"].as_str().unwrap().to_owned();
    person.until("its site works", |p| p.row(&format!("/site/{site}"))["state"] == "up");
    assert_eq!(person.row("")["state"], "reachable");

    world
        .padtec
        .set_faults(&[PadtecFault::DuplicateIds, PadtecFault::FailingPage(1)]);
    let gone = world.padtec.cards()[0].clone();
    world.padtec.remove_card(&gone);
    let says_so = |p: &Person<'_>| p.row("")["poll"]["class"] == "incomplete";
    person.until("people are told", says_so);
    assert_ne!(
        person.row(&format!("/card/{gone}"))["state"],
        "absent",
        "no whole reading says so"
    );
    world.padtec.set_faults(&[]);
    person.until("a whole reading says so", |p| {
        p.row(&format!("/card/{gone}"))["state"] == "absent"
    });
    world.padtec.set_up(&card, false);
    person.until("a card is down", |p| p.row(&format!("/card/{card}"))["state"] == "down");
    person.until("and its site", |p| p.row(&format!("/site/{site}"))["state"] == "down");
    world.padtec.set_up(&card, true);
    person.until("it works again", |p| p.row(&format!("/card/{card}"))["state"] == "up");

    world.padtec.set_faults(&[PadtecFault::Away]);
    person.until("the system is away", |p| p.row("")["state"] == "unreachable");
    person.until("its cards cannot be seen", |p| {
        p.row(&format!("/card/{card}"))["state"] == "unknown"
    });
    world.padtec.set_faults(&[]);
    person.until("and can again", |p| p.row(&format!("/card/{card}"))["state"] == "up");

    let asked = request_text(world.setup.http(), "GET", "/metrics", None, None);
    let metrics = world.runtime.block_on(asked).unwrap().1;
    assert!(metrics.contains("atalaia_padtec_reads_total"));
    assert!(!metrics.contains(PASSWORD) && !metrics.contains(TOKEN));
    product.terminate(Duration::from_secs(25)).unwrap();
    no_secret_anywhere(&world);
}

/// Row P5: in no file of the installation, log output included.
fn no_secret_anywhere(world: &World) {
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
            for secret in [PASSWORD, TOKEN] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{}", path.display());
            }
        }
    }
    assert!(files > 10, "{files}");
}

/// Row P3, the connector's part: killed again and again while lists are read, slowly. Nothing is doubled, no card is thought absent.
#[test]
fn killed_in_the_middle_of_reads_it_tells_nothing_twice_and_nothing_false() {
    let kills = if std::env::var_os("ATALAIA_SOAK").is_some() {
        20
    } else {
        4
    };
    let world = World::new(250);
    // A list of 250 cards takes a second and a half.
    world
        .padtec
        .set_faults(&[PadtecFault::Slow(Duration::from_millis(250))]);
    let (mut product, first) = world.start();
    let first = first.unwrap();
    for n in 0..kills {
        std::thread::sleep(Duration::from_millis(4_500 + 370 * (n % 5)));
        product.kill().unwrap();
        product = world.start().0;
    }
    world.padtec.set_faults(&[]);
    let person = Person::login(&world, &first);
    let passive = world
        .padtec
        .cards()
        .iter()
        .filter(|card| card.starts_with("MDDC"))
        .count();
    person.until("every card that measures works", |p| {
        p.cards().get("up") == Some(&(250 - passive))
    });
    product.kill().unwrap();

    let log = common::open_log(&world.setup.data());
    let codec = log.codec().clone();
    let observations = read_all(&*log, Topic::Observations);
    // Lists that were published, each once, with the pages that it takes to read one.
    let mut lists = BTreeMap::new();
    for stored in &observations {
        let (id, list, rows) = match stored.record.value.as_deref().map(|value| codec.decode(value)) {
            Some(Ok(AnyRecord::CardsRead(read))) if read.scope == "all" => {
                (read.read_id, "inventory", read.cards.len())
            }
            Some(Ok(AnyRecord::MeasuresRead(read))) if read.scope == "all" => {
                (read.read_id, "measures", read.measures.len())
            }
            Some(Ok(AnyRecord::MeasuresRead(read))) => (read.read_id, "critical", read.measures.len()),
            _ => continue,
        };
        *lists.entry((list, id)).or_insert(0) += rows;
    }
    let pages_of = |list: &str| {
        let most = lists
            .iter()
            .filter(|((of, _), _)| *of == list)
            .map(|(_, rows)| *rows)
            .max();
        most.unwrap_or(0) as u64 / 100 + 1
    };
    let (cards, measures) = (pages_of("inventory"), pages_of("measures"));
    let published: u64 = lists
        .keys()
        .map(|(list, _)| if *list == "inventory" { cards } else { measures })
        .sum();
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
    let requests = world.padtec.counts().requests;
    let asked = requests["/nms-api/v1/inventory/state"] + requests["/nms-api/v1/measures/state"];
    assert!(
        asked > published,
        "no kill came in the middle of a read: {asked} pages asked for, {published} in what was published"
    );
    println!(
        "{kills} kills, {asked} pages asked for, {} lists of {published} pages published, {} events",
        lists.len(),
        told.len()
    );
}
