//! Records on their way into the log, in the order taken: what is sent again when a producer ends. In memory and bounded;
//! what does not fit, or may not be lost with the process, is in the spool.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use log::Record;

use crate::OnDurable;
use crate::spool::Place;

pub(crate) struct Entry<T> {
    pub record: Record,
    pub ticket: T,
    pub durable: Option<Arc<dyn OnDurable>>,
    /// Where it ends in the spool, and its size there; `None`: it is nowhere else.
    pub spooled: Option<(Place, u64)>,
}

struct Held<T> {
    entry: Entry<T>,
    /// Sequence number in the present producer, and since when; `None`: not sent through it yet.
    sent: Option<(u64, Instant)>,
}

pub(crate) struct Window<T> {
    held: VecDeque<Held<T>>,
    /// How many, from the front, went through the present producer.
    sent: usize,
    bytes: usize,
    records_max: usize,
    bytes_max: usize,
}

impl<T> Window<T> {
    pub fn new(records_max: usize, bytes_max: usize) -> Self {
        Self {
            held: VecDeque::new(),
            sent: 0,
            bytes: 0,
            records_max,
            bytes_max,
        }
    }

    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether there is room for a record.
    pub fn has_room(&self, record: &Record) -> bool {
        self.held.len() < self.records_max && self.bytes + size(record) <= self.bytes_max
    }

    /// Whether there is room for any record that a log takes.
    pub fn has_room_for_any(&self) -> bool {
        self.held.len() < self.records_max
            && (self.bytes + 2 * topology::RECORD_BYTES_MAX <= self.bytes_max || self.held.is_empty())
    }

    /// Takes an entry; ask for room first.
    pub fn push(&mut self, entry: Entry<T>) {
        self.bytes += size(&entry.record);
        self.held.push_back(Held { entry, sent: None });
    }

    /// All entries, oldest first.
    pub fn entries(&mut self) -> impl Iterator<Item = &mut Entry<T>> {
        self.held.iter_mut().map(|h| &mut h.entry)
    }

    /// The next to send through the present producer.
    pub fn unsent(&self) -> Option<&Entry<T>> {
        self.held.get(self.sent).map(|h| &h.entry)
    }

    /// That one was sent.
    pub fn mark_sent(&mut self, sequence: u64, now: Instant) {
        if let Some(held) = self.held.get_mut(self.sent) {
            held.sent = Some((sequence, now));
            self.sent += 1;
        }
    }

    /// That one can never be sent.
    pub fn remove_unsent(&mut self) -> Option<Entry<T>> {
        let held = self.held.remove(self.sent)?;
        self.bytes -= size(&held.entry.record);
        Some(held.entry)
    }

    /// A new producer: everything is to be sent again, from the first.
    pub fn unsend(&mut self) {
        self.sent = 0;
        for held in &mut self.held {
            held.sent = None;
        }
    }

    /// The oldest that was sent and is not acknowledged: its sequence number, and when it was sent.
    pub fn oldest_sent(&self) -> Option<(u64, Instant)> {
        self.held.front()?.sent
    }

    /// Takes out the oldest if its send is among those up to `sequence`.
    pub fn pop_acknowledged(&mut self, sequence: u64) -> Option<Entry<T>> {
        let (sent_as, _) = self.oldest_sent()?;
        if sent_as > sequence { None } else { self.pop() }
    }

    /// Takes out the oldest, whatever became of it.
    pub fn pop(&mut self) -> Option<Entry<T>> {
        let held = self.held.pop_front()?;
        self.sent = self.sent.saturating_sub(1);
        self.bytes -= size(&held.entry.record);
        Some(held.entry)
    }
}

fn size(record: &Record) -> usize {
    record.key.len() + record.value.as_ref().map_or(0, bytes::Bytes::len)
}
