//! Fixture PDUs and what becomes of them, as reviewable text. `GOLDEN=write cargo test` writes it anew.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write;
use std::path::Path;

use model::Root;
use pipeline_normalize::explain;

#[test]
fn fixtures_become_what_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let fixtures = std::fs::read_to_string(folder.join("traps.txt")).unwrap();
    let root = Root::parse("default/olt/rjo-01").unwrap();
    let mut actual = String::new();
    for line in fixtures.lines().filter(|line| !line.starts_with('#')) {
        let (name, hex) = line.split_once(" = ").unwrap();
        writeln!(actual, "## {name}").unwrap();
        for row in explain(&unhex(hex), &root).unwrap() {
            // Only what is said; the names of the MIB are in the catalogue.
            let serde_json::Value::Object(mut fields) = serde_json::to_value(row).unwrap() else {
                panic!("{name}")
            };
            fields.retain(|key, value| !value.is_null() && !["mib", "name", "uptime"].contains(&key.as_str()));
            writeln!(actual, "{}", serde_json::Value::Object(fields)).unwrap();
        }
    }
    assert!(!actual.contains("hunter2"), "a secret went on");
    let golden = folder.join("traps.golden");
    if std::env::var_os("GOLDEN").is_some_and(|v| v == "write") {
        std::fs::write(&golden, &actual).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap();
    for (actual, expected) in actual.lines().zip(expected.lines()) {
        assert_eq!(actual, expected);
    }
    assert_eq!(actual.lines().count(), expected.lines().count());
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}
