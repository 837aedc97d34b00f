//! `atalaia rebuild rollups`: hours, days and months again from raw samples.

use std::str::FromStr;

use anyhow::{Result, bail};
use clap::Subcommand;
use model::Micros;
use store::queries::Span;

use super::out;
use crate::command_line::Place;
use crate::socket::{Installation, Request, with_installation};

/// Subcommands of `atalaia rebuild`.
#[derive(Subcommand)]
pub enum Command {
    /// Adds up hours, days and months again from raw samples, and writes what differs: where all went well, nothing.
    #[command(
        after_help = "Whole days in UTC; raw samples are kept 30 days:\n  atalaia rebuild rollups --from 2026-11-01 --to 2026-11-21"
    )]
    Rollups {
        /// First day, or an instant in it (RFC 3339).
        #[arg(long, value_name = "TIME")]
        from: Instant,
        /// First day that is not recomputed any more, or an instant.
        #[arg(long, value_name = "TIME")]
        to: Instant,
        #[command(flatten)]
        place: Place,
    },
}

/// A day in UTC, or an instant.
#[derive(Debug, Clone, Copy)]
pub struct Instant(Micros);

impl FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = || {
            text.parse::<jiff::civil::Date>()
                .ok()?
                .to_zoned(jiff::tz::TimeZone::UTC)
                .ok()
        };
        let at = text
            .parse::<jiff::Timestamp>()
            .ok()
            .or_else(|| Some(day()?.timestamp()));
        let at = at.ok_or("a day such as 2026-11-21, or an instant such as 2026-11-21T10:00:00Z")?;
        Ok(Self(Micros(at.as_microsecond())))
    }
}

/// Runs the command.
///
/// # Errors
/// When the span is none, or log or store cannot be used.
pub fn run(command: &Command) -> Result<()> {
    let Command::Rollups { from, to, place } = command;
    if from.0 >= to.0 {
        bail!("--from has to be before --to");
    }
    let request = Request::RebuildRollups {
        from: from.0.0,
        to: to.0.0,
    };
    out::until_read(with_installation(place, &request, &mut |line| out::line(&line)))
}

/// Recomputes, and says how far it is and what differed.
///
/// # Errors
/// When log or store fail.
pub fn rollups(at: &Installation, from: i64, to: i64, on_line: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let span = Span {
        from: Micros(from),
        to: Micros(to),
    };
    let mut say = |line: &str| on_line(line).map_err(std::io::Error::other);
    let now = connector_kit::now();
    let counts = pipeline_persist::recompute(&at.log, &at.store, &at.runtime, span, now, &mut say)?;
    on_line(&format!(
        "{} series, {} windows compared, {} differences, {} rows without raw samples left as they are",
        counts.series, counts.windows, counts.different, counts.without_raw
    ))
}
