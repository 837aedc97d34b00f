//! The rules of exact and fast rows of alarms, record by record.

use log::Stored;
use model::{Micros, Position, RecordId};
use schemas::{Alarm, AlarmReason, AlarmTransition};
use topology::Topic;

use super::board::{ENDED_KEPT_US, ENDED_MAX};
use crate::live::change::What;
use crate::live::tests::driver::{Driver, ONU};

const ROOT: &str = "default/olt/a";

fn position(offset: u64) -> Position {
    Position {
        generation: 1,
        partition: 0,
        offset,
    }
}

fn alarm(id: &str, condition: &str, offset: u64) -> Alarm {
    Alarm {
        alarm_id: id.into(),
        entity: ONU.into(),
        root: ROOT.into(),
        kind: "onu".into(),
        site: Some("RJO".into()),
        name: None,
        serial: None,
        alarm_type: "los".into(),
        qualifier: String::new(),
        origin: "device".into(),
        rule_id: None,
        rule_version: None,
        rule_name: None,
        severity: "major".into(),
        condition: condition.into(),
        operator_state: "none".into(),
        visibility: "shown".into(),
        text: "<script>alert(\"no light\")</script>\n".into(),
        reason: AlarmReason {
            word: "trap".into(),
            measure: None,
            value: None,
            unit: None,
            limit: None,
            observed_at: None,
            held_s: None,
            state: None,
            cause: None,
            detail: None,
        },
        raised_at: Micros(1_000_000),
        cleared_at: (condition == "cleared").then_some(Micros(2_000_000)),
        changed_at: Micros(3_000_000),
        acknowledged_at: None,
        acknowledged_by: None,
        silenced_until: None,
        silence_id: None,
        comments: vec![],
        incident_id: None,
        reopened: 0,
        is_old: false,
        raise_position: position(1).into(),
        position: position(offset).into(),
        wts: Micros(3_000_000),
    }
}

fn id(offset: u64, n: u32) -> RecordId {
    RecordId::new(position(offset), 7, ONU.as_bytes(), n)
}

impl Driver {
    fn alarm_record(&self, topic: Topic, alarm: &Alarm) -> Stored {
        let offset = alarm.position.position().offset;
        let mut alarm = alarm.clone();
        alarm.changed_at = self.now;
        let record = match topic {
            Topic::Alarms => alarm.clone().into(),
            _ => AlarmTransition {
                alarm_id: alarm.alarm_id.clone(),
                root: ROOT.into(),
                transition: "changed".into(),
                at: self.now,
                actor: None,
                act_id: None,
                text: None,
                refusal: None,
                position: alarm.position,
                alarm: Some(alarm.clone()),
            }
            .into(),
        };
        let n = u32::from(topic == Topic::Alarms);
        self.stored(topic, &alarm.alarm_id, Some(record), Some(id(offset, n)))
    }

    fn alarms(&mut self, topic: Topic, alarms: &[Alarm]) {
        let records: Vec<_> = alarms.iter().map(|a| self.alarm_record(topic, a)).collect();
        self.apply(&records);
    }

    /// Condition that is shown, with the offset that made it; or `gone`.
    fn alarm(&self, id: &str) -> String {
        let alarm = self.state.alarm("default", id);
        alarm.map_or_else(
            || "gone".into(),
            |a| format!("{}@{}", a.condition, a.position.position().offset),
        )
    }

    fn drained(&mut self) -> Vec<(What, String)> {
        let changes = self.state.drain();
        let alarms = changes
            .into_iter()
            .filter(|c| matches!(c.what, What::Alarm | What::AlarmGone));
        alarms.map(|c| (c.what, c.subject.unwrap().to_string())).collect()
    }

    fn counted(&self) -> (u32, u32) {
        let counts = self.state.alarm_counts("default")[0].counts;
        (counts.major, counts.hidden)
    }
}

#[test]
fn a_fast_row_counts_until_the_exact_one_has_caught_up() {
    let mut d = Driver::new();
    d.alarms(Topic::AlarmTransitions, &[alarm("a", "raised", 5)]);
    assert_eq!((d.alarm("a"), d.counted()), ("raised@5".into(), (1, 0)));
    d.alarms(Topic::Alarms, &[alarm("a", "raised", 5)]);
    d.alarms(Topic::AlarmTransitions, &[alarm("a", "cleared", 7)]);
    assert_eq!((d.alarm("a"), d.counted()), ("cleared@7".into(), (0, 0)));
    // The one that was cleared is exact for a moment as it was: the fast row stands above it.
    d.alarms(Topic::Alarms, &[alarm("a", "raised", 6)]);
    assert_eq!(d.alarm("a"), "cleared@7");
    d.alarms(Topic::Alarms, &[alarm("a", "cleared", 7)]);
    assert_eq!(d.alarm("a"), "cleared@7");
}

#[test]
fn a_fast_row_that_no_exact_one_confirms_goes() {
    let mut d = Driver::new();
    d.alarms(Topic::Alarms, &[alarm("a", "raised", 5)]);
    d.alarms(
        Topic::AlarmTransitions,
        &[alarm("a", "cleared", 7), alarm("b", "raised", 8)],
    );
    // The commit of 8 has neither: whoever said so died, and somebody else decided otherwise.
    d.alarms(Topic::Alarms, &[alarm("c", "raised", 9)]);
    assert_eq!((d.alarm("a"), d.alarm("b")), ("cleared@7".into(), "raised@8".into()));
    d.wait(2);
    assert_eq!((d.alarm("a"), d.alarm("b")), ("raised@5".into(), "gone".into()));
    d.alarms(Topic::AlarmTransitions, &[alarm("a", "cleared", 8)]);
    assert_eq!(d.alarm("a"), "raised@5", "its partition has passed it: history");
    d.alarms(Topic::AlarmTransitions, &[alarm("d", "raised", 12)]);
    d.wait(61);
    assert_eq!(d.alarm("d"), "gone");
}

#[test]
fn one_change_a_flush_and_each_state_once() {
    let mut d = Driver::new();
    let burst: Vec<_> = (1..=50)
        .map(|n| alarm("a", if n % 2 == 0 { "cleared" } else { "raised" }, n))
        .collect();
    d.alarms(Topic::AlarmTransitions, &burst);
    d.alarms(Topic::Alarms, &burst);
    assert_eq!(d.drained(), [(What::Alarm, "a".to_owned())]);
    assert!(!d.state.has_changes());
    // What the fast topic has said, the exact one says without a second message.
    d.alarms(Topic::AlarmTransitions, &[alarm("a", "raised", 51)]);
    assert_eq!(d.drained().len(), 1);
    d.alarms(Topic::Alarms, &[alarm("a", "raised", 51)]);
    assert_eq!(d.drained(), []);
}

#[test]
fn what_ended_is_forgotten_after_a_while_and_without_a_word() {
    let mut d = Driver::new();
    d.alarms(Topic::Alarms, &[alarm("a", "raised", 1), alarm("b", "raised", 2)]);
    d.alarms(Topic::Alarms, &[alarm("a", "cleared", 3)]);
    d.drained();
    d.wait(ENDED_KEPT_US / Micros::SECOND - 1);
    assert_eq!(d.alarm("a"), "cleared@3");
    // Raised again in between, it stays.
    d.alarms(Topic::Alarms, &[alarm("b", "cleared", 4)]);
    d.alarms(Topic::Alarms, &[alarm("b", "raised", 5)]);
    d.drained();
    d.wait(ENDED_KEPT_US / Micros::SECOND + 1);
    assert_eq!((d.alarm("a"), d.alarm("b")), ("gone".into(), "raised@5".into()));
    assert_eq!(d.drained(), []);
    // What ended long ago is not even taken in.
    let mut old = d.alarm_record(Topic::Alarms, &alarm("old", "cleared", 9));
    d.now = d.now.plus(ENDED_KEPT_US);
    old.appended_at = d.now;
    d.apply(&[old]);
    assert_eq!((d.alarm("old"), d.counted()), ("gone".into(), (1, 0)));
}

#[test]
fn what_ended_is_bounded() {
    let mut d = Driver::new();
    for n in 0..(ENDED_MAX as u64 + 100) {
        d.alarms(Topic::Alarms, &[alarm(&format!("a-{n}"), "cleared", n)]);
    }
    assert_eq!((d.alarm("a-0"), d.alarm("a-99")), ("gone".into(), "gone".into()));
    assert_eq!(d.alarm("a-200"), "cleared@200");
}

#[test]
fn a_tombstone_and_a_new_load_tell_that_it_is_gone() {
    let mut d = Driver::new();
    d.alarms(Topic::Alarms, &[alarm("a", "raised", 1), alarm("b", "raised", 2)]);
    d.drained();
    let tombstone = d.stored(Topic::Alarms, "a", None, Some(id(3, 1)));
    d.apply(&[tombstone]);
    assert_eq!(
        (d.drained(), d.counted()),
        (vec![(What::AlarmGone, "a".to_owned())], (1, 0))
    );
    d.state.begin_load();
    d.alarms(Topic::Alarms, &[alarm("c", "raised", 4)]);
    d.state.end_load();
    assert_eq!(
        (d.alarm("b"), d.alarm("c"), d.counted()),
        ("gone".into(), "raised@4".into(), (1, 0))
    );
    assert!(d.drained().contains(&(What::AlarmGone, "b".to_owned())));
}

#[test]
fn counts_are_of_what_is_shown_and_not_closed() {
    let mut d = Driver::new();
    let mut hidden = alarm("b", "raised", 2);
    hidden.visibility = "inhibited".into();
    let mut closed = alarm("c", "raised", 3);
    closed.operator_state = "closed".into();
    let mut strange = alarm("d", "raised", 4);
    (strange.severity, strange.site) = ("apocalyptic".into(), None);
    d.alarms(Topic::Alarms, &[alarm("a", "raised", 1), hidden, closed, strange]);
    let counts = d.state.alarm_counts("default");
    let all: Vec<_> = counts
        .iter()
        .map(|c| {
            (
                c.scope,
                c.site.as_deref(),
                c.counts.major,
                c.counts.indeterminate,
                c.counts.hidden,
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            ("all", None, 1, 1, 1),
            ("site", Some("RJO"), 1, 0, 1),
            ("root", None, 1, 1, 1)
        ]
    );
    assert_eq!(counts[2].root.as_deref(), Some(ROOT));
    assert_eq!(d.state.alarm_counts("other")[0].counts, Default::default());
}
