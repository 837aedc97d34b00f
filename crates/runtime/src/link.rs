//! One step with its typed state, behind an interface without types.

use bytes::Bytes;
use model::{Micros, Offset};
use topology::SLOT_BYTES_MAX;

use crate::mutation::Mutation;
use crate::round::{Calling, KEY_BYTES_MAX, Made, Refusal, Refused, Round, TimerRef};
use crate::slot::{self, SlotError, SlotHead};
use crate::table::{Next, Table};
use crate::{Change, Deadline, Input, Out, Reason, StateKey, Step, StepDescription};

pub(crate) trait Link<E>: Send {
    fn description(&self) -> StepDescription;
    fn run(&mut self, round: &mut Round<E>) -> Result<(), Refused>;
    fn settle(&mut self);
    fn roll_back(&mut self);
    fn cancel(&mut self, timer: &TimerRef, offset: Offset);
    fn changed(&self) -> usize;
    fn slots(&self) -> usize;
    fn applied_max(&self) -> Option<Offset>;
    fn forget_applied(&mut self);
    fn cut(&mut self, out: &mut dyn FnMut(Bytes, Option<Bytes>));
    fn each_slot(&self, out: &mut dyn FnMut(Bytes, Bytes));
    fn restore(&mut self, key: &str, head: SlotHead, state: &[u8]) -> Result<(), SlotError>;
    fn forget(&mut self, key: &str);
    fn restored(&mut self);
}

/// One call of a step; calls are made in this order: by key, a key's timers before its events.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    key: StateKey,
    turn: Turn,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// The `rank`th of the record's due timers.
    Timer { rank: usize, id: u8, deadline: Deadline },
    /// The event at this place of the round.
    Event(usize),
}

pub(crate) struct Fused<S: Step> {
    step: S,
    description: StepDescription,
    table: Table<S::State>,
    // Used again with each record.
    keys: Vec<StateKey>,
    calls: Vec<Call>,
    fresh: Vec<S::Event>,
    timers: Vec<(u8, Option<Deadline>)>,
}

impl<S: Step> Fused<S> {
    pub fn new(step: S) -> Self {
        let description = step.describe();
        Self {
            step,
            description,
            table: Table::default(),
            keys: Vec::new(),
            calls: Vec::new(),
            fresh: Vec::new(),
            timers: Vec::new(),
        }
    }

    fn collect(&mut self, round: &mut Round<S::Event>) {
        self.calls.clear();
        let due = self.table.due(&round.now, round.timers_left);
        round.timers_left -= due.len();
        self.calls.extend(due.into_iter().enumerate().map(|(rank, due)| Call {
            key: due.key,
            turn: Turn::Timer {
                rank,
                id: due.id,
                deadline: due.deadline,
            },
        }));
        for (i, event) in round.events.iter().enumerate() {
            self.step.keys(event, &mut self.keys);
            self.calls.extend(self.keys.drain(..).map(|key| Call {
                key,
                turn: Turn::Event(i),
            }));
        }
        self.calls.sort_unstable();
        self.calls.dedup();
        if round.mutation.is(Mutation::IdsOutOfKeyOrder) {
            self.calls.reverse();
        }
    }

    fn call(&mut self, Call { key, turn }: Call, round: &mut Round<S::Event>) -> Result<(), Refused> {
        let step = self.description.number;
        if key.len() > KEY_BYTES_MAX {
            return Err(Refused {
                refusal: Refusal::KeyTooLarge { step, bytes: key.len() },
                timer: None,
            });
        }
        let place = self.table.place(&key);
        let slot = place.map(|place| self.table.at(place));
        let timer = match &turn {
            Turn::Timer { id, deadline, .. } => {
                // An earlier call of this record may have moved or cancelled it.
                if !slot.is_some_and(|s| s.timers.contains(&(*id, *deadline))) {
                    return Ok(());
                }
                Some(*id)
            }
            Turn::Event(_) => None,
        };
        let skipped = slot.is_some_and(|s| s.applied == round.now.position.offset);
        if skipped && round.mutation.is(Mutation::LaterEventsSkipped) {
            return Ok(());
        }
        round.calling = Some(Calling {
            step,
            key: key.clone(),
            timer,
        });
        let before = slot.map_or(round.deleted, |s| s.wts);
        let wts = before.plus(1).max(round.now.log_time);
        let drafts_before = round.drafts.list().len();
        let first_n = self.first_n(&key, round);
        // What is handed out goes where it is kept; an unwinding step loses it with the task.
        let mut out = Out {
            events: std::mem::take(&mut self.fresh),
            drafts: std::mem::take(&mut round.drafts),
            timers: std::mem::take(&mut self.timers),
            write_time: wts,
            write_time_used: false,
            made: std::mem::take(&mut round.made),
            first_n,
        };
        let input = match turn {
            Turn::Timer { id, deadline, .. } => Input::Timer { id, deadline },
            Turn::Event(i) => Input::Event(&round.events[i]),
        };
        let verdict = self
            .step
            .apply(&key, slot.and_then(|s| s.state.as_ref()), input, &round.now, &mut out);
        round.calling = None;
        round.made = std::mem::take(&mut out.made);
        if let Reason::Dead(word) = verdict.reason {
            return Err(Refused {
                refusal: Refusal::Unreadable { step, word },
                timer: timer.map(|id| TimerRef {
                    step,
                    key: key.to_string(),
                    id,
                }),
            });
        }
        round.said(verdict.reason);
        let changed = self.change(&key, place, verdict.change, timer, &out, round);
        self.fresh = out.events;
        round.drafts = out.drafts;
        self.timers = out.timers;
        self.timers.clear();
        changed.map_err(|refusal| Refused {
            refusal,
            timer: timer.map(|id| TimerRef {
                step,
                key: key.to_string(),
                id,
            }),
        })?;
        self.name_outputs(&key, timer, drafts_before, round);
        Ok(())
    }

    fn change(
        &mut self,
        key: &StateKey,
        place: Option<u32>,
        change: Change<S::State>,
        fired: Option<u8>,
        out: &Out<S::Event>,
        round: &mut Round<S::Event>,
    ) -> Result<(), Refusal> {
        let applied = round.now.position.offset;
        let slot = place.map(|place| self.table.at(place));
        let (state, wts) = match change {
            // Most calls: nothing new about what is known.
            Change::Keep if fired.is_none() && out.timers.is_empty() => return Ok(()),
            Change::Delete => {
                if slot.is_some() {
                    round.deleted = round.deleted.max(out.write_time);
                    let next = Next {
                        state: Some(None),
                        timers: Vec::new(),
                        wts: Micros(0),
                        applied,
                    };
                    self.replace(place, key, next);
                }
                return Ok(());
            }
            Change::Keep => (None, slot.map_or(Micros(0), |s| s.wts)),
            Change::Put(state) => {
                let wts = if out.write_time_used {
                    out.write_time
                } else {
                    slot.map_or(Micros(0), |s| s.wts)
                };
                (Some(state), wts)
            }
        };
        let Some(current) = slot.and_then(|s| s.state.as_ref()).or(state.as_ref()) else {
            // Kept as nothing: timers live with a state only.
            return Ok(());
        };
        let timers_before = slot.map_or(&[][..], |s| &s.timers);
        let timers = timers_after(timers_before, fired, &out.timers);
        let same_wts = slot.is_some_and(|s| s.wts == wts);
        let same_state = || state.as_ref().is_none_or(|new| new == current);
        if same_wts && timers == timers_before && same_state() {
            return Ok(());
        }
        let step = self.description.number;
        let put = state.as_ref().unwrap_or(current);
        let bytes = slot::encoded_bytes(timers.len(), put, self.step.bytes_max(put));
        let bytes = bytes.ok_or_else(|| Refusal::SlotUnencodable {
            step,
            key: key.to_string(),
        })?;
        if bytes > SLOT_BYTES_MAX {
            return Err(Refusal::SlotTooLarge {
                step,
                key: key.to_string(),
                bytes,
            });
        }
        round.slot_bytes += bytes;
        let next = Next {
            state: state.map(Some),
            timers,
            wts,
            applied,
        };
        self.replace(place, key, next);
        Ok(())
    }

    fn replace(&mut self, place: Option<u32>, key: &StateKey, next: Next<S::State>) {
        if let Some((before, after)) = self.table.replace(place, key, next)
            && S::REMEMBERS
        {
            self.step.remember(key, before, after);
        }
    }

    /// `n` of a call's first output. Calls of one (step, key) follow each other, so the last output tells how many there were.
    fn first_n(&self, key: &StateKey, round: &Round<S::Event>) -> u32 {
        match round.made.last() {
            Some(last) if last.step == self.description.number && last.key == *key => last.n + 1,
            _ => 0,
        }
    }

    /// Notes what the ids of a call's outputs are made of.
    fn name_outputs(&self, key: &StateKey, timer: Option<u8>, before: usize, round: &mut Round<S::Event>) {
        let step = self.description.number;
        let drafts = &round.drafts.list()[before..];
        if drafts.is_empty() {
            return;
        }
        for (n, draft) in (self.first_n(key, round)..).zip(drafts) {
            let topic = draft.topic;
            let name = self.description.name;
            assert!(
                self.description.writes.contains(&topic),
                "step `{name}` does not say it writes {topic}"
            );
            assert!(
                draft.body.is_some() || topic.is_compacted(),
                "a tombstone for {topic}, which is not compacted"
            );
            let key = key.clone();
            round.made.push(Made { step, key, n, timer });
        }
    }
}

/// The timers of a slot after a call: the fired one is spent, then the step's own changes in order.
fn timers_after(
    before: &[(u8, Deadline)],
    fired: Option<u8>,
    changes: &[(u8, Option<Deadline>)],
) -> Vec<(u8, Deadline)> {
    let mut timers = before.to_vec();
    let spent = fired.map(|id| (id, None));
    for (id, deadline) in spent.iter().chain(changes) {
        match (timers.binary_search_by_key(id, |t| t.0), deadline) {
            (Ok(at), Some(deadline)) => timers[at].1 = *deadline,
            (Ok(at), None) => drop(timers.remove(at)),
            (Err(at), Some(deadline)) => timers.insert(at, (*id, *deadline)),
            (Err(_), None) => {}
        }
    }
    timers
}

impl<S: Step> Link<S::Event> for Fused<S> {
    fn description(&self) -> StepDescription {
        self.description
    }

    fn run(&mut self, round: &mut Round<S::Event>) -> Result<(), Refused> {
        self.collect(round);
        self.fresh.clear();
        let mut calls = std::mem::take(&mut self.calls);
        let result = calls.drain(..).try_for_each(|call| self.call(call, round));
        self.calls = calls;
        round.events.append(&mut self.fresh);
        result
    }

    fn settle(&mut self) {
        self.table.settle();
    }

    fn roll_back(&mut self) {
        let step = &mut self.step;
        self.table.roll_back(|key, undone, stands| {
            if S::REMEMBERS {
                step.remember(key, undone, stands);
            }
        });
    }

    fn cancel(&mut self, timer: &TimerRef, offset: Offset) {
        let key: StateKey = timer.key.as_str().into();
        let place = self.table.place(&key);
        if let Some(slot) = place.map(|place| self.table.at(place)) {
            let next = Next {
                state: None,
                timers: timers_after(&slot.timers, Some(timer.id), &[]),
                wts: slot.wts,
                applied: offset,
            };
            self.table.replace(place, &key, next);
        }
    }

    fn changed(&self) -> usize {
        self.table.changed()
    }

    fn slots(&self) -> usize {
        self.table.len()
    }

    fn applied_max(&self) -> Option<Offset> {
        self.table.applied_max()
    }

    fn forget_applied(&mut self) {
        self.table.forget_applied();
    }

    fn cut(&mut self, out: &mut dyn FnMut(Bytes, Option<Bytes>)) {
        self.table.cut(self.description.number, self.description.format, out);
    }

    fn each_slot(&self, out: &mut dyn FnMut(Bytes, Bytes)) {
        self.table
            .each_encoded(self.description.number, self.description.format, out);
    }

    fn restore(&mut self, key: &str, head: SlotHead, state: &[u8]) -> Result<(), SlotError> {
        let wanted = self.description.format;
        let state = if head.format == wanted {
            postcard::from_bytes(state).map_err(|e| SlotError::State(e.to_string()))?
        } else {
            let found = head.format;
            self.step
                .upgrade(found, state)
                .ok_or(SlotError::Format { found, wanted })?
        };
        self.table.restore(key.into(), head, state);
        Ok(())
    }

    fn forget(&mut self, key: &str) {
        self.table.forget(key);
    }

    fn restored(&mut self) {
        if S::REMEMBERS {
            for (key, state) in self.table.each_state() {
                self.step.remember(key, None, Some(state));
            }
        }
        self.table.rebuild_timers();
    }
}
