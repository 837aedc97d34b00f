//! `atalaia topology`: topics, groups and steps, from the same tables the code uses; on Kafka also what differs there, and
//! making it so.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use log_kafka::Admin;
use registry::Registry;
use schemas::{Codec, RecordType};
use settings::LogBackend;
use topology::{Cleanup, Delivery, GROUPS, TOPICS};

use crate::backends::{kafka_config, registry_config};
use crate::command_line::Place;

use super::out;

/// Subcommands of `atalaia topology`.
#[derive(Subcommand)]
pub enum Command {
    /// Prints topics, groups and steps.
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Prints what differs on Kafka and in the schema registry, and changes nothing. Exit code 1 if anything does.
    Diff {
        #[command(flatten)]
        place: Place,
    },
    /// Makes topics, settings, schemas and compatibility on Kafka and in the registry what they should be.
    #[command(after_help = "Safe to run again:\n  atalaia topology apply --config atalaia.toml")]
    Apply {
        #[command(flatten)]
        place: Place,
    },
}

/// Runs the command.
///
/// # Errors
/// When something differs (`diff`), or a server is away or refuses.
pub fn run(command: &Command) -> Result<()> {
    let text = match command {
        Command::Show { json: true } => format!("{:#}", as_json()),
        Command::Show { json: false } => table(),
        Command::Diff { place } => return Cluster::connect(place)?.diff(),
        Command::Apply { place } => return Cluster::connect(place)?.apply(),
    };
    out::until_read(out::line(&text.trim_end()))
}

/// Kafka and the registry of an installation.
struct Cluster {
    tokio: tokio::runtime::Runtime,
    admin: Admin,
    registry: Registry,
}

impl Cluster {
    fn connect(place: &Place) -> Result<Self> {
        let settings = crate::up::load_settings(place)?;
        let LogBackend::Kafka(kafka) = &settings.log.backend else {
            bail!("the log is embedded and needs no topics: this command is for log.backend = \"kafka\"");
        };
        std::fs::create_dir_all(&settings.data)
            .with_context(|| format!("cannot make the data folder {}", settings.data.display()))?;
        // Nothing is read or written in a topic with records: any codec does.
        let codec = Arc::new(Codec::standalone());
        Ok(Self {
            tokio: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            admin: Admin::connect(kafka_config(&settings, kafka, codec, "topology"))?,
            registry: Registry::connect(registry_config(&settings, kafka))?,
        })
    }

    fn diff(&self) -> Result<()> {
        let mut found = Vec::new();
        found.extend(self.admin.diff()?.iter().map(ToString::to_string));
        let schemas = self.tokio.block_on(self.registry.diff(RecordType::ALL))?;
        found.extend(schemas.iter().map(ToString::to_string));
        if found.is_empty() {
            return out::until_read(out::line(&"nothing differs"));
        }
        out::until_read(out::line(&found.join("\n")))?;
        bail!("{} differences: `atalaia topology apply` makes them right", found.len())
    }

    fn apply(&self) -> Result<()> {
        let (applied, left): (Vec<_>, Vec<_>) = self
            .admin
            .apply()?
            .into_iter()
            .partition(log_kafka::Difference::is_applicable);
        let mut done: Vec<_> = applied.iter().map(|d| format!("made right: {d}")).collect();
        let before = self.tokio.block_on(self.registry.diff(RecordType::ALL))?;
        self.tokio.block_on(self.registry.set_compatibility(RecordType::ALL))?;
        self.tokio.block_on(self.registry.ensure(RecordType::ALL))?;
        done.extend(before.iter().map(|d| format!("made right: {d}")));
        let (topics, schemas) = (TOPICS.len(), RecordType::ALL.len());
        done.push(format!("{topics} topics and {schemas} schemas are as they should be"));
        out::until_read(out::line(&done.join("\n")))?;
        if left.is_empty() {
            return Ok(());
        }
        let lines: Vec<_> = left.iter().map(ToString::to_string).collect();
        bail!("left as it is:\n  {}", lines.join("\n  "))
    }
}

fn table() -> String {
    let mut lines = vec![format!(
        "{:<20} {:<17} {:<16} {:<6} RECORDS",
        "TOPIC", "KEY", "KEPT", "SENT"
    )];
    for spec in TOPICS {
        let records: Vec<_> = spec.records.iter().map(|r| r.name()).collect();
        lines.push(format!(
            "{:<20} {:<17} {:<16} {:<6} {}",
            spec.name,
            format!("{:?}", spec.key),
            kept(&spec.cleanup),
            delivery(spec.delivery),
            if records.is_empty() {
                "(state slots)".to_owned()
            } else {
                records.join(", ")
            }
        ));
    }
    for group in GROUPS {
        let reads: Vec<_> = group.reads.iter().map(|t| t.name()).collect();
        lines.push(format!("\ngroup {} reads {}", group.name, reads.join(", ")));
        for step in group.steps {
            let writes: Vec<_> = step.writes.iter().map(|t| t.name()).collect();
            let writes = if writes.is_empty() {
                "events for later steps".to_owned()
            } else {
                writes.join(", ")
            };
            lines.push(format!(
                "  {} {:<10} state by {:<8} writes {writes}",
                step.number, step.name, step.key
            ));
        }
    }
    lines.join("\n")
}

fn kept(cleanup: &Cleanup) -> String {
    match cleanup {
        Cleanup::Compact => "last per key".to_owned(),
        Cleanup::Delete { time, bytes } => format!("{} d, {} GiB", time.as_secs() / 86_400, bytes >> 30),
    }
}

fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Fast => "fast",
        Delivery::Exact => "exact",
        Delivery::Plain => "plain",
    }
}

fn as_json() -> serde_json::Value {
    let topics: Vec<_> = TOPICS
        .iter()
        .map(|t| {
            serde_json::json!({
                "name": t.name, "key": format!("{:?}", t.key), "kept": kept(&t.cleanup), "delivery": delivery(t.delivery),
                "records": t.records.iter().map(|r| r.name()).collect::<Vec<_>>(), "about": t.about,
            })
        })
        .collect();
    let groups: Vec<_> = GROUPS
        .iter()
        .map(|g| {
            serde_json::json!({
                "name": g.name,
                "reads": g.reads.iter().map(|t| t.name()).collect::<Vec<_>>(),
                "writes": g.writes.iter().map(|t| t.name()).collect::<Vec<_>>(),
                "steps": g.steps.iter().map(|s| s.name).collect::<Vec<_>>(),
            })
        })
        .collect();
    serde_json::json!({ "topics": topics, "groups": groups })
}
