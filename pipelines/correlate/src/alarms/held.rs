//! All alarms of one entity, within bounds: 32 alarms of at most 1,200 bytes, 24 comments of 600 and 64 acts of 19 fit a slot's 64 KiB.

use std::sync::Arc;

use model::Micros;
use schemas::AlarmComment;
use schemas::network::About;
use serde::{Deserialize, Serialize};

use super::entry::Entry;

/// Most alarms of one entity that are kept, cleared ones counted in.
pub const ALARMS_MAX: usize = 32;
/// Most cleared ones of them: they can be commented, and go on if they come again. The row of an older one is deleted; its history
/// stays in `alarm-transitions`.
pub const CLEARED_MAX: usize = 4;
/// Most comments of one alarm.
pub const COMMENTS_MAX: usize = 20;
/// Most comments of all alarms of one entity.
const COMMENTS_OF_ENTITY_MAX: usize = 24;
/// Most acts remembered of one entity: the same one again is the same act.
const ACTS_MAX: usize = 64;

/// All of one entity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// What is known of it.
    pub about: Arc<About>,
    /// The incident whose symptoms its alarms are.
    pub incident: Option<Arc<str>>,
    /// Its alarms, oldest raise first.
    pub alarms: Vec<Entry>,
    /// Hashes of acts taken, oldest first.
    pub acts: Vec<u128>,
    /// Log time of the last act.
    pub acted_at: Micros,
}

impl Held {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.alarms.is_empty() && self.incident.is_none() && self.acts.is_empty()
    }

    /// Notes an act. False if it was noted before.
    pub fn note_act(&mut self, act: u128, now: Micros) -> bool {
        if self.acts.contains(&act) {
            return false;
        }
        if self.acts.len() == ACTS_MAX {
            self.acts.remove(0);
        }
        self.acts.push(act);
        self.acted_at = now;
        true
    }

    /// Adds a comment to an alarm; the oldest make room.
    pub fn comment(&mut self, at: usize, comment: AlarmComment) {
        let all: usize = self.alarms.iter().map(|a| a.comments.len()).sum();
        if self.alarms[at].comments.len() >= COMMENTS_MAX {
            self.alarms[at].comments.remove(0);
        } else if all >= COMMENTS_OF_ENTITY_MAX {
            let commented = self.alarms.iter_mut().filter(|a| !a.comments.is_empty());
            if let Some(entry) = commented.min_by_key(|a| a.comments[0].at) {
                entry.comments.remove(0);
            }
        }
        self.alarms[at].comments.push(comment);
    }

    /// Makes room for one more. The ids whose rows are to be deleted; `None` if all of them stand.
    pub fn make_room(&mut self) -> Option<Vec<Arc<str>>> {
        let mut gone = Vec::new();
        while self.alarms.len() >= ALARMS_MAX {
            let at = self.alarms.iter().position(|a| !a.raised)?;
            gone.push(self.alarms.remove(at).id);
        }
        Some(gone)
    }

    /// Lets go of cleared ones beyond the last few. The ids whose rows are to be deleted.
    pub fn forget_cleared(&mut self) -> Vec<Arc<str>> {
        let mut gone = Vec::new();
        loop {
            let cleared = || self.alarms.iter().enumerate().filter(|(_, a)| !a.raised);
            if cleared().count() <= CLEARED_MAX {
                return gone;
            }
            let Some((at, _)) = cleared().min_by_key(|(_, a)| a.changed_at) else {
                return gone;
            };
            gone.push(self.alarms.remove(at).id);
        }
    }
}
