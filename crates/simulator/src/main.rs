//! `simulator`: the simulated ISP on its own, for a running Atalaia on the same machine.
#![allow(clippy::print_stdout, reason = "a command line: its output is for people and pipes")]

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use simulator::cli::CliConfig;
use simulator::padtec::{Padtec, PadtecConfig, Shape};
use simulator::{Mishaps, SimConfig, Simulation};

/// Plays an ISP: sends SNMP traps of simulated OLTs to a listener on this machine.
#[derive(Parser)]
#[command(
    after_help = "Example, with the community in the environment variable TRAP_COMMUNITY:\n  \
    simulator --print config > isp.toml; simulator --print csv > isp.csv\n  \
    simulator --target 127.0.0.1:10162\n  \
    OLT_PASSWORD=… simulator --cli-port 2222, and ssh -p 2222 noc@127.10.0.1"
)]
struct Arguments {
    /// The trap listener; a loopback address.
    #[arg(long, default_value = "127.0.0.1:162")]
    target: SocketAddr,
    /// Print this and end.
    #[arg(long)]
    print: Option<What>,
    /// Name of the environment variable that holds the community.
    #[arg(long, default_value = "TRAP_COMMUNITY")]
    community_env: String,
    /// Where all chance comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// OLTs.
    #[arg(long, default_value_t = 4)]
    olts: usize,
    /// ONUs.
    #[arg(long, default_value_t = 2_000)]
    onus: usize,
    /// How fast life passes.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Probability that a trap is lost.
    #[arg(long, default_value_t = 0.0)]
    loss: f64,
    /// Probability that a datagram arrives twice.
    #[arg(long, default_value_t = 0.0)]
    duplicate: f64,
    /// Probability that a datagram arrives late.
    #[arg(long, default_value_t = 0.0)]
    reorder: f64,
    /// Serve the OLTs' command lines too, by SSH on this port of each OLT's address, for the user `noc`.
    #[arg(long)]
    cli_port: Option<u16>,
    /// The same by telnet on this port.
    #[arg(long, requires = "cli_port")]
    telnet_port: Option<u16>,
    /// Name of the environment variable that holds that user's password.
    #[arg(long, default_value = "OLT_PASSWORD")]
    password_env: String,
    /// Serve a Padtec management system too, on this port of 127.0.0.1, for the user `noc`.
    #[arg(long)]
    padtec_port: Option<u16>,
    /// In the plain shape instead of the vendor's.
    #[arg(long, requires = "padtec_port")]
    padtec_plain: bool,
    /// Its cards.
    #[arg(long, default_value_t = 24)]
    padtec_cards: usize,
    /// Name of the environment variable that holds its user's password.
    #[arg(long, default_value = "PADTEC_PASSWORD")]
    padtec_password_env: String,
    /// With command lines: every n-th ONU is known to its OLT alone and not in what is printed.
    #[arg(long, default_value_t = 0)]
    unregistered_every: usize,
    /// Stop after so many seconds.
    #[arg(long)]
    seconds: Option<f64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// The `[[olt]]` entries of a configuration.
    Config,
    /// The inventory as CSV.
    Csv,
    /// The inventory as JSON lines.
    Jsonl,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let Arguments {
        seed,
        olts,
        onus,
        speed,
        loss,
        duplicate,
        reorder,
        ..
    } = arguments;
    let mishaps = Mishaps {
        loss,
        duplicate,
        reorder,
    };
    let simulation = Simulation::new(SimConfig {
        seed,
        olts,
        onus,
        speed,
        mishaps,
        cli: cli(&arguments)?,
        ..SimConfig::default()
    })?;
    match arguments.print {
        Some(What::Config) => print(&simulation.olt_entries())?,
        Some(What::Csv) => print(&simulation.network().inventory_csv())?,
        Some(What::Jsonl) => print(&simulation.network().inventory_jsonl())?,
        None => play(&simulation, &arguments)?,
    }
    Ok(())
}

/// The command lines asked for. What is only printed needs no password.
fn cli(arguments: &Arguments) -> Result<Option<CliConfig>> {
    let Some(port) = arguments.cli_port else {
        return Ok(None);
    };
    let name = &arguments.password_env;
    let password = match std::env::var(name) {
        Ok(password) => password,
        Err(_) if arguments.print.is_some() => String::new(),
        Err(error) => {
            return Err(error).with_context(|| format!("put the password into the environment variable {name}"));
        }
    };
    Ok(Some(CliConfig {
        port,
        telnet_port: arguments.telnet_port,
        password,
        unregistered_every: arguments.unregistered_every,
        ..CliConfig::default()
    }))
}

/// Prints to a reader that may have seen enough.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// The Padtec system asked for.
fn padtec(arguments: &Arguments) -> Result<Option<Padtec>> {
    let Some(port) = arguments.padtec_port else {
        return Ok(None);
    };
    let name = &arguments.padtec_password_env;
    let password =
        std::env::var(name).with_context(|| format!("put the password into the environment variable {name}"))?;
    let padtec = Padtec::serve(PadtecConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        shape: if arguments.padtec_plain {
            Shape::Plain
        } else {
            Shape::Smart
        },
        seed: arguments.seed,
        cards: arguments.padtec_cards,
        password,
        ..PadtecConfig::default()
    })?;
    let mapping = if arguments.padtec_plain { "plain" } else { "smart-api" };
    println!(
        "[[padtec]]\nname = \"nms-1\"\nbase = \"{}\"\nuser = \"noc\"\npassword = {{ env = \"{name}\" }}\n\
         zone = \"America/Manaus\"\nmapping = \"{mapping}\"\n",
        padtec.base()
    );
    Ok(Some(padtec))
}

fn play(simulation: &Simulation, arguments: &Arguments) -> Result<()> {
    // Served until the end.
    let _padtec = padtec(arguments)?;
    let name = &arguments.community_env;
    let community =
        std::env::var(name).with_context(|| format!("put the community into the environment variable {name}"))?;
    let running = simulation.start(arguments.target, &community)?;
    let mut left = arguments.seconds.map(Duration::from_secs_f64);
    loop {
        let nap = left.unwrap_or(Duration::MAX).min(Duration::from_secs(10));
        std::thread::sleep(nap);
        let report = running.report();
        println!(
            "sent {} resent {} answered {} lost {} failed {}",
            report.sent, report.resent, report.answered, report.lost, report.failed
        );
        left = left.map(|l| l.saturating_sub(nap));
        if left == Some(Duration::ZERO) {
            return Ok(());
        }
    }
}
