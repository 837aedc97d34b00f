//! The answers of `tests/fixtures`: `## command`, a line why, the text, `=> ` and what is made of it.

#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use connector_olt_ssh::decode::{self, Command, Screen, Settings};

pub const FILES: [&str; 4] = ["onus", "system", "alarms", "flows"];

/// One answer and what should be made of it.
#[derive(Debug, Clone)]
pub struct Fixture {
    pub command: String,
    pub why: String,
    pub text: String,
    pub expected: String,
}

pub fn path(file: &str) -> String {
    format!("{}/tests/fixtures/{file}.txt", env!("CARGO_MANIFEST_DIR"))
}

/// The words above the first answer, and the answers.
pub fn load(file: &str) -> (String, Vec<Fixture>) {
    let content = std::fs::read_to_string(path(file)).unwrap();
    let (preface, content) = content.split_once("## ").unwrap();
    let fixtures = content.split("\n## ").map(|section| {
        let (command, rest) = section.split_once('\n').unwrap();
        let (why, rest) = rest.split_once('\n').unwrap();
        let (text, expected) = rest.split_once("=> ").unwrap();
        Fixture {
            command: command.to_owned(),
            why: why.to_owned(),
            text: text.replace('␛', "\x1b"),
            expected: expected.trim_end().to_owned(),
        }
    });
    (preface.to_owned(), fixtures.collect())
}

pub fn all() -> Vec<Fixture> {
    FILES.iter().flat_map(|file| load(file).1).collect()
}

/// What is made of an answer, as text: the kind of answer and whether it is complete, a line a row, issue and unasked alarm.
pub fn made_of(command: &str, bytes: &[u8], settings: &Settings) -> String {
    let text = decode::text_of(bytes);
    let screen = Screen::of(&text);
    let reading = decode::read(&screen, &Command::parse(command).unwrap(), settings);
    let word = if reading.complete { "complete" } else { "incomplete" };
    let mut said = format!(
        "{}, {word}",
        serde_json::to_string(&reading.answer).unwrap().trim_matches('"')
    );
    for row in &reading.rows {
        said.push_str(&format!("\n{}", serde_json::to_string(row).unwrap()));
    }
    for issue in &reading.issues {
        said.push_str(&format!("\n! {issue}"));
    }
    for alarm in &reading.unasked {
        said.push_str(&format!("\nunasked {}", serde_json::to_string(alarm).unwrap()));
    }
    said
}
