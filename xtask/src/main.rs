//! The project's own automation: generated code and documents, schema compatibility, the direction of dependencies.
#![allow(clippy::print_stdout, reason = "a command line tool")]

mod generated;
mod layers;
mod metrics;
mod published;
mod records;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Automation of the project itself; `make` calls it.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the records' code from their schemas, docs/generated/, and the help of the metrics.
    Gen {
        /// Changes nothing; fails if a file is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Checks the committed schemas against every published version (FULL_TRANSITIVE).
    Schemas {
        /// Also adds changed schemas to schemas/published/ as new versions.
        #[arg(long)]
        publish: bool,
    },
    /// Checks which crate may depend on which, and who may name which client library.
    Layers,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Gen { check } => {
            records::run(&root(), check)?;
            generated::run(&root(), check)
        }
        Command::Schemas { publish } => published::run(&root(), publish),
        Command::Layers => layers::run(&root()),
    }
}

/// The project's folder.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
