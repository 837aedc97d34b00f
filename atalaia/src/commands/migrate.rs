//! `atalaia migrate`: brings the tables of the store to this build's version.

use anyhow::{Result, bail};

use crate::backends::cql_config;
use crate::command_line::Place;

/// Arguments of `atalaia migrate`.
#[derive(clap::Args)]
#[command(
    after_help = "Safe to run again, beside others, and after a kill at any moment:\n  atalaia migrate --config atalaia.toml --dry-run\n  atalaia migrate --config atalaia.toml"
)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Prints the statements it would execute, and executes none.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// When the store is embedded (its tables need none), cannot be reached, or is newer than this build.
pub fn run(arguments: &Arguments) -> Result<()> {
    let settings = crate::up::load_settings(&arguments.place)?;
    let Some(config) = cql_config(&settings) else {
        bail!("the store is embedded and needs no migration: this command is for store.backend = \"cql\"");
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if arguments.dry_run {
        let pending = runtime.block_on(store_cql::CqlStore::pending(&config))?;
        for statement in &pending {
            println!("-- {}.{}\n{};", statement.version, statement.step, statement.text);
        }
        println!("-- {} statements", pending.len());
        return Ok(());
    }
    runtime.block_on(store_cql::CqlStore::migrate(&config, &mut |step| println!("{step}")))?;
    Ok(())
}
