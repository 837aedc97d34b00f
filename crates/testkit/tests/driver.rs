//! The engine's rules, one at a time, through the driver.
#![allow(clippy::unwrap_used, reason = "a test: a failure is its result")]

use bytes::Bytes;
use log::Headers;
use model::{Micros, WriterId};
use runtime::{
    Chain, Change, DeadReason, Deadline, Input, Now, OnTorn, Out, PartitionState, Reason, StateKey, Step,
    StepDescription, TIMERS_PER_RECORD_MAX, Verdict, WaitReason,
};
use schemas::{AnyRecord, DeviceEvent, DeviceStatus, RecordType, RegisteredSchema, SourceHeartbeat};
use testkit::{CrashAt, Driver};
use topology::{SLOT_BYTES_MAX, Topic};

const ROOT: &str = "default/olt/a";

/// One step whose commands are words: `put N`, `big N`, `record N`, `delete`, `timers N`, `panic`, `timer-panic`, `events N`.
struct Words {
    format: u8,
}

struct Word(String);

fn decode(record: AnyRecord, _root: &str) -> Result<Word, DeadReason> {
    match record {
        AnyRecord::SourceHeartbeat(heartbeat) => Ok(Word(heartbeat.connector)),
        _ => Err("unexpected_record".into()),
    }
}

fn words(format: u8) -> impl Fn() -> Chain<Word> + Send + Sync {
    move || Chain::outside_topology(decode).step(Words { format })
}

fn say(text: &str) -> SourceHeartbeat {
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

fn event(key: &str, text: &str, now: &Now) -> DeviceEvent {
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

fn status(key: &str, wts: Micros, now: &Now) -> DeviceStatus {
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
        position: now.position.into(),
        wts,
    }
}

fn driver() -> Driver<Word> {
    Driver::with(1, 1, words(1))
}

fn wts(driver: &Driver<Word>) -> Vec<i64> {
    let of = |record| match record {
        Some(AnyRecord::DeviceStatus(row)) => row.wts.0 - testkit::EPOCH.0,
        _ => -1,
    };
    driver
        .outputs(Topic::DeviceStatus)
        .into_iter()
        .map(|seen| of(seen.record))
        .collect()
}

/// The dead letters as (reason, errors).
fn dead(driver: &Driver<Word>) -> Vec<(String, Vec<String>)> {
    let letter = |record| match record {
        Some(AnyRecord::DeadLetter(letter)) => (letter.reason, letter.errors),
        other => panic!("not a dead letter: {other:?}"),
    };
    driver
        .outputs(Topic::DeadLetters)
        .into_iter()
        .map(|seen| letter(seen.record))
        .collect()
}

#[test]
fn state_and_exact_outputs_come_with_the_commit_and_fast_ones_before() {
    let mut d = driver();
    d.pipe(ROOT, say("record 3"));
    d.pipe(ROOT, say("put 7"));
    assert_eq!(d.outputs(Topic::DeviceEvents).len(), 1, "fast");
    assert!(d.outputs(Topic::DeviceStatus).is_empty(), "exact");
    assert!(d.commit());
    assert_eq!(d.outputs(Topic::DeviceStatus).len(), 1);
    d.pipe(ROOT, say("put 8"));
    d.crash(0);
    d.restore();
    assert_eq!(
        d.state::<String>(1, "k").as_deref(),
        Some("8"),
        "what was not committed is processed again"
    );
    assert_eq!(d.outputs(Topic::DeviceEvents).len(), 1);
    assert_eq!(d.cluster().committed(0), Some(2));
}

#[test]
fn a_crash_before_any_step_of_the_commit_loses_nothing() {
    for &at in CrashAt::ALL {
        let mut d = driver();
        d.pipe(ROOT, say("put 1"));
        assert!(d.commit());
        d.crash_at(0, at);
        d.pipe(ROOT, say("put 2"));
        d.pipe(ROOT, say("record 1"));
        if d.is_alive(0) {
            d.commit();
        }
        d.restore();
        assert!(d.commit(), "{at:?}");
        assert_eq!(d.state::<String>(1, "k").as_deref(), Some("never kept"), "{at:?}");
        assert_eq!(d.outputs(Topic::DeviceEvents).len(), 1, "{at:?}");
        assert_eq!(d.table(Topic::DeviceStatus).len(), 1, "{at:?}");
        assert_eq!(d.outcomes().consumed, 3, "{at:?}");
    }
}

#[test]
fn write_times_rise_with_their_slot_and_depend_on_no_cut() {
    for commit_between in [false, true] {
        let mut d = driver();
        for word in ["put 1", "put 2", "delete", "put 3"] {
            d.pipe(ROOT, say(word));
            if commit_between {
                d.commit();
            }
        }
        d.advance(5);
        d.pipe(ROOT, say("put 4"));
        d.commit();
        // The tombstone carries none (-1) yet takes 2: a slot made anew in the same append time writes above its deletion.
        let expected: &[i64] = if commit_between {
            &[0, 1, -1, 3, 5_000]
        } else {
            &[5_000]
        };
        assert_eq!(wts(&d), expected, "commit between: {commit_between}");
    }
}

#[test]
fn what_is_too_large_becomes_a_dead_letter_and_leaves_no_trace() {
    let mut d = driver();
    d.pipe(ROOT, say("put 1"));
    d.pipe(ROOT, say(&format!("big {SLOT_BYTES_MAX}")));
    d.pipe(ROOT, say("record 262144"));
    d.pipe(ROOT, say("key 8192"));
    d.pipe(ROOT, say("refuse"));
    d.commit();
    assert_eq!(d.state::<String>(1, "k").as_deref(), Some("1"));
    assert!(d.outputs(Topic::DeviceEvents).is_empty());
    let reasons: Vec<_> = dead(&d).into_iter().map(|(reason, _)| reason).collect();
    assert_eq!(reasons, ["slot_too_large", "record_too_large", "key_too_large"]);
    let outcomes = d.outcomes();
    assert!(outcomes.add_up());
    assert_eq!(
        (outcomes.consumed, outcomes.emitted, outcomes.filtered["refused"]),
        (5, 1, 1)
    );
}

#[test]
fn undecodable_input_is_kept_whole_with_its_reason() {
    let mut d = driver();
    let writer = Some(WriterId {
        writer: "w".into(),
        sequence: 4,
    });
    d.pipe_bytes(
        ROOT,
        b"\0\0\0\0\x02broken".to_vec(),
        Headers {
            writer,
            ..Headers::default()
        },
    );
    d.pipe_bytes(ROOT, b"no frame".to_vec(), Headers::default());
    d.pipe(
        ROOT,
        schemas::AuditEntry {
            actor: "a".into(),
            tenant: "t".into(),
            role: None,
            action: "x".into(),
            target: None,
            outcome: "ok".into(),
            detail: None,
            remote: None,
            at: Micros(0),
        },
    );
    d.commit();
    let reasons: Vec<_> = dead(&d).into_iter().map(|(reason, _)| reason).collect();
    assert_eq!(reasons, ["undecodable", "undecodable", "unexpected_record"]);
    let Some(AnyRecord::DeadLetter(first)) = d.outputs(Topic::DeadLetters).remove(0).record else {
        panic!()
    };
    assert_eq!(first.value.as_deref(), Some(&b"\0\0\0\0\x02broken"[..]));
    assert_eq!(first.headers["writer"].as_slice(), b"w#4");
    assert_eq!(
        (first.topic.as_str(), first.partition, first.offset),
        ("observations", 0, 0)
    );
    assert!(!first.errors.is_empty());
}

#[test]
fn a_repeat_of_a_writer_is_dropped_across_restarts() {
    let mut d = driver();
    let send = |d: &mut Driver<Word>, sequence| {
        let value = d.cluster().codec().encode(&say("record 1").into()).unwrap();
        let writer = Some(WriterId {
            writer: "w".into(),
            sequence,
        });
        d.pipe_bytes(
            ROOT,
            value,
            Headers {
                writer,
                ..Headers::default()
            },
        );
    };
    send(&mut d, 0);
    send(&mut d, 1);
    d.commit();
    d.crash(0);
    d.restore();
    send(&mut d, 1);
    send(&mut d, 2);
    assert_eq!(d.outputs(Topic::DeviceEvents).len(), 3);
    assert_eq!(d.outcomes().filtered["duplicate_record"], 1);
}

#[test]
fn a_third_panic_gives_the_record_up_and_stays_given_up() {
    let mut d = driver();
    d.pipe(ROOT, say("put 1"));
    d.pipe(ROOT, say("panic"));
    d.pipe(ROOT, say("put 2"));
    assert_eq!(
        d.cluster().committed(0),
        Some(2),
        "committed at once: nothing behind it was seen before it stands"
    );
    assert_eq!(dead(&d), [("panic".into(), vec!["step 1, key `k`: as told".into()])]);
    d.commit();
    d.crash(0);
    d.restore();
    assert_eq!((d.state::<String>(1, "k").as_deref(), dead(&d).len()), (Some("2"), 1));
    assert_eq!(d.outcomes().dead_lettered["panic"], 1);
    assert!(d.outcomes().add_up());
}

#[test]
fn a_timer_that_panics_does_so_at_one_record_only() {
    let mut d = driver();
    d.pipe(ROOT, say("bomb"));
    d.tick(1_500);
    d.tick(1_000);
    d.pipe(ROOT, say("record 1"));
    d.commit();
    assert_eq!(dead(&d).len(), 1, "the tick that fired it; the timer is gone");
    assert_eq!(d.outputs(Topic::DeviceEvents).len(), 1);
}

#[test]
fn a_record_fires_a_thousand_timers_and_leaves_the_rest_to_the_next() {
    let mut d = driver();
    let all = TIMERS_PER_RECORD_MAX + 200;
    d.pipe(ROOT, say(&format!("timers {all}")));
    d.tick(999);
    assert!(d.new_outputs(Topic::DeviceEvents).is_empty(), "not due");
    d.tick(1);
    let first = d.new_outputs(Topic::DeviceEvents);
    assert_eq!(first.len(), TIMERS_PER_RECORD_MAX);
    assert!(first.is_sorted_by(|a, b| a.key < b.key && a.id < b.id));
    d.commit();
    d.crash(0);
    d.restore();
    d.tick(0);
    assert_eq!(
        d.new_outputs(Topic::DeviceEvents).len(),
        200,
        "the heap is rebuilt from the slots"
    );
    d.tick(10_000);
    assert!(d.new_outputs(Topic::DeviceEvents).is_empty(), "each fired once");
}

#[test]
fn an_unknown_schema_makes_the_partition_wait() {
    let mut d = driver();
    d.pipe_bytes(ROOT, Bytes::from_static(b"\0\0\0\x7f\xffx"), Headers::default());
    assert_eq!(
        d.partition_state(0),
        Some(PartitionState::Waiting(WaitReason::UnknownSchema(32767)))
    );
    assert!(dead(&d).is_empty());
    d.commit();
    assert_eq!(d.cluster().committed(0), None, "the position stays before it");
    assert!(d.cluster().codec().wanted().contains(&32767));

    // Behind it, in order, comes what was said meanwhile.
    d.pipe(ROOT, say("put 1"));
    d.commit();
    assert!(d.outputs(Topic::DeviceStatus).is_empty());
    let newer = RecordType::Tick.schema_json().replace("sent_at", "said_at");
    let learned = d.cluster().codec().learn(&RegisteredSchema {
        id: 32767,
        record: RecordType::Tick,
        json: newer,
    });
    assert!(learned.unwrap());
    d.tick(0);
    assert_eq!(d.partition_state(0), Some(PartitionState::Running));
    d.commit();
    assert_eq!(dead(&d).len(), 1, "what is known and does not fit is undecodable");
    assert_eq!(d.outputs(Topic::DeviceStatus).len(), 1);
    assert!(d.cluster().committed(0).is_some());
}

#[test]
fn a_record_of_somebody_else_is_a_dead_letter() {
    let mut d = driver();
    d.cluster().codec().learn_foreign(32766, "com.example.Order").unwrap();
    d.pipe_bytes(ROOT, Bytes::from_static(b"\0\0\0\x7f\xfex"), Headers::default());
    d.pipe(ROOT, say("put 1"));
    d.commit();
    assert_eq!(dead(&d).len(), 1);
    assert_eq!(d.outputs(Topic::DeviceStatus).len(), 1);
}

#[test]
fn a_torn_commit_waits_for_the_operator() {
    let torn = || {
        let mut d = driver();
        d.pipe(ROOT, say("put 1"));
        d.commit();
        // The group's offset as if the offsets of a second commit had been kept and its records lost.
        d.cluster().set_committed(0, 9);
        d.crash(0);
        d
    };
    let mut d = torn();
    d.restore();
    let reason = WaitReason::MarkerAndGroupDiffer {
        next_offset: 1,
        group_offset: 9,
    };
    assert_eq!(d.partition_state(0), Some(PartitionState::Waiting(reason)));
    for (choice, state) in [(OnTorn::GoOn, "2"), (OnTorn::Rebuild, "2")] {
        let mut d = torn();
        d.set_on_torn(choice);
        d.restore();
        assert_eq!(d.partition_state(0), Some(PartitionState::Running), "{choice:?}");
        d.pipe(ROOT, say("put 2"));
        assert!(d.commit());
        assert_eq!(d.state::<String>(1, "k").as_deref(), Some(state), "{choice:?}");
        assert_eq!(d.cluster().committed(0), Some(2));
    }
}

#[test]
fn a_slot_of_an_earlier_format_is_upgraded_and_a_later_one_waits() {
    let mut old = driver();
    old.pipe(ROOT, say("put 1"));
    old.commit();
    let upgraded = old.restart_with(words(2));
    assert_eq!(upgraded.state::<String>(1, "k").as_deref(), Some("1, upgraded"));

    let mut new = Driver::with(1, 1, words(2));
    new.pipe(ROOT, say("put 1"));
    new.commit();
    let downgraded = new.restart_with(words(1));
    assert!(matches!(
        downgraded.partition_state(0),
        Some(PartitionState::Waiting(WaitReason::Slots { count: 1, .. }))
    ));
}

#[test]
fn two_members_share_and_take_over() {
    let mut d = Driver::with(4, 2, words(1));
    let roots: Vec<_> = (0..12).map(|i| format!("default/olt/r{i}")).collect();
    for round in 0..6 {
        for root in &roots {
            d.pipe(root, say("put 5"));
        }
        match round {
            0 => d.rebalance(),
            1 => d.expel(0),
            2 => d.crash(1),
            3 => d.restore(),
            4 => assert!(d.commit()),
            _ => {}
        }
    }
    d.restore();
    d.commit();
    let outcomes = d.outcomes();
    assert_eq!((outcomes.consumed, outcomes.add_up()), (72, true));
}

/// Steps `low` and `high`: each call says so; `low` hands on two events a key.
struct Tracer(u8);

impl Step for Tracer {
    type Event = Word;
    type State = ();

    fn describe(&self) -> StepDescription {
        StepDescription {
            number: self.0,
            name: "tracer",
            reads: "words",
            writes: &[Topic::DeviceEvents],
            key: "each letter",
            state: "none",
            time: "none",
            guarantee: "total",
            format: 1,
        }
    }

    fn keys(&self, event: &Word, keys: &mut Vec<StateKey>) {
        keys.extend(
            event
                .0
                .chars()
                .filter(char::is_ascii_lowercase)
                .map(|c| StateKey::from(c.to_string())),
        );
    }

    fn apply(
        &self,
        key: &StateKey,
        _: Option<&()>,
        input: Input<'_, Word>,
        now: &Now,
        out: &mut Out<Word>,
    ) -> Verdict<()> {
        let Input::Event(Word(word)) = input else {
            return Verdict::keep(Reason::Absorbed("no timers"));
        };
        out.record(
            Topic::DeviceEvents,
            key.as_bytes(),
            event(key, &format!("{}{key}:{word}", self.0), now),
        );
        if self.0 == 2 {
            out.event(Word(format!("{key}X")));
            out.event(Word("zY".into()));
        }
        Verdict::keep(Reason::Did("traced"))
    }
}

#[test]
fn a_record_runs_breadth_first_in_the_order_of_keys() {
    let mut d = Driver::with(1, 1, || {
        Chain::outside_topology(decode)
            .step(Tracer(2))
            .step(Tracer(3))
            .step(Tracer(7))
    });
    d.pipe(ROOT, say("bab"));
    let text = |record| match record {
        Some(AnyRecord::DeviceEvent(event)) => event.event,
        other => panic!("{other:?}"),
    };
    let outputs = d.outputs(Topic::DeviceEvents);
    let ids: Vec<_> = outputs.iter().map(|seen| seen.id.clone()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
    let said: Vec<_> = outputs.into_iter().map(|seen| text(seen.record)).collect();
    // The record's own event goes to all three; those of step 2 to 3 and 7, each key's in the order they were made.
    let later = |n: u8| ["a:bab", "a:aX", "b:bab", "b:bX", "z:zY", "z:zY"].map(|said| format!("{n}{said}"));
    let expected: Vec<_> = ["2a:bab", "2b:bab"]
        .map(String::from)
        .into_iter()
        .chain(later(3))
        .chain(later(7))
        .collect();
    assert_eq!(said, expected);
}
