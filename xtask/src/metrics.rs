//! The metrics of the product: read from the crates' constants, written as a page and as the `# HELP` of `/metrics`.
//!
//! A metric's name is a constant with a doc comment, in a file called `metric.rs`, `metrics.rs` or `metrics_names.rs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

const FILES: [&str; 3] = ["metric.rs", "metrics.rs", "metrics_names.rs"];
const GROUPS: [&str; 5] = ["api", "atalaia", "connectors", "crates", "pipelines"];

/// Help of each metric, and the folder of the crate that has it.
pub struct Metrics(BTreeMap<String, (String, String)>);

impl Metrics {
    /// Reads all of them.
    pub fn read(root: &Path) -> Result<Self> {
        let mut all = Self(BTreeMap::new());
        for group in GROUPS {
            all.folder(root, &root.join(group))?;
        }
        Ok(all)
    }

    fn folder(&mut self, root: &Path, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if path.is_dir() && name != "tests" {
                self.folder(root, &path)?;
            } else if FILES.contains(&name) {
                let place = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
                let place = place.split("/src/").next().unwrap_or_default().to_owned();
                let text = fs::read_to_string(&path)?;
                for (name, help) in constants(&text).with_context(|| path.display().to_string())? {
                    self.0.entry(name).or_insert((help, place.clone()));
                }
            }
        }
        Ok(())
    }

    /// docs/generated/metrics.md.
    pub fn page(&self) -> String {
        let mut page = String::from(
            "# Metrics\n\nGenerated from the crates' constants by `make gen`; a test compares. Every part serves its own at \
             `/metrics`.\n\n| metric | what it counts | by |\n|---|---|---|\n",
        );
        for (name, (help, place)) in &self.0 {
            writeln!(page, "| `{name}` | {help} | `{place}` |").expect("writing to a string");
        }
        page
    }

    /// atalaia/src/metric_help.rs.
    pub fn code(&self) -> String {
        let mut code = String::from(
            "//! The `# HELP` of `/metrics`. Written by `make gen` from the crates' constants; a test compares.\n\n/// Name and help of \
             each metric.\n#[rustfmt::skip]\npub const HELP: &[(&str, &str)] = &[\n",
        );
        for (name, (help, _)) in &self.0 {
            writeln!(code, "    ({name:?}, {help:?}),").expect("writing to a string");
        }
        code.push_str("];\n");
        code
    }
}

/// The string constants of a file that name a metric, each with its doc comment.
fn constants(text: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut doc = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(sentence) = line.strip_prefix("///") {
            doc.push(sentence.trim());
            continue;
        }
        let name = line
            .split_once(": &str = \"")
            .and_then(|(_, rest)| rest.strip_suffix("\";"))
            .filter(|name| {
                name.contains('_')
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
            });
        if let Some(name) = name {
            if doc.is_empty() {
                bail!("{name} has no doc comment: people read it in /metrics");
            }
            found.push((name.to_owned(), doc.join(" ")));
        }
        doc.clear();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_their_comments_are_found() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let expected: Vec<_> = expected
                .iter()
                .map(|(n, h)| ((*n).to_owned(), (*h).to_owned()))
                .collect();
            assert_eq!(constants(text).unwrap(), expected, "{text}");
        };
        check(
            "/// One.\n/// Two.\npub const A: &str = \"a_total\";\n",
            &[("a_total", "One. Two.")],
        );
        check(
            "/// A.\nconst N: u32 = 1;\n/// B.\npub(crate) const B: &str = \"b_b\";",
            &[("b_b", "B.")],
        );
        check("/// Label.\nconst L: &str = \"listener\";\n", &[]);
        assert!(constants("const A: &str = \"a_total\";").is_err(), "without a comment");
    }
}
