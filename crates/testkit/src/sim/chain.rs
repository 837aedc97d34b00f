//! A small chain that uses everything the engine offers: several keys a record, events between steps, timers of both
//! times, deletions, write times, fast and exact outputs, refusals, and now and then a panic.

use std::sync::Arc;

use model::Micros;
use runtime::{Chain, Change, DeadReason, Deadline, Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::{AnyRecord, SourceHeartbeat};
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
        // One letter each: operation, amount, cells.
        let mut letters = vec![letter(op), letter(u8::try_from(rng.below(12)).expect("small"))];
        letters.extend((0..=rng.below(4)).map(|_| letter(u8::try_from(rng.below(6)).expect("small"))));
        let root = format!("default/olt/s{}", rng.below(4));
        let record = SourceHeartbeat {
            root: root.clone(),
            connector: letters.into_iter().collect(),
            sent_at: Micros(0),
        };
        (root, record.into())
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
}

fn decode(record: AnyRecord, root_key: &str) -> Result<TestEvent, DeadReason> {
    match record {
        AnyRecord::SourceHeartbeat(said) => match said.connector.as_bytes() {
            [op, amount, cells @ ..] => Ok(TestEvent::Op {
                root: root_key.into(),
                op: number(*op),
                amount: number(*amount).into(),
                cells: cells.iter().map(|cell| number(*cell)).collect(),
            }),
            _ => Err("too_short".into()),
        },
        _ => Err("unexpected_record".into()),
    }
}

fn letter(number: u8) -> char {
    char::from(b'a' + number)
}

fn number(letter: u8) -> u8 {
    letter.saturating_sub(b'a')
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
                        key.as_bytes(),
                        said(key, "added", next.sum, now.observed),
                    );
                    if next.sum / 10 > before / 10 {
                        out.record(
                            Topic::DeviceEvents,
                            key.as_bytes(),
                            said(key, "crossed", next.sum, now.observed),
                        );
                        out.event(TestEvent::Crossed { root, cell });
                    }
                    out.set_timer(0, Deadline::Observed(now.observed.plus(3 * Micros::SECOND)));
                    put(key, next, out)
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
                    put(key, next, out)
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
                    key.as_bytes(),
                    said(key, "timer", state.sum, now.observed),
                );
                if id == 1 {
                    out.event(TestEvent::Crossed { root, cell });
                    return put(
                        key,
                        Cell {
                            sum: state.sum + 1,
                            ..*state
                        },
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
                    out,
                )
            }
        }
    }
}

fn put(key: &str, next: Cell, out: &mut Out<TestEvent>) -> Verdict<Cell> {
    let row = said(key, "status", next.sum * 1_000 + next.touched, out.write_time());
    out.record(Topic::DeviceStatus, key.as_bytes(), row);
    Verdict::put(next, Reason::Did("changed"))
}

fn delete(key: &str, out: &mut Out<TestEvent>) -> Verdict<Cell> {
    out.tombstone(Topic::DeviceStatus, key.as_bytes());
    Verdict {
        change: Change::Delete,
        reason: Reason::Did("deleted"),
    }
}

/// The smallest record there is: what is said does not matter, that it is said once does.
fn said(key: &str, event: &str, number: u32, at: Micros) -> SourceHeartbeat {
    SourceHeartbeat {
        root: key.into(),
        connector: format!("{event} {number}"),
        sent_at: at,
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
            TestEvent::Op { .. } => {}
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
            key.as_bytes(),
            said(key, "counted", count, now.log_time),
        );
        if count == 7 {
            out.tombstone(Topic::Inventory, key.as_bytes());
            return Verdict {
                change: Change::Delete,
                reason: Reason::Did("seven"),
            };
        }
        let row = said(key, "group", count, out.write_time());
        out.record(Topic::Inventory, key.as_bytes(), row);
        Verdict::put(count, Reason::Did("counted"))
    }
}
