//! `atalaia replay --check`: state recomputed from `observations` into nothing, compared with the changelog's.

use anyhow::{Result, bail};

use super::out;
use crate::command_line::Place;
use crate::socket::{Installation, Request, with_installation};

/// Arguments of `atalaia replay`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Compares hash and number of slots per partition; changes nothing.
    #[arg(long, required = true)]
    check: bool,
    #[command(flatten)]
    place: Place,
}

/// Runs the command.
///
/// # Errors
/// When the installation cannot be read, or the states differ.
pub fn run(arguments: &Arguments) -> Result<()> {
    out::until_read(with_installation(
        &arguments.place,
        &Request::ReplayCheck,
        &mut |line| out::line(&line),
    ))
}

/// Recomputes and compares, one line a partition.
///
/// # Errors
/// When the log cannot be read, or a partition differs.
pub fn check(at: &Installation, on_line: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let mut different = 0;
    for (partition, stored, computed) in runtime::compare(&*at.log, crate::network_chain)? {
        let verdict = if !computed.complete {
            "not comparable: the oldest observations are no longer kept"
        } else if computed == stored {
            "equal"
        } else {
            different += 1;
            "DIFFERENT"
        };
        on_line(&format!(
            "partition {partition}: offset {}, {} slots, {:032x} in the changelog, {:032x} recomputed: {verdict}",
            stored.next_offset, stored.slots, stored.hash, computed.hash
        ))?;
    }
    if different > 0 {
        bail!("{different} partitions differ: the state is not what this version makes of the observations");
    }
    Ok(())
}
