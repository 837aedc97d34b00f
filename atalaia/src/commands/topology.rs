//! `atalaia topology show`: topics, groups and steps, from the same tables the code uses.

use anyhow::Result;
use clap::Subcommand;
use topology::{Cleanup, Delivery, GROUPS, TOPICS};

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
}

/// Runs the command.
///
/// # Errors
/// None in practice.
pub fn run(command: &Command) -> Result<()> {
    let Command::Show { json } = command;
    let text = if *json { format!("{:#}", as_json()) } else { table() };
    out::until_read(out::line(&text.trim_end()))
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
