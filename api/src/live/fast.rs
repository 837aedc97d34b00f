//! Rows of a fast topic, held above the exact ones until those have caught up. What is held belongs to whoever holds it, under a
//! number; here is only when it has to go:
//! - when an exact record of its partition has an id not lower and a second has passed (that second bridges a commit read in two
//!   halves, so that nobody sees an older state in between);
//! - 60 s after it was appended, whatever came.
//!
//! A fast row whose id is not above the highest exact id of its partition is history: it never counts.

use std::collections::VecDeque;

use hashbrown::HashMap;
use model::{Micros, Partition, RecordId};

/// A fast row that no exact record has confirmed goes after this time (design: 60 s).
pub const FAST_ROW_US_MAX: i64 = 60 * Micros::SECOND;
/// How long a fast row stays when its partition has passed it but its own exact row has not been read.
const FAST_ROW_GRACE_US: i64 = Micros::SECOND;

type FastHash = foldhash::fast::RandomState;

struct Mark {
    id: RecordId,
    appended_at: Micros,
    number: u32,
}

/// When held rows have to go.
#[derive(Default)]
pub struct FastRows {
    /// Highest id of the exact topic, by partition.
    exact: HashMap<Partition, RecordId, FastHash>,
    held: HashMap<Partition, VecDeque<Mark>, FastHash>,
    doubtful: Vec<(Micros, u32, RecordId)>,
}

impl FastRows {
    /// Whether the exact topic has come to this id, or the row is too old to count.
    pub fn is_history(&self, partition: Partition, id: &RecordId, appended_at: Micros, now: Micros) -> bool {
        self.exact.get(&partition).is_some_and(|mark| id <= mark) || now.since(appended_at) >= FAST_ROW_US_MAX
    }

    /// A row is held under this number.
    pub fn hold(&mut self, partition: Partition, id: &RecordId, appended_at: Micros, number: u32) {
        self.held.entry(partition).or_default().push_back(Mark {
            id: id.clone(),
            appended_at,
            number,
        });
    }

    /// The exact topic of a partition has come to `id`: rows not above it have had their exact row, or will not get one.
    pub fn passed(
        &mut self,
        partition: Partition,
        id: RecordId,
        now: Micros,
        is_held: impl Fn(u32, &RecordId) -> bool,
    ) {
        let mark = self.exact.entry(partition).or_insert_with(|| id.clone());
        if *mark < id {
            *mark = id;
        }
        let Some(queue) = self.held.get_mut(&partition) else {
            return;
        };
        while queue.front().is_some_and(|f| f.id <= *mark) {
            let Some(front) = queue.pop_front() else { break };
            if is_held(front.number, &front.id) {
                self.doubtful
                    .push((now.plus(FAST_ROW_GRACE_US), front.number, front.id));
            }
        }
    }

    /// Rows whose time is over. `now` is the machine's clock, of which the log stamps its records.
    pub fn over(&mut self, now: Micros) -> Vec<(u32, RecordId)> {
        let mut over = Vec::new();
        for queue in self.held.values_mut() {
            while queue
                .front()
                .is_some_and(|f| now.since(f.appended_at) >= FAST_ROW_US_MAX)
            {
                over.extend(queue.pop_front().map(|f| (f.number, f.id)));
            }
        }
        self.doubtful.retain(|(until, number, id)| {
            let ends = now >= *until;
            if ends {
                over.push((*number, id.clone()));
            }
            !ends
        });
        over
    }
}
