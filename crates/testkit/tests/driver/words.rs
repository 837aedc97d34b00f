//! A step that does what the words of a record say, and the records it writes.

use model::Micros;
use runtime::{Chain, Change, DeadReason, Deadline, Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::{AnyRecord, DeviceEvent, DeviceStatus, SourceHeartbeat};
use topology::Topic;

use crate::ROOT;

/// One step whose commands are words: `put N`, `big N`, `record N`, `delete`, `timers N`, `panic`, `timer-panic`, `events N`.
pub struct Words {
    pub format: u8,
}

pub struct Word(pub String);

pub fn decode(record: AnyRecord, _root: &str) -> Result<Word, DeadReason> {
    match record {
        AnyRecord::SourceHeartbeat(heartbeat) => Ok(Word(heartbeat.connector)),
        _ => Err("unexpected_record".into()),
    }
}

pub fn words(format: u8) -> impl Fn() -> Chain<Word> + Send + Sync {
    move || Chain::outside_topology(decode).step(Words { format })
}

pub fn say(text: &str) -> SourceHeartbeat {
    SourceHeartbeat {
        root: ROOT.into(),
        connector: text.into(),
        sent_at: Micros(0),
    }
}

impl Step for Words {
    type Event = Word;
    type State = String;

    fn describe(&self) -> StepDescription {
        StepDescription {
            number: 1,
            name: "words",
            reads: "words",
            writes: &[Topic::DeviceEvents, Topic::DeviceStatus],
            key: "the second word, or `k`",
            state: "text",
            time: "observed",
            guarantee: "does as it is told",
            format: self.format,
        }
    }

    fn keys(&self, event: &Word, keys: &mut Vec<StateKey>) {
        match event.0.split_once(' ') {
            Some(("key", n)) => keys.push("k".repeat(n.parse().unwrap()).into()),
            Some(("timers", n)) => {
                keys.extend((0..n.parse::<u32>().unwrap()).map(|i| StateKey::from(format!("t{i:05}"))))
            }
            _ => keys.push("k".into()),
        }
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&String>,
        input: Input<'_, Word>,
        now: &Now,
        out: &mut Out<Word>,
    ) -> Verdict<String> {
        let Input::Event(Word(word)) = input else {
            assert!(state.is_some_and(|s| s != "bomb"), "a timer's bomb");
            out.record(Topic::DeviceEvents, key.as_bytes(), event(key, "timer", now));
            return Verdict::keep(Reason::Did("timer"));
        };
        let (verb, n) = word.split_once(' ').unwrap_or((word, "0"));
        let n: usize = n.parse().unwrap_or(0);
        match verb {
            "put" => {
                let wts = out.write_time();
                out.record(Topic::DeviceStatus, key.as_bytes(), status(key, wts, now));
                Verdict::put(n.to_string(), Reason::Did("put"))
            }
            "big" => {
                out.record(Topic::DeviceEvents, key.as_bytes(), event(key, "never seen", now));
                Verdict::put("x".repeat(n), Reason::Did("put"))
            }
            "record" => {
                out.record(Topic::DeviceEvents, key.as_bytes(), event(key, &"x".repeat(n), now));
                Verdict::put("never kept".into(), Reason::Did("put"))
            }
            "delete" => {
                out.tombstone(Topic::DeviceStatus, key.as_bytes());
                Verdict {
                    change: Change::Delete,
                    reason: Reason::Did("deleted"),
                }
            }
            "timers" | "bomb" => {
                out.set_timer(0, Deadline::Observed(now.observed.plus(Micros::SECOND)));
                Verdict::put(verb.into(), Reason::Did("armed"))
            }
            "panic" => panic!("as told"),
            "refuse" => Verdict::keep(Reason::Filtered("refused")),
            _ => Verdict::keep(Reason::Absorbed("a word of no consequence")),
        }
    }

    fn upgrade(&self, format: u8, bytes: &[u8]) -> Option<String> {
        let old: String = (format == 1).then(|| postcard::from_bytes(bytes).ok())??;
        Some(format!("{old}, upgraded"))
    }
}

pub fn event(key: &str, text: &str, now: &Now) -> DeviceEvent {
    DeviceEvent {
        entity: key.into(),
        root: ROOT.into(),
        kind: "olt".into(),
        event_type: schemas::DeviceEventType::DeviceAlarm,
        event: text.into(),
        phase: schemas::Phase::Event,
        severity: None,
        trap_oid: None,
        source: None,
        at: now.observed,
        received_at: now.log_time,
        state: None,
        previous: None,
        cause: None,
        cause_raw: None,
        serial: None,
        detail: std::collections::BTreeMap::new(),
        position: now.position.into(),
        status: None,
    }
}

pub fn status(key: &str, wts: Micros, now: &Now) -> DeviceStatus {
    DeviceStatus {
        entity: key.into(),
        root: ROOT.into(),
        kind: "olt".into(),
        site: None,
        parent: None,
        name: None,
        description: None,
        vendor: None,
        model: None,
        serial: None,
        state: "online".into(),
        cause: None,
        cause_raw: None,
        since: now.log_time,
        observed_at: now.log_time,
        received_at: now.log_time,
        first_trap_at: None,
        optics: None,
        poll: None,
        position: now.position.into(),
        wts,
    }
}
