//! `up --demo`: a simulated provider whose OLTs send real trap datagrams to the real listener. Only the configuration and
//! the registrations (the same import a user has) are made here.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use settings::Settings;
use simulator::cli::CliConfig;
use simulator::padtec::{Padtec, PadtecConfig};
use simulator::{Running, SimConfig, Simulation};

use crate::operations;
use crate::parts::Parts;
use crate::up::Options;

/// OLTs of the demo.
const OLTS: usize = 4;
/// ONUs of the demo, over all OLTs.
const ONUS: usize = 2_000;
/// Its community: nothing secret is behind it.
pub const COMMUNITY: &str = "demo";
/// Port of its trap listener on 127.0.0.1; any free one if it is taken.
const TRAP_PORT: u16 = 1_162;
/// Port of its OLTs' command lines on 127.10.0.x; any free one if it is taken.
const CLI_PORT: u16 = 2_222;
/// Their password: nothing secret is behind it.
const CLI_PASSWORD: &str = "demo";
/// Port of its Padtec system on 127.0.0.1; any free one if it is taken.
const PADTEC_PORT: u16 = 8_181;
/// Its password: nothing secret is behind it.
const PADTEC_PASSWORD: &str = "demo";
/// Every such ONU is on its OLT and in no registration: only its command line tells of it.
const UNREGISTERED_EVERY: usize = 4;

/// The simulated provider of a seed. `resumed`: its listener remembers an earlier life, so every ONU says anew which faults
/// it does not have.
///
/// # Errors
/// None in practice: the size is fixed.
pub fn simulation(seed: u64, speed: f64, resumed: bool) -> Result<Simulation> {
    let config = SimConfig {
        seed,
        olts: OLTS,
        onus: ONUS,
        speed,
        resumed,
        cli: Some(CliConfig {
            port: free_cli_port(),
            password: CLI_PASSWORD.to_owned(),
            unregistered_every: UNREGISTERED_EVERY,
            ..CliConfig::default()
        }),
        ..SimConfig::default()
    };
    Ok(Simulation::new(config)?)
}

/// The optical network of a seed, served from now on.
///
/// # Errors
/// When no port is free.
pub fn optical(seed: u64) -> Result<Padtec> {
    let config = |port| PadtecConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        seed,
        password: PADTEC_PASSWORD.to_owned(),
        ..PadtecConfig::default()
    };
    let usual = Padtec::serve(config(PADTEC_PORT));
    Ok(usual.or_else(|_| Padtec::serve(config(0)))?)
}

/// A configuration with the demo's OLTs and its optical network, as a person would write it.
///
/// # Errors
/// None in practice: it is checked by a test.
pub fn settings(simulation: &Simulation, optical: &Padtec, data: &Path, listen: SocketAddr) -> Result<Settings> {
    let mut text = format!(
        "data = {data:?}\n[http]\nlisten = \"{listen}\"\n[[snmp_traps.listener]]\nname = \"demo\"\nbind = \"127.0.0.1:{}\"\n",
        free_trap_port()
    );
    for version in ["1", "2c"] {
        writeln!(
            text,
            "[[snmp_traps.credential]]\nname = \"demo-{version}\"\nversion = \"{version}\"\ncommunity = {{ env = \"DEMO_COMMUNITY\" }}"
        )?;
    }
    text.push_str("[olt_polling]\noptics_interval_s = 60\n");
    writeln!(
        text,
        "[padtec_polling]\nnormal_interval_s = 60\ninventory_interval_s = 300\n[[padtec]]\nname = \"nms-1\"\nbase = \"{}\"\n\
         user = \"noc\"\npassword = {{ env = \"PADTEC_PASSWORD\" }}\nzone = \"America/Manaus\"",
        optical.base()
    )?;
    text.push_str(&simulation.olt_entries());
    let environment = [
        ("DEMO_COMMUNITY", COMMUNITY),
        ("OLT_PASSWORD", CLI_PASSWORD),
        ("PADTEC_PASSWORD", PADTEC_PASSWORD),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    settings::load_text("demo", &text, Path::new("."), environment).context("the demo's configuration is wrong")
}

/// Registers the network and lets its OLTs speak.
///
/// # Errors
/// When the log does not take the registrations, or an OLT's address cannot be used.
pub fn live(simulation: &Simulation, parts: &Parts, options: &Options) -> Result<Running> {
    let target = *parts.trap_addresses.first().context("the demo has a trap listener")?;
    let registrations = simulation.network().registrations("import", operations::now());
    operations::append_registrations(&*parts.log, registrations)?;
    println!("traps  udp {target}   community {COMMUNITY}");
    println!(
        "demo   {OLTS} OLTs and {ONUS} ONUs of seed {} at {} times life's speed, in {}",
        options.seed,
        options.speed,
        parts.folder.display()
    );
    Ok(simulation.start(target, COMMUNITY)?)
}

/// The usual port if nobody has it on the first OLT's address, else one that is free there now.
fn free_cli_port() -> u16 {
    use std::net::TcpListener;
    let free = |port| TcpListener::bind(("127.10.0.1", port)).and_then(|bound| bound.local_addr());
    free(CLI_PORT)
        .or_else(|_| free(0))
        .map_or(CLI_PORT, |address| address.port())
}

/// The usual port if nobody has it, else 0: any.
fn free_trap_port() -> u16 {
    std::net::UdpSocket::bind(("127.0.0.1", TRAP_PORT)).map_or(0, |_| TRAP_PORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_configuration_is_right() {
        let simulation = simulation(1, 1.0, false).unwrap();
        let network = simulation.network();
        let optical = optical(1).unwrap();
        let settings = settings(&simulation, &optical, Path::new("demo"), "127.0.0.1:0".parse().unwrap()).unwrap();
        assert_eq!((settings.olts.len(), settings.padtec.len()), (OLTS, 1));
        assert!(crate::assembly::padtec_connector(&settings, "demo").unwrap().is_some());
        assert_eq!(network.onus().count(), ONUS);
        assert!(
            settings.olts.iter().all(|o| o.address.is_loopback()),
            "it sends to and from this machine only"
        );
    }
}
