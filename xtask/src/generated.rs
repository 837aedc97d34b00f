//! docs/generated/: what the topology says, as a page and a picture; the metrics.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::metrics::Metrics;
use anyhow::{Context, Result, bail};
use topology::{Cleanup, Delivery, GROUPS, TOPICS, TopicSpec};

/// Writes the files, or compares them.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let metrics = Metrics::read(root)?;
    let files = [
        ("docs/generated/topology.md", topics_page()),
        ("docs/generated/data-flow.svg", data_flow()),
        ("docs/generated/metrics.md", metrics.page()),
        ("atalaia/src/metric_help.rs", metrics.code()),
    ];
    let mut stale = Vec::new();
    for (name, text) in files {
        let path = root.join(name);
        if check {
            if fs::read_to_string(&path).unwrap_or_default() != text {
                stale.push(name);
            }
        } else {
            fs::create_dir_all(path.parent().context("a file has a folder")?)?;
            fs::write(&path, text)?;
            println!("wrote {name}");
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!("out of date: {}; run `make gen`", stale.join(", "))
}

fn kept(spec: &TopicSpec) -> String {
    match spec.cleanup {
        Cleanup::Compact => "last of each key".to_owned(),
        Cleanup::Delete { time, bytes } => {
            format!(
                "{} d, at most {} GiB on one machine",
                time.as_secs() / 86_400,
                bytes >> 30
            )
        }
    }
}

fn delivery(spec: &TopicSpec) -> &'static str {
    match spec.delivery {
        Delivery::Fast => "fast",
        Delivery::Exact => "exact",
        Delivery::Plain => "plain",
    }
}

fn topics_page() -> String {
    let mut page = String::from(
        "# Topology\n\nGenerated from `topology/` by `make gen`; a test compares.\n\n![data flow](data-flow.svg)\n\n## Topics\n\n\
         | topic | key | kept | delivery | records | what is in it |\n|---|---|---|---|---|---|\n",
    );
    for spec in TOPICS {
        let records: Vec<_> = spec.records.iter().map(|r| format!("`{}`", r.name())).collect();
        let records = if records.is_empty() {
            "the engine's slots".to_owned()
        } else {
            records.join(", ")
        };
        writeln!(
            page,
            "| `{}` | {:?} | {} | {} | {records} | {} |",
            spec.name,
            spec.key,
            kept(spec),
            delivery(spec),
            spec.about
        )
        .expect("writing to a string");
    }
    page.push_str("\n## Groups\n\n| group | reads | writes | steps |\n|---|---|---|---|\n");
    for group in GROUPS {
        let names = |topics: &[topology::Topic]| topics.iter().map(|t| format!("`{t}`")).collect::<Vec<_>>().join(", ");
        let steps: Vec<_> = group
            .steps
            .iter()
            .map(|s| format!("{} {} (by {})", s.number, s.name, s.key))
            .collect();
        writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            group.name,
            names(group.reads),
            names(group.writes),
            steps.join(" → ")
        )
        .expect("writing to a string");
    }
    page
}

const ROW: i32 = 46;

/// Sources → topics → group → topics → views, drawn from the tables.
fn data_flow() -> String {
    let network = &GROUPS[0];
    let outputs: Vec<_> = network
        .writes
        .iter()
        .filter(|t| **t != topology::Topic::Observations)
        .collect();
    let height = 90 + ROW * i32::try_from(outputs.len()).expect("few topics");
    let middle = 40 + (height - 60) / 2;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1180 {height}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"14\">\n<style>.b{{fill:#eef3fb;stroke:#3a5f95}}.t{{fill:#fff6e0;stroke:#a87a10}}\
         .v{{fill:#e9f6ec;stroke:#3a7d4c}}text{{fill:#16202e}}path{{stroke:#6b7686;fill:none}}.h{{font-weight:600}}</style>\n\
         <rect width=\"1180\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    let mut boxed = |x: i32, y: i32, width: i32, class: &str, text: &str| {
        writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"32\" rx=\"6\"/><text x=\"{}\" y=\"{}\" \
             text-anchor=\"middle\">{text}</text>",
            y - 16,
            x + width / 2,
            y + 5
        )
        .expect("writing to a string");
    };
    boxed(10, middle - 50, 130, "b", "Huawei OLTs");
    boxed(10, middle, 130, "b", "snmp-traps");
    boxed(10, middle + 50, 130, "b", "import, API");
    boxed(200, middle, 130, "t", "observations");
    let steps: Vec<_> = network.steps.iter().map(|s| s.name).collect();
    boxed(390, middle, 190, "b", &steps.join(" → "));
    for (i, topic) in (0..).zip(&outputs) {
        boxed(
            650,
            60 + ROW * i,
            180,
            "t",
            &format!("{topic} ({})", delivery(topic.spec())),
        );
    }
    boxed(930, middle - 50, 230, "v", "live view → WebSocket → board");
    boxed(930, middle, 230, "v", "persist → store → REST");
    boxed(930, middle + 50, 230, "v", "anyone who reads the log");
    let mut arrow = |x1: i32, y1: i32, x2: i32, y2: i32| {
        writeln!(
            svg,
            "<path d=\"M{x1} {y1} C{} {y1} {} {y2} {x2} {y2}\"/>",
            x1 + 30,
            x2 - 30
        )
        .expect("writing to a string");
    };
    arrow(75, middle - 34, 75, middle - 16);
    arrow(140, middle, 200, middle);
    arrow(140, middle + 50, 200, middle);
    arrow(330, middle, 390, middle);
    for i in 0..i32::try_from(outputs.len()).expect("few topics") {
        arrow(580, middle, 650, 60 + ROW * i);
        arrow(830, 60 + ROW * i, 930, middle);
    }
    svg.push_str("<text class=\"h\" x=\"10\" y=\"24\">Atalaia: one partition of observations, one task, one atomic commit</text>\n</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_pages_are_what_the_tables_say() {
        run(&crate::root(), true).unwrap();
    }
}
