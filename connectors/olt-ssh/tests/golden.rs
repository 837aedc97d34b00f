//! Answers in, rows out, as text a person can review. `ATALAIA_BLESS=1` writes what is said now.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use connector_olt_ssh::decode::Settings;

#[test]
fn answers_are_read_as_written() {
    for file in common::FILES {
        let (preface, fixtures) = common::load(file);
        let mut now = preface;
        let mut wrong = Vec::new();
        for fixture in &fixtures {
            let said = common::made_of(&fixture.command, fixture.text.as_bytes(), &Settings::default());
            if said != fixture.expected {
                wrong.push(format!(
                    "## {}\n{said}\n--- expected\n{}",
                    fixture.command, fixture.expected
                ));
            }
            let text = fixture.text.replace('\x1b', "␛");
            now.push_str(&format!("## {}\n{}\n{text}=> {said}\n", fixture.command, fixture.why));
        }
        if std::env::var_os("ATALAIA_BLESS").is_some() {
            std::fs::write(common::path(file), &now).unwrap();
            continue;
        }
        assert!(wrong.is_empty(), "{file}:\n{}", wrong.join("\n\n"));
    }
}

#[test]
fn line_ends_make_no_difference() {
    for fixture in common::all() {
        for ending in ["\r\n", "\r\r\n", " \r\n"] {
            let text = fixture.text.replace('\n', ending);
            let said = common::made_of(&fixture.command, text.as_bytes(), &Settings::default());
            assert_eq!(said, fixture.expected, "{} with {ending:?}", fixture.command);
        }
    }
}

#[test]
fn no_secret_is_in_anything_that_is_said() {
    let mut planted = 0;
    for fixture in common::all() {
        planted += fixture.text.matches("CANARY-").count();
        let said = common::made_of(&fixture.command, fixture.text.as_bytes(), &Settings::default());
        assert!(!said.contains("CANARY"), "{}: {said}", fixture.command);
        let scrubbed = connector_olt_ssh::decode::scrubbed(&fixture.text);
        assert!(!scrubbed.contains("CANARY"), "{}: {scrubbed}", fixture.command);
    }
    assert!(planted >= 5, "{planted}");
}
