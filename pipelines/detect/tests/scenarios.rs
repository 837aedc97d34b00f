//! Plays `scenarios/*.txt`; what a line means is in the README there.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use common::{ROOT, Said, Told, rule_record, said};
use model::Micros;
use schemas::network::{NetworkEvent, Quality};
use schemas::{FlapPolicy, Rule, Scope};
use testkit::Driver;

#[test]
fn scenarios_end_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "txt"))
        .collect();
    files.sort();
    assert!(files.len() >= 15);
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let mut play = Play::new(&name);
        for (n, line) in std::fs::read_to_string(&file).unwrap().lines().enumerate() {
            play.line(n + 1, line);
        }
        play.expect_nothing_more();
    }
}

struct Play {
    file: String,
    line: String,
    driver: Driver<NetworkEvent>,
    began: Micros,
    /// What was looked at already.
    read: usize,
    before_last: Option<Said>,
    last: Option<Said>,
}

impl Play {
    fn new(file: &str) -> Self {
        let driver = Driver::with(1, 1, common::chain);
        let began = driver.now();
        Self {
            file: file.to_owned(),
            line: String::new(),
            driver,
            began,
            read: 0,
            before_last: None,
            last: None,
        }
    }

    fn line(&mut self, number: usize, line: &str) {
        self.line = format!("{} line {number}: {line}", self.file);
        let mut line = line.split('#').next().unwrap().trim();
        if let Some((time, rest)) = line.strip_prefix("at ").and_then(|rest| rest.split_once(" s:")) {
            self.until(time.trim().parse().unwrap());
            line = rest.trim();
        }
        if let Some(rest) = line.strip_prefix("every ") {
            return self.every(rest, None);
        }
        if let Some(rest) = line.strip_prefix("beats every ") {
            return self.every(rest, Some("beat"));
        }
        self.act(line);
    }

    fn act(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("rule ") {
            return self.rule(rest);
        }
        if let Some(rest) = line.strip_prefix("list ") {
            return self.list(rest);
        }
        if let Some(text) = line.strip_prefix("expect text ") {
            let said = self.said_last().text;
            return assert_eq!(said, text.trim(), "{}", self.line);
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words.as_slice() {
            [] => {}
            ["rx", value, ref rest @ ..] => self.sample("onu", value, rest),
            ["expect", ref rest @ ..] => self.expect(rest),
            ["status", ref rest @ ..] => self.status("onu", rest),
            [entity, "status", ref rest @ ..] => self.status(entity, rest),
            ["trap", event, phase, ref rest @ ..] => self.trap("onu", event, phase, rest),
            [entity, "trap", event, phase, ref rest @ ..] => self.trap(entity, event, phase, rest),
            [entity, "rx", value, ref rest @ ..] => self.sample(entity, value, rest),
            ["beat"] => self.pipe(&Told::Beat),
            ["reading", "ok"] => self.pipe(&Told::Polling(0)),
            ["reading", "failed", count] => self.pipe(&Told::Polling(count.parse().unwrap())),
            ["outage", seconds, "s"] => {
                let seconds: i64 = seconds.parse().unwrap();
                self.driver.advance(seconds * 1_000);
            }
            ["restart"] => {
                self.driver.crash(0);
                self.driver.restore();
            }
            ["commit"] => assert!(self.driver.commit()),
            _ => self.fail("not a line of a scenario"),
        }
    }

    fn fail(&self, why: &str) -> ! {
        panic!("{}: {why}", self.line)
    }

    fn now_s(&self) -> i64 {
        self.driver.now().since(self.began) / 1_000_000
    }

    fn at(&self, second: f64) -> Micros {
        #[allow(clippy::cast_possible_truncation, reason = "seconds of a scenario")]
        self.began.plus((second * 1e6) as i64)
    }

    fn until(&mut self, second: i64) {
        assert!(second >= self.now_s(), "{}: time runs on", self.line);
        while self.now_s() < second {
            self.driver.tick(1_000);
        }
    }

    /// `60 s until 600 s: rx -20`.
    fn every(&mut self, rest: &str, act: Option<&str>) {
        let (times, said) = rest.split_once(':').unwrap_or((rest, ""));
        let words: Vec<&str> = times.split_whitespace().collect();
        let [every, "s", "until", until, "s"] = *words.as_slice() else {
            self.fail("every N s until M s: …")
        };
        let (every, until): (i64, i64) = (every.parse().unwrap(), until.parse().unwrap());
        while self.now_s() + every <= until {
            self.until(self.now_s() + every);
            for (n, acts) in act.unwrap_or(said).split(" then ").enumerate() {
                if n > 0 {
                    self.driver.tick(1_000);
                }
                acts.split(" and ").for_each(|act| self.act(act.trim()));
            }
        }
    }

    fn pipe(&mut self, told: &Told) {
        self.driver.pipe(ROOT, told.record());
    }

    fn entity(&self, name: &str) -> String {
        match name {
            "onu" => "/onu/0/1/2/3".to_owned(),
            "onu2" => "/onu/0/1/2/4".to_owned(),
            "card" => "/card/EOA#1".to_owned(),
            "olt" => String::new(),
            _ => self.fail("onu, onu2, card or olt"),
        }
    }

    fn sample(&mut self, entity: &str, value: &str, rest: &[&str]) {
        let (mut quality, mut at) = (Quality::Good, self.driver.now());
        match *rest {
            [] => {}
            ["bad"] => quality = Quality::Bad,
            ["stale"] => quality = Quality::Stale,
            ["observed", second] => at = self.at(second.parse().unwrap()),
            _ => self.fail("rx VALUE [bad|stale|observed N]"),
        }
        let entity = self.entity(entity);
        self.pipe(&Told::Sample(entity, "rx", value.parse().unwrap(), quality, at));
    }

    fn status(&mut self, entity: &str, rest: &[&str]) {
        let [state, about @ ..] = rest else {
            self.fail("status STATE")
        };
        let (mut model, mut site) = (String::new(), String::new());
        for word in about {
            match word.split_once('=') {
                Some(("model", said)) => said.clone_into(&mut model),
                Some(("site", said)) => said.clone_into(&mut site),
                _ => self.fail("model= or site="),
            }
        }
        let about = (!about.is_empty()).then_some((model, site));
        let state = (*state != "-").then(|| state.parse().unwrap());
        let told = Told::Status(self.entity(entity), state, self.driver.now(), about);
        self.pipe(&told);
    }

    fn trap(&mut self, entity: &str, event: &str, phase: &str, rest: &[&str]) {
        let event = ["los", "dying_gasp", "sd"]
            .into_iter()
            .find(|known| *known == event)
            .unwrap_or_else(|| self.fail("los, dying_gasp or sd"));
        let sent: f64 = match *rest {
            ["sent", second] => second.parse().unwrap(),
            #[allow(clippy::cast_precision_loss)]
            _ => self.now_s() as f64,
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let uptime = Some((sent * 100.0) as u32 + 100_000);
        let told = Told::Trap(self.entity(entity), event, phase == "raise", self.driver.now(), uptime);
        self.pipe(&told);
    }

    /// `whole: onu los, onu2 sd asked 20`.
    fn list(&mut self, rest: &str) {
        let (kind, rest) = rest.split_once(':').unwrap_or_else(|| self.fail("list whole|part: …"));
        let (alarms, asked) = match rest.split_once("asked") {
            Some((alarms, second)) => (alarms, self.at(second.trim().parse().unwrap())),
            None => (rest, self.driver.now()),
        };
        let alarms = alarms.split(',').map(str::trim).filter(|alarm| !alarm.is_empty());
        let alarms = alarms.map(|alarm| {
            let (entity, event) = alarm.split_once(' ').unwrap_or_else(|| self.fail("ENTITY EVENT"));
            (self.entity(entity), event.to_owned())
        });
        let alarms = alarms.collect();
        self.pipe(&Told::List(kind == "whole", alarms, asked));
    }

    /// `loss: below low=-27 raise=60`.
    fn rule(&mut self, rest: &str) {
        let (id, rest) = rest.split_once(':').unwrap_or_else(|| self.fail("rule ID: …"));
        let mut words = rest.split_whitespace();
        let condition = words.next().unwrap_or_else(|| self.fail("a condition"));
        let mut rule = Rule {
            rule_id: format!("test-{id}"),
            dead_band: 0.5,
            writer: "a".into(),
            ..common::rule(condition)
        };
        if condition == "state" {
            rule.measure = None;
        }
        while let Some(word) = words.next() {
            let number = |text: &str| text.parse::<i64>().unwrap();
            match word.split_once('=') {
                Some(("low", text)) => rule.low = Some(text.parse().unwrap()),
                Some(("high", text)) => rule.high = Some(text.parse().unwrap()),
                Some(("window", text)) => rule.window_s = Some(number(text)),
                Some(("band", text)) => rule.dead_band = text.parse().unwrap(),
                Some(("raise", text)) => rule.raise_after_s = number(text),
                Some(("clear", text)) => rule.clear_after_s = number(text),
                Some(("reraise", text)) => rule.reraise_after_s = number(text),
                Some(("version", text)) => rule.version = number(text),
                Some(("severity", text)) => text.clone_into(&mut rule.severity),
                Some(("writer", text)) => text.clone_into(&mut rule.writer),
                Some(("model", text)) => {
                    rule.scope = Scope {
                        model: Some(text.to_owned()),
                        ..Scope::EVERYTHING
                    }
                }
                Some(("text", text)) => {
                    let rest: Vec<&str> = std::iter::once(text).chain(words.by_ref()).collect();
                    rule.message = rest.join(" ");
                }
                None if word == "flap" => {
                    rule.flap = Some(FlapPolicy {
                        penalty: 1_000.0,
                        half_life_s: 60,
                        suppress: 2_500.0,
                        reuse: 500.0,
                        ceiling: 4_000.0,
                    });
                }
                None if word == "off" => rule.enabled = false,
                None if word == "removed" => rule.removed = true,
                None if condition == "state" => rule.states = word.split(',').map(str::to_owned).collect(),
                _ => self.fail("no such word of a rule"),
            }
        }
        self.driver.pipe(ROOT, rule_record(rule));
    }

    /// What was said since this was asked last.
    fn fresh(&mut self) -> Vec<Said> {
        let all = said(&self.driver);
        let fresh = all[self.read..].to_vec();
        self.read = all.len();
        for said in &fresh {
            self.before_last = self.last.replace(said.clone());
        }
        fresh
    }

    fn said_last(&self) -> Said {
        self.last.clone().unwrap_or_else(|| self.fail("nothing was said"))
    }

    fn expect(&mut self, words: &[&str]) {
        match *words {
            ["nothing"] => self.expect_nothing_more(),
            ["severity", word] => assert_eq!(self.said_last().severity, word, "{}", self.line),
            ["version", word] => assert_eq!(self.said_last().version, word, "{}", self.line),
            ["held", word] => assert_eq!(self.said_last().held, word, "{}", self.line),
            ["value", word] => self.expect_number(&self.said_last().value, word),
            ["limit", word] => self.expect_number(&self.said_last().limit, word),
            ["old"] => assert!(self.said_last().is_old, "{}", self.line),
            ["new"] => assert!(!self.said_last().is_old, "{}", self.line),
            ["same", "alarm"] => assert_eq!(Some(self.said_last().id), self.before_id(), "{}", self.line),
            ["other", "alarm"] => assert_ne!(Some(self.said_last().id), self.before_id(), "{}", self.line),
            [ref said @ .., "about", entity] => {
                self.expect(said);
                assert_eq!(
                    self.said_last().entity,
                    format!("{ROOT}{}", self.entity(entity)),
                    "{}",
                    self.line
                );
            }
            _ => self.expect_said(&words.join(" ")),
        }
    }

    fn before_id(&self) -> Option<String> {
        self.before_last.as_ref().map(|said| said.id.clone())
    }

    fn expect_number(&self, said: &str, expected: &str) {
        let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
        assert!((number(said) - number(expected)).abs() < 1e-3, "{}: {said}", self.line);
    }

    fn expect_said(&mut self, expected: &str) {
        let fresh = self.fresh();
        let expected: Vec<&str> = expected.split(',').map(str::trim).collect();
        let words = fresh.iter().zip(expected.iter().chain(std::iter::repeat(&"")));
        let said: Vec<String> = words
            .map(|(said, expected)| {
                if expected.contains('(') {
                    format!("{}({})", said.what, said.word)
                } else {
                    said.what.clone()
                }
            })
            .collect();
        assert_eq!(said, expected, "{}: {fresh:#?}", self.line);
    }

    fn expect_nothing_more(&mut self) {
        let fresh = self.fresh();
        assert!(fresh.is_empty(), "{}: {fresh:#?}", self.line);
    }
}
