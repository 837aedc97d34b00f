//! Vendor bytes in, what we make of them out, as text a person can review. `ATALAIA_BLESS=1` writes what is said now.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use connector_snmp_traps::explain;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/traps.txt");

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

#[test]
fn fixtures_are_explained_as_written() {
    let text = std::fs::read_to_string(FIXTURES).unwrap();
    let mut now = String::new();
    let mut cases = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        now.push_str(line);
        now.push('\n');
        if line.starts_with("## ") {
            let hex = lines.next().unwrap();
            lines.next().unwrap();
            let said = serde_json::to_string(&explain(&bytes(hex))).unwrap();
            assert!(
                !said.contains("public") && !said.contains("hunter2"),
                "{line}: a community in {said}"
            );
            now.push_str(&format!("{hex}\n{said}\n"));
            cases += 1;
        }
    }
    if std::env::var_os("ATALAIA_BLESS").is_some() {
        std::fs::write(FIXTURES, &now).unwrap();
    }
    assert!(cases >= 5, "{cases}");
    // Line by line first, so that a failure shows the one that differs.
    for (was, is) in text.lines().zip(now.lines()) {
        assert_eq!(is, was);
    }
    assert_eq!(now, text);
}

/// The constructed datagrams of `ATALAIA_RECORDINGS`: read whole, and their trap is the one written beside.
#[test]
fn constructed_huawei_traps() {
    let Some(folder) = std::env::var_os("ATALAIA_RECORDINGS") else {
        println!("ATALAIA_RECORDINGS is not set: the constructed Huawei traps were not read");
        return;
    };
    let path = std::path::Path::new(&folder).join("huawei/traps-constructed.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut seen = 0;
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let explanation = explain(&bytes(row["pdu_hex"].as_str().unwrap()));
        let trap = explanation
            .trap
            .unwrap_or_else(|| panic!("{}: {:?}", row["id"], explanation.error));
        assert_eq!(trap.trap_oid, row["trap_oid"].as_str().unwrap(), "{}", row["id"]);
        // What the row expects is in there somewhere: the ONU's id among the values, where it has one.
        if let Some(onu) = row["expect"]["ont_id"].as_i64() {
            assert!(trap.varbinds.iter().any(|v| v.value == onu), "{}", row["id"]);
        }
        seen += 1;
    }
    assert!(seen >= 10, "{seen} datagrams");
}
