//! A member of a group that keeps its effects elsewhere (`persist`): reads the group's topics, commits positions.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{Consumer, ConsumerRecords, LogError, ThreadSlot};
use model::{Offset, Partition};
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};
use topology::{Group, Topic};

use crate::error::asking;
use crate::member::{Member, Owned};
use crate::restorer::Asked;
use crate::shared::{Shared, committed_offsets};
use crate::wire;

/// Between two attempts to commit while the group is rebalancing.
const COMMIT_AGAIN: Duration = Duration::from_millis(50);

/// See the module.
pub(crate) struct KafkaConsumer {
    shared: Arc<Shared>,
    group: Group,
    slot: ThreadSlot,
    member: Member,
    owned: BTreeSet<Owned>,
    /// Owned, and not yet read: their first position is still to be found.
    to_begin: BTreeSet<Owned>,
    /// To be told by the next poll that succeeds.
    untold: ConsumerRecords,
}

impl KafkaConsumer {
    pub(crate) fn join(shared: Arc<Shared>, group: Group, slot: ThreadSlot) -> Result<Self, LogError> {
        Ok(Self {
            member: Member::join(shared.clone(), group, slot.index)?,
            shared,
            group,
            slot,
            owned: BTreeSet::new(),
            to_begin: BTreeSet::new(),
            untold: ConsumerRecords::default(),
        })
    }

    fn give_up(&mut self, places: Vec<Owned>) {
        for place in &places {
            self.owned.remove(place);
            self.to_begin.remove(place);
        }
        self.untold
            .records
            .retain(|s| !places.contains(&(s.record.topic, s.record.partition)));
        self.untold.assigned.retain(|place| !places.contains(place));
        self.untold.revoked.extend(places);
    }

    /// Finds where to read newly owned partitions from.
    fn begin(&mut self) -> Result<(), LogError> {
        let topics: BTreeSet<Topic> = self.to_begin.iter().map(|(topic, _)| *topic).collect();
        for topic in topics {
            let limit = self.shared.config.answer_deadline;
            let (shared, consumer) = (self.shared.clone(), self.member.consumer().clone());
            let committed = Asked::new(move || {
                committed_offsets(&*consumer, shared.name(topic), 0..shared.config.partitions, limit)
            })?
            .wait(limit, &mut || Ok(()))?;
            let starts = self.shared.starts(topic)?;
            let partitions: Vec<Partition> = self.to_begin.iter().filter(|b| b.0 == topic).map(|b| b.1).collect();
            for partition in partitions {
                let oldest = starts[partition as usize];
                let next = committed[partition as usize].unwrap_or(oldest);
                if next < oldest {
                    tracing::error!(
                        group = self.group.name(), %topic, partition, next, oldest,
                        "retention has overtaken this group: records between these offsets were never read by it"
                    );
                }
                self.member.seek(topic, partition, next.max(oldest))?;
                self.to_begin.remove(&(topic, partition));
            }
        }
        Ok(())
    }

    fn check_owned(&self, topic: Topic, partition: Partition) -> Result<(), LogError> {
        if self.owned.contains(&(topic, partition)) {
            return Ok(());
        }
        Err(LogError::Fenced(format!(
            "{topic}/{partition} does not belong to thread {} of {} of group {}",
            self.slot.index,
            self.slot.of,
            self.group.name()
        )))
    }

    fn pull(&mut self, max: usize, wait: Duration) -> Result<bool, LogError> {
        let mut records = Vec::new();
        let news = self.member.pull(max, wait, &mut records)?;
        self.untold.records.append(&mut records);
        let any = !news.is_empty() || !self.untold.records.is_empty();
        if !news.lost.is_empty() {
            self.give_up(news.lost);
        }
        if !self.member.held().is_empty() {
            let released = self.member.release()?;
            self.give_up(released);
        }
        self.owned.extend(&news.assigned);
        self.to_begin.extend(&news.assigned);
        self.untold.assigned.extend(news.assigned);
        Ok(any)
    }
}

impl Consumer for KafkaConsumer {
    fn poll(&mut self, max: usize, wait: Duration) -> Result<ConsumerRecords, LogError> {
        self.shared.check_open()?;
        if self.member.is_fatal() {
            let owned = std::mem::take(&mut self.owned).into_iter().collect();
            self.give_up(owned);
            self.member.connect()?;
        }
        let deadline = Instant::now() + wait;
        loop {
            self.begin()?;
            let left = deadline.saturating_duration_since(Instant::now());
            let any = self.pull(max.max(1), left)?;
            if any || Instant::now() >= deadline {
                self.begin()?;
                let later = self.untold.records.split_off(self.untold.records.len().min(max));
                let told = std::mem::take(&mut self.untold);
                self.untold.records = later;
                return Ok(told);
            }
            self.shared.check_open()?;
        }
    }

    fn commit(&mut self, positions: &[(Topic, Partition, Offset)]) -> Result<(), LogError> {
        self.shared.check_open()?;
        if positions.is_empty() {
            return Ok(());
        }
        for (topic, partition, _) in positions {
            self.check_owned(*topic, *partition)?;
        }
        let limit = self.shared.config.answer_deadline;
        let deadline = Instant::now() + limit;
        loop {
            let list = self.list(positions)?;
            let consumer = self.member.consumer().clone();
            let failed = move |error| asking("committing positions", limit, error);
            let result = Asked::new(move || match consumer.commit(&list, CommitMode::Sync) {
                Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::RebalanceInProgress) => Ok(false),
                other => other.map(|()| true).map_err(failed),
            })?
            .wait(limit, &mut || Ok(()))?;
            if result {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(LogError::Timeout(limit));
            }
            // The group goes on only while its members poll.
            self.pull(1, COMMIT_AGAIN)?;
            for (topic, partition, _) in positions {
                self.check_owned(*topic, *partition)?;
            }
        }
    }

    fn seek(&mut self, topic: Topic, partition: Partition, offset: Offset) -> Result<(), LogError> {
        self.shared.check_open()?;
        self.check_owned(topic, partition)?;
        self.shared.check_range(topic, partition, offset)?;
        self.untold
            .records
            .retain(|s| (s.record.topic, s.record.partition) != (topic, partition));
        self.to_begin.remove(&(topic, partition));
        self.member.seek(topic, partition, offset)
    }
}

impl KafkaConsumer {
    fn list(&self, positions: &[(Topic, Partition, Offset)]) -> Result<TopicPartitionList, LogError> {
        let mut list = TopicPartitionList::with_capacity(positions.len());
        for (topic, partition, next) in positions {
            list.add_partition_offset(
                self.shared.name(*topic),
                wire::partition_id(*partition)?,
                Place::Offset(wire::offset_id(*next)?),
            )
            .map_err(|error| LogError::backend("writing down positions", error))?;
        }
        Ok(list)
    }
}
