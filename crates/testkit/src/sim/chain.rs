//! A small chain that uses everything the engine offers: several keys a record, events between steps, timers of both
//! times, deletions, write times, fast and exact outputs, refusals, and now and then a panic.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Micros;
use runtime::{Chain, Change, DeadReason, Deadline, Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::{
    AnyRecord, DeviceEvent, DeviceEventType, DeviceStatus, InventoryEntry, Phase, SnmpVersion, TrapReceived,
};
use serde::{Deserialize, Serialize};
use topology::Topic;

use super::Subject;
use crate::Rng;

/// Text of the panic on purpose: the simulation keeps quiet about it.
pub(crate) const POISON: &str = "poisoned on purpose";
const ADD: u8 = 0;
const DELETE: u8 = 1;
const NOTES: u8 = 2;
const CALENDAR: u8 = 3;
const REFUSE: u8 = 4;
const PANIC: u8 = 5;

/// The chain the engine is simulated with.
#[derive(Debug, Clone, Copy, Default)]
pub struct TestChain;

impl Subject for TestChain {
    type Event = TestEvent;

    fn chain(&self) -> Chain<TestEvent> {
        Chain::outside_topology(decode).step(Cells).step(Groups)
    }

    fn input(&self, rng: &mut Rng) -> (String, AnyRecord) {
        let op = match rng.below(100) {
            0..45 => ADD,
            45..60 => DELETE,
            60..80 => NOTES,
            80..93 => CALENDAR,
            93..99 => REFUSE,
            _ => PANIC,
        };
        let mut pdu = vec![op, u8::try_from(rng.below(12)).expect("small")];
        pdu.extend((0..=rng.below(4)).map(|_| u8::try_from(rng.below(6)).expect("small")));
        let root = format!("default/olt/s{}", rng.below(4));
        let trap = TrapReceived {
            root: root.clone(),
            sender: String::new(),
            sender_port: 0,
            listener: String::new(),
            version: SnmpVersion::V2c,
            credential: String::new(),
            inform: false,
            relay: None,
            inner_address: None,
            received_at: Micros(0),
            pdu,
        };
        (root, trap.into())
    }
}

/// What its steps hand to each other.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "a test's own nouns")]
pub enum TestEvent {
    Op {
        root: String,
        op: u8,
        amount: u32,
        cells: Vec<u8>,
    },
    Crossed {
        root: String,
        cell: u8,
    },
    Note {
        root: String,
        cell: u8,
    },
    Nothing,
}

fn decode(record: AnyRecord, root_key: &str) -> Result<TestEvent, DeadReason> {
    match record {
        AnyRecord::TrapReceived(trap) => match trap.pdu.as_slice() {
            [op, amount, cells @ ..] => Ok(TestEvent::Op {
                root: root_key.into(),
                op: *op,
                amount: (*amount).into(),
                cells: cells.into(),
            }),
            _ => Err("too_short".into()),
        },
        AnyRecord::SourceHeartbeat(_) => Ok(TestEvent::Nothing),
        _ => Err("unexpected_record".into()),
    }
}

fn cell_key(root: &str, cell: u8) -> StateKey {
    Arc::from(format!("{root}/c{cell}"))
}

fn cell_of(key: &str) -> u8 {
    key.as_bytes().last().map_or(0, |b| b - b'0')
}

fn root_of(key: &str) -> String {
    key.rsplit_once('/').map_or(key, |(root, _)| root).to_owned()
}

struct Cells;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Cell {
    sum: u32,
    touched: u32,
}

impl Step for Cells {
    type Event = TestEvent;
    type State = Cell;

    fn describe(&self) -> StepDescription {
        StepDescription {
            number: 3,
            name: "cells",
            reads: "operations",
            writes: &[Topic::DeviceEvents, Topic::DeviceStatus],
            key: "cell",
            state: "a sum that halves every 3 s",
            time: "observed time and log time",
            guarantee: "panics only when told to",
            format: 1,
        }
    }

    fn keys(&self, event: &TestEvent, keys: &mut Vec<StateKey>) {
        if let TestEvent::Op { root, cells, .. } = event {
            keys.extend(cells.iter().map(|&cell| cell_key(root, cell)));
        }
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&Cell>,
        input: Input<'_, TestEvent>,
        now: &Now,
        out: &mut Out<TestEvent>,
    ) -> Verdict<Cell> {
        let (root, cell) = (root_of(key), cell_of(key));
        match input {
            Input::Event(TestEvent::Op { op, amount, .. }) => match *op {
                ADD => {
                    let before = state.map_or(0, |s| s.sum);
                    let next = Cell {
                        sum: before + amount,
                        touched: state.map_or(0, |s| s.touched) + 1,
                    };
                    out.record(
                        Topic::DeviceEvents,
                        key.as_bytes().to_vec(),
                        said(key, "added", next.sum, now),
                    );
                    if next.sum / 10 > before / 10 {
                        out.record(
                            Topic::DeviceEvents,
                            key.as_bytes().to_vec(),
                            said(key, "crossed", next.sum, now),
                        );
                        out.event(TestEvent::Crossed { root, cell });
                    }
                    out.set_timer(0, Deadline::Observed(now.observed.plus(3 * Micros::SECOND)));
                    put(key, next, now, out)
                }
                DELETE if state.is_some() => delete(key, out),
                NOTES => {
                    (0..amount % 4).for_each(|_| {
                        out.event(TestEvent::Note {
                            root: root.clone(),
                            cell,
                        })
                    });
                    Verdict::keep(Reason::Did("noted"))
                }
                CALENDAR => {
                    out.cancel_timer(0);
                    out.set_timer(1, Deadline::LogTime(now.log_time.plus(5 * Micros::SECOND)));
                    let next = Cell {
                        sum: state.map_or(1, |s| s.sum),
                        touched: state.map_or(0, |s| s.touched) + 1,
                    };
                    put(key, next, now, out)
                }
                REFUSE => Verdict::keep(Reason::Filtered("refused")),
                PANIC if cell == 5 => panic!("{POISON}"),
                _ => Verdict::keep(Reason::Absorbed("nothing_there")),
            },
            Input::Event(_) => Verdict::keep(Reason::Absorbed("not_mine")),
            Input::Timer { id, .. } => {
                let Some(state) = state else {
                    return Verdict::keep(Reason::Absorbed("gone"));
                };
                out.record(
                    Topic::DeviceEvents,
                    key.as_bytes().to_vec(),
                    said(key, "timer", state.sum, now),
                );
                if id == 1 {
                    out.event(TestEvent::Crossed { root, cell });
                    return put(
                        key,
                        Cell {
                            sum: state.sum + 1,
                            ..*state
                        },
                        now,
                        out,
                    );
                }
                if state.sum < 2 {
                    return delete(key, out);
                }
                out.set_timer(0, Deadline::Observed(now.observed.plus(3 * Micros::SECOND)));
                put(
                    key,
                    Cell {
                        sum: state.sum / 2,
                        ..*state
                    },
                    now,
                    out,
                )
            }
        }
    }
}

fn put(key: &str, next: Cell, now: &Now, out: &mut Out<TestEvent>) -> Verdict<Cell> {
    let row = DeviceStatus {
        entity: key.into(),
        root: String::new(),
        kind: String::new(),
        site: None,
        parent: None,
        name: None,
        description: None,
        vendor: None,
        model: None,
        serial: None,
        state: next.sum.to_string(),
        cause: None,
        cause_raw: None,
        since: now.observed,
        observed_at: Micros(0),
        received_at: Micros(next.touched.into()),
        first_trap_at: None,
        position: now.position.into(),
        wts: out.write_time(),
    };
    out.record(Topic::DeviceStatus, key.as_bytes().to_vec(), row);
    Verdict::put(next, Reason::Did("changed"))
}

fn delete(key: &str, out: &mut Out<TestEvent>) -> Verdict<Cell> {
    out.tombstone(Topic::DeviceStatus, key.as_bytes().to_vec());
    Verdict {
        change: Change::Delete,
        reason: Reason::Did("deleted"),
    }
}

fn said(key: &str, event: &str, number: u32, now: &Now) -> DeviceEvent {
    DeviceEvent {
        entity: key.into(),
        root: String::new(),
        kind: String::new(),
        event_type: DeviceEventType::DeviceAlarm,
        event: event.into(),
        phase: Phase::Event,
        severity: None,
        trap_oid: None,
        source: None,
        at: now.observed,
        received_at: now.log_time,
        state: Some(number.to_string()),
        previous: None,
        cause: None,
        cause_raw: None,
        serial: None,
        detail: BTreeMap::new(),
        position: now.position.into(),
        status: None,
    }
}

struct Groups;

impl Step for Groups {
    type Event = TestEvent;
    /// Events counted.
    type State = u32;

    fn describe(&self) -> StepDescription {
        StepDescription {
            number: 9,
            name: "groups",
            reads: "crossings, notes, and note operations themselves",
            writes: &[Topic::DeviceEvents, Topic::Inventory],
            key: "group of cells",
            state: "a count that begins again after seven",
            time: "none",
            guarantee: "total",
            format: 1,
        }
    }

    fn keys(&self, event: &TestEvent, keys: &mut Vec<StateKey>) {
        let key = |root: &str, cell: u8| Arc::from(format!("{root}/g{}", cell % 2));
        match event {
            TestEvent::Op {
                root, op: NOTES, cells, ..
            } => keys.extend(cells.iter().map(|&cell| key(root, cell))),
            TestEvent::Crossed { root, cell } | TestEvent::Note { root, cell } => keys.push(key(root, *cell)),
            TestEvent::Op { .. } | TestEvent::Nothing => {}
        }
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&u32>,
        _input: Input<'_, TestEvent>,
        now: &Now,
        out: &mut Out<TestEvent>,
    ) -> Verdict<u32> {
        let count = state.copied().unwrap_or(0) + 1;
        out.record(
            Topic::DeviceEvents,
            key.as_bytes().to_vec(),
            said(key, "counted", count, now),
        );
        if count == 7 {
            out.tombstone(Topic::Inventory, key.as_bytes().to_vec());
            return Verdict {
                change: Change::Delete,
                reason: Reason::Did("seven"),
            };
        }
        let row = InventoryEntry {
            entity: key.to_string(),
            root: String::new(),
            kind: String::new(),
            site: None,
            parent: None,
            name: None,
            description: None,
            vendor: None,
            model: None,
            serial: None,
            address: None,
            attributes: BTreeMap::new(),
            origin: count.to_string(),
            installed_at: None,
            seen_at: now.log_time,
            serial_since: None,
            position: now.position.into(),
            wts: out.write_time(),
        };
        out.record(Topic::Inventory, key.as_bytes().to_vec(), row);
        Verdict::put(count, Reason::Did("counted"))
    }
}
