//! From changes to frames: each item was encoded once, a frame is put together once for all clients that hear the same.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::extract::ws::Utf8Bytes;
use hashbrown::{HashMap, HashSet};

use super::subscription::{Subscription, Take};
use crate::live::alarms::items::GoneItem;
use crate::live::items::{RemovedItem, json};
use crate::live::{Change, Ring, What};

/// Changes in one frame at most.
const FRAME_CHANGES_MAX: usize = 1_000;
/// Items in one part of a snapshot at most (protocol).
const PART_ITEMS_MAX: usize = 1_000;
/// Frames kept for other clients: those of the last turn, and of a few that lag.
const FRAMES_KEPT: usize = 128;

/// What a client is sent to come from one place in the ring to another.
#[derive(Debug, Default)]
pub struct Delta {
    /// Frames, in order.
    pub frames: Vec<Utf8Bytes>,
    /// Events left out.
    pub dropped: u64,
}

struct Picked {
    seq: u64,
    ids: Vec<Arc<str>>,
    json: Arc<str>,
}

/// Puts together what `subscriptions` hear between `from` and `to`: the latest state of each entity, and every event up
/// to `events_max`. `None` when the ring no longer reaches back to `from`.
pub fn delta(ring: &Ring, subscriptions: &[Subscription], from: u64, to: u64, events_max: usize) -> Option<Delta> {
    let mut picked: Vec<Picked> = Vec::new();
    let mut seen: HashSet<(Option<What>, u32), foldhash::fast::RandomState> = HashSet::default();
    let (mut events, mut dropped) = (0, 0);
    ring.newest_first(from, to, |change| {
        let takers = |take: Take| {
            let takes = move |s: &&Subscription| change.seq > s.since && s.takes(change) == take;
            subscriptions
                .iter()
                .filter(takes)
                .map(|s| s.id.clone())
                .collect::<Vec<_>>()
        };
        let (items, removed) = (takers(Take::Item), takers(Take::Removed));
        if items.is_empty() && removed.is_empty() {
            return;
        }
        if change.what == What::Event {
            events += 1;
            if events > events_max {
                dropped += 1;
                return;
            }
        } else if !seen.insert(state_key(change)) {
            return;
        }
        if !removed.is_empty() {
            let json = removed_json(change);
            picked.push(Picked {
                seq: change.seq,
                ids: removed,
                json,
            });
        }
        if !items.is_empty() {
            picked.push(Picked {
                seq: change.seq,
                ids: items,
                json: change.json.clone(),
            });
        }
    })?;
    picked.reverse();
    // A frame says how far the client is: all but the last end with their last change.
    let frames = picked.chunks(FRAME_CHANGES_MAX).enumerate().map(|(i, chunk)| {
        let next = picked.get((i + 1) * FRAME_CHANGES_MAX).map(|p| p.seq);
        let seq = match (chunk.last().map(|p| p.seq), next) {
            // One change for two subscriptions, half in this frame.
            (Some(last), Some(next)) if last == next => last - 1,
            (Some(last), Some(_)) => last,
            _ => to,
        };
        delta_frame(seq, chunk, if next.is_none() { dropped } else { 0 })
    });
    Some(Delta {
        frames: frames.collect(),
        dropped,
    })
}

fn state_key(change: &Change) -> (Option<What>, u32) {
    match change.what {
        What::Summary(_) | What::System => (Some(change.what), 0),
        What::Alarm | What::AlarmGone => (Some(What::Alarm), change.number),
        What::Incident | What::IncidentGone => (Some(What::Incident), change.number),
        What::Entity | What::Removed | What::Event => (None, change.number),
    }
}

fn removed_json(change: &Change) -> Arc<str> {
    let subject = change.subject.as_deref().unwrap_or_default();
    match change.what {
        What::Removed | What::AlarmGone | What::IncidentGone => change.json.clone(),
        What::Alarm => json(&GoneItem::alarm(subject)).into(),
        What::Incident => json(&GoneItem::incident(subject)).into(),
        _ => json(&RemovedItem {
            item_type: "removed",
            entity: &change.entity,
        })
        .into(),
    }
}

fn delta_frame(seq: u64, picked: &[Picked], dropped: u64) -> Utf8Bytes {
    let size: usize = picked.iter().map(|p| p.json.len() + 32 + p.ids.len() * 16).sum();
    let mut text = String::with_capacity(size + 64);
    text.push_str(r#"{"type":"delta","seq":"#);
    text.push_str(&seq.to_string());
    text.push_str(r#","changes":["#);
    for (i, change) in picked.iter().enumerate() {
        text.push_str(if i == 0 { r#"{"ids":["# } else { r#",{"ids":["# });
        for (j, id) in change.ids.iter().enumerate() {
            if j > 0 {
                text.push(',');
            }
            push_json_text(&mut text, id);
        }
        text.push_str(r#"],"item":"#);
        text.push_str(&change.json);
        text.push('}');
    }
    text.push_str(r#"],"dropped":"#);
    text.push_str(&dropped.to_string());
    text.push('}');
    text.into()
}

/// The frames of a snapshot. All but the last carry `before`, the place the client had: one that is lost in between asks
/// for the whole again.
pub fn snapshot_frames(id: &str, before: u64, seq: u64, items: &[Arc<str>]) -> Vec<Utf8Bytes> {
    let parts = items.len().div_ceil(PART_ITEMS_MAX).max(1);
    (0..parts)
        .map(|part| {
            let last = part + 1 == parts;
            let range = part * PART_ITEMS_MAX..items.len().min((part + 1) * PART_ITEMS_MAX);
            let mut text = String::from(r#"{"type":"snapshot","id":"#);
            push_json_text(&mut text, id);
            let seq = if last { seq } else { before };
            text.push_str(&format!(r#","seq":{seq},"part":{},"last":{last},"items":["#, part + 1));
            text.push_str(&items[range].iter().map(|i| &**i).collect::<Vec<_>>().join(","));
            text.push_str("]}");
            text.into()
        })
        .collect()
}

fn push_json_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(text).expect("a text is JSON"));
}

type FrameKey = (Arc<str>, u64, u64);
type FrameSlot = Arc<OnceLock<Option<Arc<Delta>>>>;

/// Frames of clients with equal subscriptions at the same place: put together by the first, shared by the rest.
#[derive(Default)]
pub struct FrameCache {
    inner: Mutex<(HashMap<FrameKey, FrameSlot>, VecDeque<FrameKey>)>,
}

impl FrameCache {
    /// The frame of this key, put together by `make` if nobody has.
    pub fn get(
        &self,
        profile: &Arc<str>,
        from: u64,
        to: u64,
        make: impl FnOnce() -> Option<Delta>,
    ) -> Option<Arc<Delta>> {
        let slot = self.slot((profile.clone(), from, to));
        slot.get_or_init(|| make().map(Arc::new)).clone()
    }

    fn slot(&self, key: FrameKey) -> FrameSlot {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (slots, order) = &mut *inner;
        if let Some(slot) = slots.get(&key) {
            return slot.clone();
        }
        if order.len() >= FRAMES_KEPT
            && let Some(oldest) = order.pop_front()
        {
            slots.remove(&oldest);
        }
        let slot = FrameSlot::default();
        slots.insert(key.clone(), slot.clone());
        order.push_back(key);
        slot
    }
}
