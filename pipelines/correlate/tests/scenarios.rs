//! Incidents and alarms as text (`scenarios/*.txt`), read by people; the grammar is in `scenarios/README.md`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;

use common::World;
use model::Micros;
use schemas::{Scope, Silence, SilencesChanged};

#[test]
fn scenarios_go_as_written() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    assert!(files.len() >= 12, "scenarios are missing");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut player = Player::default();
        for (i, line) in text.lines().enumerate() {
            player.line = format!("{}:{}: {line}", path.file_name().unwrap().to_string_lossy(), i + 1);
            let line = line.split('#').next().unwrap().trim();
            if !line.is_empty() {
                player.play(line);
            }
        }
        player.world.assert_no_dead_letters();
    }
}

#[derive(Default)]
struct Player {
    world: World,
    line: String,
    at_s: u32,
    silences: BTreeMap<String, i64>,
}

impl Player {
    fn play(&mut self, line: &str) {
        let mut line = line;
        if let Some(rest) = line.strip_prefix("at ") {
            let (time, rest) = rest.split_once(" s:").unwrap_or_else(|| self.fail("`at N s: …`"));
            let time: u32 = time.parse().unwrap();
            self.world
                .seconds(time.checked_sub(self.at_s).unwrap_or_else(|| self.fail("time goes on")));
            self.at_s = time;
            line = rest.trim();
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["restart"] => {
                self.world.driver.crash(0);
                self.world.driver.restore();
            }
            ["commit"] => assert!(self.world.driver.commit(), "{}", self.line),
            ["we", "were", "down", "for", minutes, "min"] => {
                self.world.driver.advance(minutes.parse::<i64>().unwrap() * 60_000);
                self.world.seconds(1);
            }
            ["reading", entities, words @ ..] => {
                let lines: Vec<String> = entities_of(entities)
                    .map(|e| format!("{e} {}", words.join(" ")))
                    .collect();
                self.world.say(&lines.join("\n"));
            }
            ["silence", name, "until", until, "on", pattern] => self.silence(name, until, pattern, false),
            ["silence", name, "ends"] => self.silence(name, "0", "*", true),
            ["expect", rest @ ..] => self.expect(rest),
            [actor, act, "of", entity] if is_act(act) => self.act(actor, act, entity, None),
            [actor, act, "of", entity, "as", id] if is_act(act) => self.act(actor, act, entity, Some(id)),
            [entities, words @ ..] => {
                for entity in entities_of(entities) {
                    self.world.say(&format!("{entity} {}", words.join(" ")));
                }
            }
        }
    }

    fn expect(&mut self, words: &[&str]) {
        match words {
            ["no", "incident"] => assert_eq!(self.world.verdicts(), [""; 0], "{}", self.line),
            ["incidents", rest @ ..] => {
                let expected = rest.join(" ");
                let expected: Vec<&str> = expected.split(", ").collect();
                assert_eq!(self.world.verdicts(), expected, "{}", self.line);
            }
            ["shown", "nothing"] => assert!(self.world.shown().is_empty(), "{}: {:?}", self.line, self.world.shown()),
            ["shown", entities @ ..] => {
                let mut expected: Vec<String> = entities.iter().flat_map(|e| entities_of(e)).collect();
                expected = expected.iter().map(|e| format!("{}/{e}", self.world.root)).collect();
                expected.sort();
                let shown: Vec<String> = self.world.shown().into_iter().collect();
                assert_eq!(shown, expected, "{}", self.line);
            }
            [entities, "told", story @ ..] => {
                for entity in entities_of(entities) {
                    assert_eq!(self.world.story(&entity), story.join(" "), "{entity} of {}", self.line);
                }
            }
            [entity, "is", is @ ..] => {
                let alarm = self.world.alarm(entity);
                let by = alarm.acknowledged_by.map_or(String::new(), |by| format!(" by {by}"));
                let told = format!("{} {} {}{by}", alarm.condition, alarm.operator_state, alarm.visibility);
                assert_eq!(told, is.join(" "), "{}", self.line);
            }
            _ => self.fail("not an expectation"),
        }
    }

    fn act(&mut self, actor: &str, act: &str, entity: &str, id: Option<&str>) {
        if entity == "nothing" {
            let entity = format!("{}/onu/0/9/9/9", self.world.root);
            self.world.act_as(&entity, "a-unknown", id.unwrap_or("x"), act, actor);
            return;
        }
        let alarm = self.world.alarm(entity);
        match id {
            Some(id) => self.world.act_as(&alarm.entity, &alarm.alarm_id, id, act, actor),
            None => drop(self.world.act(&alarm, act, actor)),
        }
    }

    fn silence(&mut self, name: &str, until_s: &str, pattern: &str, removed: bool) {
        let version = self.silences.entry(name.to_owned()).or_default();
        *version += 1;
        let version = *version;
        let seconds: i64 = until_s.parse().unwrap();
        let now = self.world.driver.now();
        let silence = Silence {
            silence_id: name.to_owned(),
            version,
            writer: "api-1".into(),
            at: now,
            author: "ana".into(),
            removed,
            scope: Scope {
                entity: Some(pattern.to_owned()),
                ..Scope::EVERYTHING
            },
            alarm_type: None,
            until: now.plus((seconds - i64::from(self.at_s)) * Micros::SECOND),
            reason: "work".into(),
        };
        self.world.driver.pipe("", SilencesChanged { silence });
    }

    fn fail(&self, why: &str) -> ! {
        panic!("{}: {why}", self.line)
    }
}

fn is_act(word: &str) -> bool {
    [
        "acknowledge",
        "unacknowledge",
        "comment",
        "clear",
        "silence",
        "unsilence",
        "dance",
    ]
    .contains(&word)
}

/// `onu/0/3/5/1..64` is all of them, both ends counted in.
fn entities_of(words: &str) -> impl Iterator<Item = String> + use<> {
    let (before, range) = words.rsplit_once('/').unwrap_or((words, ""));
    let all: Vec<String> = match range.split_once("..") {
        Some((first, last)) => {
            let (first, last): (u16, u16) = (first.parse().unwrap(), last.parse().unwrap());
            (first..=last).map(|id| format!("{before}/{id}")).collect()
        }
        None => vec![words.to_owned()],
    };
    all.into_iter()
}
