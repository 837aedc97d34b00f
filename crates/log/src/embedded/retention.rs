//! What is dropped, and when: whole segments of time-retained topics, superseded records and old tombstones of compacted ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Micros, Offset, Partition};
use topology::{GROUPS, TOPICS, Topic};

use super::batch::Batch;
use super::beacon;
use super::config::Retention;
use super::meta::SegmentRow;
use super::shared::Shared;
use super::usage::topic_usage;
use super::writer::{Refusal, Writer};
use crate::LogError;
use crate::handles::Backend;

/// What retention does to one topic.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// How many of the oldest segments go.
    drop: usize,
    /// Whether the active one goes too, so that an empty one has to take its place first.
    roll: bool,
}

impl Writer {
    /// Applies retention, and removes what compaction has left over.
    pub(super) fn maintain(&mut self) -> Result<(), LogError> {
        let began = Instant::now();
        // On a full disk this must go on: it is what frees space. A broken log is left as it is.
        if let Err(refusal @ Refusal::Broken) = self.check_writable() {
            return Err(refusal.to_error());
        }
        let now = self.stamp.next();
        let shared = &self.shared;
        self.last.expire_tombstones(
            earlier(now, shared.config.tombstones_kept),
            |topic, partition, offset| has_been_read(shared, topic, partition, offset),
        );
        let mut batch = Batch::begin(self, &[]).map_err(|refusal| refusal.to_error())?;
        let mut dropped = Vec::new();
        for spec in TOPICS {
            let Some(kept) = self.shared.config.retention_of(spec.topic) else {
                continue;
            };
            dropped.extend(self.plan_topic(&mut batch, spec.topic, kept, now)?);
        }
        if !batch.write.is_empty() {
            self.commit(batch, began).map_err(|refusal| refusal.to_error())?;
        }
        self.drop_segments(&dropped)?;
        self.show_sizes(now);
        self.note_ends()
    }

    fn plan_topic(
        &self,
        batch: &mut Batch,
        topic: Topic,
        kept: Retention,
        now: Micros,
    ) -> Result<Vec<(Topic, u64)>, LogError> {
        let segments: Vec<_> = self
            .store
            .shelf(topic)
            .segments()
            .iter()
            .map(|s| (s.number, s.row().clone()))
            .collect();
        let rows: Vec<_> = segments.iter().map(|(_, row)| row).collect();
        let plan = plan(&rows, kept, now);
        if plan.roll {
            batch.roll(self, topic)?;
        }
        let going = segments
            .iter()
            .take(plan.drop)
            .map(|(number, _)| (topic, *number))
            .collect::<Vec<_>>();
        going
            .iter()
            .for_each(|(_, number)| batch.forget(&self.store, topic, *number));
        Ok(going)
    }

    /// Their rows are gone: a crash from here on leaves keyspaces that the next start deletes.
    fn drop_segments(&self, dropped: &[(Topic, u64)]) -> Result<(), LogError> {
        for (topic, number) in dropped {
            let shelf = self.store.shelf(*topic);
            let Some(segment) = shelf.segments().iter().find(|s| s.number == *number).map(Arc::clone) else {
                continue;
            };
            shelf.segments_mut().retain(|s| s.number != *number);
            let row = segment.row().clone();
            self.store
                .db
                .delete_keyspace(segment.keyspace.clone())
                .map_err(|e| LogError::backend(format!("dropping segment {number} of {topic}"), e))?;
            tracing::info!(%topic, segment = number, records = row.records, bytes = row.bytes, "retention dropped a segment");
        }
        Ok(())
    }

    /// Where the log ends now, beside it.
    pub(super) fn note_ends(&self) -> Result<(), LogError> {
        let config = &self.shared.config;
        beacon::write(&config.folder, config.partitions, |topic, partition| {
            self.shared.tips.end(topic, partition)
        })
    }

    fn show_sizes(&self, now: Micros) {
        let metrics = &self.shared.metrics;
        #[allow(clippy::cast_precision_loss, reason = "bytes on a disk and seconds are below 2^52")]
        for spec in TOPICS {
            let usage = topic_usage(&self.store, spec.topic);
            metrics.topic(spec.topic).retained_bytes.set(usage.bytes as f64);
            let reach = usage.oldest_at.map_or(0, |oldest| now.since(oldest));
            metrics.topic(spec.topic).reach_seconds.set(reach as f64 / 1e6);
        }
        #[allow(clippy::cast_precision_loss, reason = "the queue is bounded far below 2^52 bytes")]
        metrics.queue_bytes.set(self.shared.queue.bytes() as f64);
    }
}

/// The oldest segments go while all of their records are too old, or the topic is too large. The last stays for its ends;
/// if all its records are too old, an empty one takes its place.
fn plan(rows: &[&SegmentRow], kept: Retention, now: Micros) -> Plan {
    let oldest_kept = earlier(now, kept.time);
    let mut bytes: u64 = rows.iter().map(|row| row.bytes).sum();
    let mut drop = 0;
    for row in rows {
        let is_active = drop + 1 == rows.len();
        let is_too_old = row.last_at < oldest_kept;
        let is_too_large = bytes > kept.bytes && !is_active;
        let has_content = row.records > 0 || !is_active;
        if !((is_too_old || is_too_large) && has_content) {
            break;
        }
        bytes -= row.bytes;
        drop += 1;
    }
    Plan {
        drop,
        roll: drop > 0 && drop == rows.len(),
    }
}

/// Whether every group that has begun to read a topic is beyond an offset. A view of a group that was away for longer than
/// tombstones are kept would otherwise show for good what is gone.
fn has_been_read(shared: &Shared, topic: Topic, partition: Partition, offset: Offset) -> bool {
    GROUPS
        .iter()
        .filter(|group| group.reads.contains(&topic))
        .filter_map(|group| shared.committed(group.group, topic, partition))
        .all(|next| next > offset)
}

fn earlier(now: Micros, by: Duration) -> Micros {
    now.plus(-i64::try_from(by.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments of 10 bytes, each with the append time of its last record.
    fn check(last: &[i64], kept: (u64, u64), now: i64, expected: Plan) {
        let rows: Vec<_> = last
            .iter()
            .map(|at| SegmentRow {
                records: 1,
                bytes: 10,
                last_at: Micros(*at * 1_000_000),
                ..SegmentRow::new(vec![0], Micros(0))
            })
            .collect();
        let kept = Retention {
            time: Duration::from_secs(kept.0),
            bytes: kept.1,
        };
        let rows: Vec<_> = rows.iter().collect();
        assert_eq!(
            plan(&rows, kept, Micros(now * 1_000_000)),
            expected,
            "{last:?} {kept:?} at {now}"
        );
    }

    #[test]
    fn the_oldest_segments_go_by_time_and_by_size() {
        let stays = Plan { drop: 0, roll: false };
        check(&[], (10, 100), 50, Plan { ..stays });
        check(&[45, 46, 47], (10, 100), 50, Plan { ..stays });
        check(&[30, 39, 40, 47], (10, 100), 50, Plan { drop: 2, roll: false });
        check(&[45, 46, 47], (10, 20), 50, Plan { drop: 1, roll: false });
        check(&[45, 46, 47], (10, 5), 50, Plan { drop: 2, roll: false });
        check(&[30, 31], (10, 100), 50, Plan { drop: 2, roll: true });
    }

    #[test]
    fn an_empty_active_segment_stays() {
        let row = SegmentRow::new(vec![7], Micros(0));
        let kept = Retention {
            time: Duration::from_secs(1),
            bytes: 1,
        };
        assert_eq!(plan(&[&row], kept, Micros(i64::MAX)), Plan { drop: 0, roll: false });
    }
}
