//! The step in the production engine, over the simulated log, with a step behind it that writes down what it says.
//!
//! Inputs are the step's own events, written as text into a record that exists: neither `normalize` nor `status` is in between, so a test
//! says exactly what the step is told.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use model::{EntityId, Micros, Root, State};
use pipeline_detect::Detect;
use runtime::{Chain, DeadReason, Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::network::{
    self, About, AlarmChange, AlarmNews, AlarmOrigin, AlarmSlot, Effect, Failure, Fault, Happening, ListedAlarm,
    ListedAlarms, Measured, NetworkEvent, Polling, Quality, Sample, Seen, Source, StatusNews,
};
use schemas::rules::default_rules;
use schemas::{AnyRecord, Phase, Rule, RulesChanged, Scope, SourceHeartbeat};
use testkit::Driver;
use topology::Topic;

pub const ROOT: &str = "default/olt/rjo-01";

/// What the recorder writes, as a text.
pub struct Recorder;

impl Step for Recorder {
    type Event = NetworkEvent;
    type State = ();

    fn describe(&self) -> StepDescription {
        StepDescription {
            number: 9,
            name: "recorder",
            reads: "alarms",
            writes: &[Topic::AlarmTransitions],
            key: "entity",
            state: "none",
            time: "none",
            guarantee: "writes down what it is told",
            format: 1,
        }
    }

    fn keys(&self, event: &NetworkEvent, keys: &mut Vec<StateKey>) {
        if let NetworkEvent::Alarm(news) = event {
            keys.push(news.slot.entity.shared().clone());
        }
    }

    fn apply(
        &self,
        key: &StateKey,
        _state: Option<&()>,
        input: Input<'_, NetworkEvent>,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> Verdict<()> {
        if let Input::Event(NetworkEvent::Alarm(news)) = input {
            let record = SourceHeartbeat {
                root: key.to_string(),
                connector: written(news),
                sent_at: now.observed,
            };
            out.record(Topic::AlarmTransitions, key.as_bytes(), record);
        }
        Verdict::keep(Reason::Did("recorded"))
    }
}

/// `what|type|qualifier|id|severity|version|word|value|limit|held|old|text`.
fn written(news: &AlarmNews) -> String {
    let what = word_of(news.what);
    let version = match &news.origin {
        AlarmOrigin::Rule { version, .. } => version.to_string(),
        AlarmOrigin::Device => "-".to_owned(),
    };
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
    let reason = &news.reason;
    [
        what,
        &news.slot.alarm_type,
        &news.slot.qualifier,
        &news.alarm_id,
        news.severity.as_str(),
        &version,
        &reason.word,
        &number(reason.value),
        &number(reason.limit),
        &reason.held_s.map_or("-".to_owned(), |held| held.to_string()),
        if news.is_old { "old" } else { "new" },
        &news.text,
    ]
    .join("|")
}

pub fn word_of(what: AlarmChange) -> &'static str {
    match what {
        AlarmChange::Raised => "raised",
        AlarmChange::Reopened => "reopened",
        AlarmChange::Changed => "changed",
        AlarmChange::Cleared => "cleared",
        AlarmChange::Suppressed => "suppressed",
        AlarmChange::Unsuppressed => "unsuppressed",
    }
}

/// What was said of an alarm, as the recorder wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub at: Micros,
    pub entity: String,
    pub what: String,
    pub alarm_type: String,
    pub id: String,
    pub severity: String,
    pub version: String,
    pub word: String,
    pub value: String,
    pub limit: String,
    pub held: String,
    pub is_old: bool,
    pub text: String,
}

/// Everything that was said, in the order of each partition.
pub fn said(driver: &Driver<NetworkEvent>) -> Vec<Said> {
    let outputs = driver.outputs(Topic::AlarmTransitions);
    outputs.into_iter().map(|seen| said_in(seen.record.unwrap())).collect()
}

pub fn said_in(record: AnyRecord) -> Said {
    let AnyRecord::SourceHeartbeat(record) = record else {
        panic!("{record:?}")
    };
    let cells: Vec<&str> = record.connector.splitn(12, '|').collect();
    let cell = |at: usize| cells[at].to_owned();
    Said {
        at: record.sent_at,
        entity: record.root,
        what: cell(0),
        alarm_type: cell(1),
        id: cell(3),
        severity: cell(4),
        version: cell(5),
        word: cell(6),
        value: cell(7),
        limit: cell(8),
        held: cell(9),
        is_old: cells[10] == "old",
        text: cell(11),
    }
}

pub fn chain() -> Chain<NetworkEvent> {
    Chain::outside_topology(decode).step(Detect::default()).step(Recorder)
}

/// An input of the step, as the text in a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A sample: entity, measure, value, quality, when it was observed.
    Sample(String, &'static str, f64, Quality, Micros),
    /// A status; `None`: removed. With model and site, if they are told.
    Status(String, Option<State>, Micros, Option<(String, String)>),
    /// A raise or a clear by a trap, with the sender's uptime in hundredths of a second.
    Trap(String, &'static str, bool, Micros, Option<u32>),
    /// A list: whole or not, of (entity, type), when it was asked for.
    List(bool, Vec<(String, String)>, Micros),
    /// A heartbeat.
    Beat,
    /// A reading of the root: failures in a row, 0 if it was read.
    Polling(u32),
}

impl Told {
    /// As the record that carries it.
    pub fn record(&self) -> AnyRecord {
        let text = match self {
            Self::Sample(entity, measure, value, quality, at) => {
                format!("sample|{entity}|{measure}|{value}|{}|{}", quality.as_str(), at.0)
            }
            Self::Status(entity, state, at, about) => {
                let state = state.map_or("-", State::as_str);
                let (model, site) = about.clone().unwrap_or_default();
                let is_told = about.is_some();
                format!("status|{entity}|{state}|{}|{is_told}|{model}|{site}", at.0)
            }
            Self::Trap(entity, event, raises, at, uptime) => {
                let uptime = uptime.map_or("-".to_owned(), |ticks| ticks.to_string());
                format!("trap|{entity}|{event}|{raises}|{}|{uptime}", at.0)
            }
            Self::List(is_whole, alarms, at) => {
                let alarms: Vec<String> = alarms.iter().map(|(entity, what)| format!("{entity}={what}")).collect();
                format!("list|{is_whole}|{}|{}", at.0, alarms.join(","))
            }
            Self::Beat => "beat".to_owned(),
            Self::Polling(in_a_row) => format!("polling|{in_a_row}"),
        };
        SourceHeartbeat {
            root: ROOT.to_owned(),
            connector: text,
            sent_at: Micros(0),
        }
        .into()
    }
}

/// A version of a rule as every partition gets it.
pub fn rule_record(rule: Rule) -> AnyRecord {
    RulesChanged { rule }.into()
}

fn seen(at: Micros, uptime: Option<u32>, source: Source) -> Seen {
    Seen {
        observed_at: at,
        received_at: at,
        uptime,
        source,
    }
}

pub fn decode(record: AnyRecord, root_key: &str) -> Result<NetworkEvent, DeadReason> {
    let AnyRecord::SourceHeartbeat(beat) = &record else {
        return network::decode(record, root_key).map_err(DeadReason::from);
    };
    let cells: Vec<&str> = beat.connector.split('|').collect();
    let entity = |text: &str| EntityId::parse(&format!("{ROOT}{text}")).unwrap();
    let at = |text: &str| Micros(text.parse().unwrap());
    Ok(match *cells.as_slice() {
        ["sample", id, measure, value, quality, observed] => NetworkEvent::Measured(Box::new(Measured {
            entity: entity(id),
            seen: seen(at(observed), None, Source::Poll),
            samples: vec![Sample {
                measure: measure.into(),
                value: value.parse().unwrap(),
                unit: "dBm".into(),
                group: "optical".into(),
                quality: [Quality::Good, Quality::Bad, Quality::Stale]
                    .into_iter()
                    .find(|known| known.as_str() == quality)
                    .unwrap(),
                observed_at: at(observed),
            }],
        })),
        ["status", id, state, observed, is_told, model, site] => {
            let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            NetworkEvent::Status(Box::new(StatusNews {
                entity: entity(id),
                was: None,
                state: state.parse().ok(),
                cause: None,
                since: at(observed),
                observed_at: at(observed),
                received_at: at(observed),
                about: (is_told == "true").then(|| {
                    Arc::new(About {
                        model: given(model),
                        site: given(site),
                        ..About::default()
                    })
                }),
            }))
        }
        ["trap", id, event, raises, observed, uptime] => NetworkEvent::Happened(Box::new(Happening {
            entity: entity(id),
            event: event.into(),
            phase: if raises == "true" { Phase::Raise } else { Phase::Clear },
            effect: match event {
                "los" => Effect::Fault(Fault::OnuLos),
                "dying_gasp" => Effect::Fault(Fault::DyingGasp),
                _ => Effect::Nothing,
            },
            seen: seen(at(observed), uptime.parse().ok(), Source::Trap),
            severity: Some(model::Severity::Major),
            trap_oid: None,
            serial: None,
            model: None,
            detail: std::collections::BTreeMap::new(),
            fingerprint: None,
            read_at: None,
        })),
        ["list", is_whole, observed, alarms] => NetworkEvent::Listed(Box::new(ListedAlarms {
            root: Root::parse(ROOT).unwrap(),
            seen: seen(at(observed), None, Source::Poll),
            list: network::OLT_TABLE,
            is_whole: is_whole == "true",
            alarms: alarms
                .split(',')
                .filter(|alarm| !alarm.is_empty())
                .map(|alarm| {
                    let (id, alarm_type) = alarm.split_once('=').unwrap();
                    ListedAlarm {
                        slot: AlarmSlot {
                            entity: entity(id),
                            alarm_type: alarm_type.into(),
                            qualifier: "".into(),
                        },
                        severity: model::Severity::Major,
                        text: format!("listed {}", "x".repeat(300)),
                        since: None,
                    }
                })
                .collect(),
        })),
        ["polling", in_a_row] => {
            let in_a_row: u32 = in_a_row.parse().unwrap();
            NetworkEvent::Polling(Box::new(Polling {
                entity: entity(""),
                seen: seen(Micros(0), None, Source::Poll),
                failed: (in_a_row > 0).then(|| Failure {
                    class: model::PollFailure::Other,
                    detail: String::new(),
                    in_a_row,
                    since: Micros(0),
                    is_unreachable: false,
                }),
                is_whole: in_a_row == 0,
                is_table: false,
                rows_refused: 0,
                system: None,
                pending: None,
            }))
        }
        ["beat"] => return network::decode(record.clone(), root_key).map_err(DeadReason::from),
        _ => panic!("{}", beat.connector),
    })
}

/// A rule for everything, which raises and clears at once.
pub fn rule(condition: &str) -> Rule {
    let base = default_rules().remove(0);
    Rule {
        rule_id: "test-rule".into(),
        name: "Test".into(),
        severity: "major".into(),
        condition: condition.into(),
        measure: Some("rx".into()),
        low: None,
        high: None,
        window_s: None,
        reraise_after_s: 0,
        message: "{measure} {value} {unit} limit {limit}".into(),
        scope: Scope::EVERYTHING,
        flap: None,
        ..base
    }
}
