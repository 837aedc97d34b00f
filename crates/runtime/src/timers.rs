//! Deadlines of one step in order. The slots are the truth; these heaps are an index that is rebuilt at a restore.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use model::Micros;

use crate::{Deadline, Now, StateKey};

/// A timer of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub key: StateKey,
    pub id: u8,
    pub deadline: Deadline,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Armed {
    at: Micros,
    key: StateKey,
    id: u8,
}

/// Two heaps, one a time. An entry whose timer was moved or cancelled stays until it comes up or the heaps are rebuilt;
/// whoever takes one compares it with the slot.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    observed: BinaryHeap<Reverse<Armed>>,
    log_time: BinaryHeap<Reverse<Armed>>,
}

impl Timers {
    pub fn arm(&mut self, key: &StateKey, id: u8, deadline: Deadline) {
        match deadline {
            Deadline::Observed(at) => self.observed.push(Reverse(Armed {
                at,
                key: key.clone(),
                id,
            })),
            Deadline::LogTime(at) => self.log_time.push(Reverse(Armed {
                at,
                key: key.clone(),
                id,
            })),
        }
    }

    pub fn len(&self) -> usize {
        self.observed.len() + self.log_time.len()
    }

    pub fn clear(&mut self) {
        self.observed.clear();
        self.log_time.clear();
    }

    /// Takes the next due timer: the most overdue first, then observed before log time, then by key and number. Equal
    /// entries come one after the other.
    pub fn pop_due(&mut self, now: &Now) -> Option<Due> {
        let overdue = |heap: &BinaryHeap<Reverse<Armed>>, at: Micros| {
            heap.peek().map(|Reverse(next)| at.since(next.at)).filter(|&by| by >= 0)
        };
        let by_observed = overdue(&self.observed, now.observed);
        let by_log_time = overdue(&self.log_time, now.log_time);
        // `None` is below every amount.
        let observed_first = by_observed.cmp(&by_log_time) != Ordering::Less;
        if observed_first {
            by_observed?;
            let Reverse(armed) = self.observed.pop()?;
            Some(Due {
                key: armed.key,
                id: armed.id,
                deadline: Deadline::Observed(armed.at),
            })
        } else {
            let Reverse(armed) = self.log_time.pop()?;
            Some(Due {
                key: armed.key,
                id: armed.id,
                deadline: Deadline::LogTime(armed.at),
            })
        }
    }
}
