//! `schemas/src/generated/`: the records, their views and their codec, in Rust, from `schemas/avro/*.avsc`.
//!
//! What is written is checked by the compiler and compared with apache-avro by the tests of `schemas`; here only what those
//! could not see is refused: shapes that the wire code does not have, and defaults that serde would not give.

mod rust;
mod schema;
mod shapes;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use self::schema::Named;

/// Where the files go, below the project's folder.
const FOLDER: &str = "schemas/src/generated";

/// Writes the files, or compares them.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let files = files(&root.join("schemas/avro"))?;
    let folder = root.join(FOLDER);
    let mut stale = Vec::new();
    for (name, text) in &files {
        let path = folder.join(name);
        if fs::read_to_string(&path).unwrap_or_default() == *text {
            continue;
        }
        if check {
            stale.push(name.clone());
        } else {
            fs::create_dir_all(&folder)?;
            fs::write(&path, text)?;
            println!("wrote {FOLDER}/{name}");
        }
    }
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {FOLDER}"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if files.contains_key(&name) {
            continue;
        }
        if check {
            stale.push(name);
        } else {
            fs::remove_file(folder.join(&name))?;
            println!("removed {FOLDER}/{name}");
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!("{FOLDER} is out of date ({}): run `make gen`", stale.join(", "))
}

/// Name and text of every file.
fn files(avro: &Path) -> Result<BTreeMap<String, String>> {
    let mut sources = BTreeMap::new();
    for entry in fs::read_dir(avro).with_context(|| format!("cannot read {}", avro.display()))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        sources.insert(name, text);
    }
    generate(&sources)
}

/// From schema texts by record name to files by name.
fn generate(sources: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let mut types: BTreeMap<String, Named> = BTreeMap::new();
    let mut used_by: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (source, text) in sources {
        let parsed = schema::parse(text).with_context(|| format!("{source}.avsc"))?;
        for named in parsed {
            let name = named.name().to_owned();
            used_by.entry(name.clone()).or_default().push(source);
            match types.get(&name) {
                Some(known) if *known != named => bail!("{name} is not the same in {source}.avsc as elsewhere"),
                _ => types.insert(name, named),
            };
        }
    }
    // A type lives in the file of the one record that has it, or in its own.
    let home = |name: &str| match &used_by[name][..] {
        [only] if !sources.contains_key(name) => (*only).to_owned(),
        _ => name.to_owned(),
    };
    let mut homes: BTreeMap<String, Vec<&Named>> = BTreeMap::new();
    for (name, named) in &types {
        homes.entry(home(name)).or_default().push(named);
    }
    let mut files = BTreeMap::new();
    for (name, mut named) in homes {
        // The record first, then what only it has.
        named.sort_by_key(|n| n.name() != name);
        let context = rust::Context {
            types: &types,
            home: &home,
            records: sources,
        };
        files.insert(
            format!("{}.rs", rust::snake_case(&name)),
            rust::file(&name, &named, &context)?,
        );
    }
    let modules = files.keys().cloned().collect::<Vec<_>>();
    files.insert("mod.rs".to_owned(), rust::index(&modules));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_code_is_what_the_schemas_say() {
        run(&crate::root(), true).unwrap();
    }

    #[track_caller]
    fn refused(fields: &str, expected: &str) {
        let text = format!(r#"{{"type":"record","name":"R","namespace":"atalaia.v1","doc":"D.","fields":[{fields}]}}"#);
        let error = generate(&BTreeMap::from([("R".to_owned(), text)])).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn what_the_wire_code_cannot_do_is_refused() {
        refused(r#"{"name":"a","type":"float","doc":"D."}"#, "float");
        refused(r#"{"name":"a","type":["string","null"],"doc":"D."}"#, "null first");
        refused(
            r#"{"name":"a","type":["null","string","long"],"doc":"D."}"#,
            "null first",
        );
        refused(
            r#"{"name":"a","type":"R","doc":"D."}"#,
            "R is used before it is complete",
        );
        refused(r#"{"name":"a","type":"long","doc":"D.","default":7}"#, "default 7");
        refused(r#"{"name":"a","type":"string"}"#, "no doc");
        refused(
            r#"{"name":"a","type":{"type":"array","items":"null"},"doc":"D."}"#,
            "null",
        );
    }

    #[test]
    fn one_name_has_one_meaning() {
        let with = |symbols: &str| {
            format!(
                r#"{{"type":"record","name":"X","namespace":"atalaia.v1","doc":"D.","fields":[{{"name":"a","doc":"D.",
                "type":{{"type":"enum","name":"E","doc":"D.","symbols":[{symbols}]}}}}]}}"#
            )
        };
        let sources = BTreeMap::from([
            ("A".to_owned(), with(r#""ONE""#).replace('X', "A")),
            ("B".to_owned(), with(r#""TWO""#).replace('X', "B")),
        ]);
        let error = generate(&sources).unwrap_err().to_string();
        assert!(error.contains("E is not the same"), "{error}");
    }
}
