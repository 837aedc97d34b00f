//! `make bench`: the figures of `README.md` beside this file. Ratios within one run, medians of several pairs.
#![allow(clippy::print_stdout, reason = "a command line tool")]

mod codec;
mod e2e;
mod edge;
mod olt;
mod peers;
mod processor;
mod servers;
mod stages;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

/// Measures the product on this machine; prints one line a figure.
#[derive(Parser)]
struct Arguments {
    /// What to measure; everything if not said.
    #[arg(value_enum)]
    stages: Vec<Stage>,
    /// How often each measurement is repeated; medians are printed with their range.
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// Traps per second of stage `e2e`.
    #[arg(long, default_value_t = 1_000.0)]
    rate: f64,
    /// Seconds of one run of stage `e2e`.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Records of one run of the processor in stage `servers`.
    #[arg(long, default_value_t = 500_000)]
    events: u32,
    /// ONUs of the restore of stage `servers`.
    #[arg(long, default_value_t = 1_000_000)]
    onus: u32,
    /// Seconds of load before that restore.
    #[arg(long, default_value_t = 60)]
    load_seconds: u32,
    /// OLTs that stage `olt` reads at once.
    #[arg(long, default_value_t = 1_000)]
    olts: usize,
    /// The binary under test; built in release mode if not said.
    #[arg(long)]
    binary: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// Trap over UDP → frame at a WebSocket client.
    E2e,
    /// Appends to the embedded log, with fsync.
    Append,
    /// Commits of the embedded log, with fsync.
    Commit,
    /// Avro, written and read by our code and by apache-avro.
    Codec,
    /// Events through the chain alone, with its cuts, and through the embedded log.
    Processor,
    /// Datagrams over UDP into the durable log; gosnmp on the same bytes.
    Edge,
    /// The same on Kafka, registry and Cassandra, which `KAFKA`, `REGISTRY` and `CQL` name; Kafka Streams at the same job.
    Servers,
    /// Reading simulated OLTs over SSH; netmiko and asyncssh against the same boxes; a thousand OLTs.
    Olt,
    /// Our Kafka consumer and CQL writer against bare loops of the libraries they stand on.
    Clients,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let wants = |stage| arguments.stages.is_empty() || arguments.stages.contains(&stage);
    println!(
        "# {} cores; medians of {} runs [least … most]",
        std::thread::available_parallelism()?,
        arguments.pairs
    );
    if wants(Stage::Codec) {
        codec::run(arguments.pairs)?;
    }
    if wants(Stage::Append) {
        stages::append(arguments.pairs)?;
    }
    if wants(Stage::Commit) {
        stages::commit(arguments.pairs)?;
    }
    if wants(Stage::Processor) {
        processor::run(arguments.pairs)?;
    }
    if wants(Stage::Edge) {
        edge::run(arguments.pairs)?;
    }
    if wants(Stage::Olt) {
        olt::run(arguments.pairs, arguments.olts)?;
    }
    if wants(Stage::Clients) {
        servers::clients()?;
    }
    if !wants(Stage::E2e) && !wants(Stage::Servers) {
        return Ok(());
    }
    let binary = match arguments.binary {
        Some(binary) => binary,
        None => build()?,
    };
    let (rate, seconds) = (arguments.rate, arguments.seconds);
    if wants(Stage::E2e) {
        e2e::run(&binary, arguments.pairs, rate, seconds)?;
    }
    if wants(Stage::Servers) {
        servers::latency(&binary, arguments.pairs, rate, seconds)?;
        servers::throughput(&binary, arguments.pairs, arguments.events)?;
        servers::restore(&binary, arguments.onus, arguments.load_seconds)?;
    }
    Ok(())
}

/// Builds the product in release mode and answers where it lies: beside this program.
fn build() -> Result<PathBuf> {
    let status = std::process::Command::new("cargo")
        .args(["build", "--release", "-q", "-p", "atalaia"])
        .status()?;
    anyhow::ensure!(status.success(), "the product does not build");
    let here = std::env::current_exe()?;
    Ok(here.parent().context("a program lies in a folder")?.join("atalaia"))
}

/// A figure's line: median and range.
pub fn print_figure(name: &str, unit: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let median = values[values.len() / 2];
    println!(
        "{name:<44} {median:>12.1} {unit:<16} [{:.1} … {:.1}]",
        values[0],
        values[values.len() - 1]
    );
}
