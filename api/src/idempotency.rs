//! Answers to writes with an `Idempotency-Key`: the same key gets the same answer.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use hashbrown::HashMap;

/// Answers remembered; about 200 bytes each for single writes.
const ANSWERS_MAX: usize = 10_000;
/// Longest key taken.
pub const KEY_BYTES_MAX: usize = 128;

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: go on, and [`Idempotency::answer`] or [`Idempotency::forget`].
    New,
    /// A request with it is being worked on.
    Running,
    /// It was used for another body.
    Different,
    /// This was the answer.
    Answered(String),
}

#[derive(Debug)]
struct Entry {
    body: u64,
    answer: Option<String>,
}

/// The memory of this process. After a restart a repeated key writes once more, with the same record id.
#[derive(Debug, Default)]
pub struct Idempotency {
    inner: Mutex<(HashMap<String, Entry>, VecDeque<String>)>,
}

impl Idempotency {
    /// Takes up a key for a body (its hash).
    pub fn begin(&self, key: &str, body: u64) -> Seen {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (entries, order) = &mut *inner;
        if let Some(entry) = entries.get(key) {
            return match &entry.answer {
                _ if entry.body != body => Seen::Different,
                Some(answer) => Seen::Answered(answer.clone()),
                None => Seen::Running,
            };
        }
        while order.len() >= ANSWERS_MAX {
            let Some(oldest) = order.pop_front() else { break };
            entries.remove(&oldest);
        }
        entries.insert(key.to_owned(), Entry { body, answer: None });
        order.push_back(key.to_owned());
        Seen::New
    }

    /// Keeps the answer.
    pub fn answer(&self, key: &str, answer: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = inner.0.get_mut(key) {
            entry.answer = Some(answer.to_owned());
        }
    }

    /// It came to nothing: the key may be used again.
    pub fn forget(&self, key: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.0.remove(key);
        inner.1.retain(|k| k != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_answered_once() {
        let memory = Idempotency::default();
        assert_eq!(memory.begin("k", 1), Seen::New);
        assert_eq!(memory.begin("k", 1), Seen::Running);
        assert_eq!(memory.begin("k", 2), Seen::Different);
        memory.answer("k", "yes");
        assert_eq!(memory.begin("k", 1), Seen::Answered("yes".into()));
        memory.forget("k");
        assert_eq!(memory.begin("k", 2), Seen::New);
        for n in 0..2 * ANSWERS_MAX {
            assert_eq!(memory.begin(&n.to_string(), 0), Seen::New);
        }
        assert!(memory.inner.lock().unwrap().0.len() <= ANSWERS_MAX);
    }
}
