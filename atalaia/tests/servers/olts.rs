//! Row O4 on servers: OLTs are read by a process of its own; it and the processor are killed in the middle of reads.

use std::net::TcpListener;
use std::time::Duration;

use common::checker::{out_of_turn, read_all};
use load_tests::client::list;
use load_tests::product::{Running, Servers};
use schemas::AnyRecord;
use simulator::cli::{Cli, CliConfig, Pace};
use simulator::{SimConfig, Simulation};
use topology::Topic;

use crate::common;
use crate::verdict::{assert_log, wait_processed};
use crate::world::{NETWORK, PERSIST, World, until};

const CONNECTOR: &[&str] = &["connector", "olt-ssh"];
const PASSWORD: &str = "canary-77c0";

fn boxes() -> (Simulation, Cli) {
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
            pace: Pace {
                per_line: Duration::from_millis(4),
                ..Pace::default()
            },
            ..CliConfig::default()
        }),
        ..SimConfig::default()
    })
    .unwrap();
    let cli = simulation.serve_cli().unwrap().unwrap();
    (simulation, cli)
}

/// State and serial of each ONU, as the command lines show them.
fn shown(simulation: &Simulation, cli: &Cli) -> Vec<(String, String, String)> {
    let olts = simulation.network().olts.iter().enumerate();
    let onus = olts.flat_map(|(n, olt)| cli.shown(n).into_iter().map(move |onu| (olt, onu)));
    let row = |(olt, onu): (&simulator::Olt, simulator::cli::OnuShown)| {
        (
            olt.root.onu(onu.place).to_string(),
            onu.truth.state.to_string(),
            onu.serial.to_string(),
        )
    };
    let mut shown: Vec<_> = onus.map(row).collect();
    shown.sort();
    shown
}

#[test]
fn a_reader_or_a_processor_killed_in_the_middle_tells_nothing_twice_and_nothing_false() {
    let rounds = if std::env::var_os("ATALAIA_SOAK").is_some() {
        12
    } else {
        2
    };
    let (simulation, cli) = boxes();
    let world = World::bare(Servers::from_environment("olts").unwrap(), 0);
    let secret = world.setup.folder.join("olt-password");
    std::fs::write(&secret, PASSWORD).unwrap();
    let entries = simulation
        .olt_entries()
        .replace("{ env = \"OLT_PASSWORD\" }", &format!("{{ file = {secret:?} }}"));
    let file = world.setup.folder.join("atalaia.toml");
    let polling =
        "[olt_polling]\nstate_interval_s = 1\noptics_interval_s = 5\nalarms_interval_s = 2\nautofind_interval_s = 2\n";
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + polling + &entries).unwrap();
    world.apply();
    let (api, first) = world.start_board();
    let (mut network, persist) = (world.start(NETWORK), world.start(PERSIST));
    let mut connector = world.start(CONNECTOR);
    let again = |running: Running, part: &[&str]| {
        std::thread::sleep(Duration::from_millis(3_500));
        running.kill().unwrap();
        world.spawn(part, &[])
    };
    for _ in 0..rounds {
        connector = again(connector, CONNECTOR);
        network = again(network, NETWORK);
    }
    let token = world.token(&first);
    let board = || {
        let listed = list(world.setup.http(), "/api/v1/onts?limit=1000", &token);
        let items = world.runtime.block_on(listed).unwrap_or_default();
        let text = |item: &serde_json::Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
        let mut rows: Vec<_> = items
            .iter()
            .map(|item| (text(item, "entity"), text(item, "state"), text(item, "serial")))
            .collect();
        rows.sort();
        rows
    };
    let truth = shown(&simulation, &cli);
    until("the board has what the OLTs have", || board() == truth);

    connector.kill().unwrap();
    let log = world.log();
    wait_processed(&world, &*log);
    network.terminate(Duration::from_secs(25)).unwrap();
    let found = assert_log("OLTs read", &*log);
    let readings = [Topic::Measurements, Topic::DeviceStatus];
    for topic in readings {
        assert_eq!(
            out_of_turn(&read_all(&*log, topic)),
            0,
            "{topic}: each commit stands once"
        );
    }
    let told_absent = |value: &[u8]| matches!(log.codec().decode(value), Ok(AnyRecord::DeviceEvent(event)) if event.state.as_deref() == Some("absent"));
    let absent = found
        .events
        .iter()
        .filter(|s| s.record.value.as_deref().is_some_and(told_absent));
    assert_eq!(absent.count(), 0, "nothing was removed");
    let leaked = |stored: &&log::Stored| {
        let value = stored.record.value.as_deref().unwrap_or_default();
        value
            .windows(PASSWORD.len())
            .any(|window| window == PASSWORD.as_bytes())
    };
    assert_eq!(
        found.observations.iter().filter(leaked).count(),
        0,
        "the password is in the log"
    );
    drop((api, persist));
}
