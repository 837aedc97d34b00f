//! What the command lines show is what the traps tell of, lost ones included, and what operators did.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::{Cause, EntityId, Kind, Micros, Serial, State};
use simulator::cli::{CliConfig, LifeError, PonAddress};
use simulator::{Mishaps, Running, SimConfig, Simulation, Truth};
use support::{Terminal, body, config, network};

/// Where traps go to be forgotten.
fn sink() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Waits for a state of the simulation.
async fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !reached() {
        assert!(Instant::now() < end, "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The states of the ONUs of an OLT, as read from a screen: serial, run state and cause of the summary.
async fn read_summary(terminal: &mut Terminal) -> BTreeMap<String, (String, String)> {
    let lines = body(&terminal.run("display ont info summary 0").await);
    let (mut port, mut second) = (String::new(), false);
    let (mut states, mut serials) = (BTreeMap::new(), BTreeMap::new());
    for line in &lines {
        if let Some(rest) = line.strip_prefix("  In port ") {
            port = rest.split(',').next().unwrap().to_owned();
        }
        second = (second || line.contains("Rx/Tx")) && !line.contains("In port");
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(id) = words.first().filter(|w| w.bytes().all(|b| b.is_ascii_digit())) else {
            continue;
        };
        let place = format!("{port}/{id}");
        if second {
            serials.insert(words[1].to_owned(), place);
        } else {
            states.insert(
                place,
                (
                    words[1].to_owned(),
                    words.last().copied().unwrap_or_default().to_owned(),
                ),
            );
        }
    }
    serials
        .into_iter()
        .map(|(serial, place)| (serial, states[&place].clone()))
        .collect()
}

/// What a board makes of a screen's words.
fn truth_of((state, cause): &(String, String)) -> Truth {
    let offline = match cause.as_str() {
        "dying-gasp" => Cause::Power,
        "LOSi/LOBi" => Cause::Fibre,
        _ => Cause::Unknown,
    };
    match state.as_str() {
        "online" => Truth {
            state: State::Online,
            cause: None,
        },
        _ => Truth {
            state: State::Offline,
            cause: Some(offline),
        },
    }
}

/// The truth of the ONUs of one OLT by serial.
fn by_serial(simulation: &Simulation, truth: &BTreeMap<EntityId, Truth>, olt: usize) -> BTreeMap<String, Truth> {
    let olt = &simulation.network().olts[olt];
    let of = |o: &simulator::Onu| Some((o.serial.hex(), *truth.get(&olt.root.onu(o.place))?));
    olt.onus.iter().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_storm_the_screen_shows_the_truth() {
    let simulation = Simulation::new(SimConfig {
        onus: 400,
        speed: 40.0,
        mishaps: Mishaps {
            loss: 0.2,
            duplicate: 0.1,
            reorder: 0.1,
        },
        cli: Some(config()),
        ..SimConfig::default()
    })
    .unwrap();
    let (_socket, target) = sink();
    let running = simulation.start(target, "c").unwrap();
    let cli = running.cli().unwrap();
    let all = simulation.network().onus().count();
    let told = |running: &Running| running.truth().keys().filter(|e| e.kind() == Kind::Onu).count();
    wait_until("every ONU is told of", || told(&running) == all).await;
    let mut terminal = Terminal::ready(cli.address(0), false).await;
    let (mut compared, mut seen) = (0, BTreeSet::new());
    // How often in a row a screen and the truth were not one. At this speed a plug flaps within one reading.
    let mut apart: BTreeMap<String, u32> = BTreeMap::new();
    let end = Instant::now() + Duration::from_secs(6);
    while Instant::now() < end {
        let before = by_serial(&simulation, &running.truth(), 0);
        let screen = read_summary(&mut terminal).await;
        let after = by_serial(&simulation, &running.truth(), 0);
        assert_eq!(screen.len(), before.len());
        for (serial, words) in screen {
            let one = before[&serial] != after[&serial] || truth_of(&words) == after[&serial];
            let times = apart.entry(serial.clone()).or_default();
            *times = if one { 0 } else { *times + 1 };
            assert!(*times < 4, "{serial} {words:?} {:?}", after[&serial]);
            compared += 1;
            seen.insert(words);
        }
    }
    assert!(running.report().lost > 50, "{:?}", running.report());
    let out = seen.iter().filter(|(state, _)| state == "offline").count();
    assert!(compared > 1_000 && out >= 2, "{compared} {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn times_and_alarms_follow_the_traps() {
    let simulation = network(1, 60, config());
    let (_socket, target) = sink();
    let running = simulation.start(target, "c").unwrap();
    let cli = running.cli().unwrap();
    let offline = || cli.shown(0).into_iter().find(|o| o.truth.cause == Some(Cause::Power));
    wait_until("a customer without power", || offline().is_some()).await;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .cast_signed();
    let onu = offline().unwrap();
    assert!((now - onu.last_down_s.unwrap()).abs() <= 40, "{onu:?}");
    assert_eq!(onu.last_down_cause, "dying-gasp");
    let mut terminal = Terminal::ready(cli.address(0), false).await;
    let place = format!(
        "SlotID: {}, PortID: {}, ONT ID: {}, Equipment ID: {}",
        onu.place.slot, onu.place.port, onu.place.onu, onu.model
    );
    let alarms = terminal.run("display alarm active all detail").await;
    let gasp = alarms
        .split("--- END")
        .find(|a| a.contains(&place) && a.contains("0x2e11a00b"));
    assert!(gasp.is_some(), "{place}\n{alarms}");
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_move_remove_and_add() {
    let simulation = Simulation::new(SimConfig {
        olts: 2,
        onus: 120,
        speed: 100.0,
        cli: Some(config()),
        ..SimConfig::default()
    })
    .unwrap();
    let (_socket, target) = sink();
    let running = simulation.start(target, "c").unwrap();
    let cli = running.cli().unwrap();
    let olts = &simulation.network().olts;
    let (moved, removed) = (&olts[0].onus[3], &olts[0].onus[4]);
    let to = PonAddress {
        olt: 1,
        slot: 1,
        port: 2,
    };
    let place = cli.move_onu(moved.serial, to).unwrap();
    cli.remove_onu(removed.serial).unwrap();
    let stranger = Serial::parse("ZTEG12345678").unwrap();
    let added = cli.add_onu(to, stranger, "a new customer", "ONU AB12 Compact").unwrap();
    assert_eq!(cli.remove_onu(removed.serial), Err(LifeError::NoSuchOnu));
    assert_eq!(cli.add_onu(to, stranger, "", "").unwrap_err(), LifeError::SerialTaken);
    let nowhere = PonAddress { port: 99, ..to };
    assert_eq!(cli.move_onu(stranger, nowhere).unwrap_err(), LifeError::NoRoom);

    let truth = running.truth();
    for (entity, expected) in [
        (olts[0].root.onu(moved.place), State::Absent),
        (olts[0].root.onu(removed.place), State::Absent),
        (olts[1].root.onu(place), State::Online),
        (olts[1].root.onu(added), State::Online),
    ] {
        assert_eq!(truth[&entity].state, expected, "{entity}");
    }
    let mut old = Terminal::ready(cli.address(1), true).await;
    let shown = old.run(&format!("display ont info by-sn {}", moved.serial)).await;
    assert!(shown.contains("F/S/P                   : 0/1/2"), "{shown}");
    let summary = old.run("display ont info summary 0/1/2").await;
    let columns = format!("  {:<3} {} ONU AB12 Compact ", added.onu, stranger.hex());
    assert!(summary.contains(&columns), "{summary}");
    let mut first = Terminal::ready(cli.address(0), false).await;
    let gone = first.run(&format!("display ont info by-sn {}", removed.serial)).await;
    assert!(gone.contains("The required ONT does not exist"), "{gone}");
    let found = first.run("display ont autofind all").await;
    assert!(found.contains(&removed.serial.hex()), "still lit: {found}");

    // What the script goes on to say of it, it says of the new place.
    let entity = olts[1].root.onu(place);
    let onu = || cli.shown(1).into_iter().find(|o| o.serial == moved.serial).unwrap();
    wait_until("the moved ONU fails", || onu().truth.state == State::Offline).await;
    wait_until("and comes back", || onu().truth.state == State::Online).await;
    let (_, truth) = running.stop();
    assert_eq!(truth[&olts[0].root.onu(moved.place)].state, State::Absent);
    assert!(truth.contains_key(&entity));
}

#[test]
fn some_onus_are_known_to_their_box_alone() {
    let simulation = network(
        2,
        100,
        CliConfig {
            unregistered_every: 10,
            ..config()
        },
    );
    let registered = simulation.network().registrations("import", Micros(0));
    let onus = registered.iter().filter(|r| r.kind == Kind::Onu.as_str()).count();
    assert_eq!((onus, simulation.network().onu_count()), (90, 100));
    let cli = simulation.serve_cli().unwrap().unwrap();
    assert_eq!(cli.shown(0).len() + cli.shown(1).len(), 100);
}

#[test]
fn command_lines_change_nothing_that_traps_say() {
    let with = |cli| {
        let simulation = Simulation::new(SimConfig {
            onus: 100,
            cli,
            ..SimConfig::default()
        })
        .unwrap();
        simulation.datagrams("c").take(3_000).collect::<Vec<_>>()
    };
    assert!(with(None) == with(Some(config())));
}

#[test]
fn the_entries_lead_to_the_command_lines() {
    let simulation = network(
        2,
        10,
        CliConfig {
            port: 2_022,
            ..config()
        },
    );
    let text = simulation.olt_entries();
    let environment = [("OLT_PASSWORD".to_owned(), "secret".to_owned())];
    let settings = settings::load_text("a.toml", &text, ".".as_ref(), environment).unwrap();
    let ssh: Vec<_> = settings.olts.iter().map(|o| o.access.as_ref().unwrap()).collect();
    let profiles: Vec<_> = ssh.iter().map(|s| (s.user.as_str(), s.port, s.transport)).collect();
    let expected = [
        ("noc", 2_022, settings::OltTransport::Ssh(settings::SshProfile::Modern)),
        ("noc", 2_022, settings::OltTransport::Ssh(settings::SshProfile::Legacy)),
    ];
    assert_eq!(profiles, expected);

    let anywhere = network(2, 10, config());
    let cli = anywhere.serve_cli().unwrap().unwrap();
    let entries = cli.olt_entries();
    for olt in [0, 1] {
        let port = format!(", port = {} }}", cli.address(olt).port());
        assert!(entries.contains(&port), "{port} in {entries}");
    }
}
