//! `atalaia inventory import FILE`: registers what exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;
use model::Tenant;
use settings::Olt;
use settings::inventory_file::{self, At, InventoryRow};

use super::out;
use crate::command_line::Place;
use crate::socket::{Registration, Request, with_installation};

/// Subcommands of `atalaia inventory`.
#[derive(Subcommand)]
pub enum Command {
    /// Registers the rows of a CSV or JSON-lines file; a file with a mistake registers nothing.
    #[command(
        after_help = "Format: docs/inventory-import.md. Example:\n  kind,olt,place,serial,name,site\n  onu,rjo-01,0/3/5/17,HWTC1234ABCD,customer-0001,RJO"
    )]
    Import {
        /// The file; its ending says the format (.csv, .jsonl).
        file: PathBuf,
        /// Only checks it.
        #[arg(long)]
        check: bool,
        #[command(flatten)]
        place: Place,
    },
}

/// Rows sent in one request.
const CHUNK: usize = 1_000;

/// Runs the command.
///
/// # Errors
/// When the file has mistakes (all are named), or the installation cannot be used.
pub fn run(command: &Command) -> Result<()> {
    let Command::Import { file, check, place } = command;
    let name = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {name}"))?;
    let text = as_text(&name, bytes)?;
    let rows = inventory_file::parse(&name, &text)
        .map_err(|errors| anyhow::anyhow!("nothing was registered, the file has mistakes:\n{errors}"))?;
    if rows.is_empty() {
        bail!("{name} has no rows");
    }
    let settings = crate::up::load_settings(place)?;
    let tenant = settings.tenant;
    for (olt, line) in strangers(&rows, &settings.olts) {
        eprintln!("{name}:{line}: note: OLT `{olt}` is neither in this file nor an [[olt]] of the configuration");
    }
    let registrations: Vec<Registration> = rows
        .iter()
        .map(|row| registration(row, &tenant))
        .collect::<Result<_>>()?;
    if *check {
        return out::until_read(out::line(&format!("{name}: {} rows, right", registrations.len())));
    }
    let total = registrations.len();
    let mut done = 0;
    for chunk in registrations.chunks(CHUNK) {
        let request = Request::Register {
            rows: chunk.to_vec(),
            origin: "import".to_owned(),
        };
        with_installation(place, &request, &mut |_| Ok(()))?;
        done += chunk.len();
        if total > CHUNK {
            eprintln!("{done} of {total} registered");
        }
    }
    out::until_read(out::line(&format!("{total} registered")))
}

/// The file's text, or where it is not UTF-8: a spreadsheet saves another encoding unless told.
fn as_text(name: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        let begun = before.rsplit(|&b| b == b'\n').next().unwrap_or_default();
        let column = String::from_utf8_lossy(begun).chars().count() + 1;
        anyhow!("{name}:{line}:{column}: is not UTF-8; save the file as \"CSV UTF-8\" (or `iconv -f latin1 -t utf-8`)")
    })
}

/// OLTs that rows hang on and that nobody has named, with the first such line. Without any `[[olt]]` nothing can be said.
fn strangers<'a>(rows: &'a [InventoryRow], configured: &[Olt]) -> BTreeMap<&'a str, usize> {
    let mut strangers = BTreeMap::new();
    if configured.is_empty() {
        return strangers;
    }
    let known: BTreeSet<&str> = configured.iter().map(|olt| olt.name.as_str()).collect();
    let here: BTreeSet<&str> = rows.iter().filter(|r| r.at == At::Olt).map(|r| &*r.olt).collect();
    for row in rows {
        if !known.contains(&*row.olt) && !here.contains(&*row.olt) {
            strangers.entry(&*row.olt).or_insert(row.line);
        }
    }
    strangers
}

fn registration(row: &InventoryRow, tenant: &Tenant) -> Result<Registration> {
    Ok(Registration {
        entity: row.entity(tenant)?.to_string(),
        kind: row.kind().as_str().to_owned(),
        serial: row.serial.map(|s| s.to_string()),
        name: row.name.clone(),
        site: row.site.clone(),
        description: row.description.clone(),
        vendor: row.vendor.clone(),
        model: row.model.clone(),
        address: row.address.map(|a| a.to_string()),
        attributes: row.attributes.clone(),
        removed: row.removed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_another_encoding_is_told_where() {
        let told = as_text("a.csv", b"olt,place\nrjo-01,Jo\xe3o\n".to_vec())
            .unwrap_err()
            .to_string();
        assert!(told.starts_with("a.csv:2:10: is not UTF-8; save"), "{told}");
        assert_eq!(as_text("a.csv", "João".into()).unwrap(), "João");
    }
}
