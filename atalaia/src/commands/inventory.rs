//! `atalaia inventory import FILE`: registers what exists.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use model::Tenant;
use settings::inventory_file::{self, InventoryRow};

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
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let name = file.display().to_string();
    let rows = inventory_file::parse(&name, &text)
        .map_err(|errors| anyhow::anyhow!("nothing was registered, the file has mistakes:\n{errors}"))?;
    if rows.is_empty() {
        bail!("{name} has no rows");
    }
    let tenant = crate::up::load_settings(place)?.tenant;
    let registrations: Vec<Registration> = rows
        .iter()
        .map(|row| registration(row, &tenant))
        .collect::<Result<_>>()?;
    if *check {
        println!("{name}: {} rows, right", registrations.len());
        return Ok(());
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
    println!("{total} registered");
    Ok(())
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
