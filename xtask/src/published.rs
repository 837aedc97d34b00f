//! Schemas once published stay readable for ever, in both directions: FULL_TRANSITIVE.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use apache_avro::Schema;
use apache_avro::schema_compatibility::SchemaCompatibility;
use schemas::RecordType;

/// Compares each record's schema with all its published versions.
pub fn run(root: &Path, publish: bool) -> Result<()> {
    let mut problems = Vec::new();
    for record in RecordType::ALL {
        let folder = root.join("schemas/published").join(record.name());
        let versions = versions(&folder)?;
        let current = record.schema_json();
        for (number, text) in &versions {
            if let Err(problem) = compatible(text, current) {
                problems.push(format!("{} against version {number}: {problem}", record.name()));
            }
        }
        if versions.last().is_none_or(|(_, text)| text != current) {
            let next = versions.len() + 1;
            if publish {
                fs::create_dir_all(&folder)?;
                fs::write(folder.join(format!("{next}.avsc")), current)?;
                println!("published {} version {next}", record.name());
            } else {
                problems.push(format!(
                    "{} has changed since it was published: run `make gen`",
                    record.name()
                ));
            }
        }
    }
    if problems.is_empty() {
        println!(
            "schemas: {} records, compatible in both directions with every published version",
            RecordType::ALL.len()
        );
        return Ok(());
    }
    bail!(
        "schemas are not FULL_TRANSITIVE compatible:\n  {}",
        problems.join("\n  ")
    )
}

fn versions(folder: &Path) -> Result<Vec<(usize, String)>> {
    let mut found = Vec::new();
    for number in 1.. {
        let path = folder.join(format!("{number}.avsc"));
        if !path.exists() {
            break;
        }
        found.push((
            number,
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?,
        ));
    }
    Ok(found)
}

fn compatible(old: &str, new: &str) -> Result<()> {
    let old = Schema::parse_str(old)?;
    let new = Schema::parse_str(new)?;
    SchemaCompatibility::can_read(&old, &new).context("new readers cannot read old records")?;
    SchemaCompatibility::can_read(&new, &old).context("old readers cannot read new records")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}"#;

    #[test]
    fn a_field_with_a_default_is_compatible_and_one_without_is_not() {
        let good = OLD.replace(
            r#"{"name":"a","type":"string"}"#,
            r#"{"name":"a","type":"string"},{"name":"b","type":["null","long"],"default":null}"#,
        );
        compatible(OLD, &good).unwrap();
        let bad = good.replace(r#","default":null"#, "");
        assert!(compatible(OLD, &bad).is_err());
        let retyped = OLD.replace("string", "long");
        assert!(compatible(OLD, &retyped).is_err());
    }
}
