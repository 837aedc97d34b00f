//! Network life as text (`scenarios/*.txt`), read by people; the grammar is in `scenarios/README.md`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Network, ROOT, entity, oid, registration, seconds, trap};
use model::EntityId;
use pipeline_normalize::{Catalogue, RowEffect, TrapRow};
use schemas::network::Fault;
use schemas::{DeviceEventType, DeviceRegistered, Phase};
use snmp_pdu::encode::{V2Notification, v2_trap};
use snmp_pdu::{Oid, Value};

#[test]
fn scenarios_go_as_written() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "txt"));
    files.sort();
    assert!(files.len() >= 8, "scenarios are missing");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut player = Player::new();
        for (i, line) in text.lines().enumerate() {
            player.line = format!("{}:{}: {line}", path.file_name().unwrap().to_string_lossy(), i + 1);
            let line = line.split('#').next().unwrap().trim();
            if !line.is_empty() {
                player.play(line);
            }
        }
    }
}

/// The device booted this long before second 0.
const UPTIME_S: f64 = 1_000_000.0;

struct Player {
    catalogue: &'static Catalogue,
    network: Network,
    line: String,
    at_s: f64,
    booted_s: f64,
    request_id: i32,
    last_pdu: Vec<u8>,
    did: common::Did,
}

impl Player {
    fn new() -> Self {
        Self {
            catalogue: Catalogue::builtin(),
            network: Network::default(),
            line: String::new(),
            at_s: 0.0,
            booted_s: -UPTIME_S,
            request_id: 0,
            last_pdu: Vec::new(),
            did: common::Did::default(),
        }
    }

    fn play(&mut self, line: &str) {
        let mut line = line;
        if let Some(rest) = line.strip_prefix("at ") {
            let (time, rest) = rest.split_once(" s: ").unwrap_or_else(|| self.fail("`at N s: …`"));
            self.at_s = time.parse().unwrap();
            line = rest.trim();
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["boots"] => self.booted_s = self.at_s,
            ["again"] => self.send(self.last_pdu.clone()),
            ["trap", event, entity, phase, rest @ ..] => {
                let sent_s = match rest {
                    ["sent", time] => time.parse().unwrap(),
                    _ => self.at_s,
                };
                let pdu = self.pdu(event, entity, phase, sent_s);
                self.send(pdu);
            }
            ["register", entity, fields @ ..] => self.register(entity, fields, false),
            ["remove", entity, fields @ ..] => self.register(entity, fields, true),
            ["expect", "events", count] => self.expect_eq(self.did.events.len().to_string(), count),
            ["expect", "status-rows", count] => self.expect_eq(self.did.status_rows.to_string(), count),
            ["expect", "event", name, kind] => {
                let event = self
                    .did
                    .events
                    .last()
                    .unwrap_or_else(|| self.fail("there was no event"));
                let word = match event.event_type {
                    DeviceEventType::DeviceConnected => "connected",
                    DeviceEventType::DeviceDisconnected => "disconnected",
                    DeviceEventType::DeviceAlarm => "alarm",
                };
                self.expect_eq(format!("{} {word}", event.event), &format!("{name} {kind}"));
            }
            ["expect", entity, "since", time] => {
                let since = self.network.status[&common::entity(entity)].since;
                assert_eq!(since, seconds(time.parse().unwrap()), "{}", self.line);
            }
            ["expect", entity, "first-trap", time] => {
                let first = self.network.status[&common::entity(entity)].first_trap_at;
                assert_eq!(first, Some(seconds(time.parse().unwrap())), "{}", self.line);
            }
            ["expect", entity, field, value] => {
                let row = &self.network.status[&common::entity(entity)];
                let told = match *field {
                    "serial" => row.serial.as_deref(),
                    "name" => row.name.as_deref(),
                    "model" => row.model.as_deref(),
                    "cause_raw" => row.cause_raw.as_deref(),
                    _ => self.fail("no such field"),
                };
                self.expect_eq(told.unwrap_or("-").to_owned(), value);
            }
            ["expect", entity, state] => self.expect_eq(self.network.state(entity), state),
            _ => self.fail("not a line of a scenario"),
        }
    }

    fn expect_eq(&self, actual: String, expected: &str) {
        assert_eq!(actual, expected, "{}", self.line);
    }

    fn fail(&self, why: &str) -> ! {
        panic!("{}: {why}", self.line)
    }

    fn now(&self) -> model::Micros {
        #[allow(clippy::cast_possible_truncation, reason = "seconds of a scenario")]
        seconds(0).plus((self.at_s * 1e6) as i64)
    }

    fn send(&mut self, pdu: Vec<u8>) {
        self.last_pdu.clone_from(&pdu);
        self.did = self.network.feed(trap(ROOT, pdu, self.now()), ROOT, self.now());
    }

    fn pdu(&mut self, event: &str, below: &str, phase: &str, sent_s: f64) -> Vec<u8> {
        self.request_id += 1;
        let trap_oid = if event.contains('.') {
            oid(event)
        } else {
            oid(&self.row(event, phase).oid)
        };
        let number = |n: u8| Value::Integer(i32::from(n));
        let mut varbinds: Vec<(Oid, Value<'_>)> = Vec::new();
        let numbers: Vec<u16> = below.split('/').skip(1).map(|n| n.parse().unwrap()).collect();
        let columns = ["6.3.3.1.1.1", "6.3.3.2.1.1", "6.3.3.4.1.1", "6.128.1.1.2.43.1.1"];
        for (column, &n) in columns.iter().zip(&numbers) {
            varbinds.push((common::huawei(column), Value::Integer(i32::from(n))));
        }
        match phase {
            "up" => varbinds.push((common::huawei("6.128.1.1.11.510"), number(1))),
            "down" => varbinds.push((common::huawei("6.128.1.1.11.510"), number(2))),
            _ => {}
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds of a scenario"
        )]
        let uptime = ((sent_s - self.booted_s) * 100.0) as u32;
        v2_trap(
            &V2Notification {
                request_id: self.request_id,
                uptime,
                trap_oid,
            },
            &varbinds,
        )
    }

    /// The row of an event's name for a GPON device in profile mode.
    fn row(&self, event: &str, phase: &str) -> &TrapRow {
        let wanted = match phase {
            "raise" => Phase::Raise,
            "clear" => Phase::Clear,
            _ => Phase::Event,
        };
        let fits = |row: &&TrapRow| {
            let interface = row.effect != RowEffect::Fault(Fault::LinkDown);
            &*row.event == event && row.phase == wanted && !row.oid.contains(".5.100.") && interface
        };
        self.catalogue
            .traps()
            .iter()
            .find(fits)
            .unwrap_or_else(|| self.fail("no such event in the catalogue"))
    }

    fn register(&mut self, below: &str, fields: &[&str], removed: bool) {
        let id = entity(below);
        let kind = EntityId::parse(&id).unwrap().kind().as_str();
        let mut record = DeviceRegistered {
            removed,
            ..registration(&id, kind, self.now())
        };
        for field in fields {
            let (key, value) = field.split_once('=').unwrap_or_else(|| self.fail("key=value"));
            if key == "said" {
                record.observed_at = seconds(value.parse().unwrap());
                continue;
            }
            let value = Some(value.to_owned());
            match key {
                "serial" => record.serial = value,
                "name" => record.name = value,
                "model" => record.model = value,
                "site" => record.site = value,
                _ => self.fail("no such field"),
            }
        }
        self.did = self.network.feed(record, ROOT, self.now());
    }
}
