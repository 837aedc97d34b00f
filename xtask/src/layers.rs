//! Which way dependencies point. Read from `cargo metadata`, so that a new edge cannot slip in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// What each of our crates may use of our own, outside its tests.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("snmp-pdu", &[]),
    ("schemas", &["model"]),
    ("topology", &["model", "schemas"]),
    ("atalaia-log", &["model", "schemas", "topology"]),
    ("log-kafka", &["model", "schemas", "topology", "atalaia-log"]),
    ("registry", &["model", "schemas"]),
    ("snmp-usm", &["snmp-pdu"]),
    ("store-cql", &["model", "store"]),
    ("runtime", &["model", "schemas", "topology", "atalaia-log"]),
    ("connector-kit", &["model", "schemas", "topology", "atalaia-log"]),
    ("store", &["model"]),
    ("settings", &["model"]),
    ("simulator", &["model", "schemas", "snmp-pdu", "settings"]),
    ("testkit", &["model", "schemas", "topology", "atalaia-log", "runtime"]),
    (
        "connector-olt-ssh",
        &["model", "schemas", "topology", "atalaia-log", "connector-kit"],
    ),
    (
        "connector-padtec",
        &["model", "schemas", "topology", "atalaia-log", "connector-kit"],
    ),
    (
        "connector-snmp-traps",
        &[
            "model",
            "schemas",
            "topology",
            "atalaia-log",
            "connector-kit",
            "snmp-pdu",
            "snmp-usm",
        ],
    ),
    (
        "pipeline-normalize",
        &["model", "schemas", "topology", "runtime", "snmp-pdu"],
    ),
    ("pipeline-status", &["model", "schemas", "topology", "runtime"]),
    ("pipeline-detect", &["model", "schemas", "topology", "runtime"]),
    ("pipeline-correlate", &["model", "schemas", "topology", "runtime"]),
    ("pipeline-rollup", &["model", "schemas", "topology", "runtime"]),
    (
        "pipeline-persist",
        &["model", "schemas", "topology", "atalaia-log", "runtime", "store"],
    ),
    ("api", &["model", "schemas", "topology", "atalaia-log", "store"]),
];

/// Who alone may name a client library, outside tests.
const OWNERS: &[(&str, &[&str])] = &[
    ("rdkafka", &["log-kafka"]),
    ("scylla", &["store-cql"]),
    ("schema_registry_converter", &["registry"]),
    ("fjall", &["atalaia-log", "store"]),
    ("axum", &["api"]),
    ("russh", &["connector-olt-ssh", "simulator"]),
    ("snmp-parser", &["connector-snmp-traps", "snmp-pdu"]),
    // The simulator is a library with a program of its own.
    ("anyhow", &["atalaia", "xtask", "load-tests", "testkit", "simulator"]),
];

/// Checks every edge of the workspace.
pub fn run(root: &Path) -> Result<()> {
    let edges = edges(root)?;
    let problems = problems(&edges);
    if problems.is_empty() {
        println!("layers: {} crates, every dependency points the right way", edges.len());
        return Ok(());
    }
    bail!("dependencies point the wrong way:\n  {}", problems.join("\n  "))
}

type Edges = BTreeMap<String, BTreeSet<String>>;

fn problems(edges: &Edges) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, uses) in edges {
        for used in uses.iter().filter(|u| edges.contains_key(*u)) {
            let free = ["atalaia", "xtask", "load-tests", "fuzz"].contains(&name.as_str());
            let allowed = MAY_USE.iter().find(|(n, _)| n == name).map(|(_, uses)| *uses);
            if !free && !allowed.is_some_and(|list| list.contains(&used.as_str())) {
                problems.push(format!("{name} may not depend on {used}"));
            }
        }
        for (library, owners) in OWNERS {
            if uses.contains(*library) && !owners.contains(&name.as_str()) {
                problems.push(format!(
                    "{name} may not depend on {library}: that is for {}",
                    owners.join(", ")
                ));
            }
        }
    }
    problems
}

/// Normal dependencies of each workspace member.
fn edges(root: &Path) -> Result<Edges> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata did not print JSON")?;
    let mut edges = Edges::new();
    for package in metadata["packages"].as_array().context("no packages")? {
        let name = package["name"].as_str().context("a package without a name")?;
        let uses = package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|d| d["kind"].is_null())
            .filter_map(|d| d["name"].as_str().map(str::to_owned))
            .collect();
        edges.insert(name.to_owned(), uses);
    }
    Ok(edges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_its_layers() {
        run(&crate::root()).unwrap();
    }

    #[test]
    fn a_wrong_edge_is_named() {
        let set = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<BTreeSet<_>>();
        let edges = Edges::from([
            ("model".to_owned(), set(&["serde"])),
            ("store".to_owned(), set(&["model"])),
            ("api".to_owned(), set(&["store", "fjall"])),
            ("connector-olt-ssh".to_owned(), set(&["russh"])),
            ("connector-x".to_owned(), set(&["russh", "store"])),
        ]);
        assert_eq!(
            problems(&edges),
            [
                "api may not depend on fjall: that is for atalaia-log, store",
                "connector-x may not depend on store",
                "connector-x may not depend on russh: that is for connector-olt-ssh, simulator"
            ]
        );
    }
}
