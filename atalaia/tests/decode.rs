//! `atalaia decode huawei`: rows, issues and exit codes, as a script sees them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Exit code, standard output, standard error.
fn decode(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_atalaia"))
        .args(["decode", "huawei", "--command"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input has closed it.
    let written = child.stdin.take().unwrap().write_all(input.as_bytes());
    assert!(written.is_ok() || !input.is_empty());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const ANSWER: &str =
    "OLT-1#display temperature\r\n  SlotID:  4      BoardName: H805GPFD       Temperature:   57C( 134F)\r\n\r\nOLT-1#";

#[test]
fn a_whole_answer_is_rows_and_zero() {
    let row = r#"{"row":"board_temperature","slot":4,"board":"H805GPFD","temperature_celsius":57.0,"temperature_fahrenheit":134.0}"#;
    assert_eq!(
        decode(&["display temperature"], ANSWER),
        (Some(0), format!("{row}\n"), String::new())
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), ANSWER).unwrap();
    let (code, rows, _) = decode(&["display temperature", file.path().to_str().unwrap()], "");
    assert_eq!((code, rows), (Some(0), format!("{row}\n")));
}

#[test]
fn what_is_missing_is_said_with_its_place_and_one() {
    let cut = ANSWER.trim_end_matches("OLT-1#");
    let (code, rows, issues) = decode(&["display temperature"], cut);
    assert_eq!((code, rows.lines().count()), (Some(1), 1));
    assert!(issues.starts_with("2:1: incomplete: no prompt"), "{issues}");
    assert_eq!(decode(&["display temperature", "--whole", "-"], cut).0, Some(0));
    let (code, rows, issues) = decode(&["display temperature"], &ANSWER.replace("57C", "hot"));
    assert_eq!((code, rows.as_str()), (Some(1), ""));
    assert!(
        issues.starts_with("2:1: incomplete: this row of the temperature table"),
        "{issues}"
    );
    let (code, _, issues) = decode(
        &["display version"],
        "  Failure: System is busy, please retry after a while\nOLT-1#",
    );
    assert!(
        code == Some(1) && issues.ends_with("the device's answer: busy\n"),
        "{issues}"
    );
}

#[test]
fn an_unknown_command_or_file_is_two() {
    let (code, rows, issues) = decode(&["reboot system"], "");
    assert!(
        code == Some(2) && rows.is_empty() && issues.starts_with("unknown command"),
        "{issues}"
    );
    let (code, _, issues) = decode(&["display version", "/nonexistent/answer.txt"], "");
    assert!(
        code == Some(2) && issues.starts_with("cannot open /nonexistent/answer.txt"),
        "{issues}"
    );
}

/// Exit code, standard output, standard error of `decode padtec`.
fn padtec(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_atalaia"))
        .args(["decode", "padtec"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A mapping that cannot be read ends it before its input.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const MEASURES: &str = r#"[{"cardUid":"ROA1#374","cardSerial":374,"measureUid":"ROA1#374-7260-0","measureName":"Pump Power","measureGroup":"POWER",
 "measureValue":"26.549","updatedAt":"2025-12-04 22:35:38"},
 {"cardUid":"ROA1#374","measureName":"Power Signal","measureValue":"N/A","updatedAt":"2025-12-04 22:35:38"}]"#;

#[test]
fn a_page_of_a_management_system_is_rows_issues_and_an_exit_code() {
    let (code, rows, issues) = padtec(&["--kind", "measures", "--zone", "America/Manaus"], MEASURES);
    assert_eq!((code, rows.lines().count()), (Some(1), 1), "{rows}{issues}");
    let row: serde_json::Value = serde_json::from_str(&rows).unwrap();
    assert_eq!(
        (&row["measure"], &row["unit"], &row["quality"]),
        (&"pump_power".into(), &"dBm".into(), &"good".into())
    );
    assert_eq!(row["updated_at"], 1_764_902_138_000_000_i64);
    assert_eq!(issues, "3:2: ROA1#374: Power Signal has a value that is no number\n");
    let (code, rows, issues) = padtec(&["--kind", "cards"], r#"[{"cardUid":"ROA1#374"}]"#);
    assert_eq!((code, rows.lines().count(), issues.as_str()), (Some(0), 1, ""));
    let plain = r#"{"data":[{"id":"a#1","status":"UP"}],"totalCount":1}"#;
    let (code, rows, _) = padtec(&["--kind", "cards", "--mapping", "plain", "-"], plain);
    assert!(code == Some(0) && rows.contains(r#""up":true"#), "{rows}");
}

#[test]
fn what_is_no_list_or_no_mapping_is_two() {
    let (code, _, issues) = padtec(&["--kind", "cards"], "<html>");
    assert_eq!((code, issues.as_str()), (Some(2), "the answer is not JSON at 1:1\n"));
    let (code, _, issues) = padtec(&["--kind", "cards", "--mapping", "/nonexistent.toml"], "[]");
    assert!(
        code == Some(2) && issues.starts_with("cannot read the mapping /nonexistent.toml"),
        "{issues}"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[api]\nprefix = 5\n").unwrap();
    let (code, _, issues) = padtec(&["--kind", "cards", "--mapping", file.path().to_str().unwrap()], "[]");
    assert!(
        code == Some(2) && issues.contains(":2:10: `api.prefix` is a integer"),
        "{issues}"
    );
    let (code, _, issues) = padtec(&["--kind", "cards", "--zone", "Manaus"], "[]");
    assert!(code == Some(2) && issues.contains("is no time zone"), "{issues}");
}
