//! One stream thread's [`TaskLog`]: a member of the group, a fast producer, and the commits beside them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use log::{
    Commit, CommitState, CrashPoint, LogError, Polled, Record, Restored, Stored, TaskLog, ThreadSlot, check_record,
    crash_point,
};
use model::{Offset, Partition};
use topology::{Group, KeyKind, Topic};

use crate::committer::{Committer, Job};
use crate::lane::{Lane, LaneKind};
use crate::member::{Member, News, Owned};
use crate::restorer::{Restorer, stable_position};
use crate::shared::Shared;

/// How long a commit may still take when a partition is to be given back (design: within 5 s, or its effects are dropped).
const REVOKE_WAIT: Duration = Duration::from_secs(5);
/// How long a rebalance may wait for a restore that it does not concern.
const REBALANCE_WAIT: Duration = Duration::from_secs(1);
/// Records of other partitions that may wait for the end of a restore.
const EARLY_MAX: usize = 10_000;
/// One look at the group while waiting for something else.
const PUMP: Duration = Duration::from_millis(20);

/// See the module.
pub(crate) struct KafkaTaskLog {
    shared: Arc<Shared>,
    group: Group,
    slot: ThreadSlot,
    input: Topic,
    changelog: Option<Topic>,
    transactional_id: String,
    member: Member,
    lane: Arc<Lane>,
    committer: Committer,
    /// Away while it is in use.
    restorer: Option<Restorer>,
    owned: BTreeSet<Partition>,
    /// Rebalances that happened outside a poll, to be told by the next one.
    untold: Untold,
    /// Records that came outside a poll, for the next one.
    early: Vec<Stored>,
    /// [`crate::member::MemberContext::breaks`] as the caller knows it.
    breaks: u64,
}

#[derive(Debug, Default)]
struct Untold {
    assigned: BTreeSet<Partition>,
    revoking: Vec<Partition>,
    revoked: Vec<Partition>,
    lost: Vec<Partition>,
    since: Option<Instant>,
}

impl KafkaTaskLog {
    pub(crate) fn join(shared: Arc<Shared>, group: Group, slot: ThreadSlot) -> Result<Self, LogError> {
        let spec = group.spec();
        let transactional_id = transactional_id(&shared, group, slot);
        let member = Member::join(shared.clone(), group, slot.index)?;
        Ok(Self {
            lane: open_lane(&shared, group, slot)?,
            committer: Committer::start(shared.clone(), &transactional_id, member.metrics().clone())?,
            restorer: Some(Restorer::new(shared.clone())?),
            input: spec.reads[0],
            changelog: spec.writes.iter().copied().find(|t| t.spec().key == KeyKind::StateKey),
            transactional_id,
            group,
            slot,
            member,
            owned: BTreeSet::new(),
            untold: Untold::default(),
            early: Vec::new(),
            breaks: 0,
            shared,
        })
    }

    /// Looks after the membership while something else is being done; what happens is told by the next poll.
    fn pump(&mut self, wait: Duration) -> Result<(), LogError> {
        self.shared.check_open()?;
        if self.early.len() >= EARLY_MAX {
            // librdkafka's own thread sends the heartbeats; a rebalance has to wait.
            std::thread::sleep(wait);
            return Ok(());
        }
        let mut records = Vec::new();
        let news = self.member.pull(EARLY_MAX / 10, wait, &mut records)?;
        self.early.append(&mut records);
        self.note(news);
        Ok(())
    }

    fn note(&mut self, news: News) {
        let untold = &mut self.untold;
        if !news.is_empty() {
            untold.since.get_or_insert_with(Instant::now);
        }
        let partitions = |places: Vec<Owned>| places.into_iter().map(|(_, p)| p).collect::<Vec<_>>();
        let lost = partitions(news.lost);
        if !lost.is_empty() {
            untold.assigned.clear();
            untold.revoking.clear();
            untold.lost.extend(lost);
        }
        untold.revoking.extend(partitions(news.revoking));
        untold.assigned.extend(partitions(news.assigned));
    }

    fn tell(&mut self, polled: &mut Polled) {
        let untold = std::mem::take(&mut self.untold);
        for partition in untold.lost.iter().chain(&untold.revoked) {
            self.owned.remove(partition);
            self.early.retain(|stored| stored.record.partition != *partition);
        }
        self.owned.extend(&untold.assigned);
        polled.lost = untold.lost;
        polled.lost.sort_unstable();
        polled.revoked = untold.revoked;
        polled.revoked.sort_unstable();
        polled.revoking = untold.revoking;
        polled.assigned = untold.assigned.into_iter().collect();
        self.breaks = self.member.breaks();
    }

    /// The second half of a revoke: the caller has had its chance to commit.
    fn release(&mut self) -> Result<(), LogError> {
        let in_time = self.committer.wait_idle(REVOKE_WAIT);
        crash_point(CrashPoint::InsideRevoke);
        if !in_time {
            self.member.break_work();
        }
        let released = self.member.release()?;
        self.untold.assigned.retain(|p| !released.iter().any(|(_, q)| q == p));
        self.untold.revoked.extend(released.into_iter().map(|(_, p)| p));
        self.untold.since.get_or_insert_with(Instant::now);
        if in_time {
            Ok(())
        } else {
            Err(LogError::Timeout(REVOKE_WAIT))
        }
    }

    fn check_owned(&self, partition: Partition) -> Result<(), LogError> {
        if self.owned.contains(&partition) {
            return Ok(());
        }
        Err(LogError::Fenced(format!(
            "partition {partition} of {} does not belong to thread {} of {}",
            self.input, self.slot.index, self.slot.of
        )))
    }

    /// Whether a rebalance should not wait for the restore of this partition any longer.
    fn check_undisturbed(&self, partition: Partition) -> Result<(), LogError> {
        let untold = &self.untold;
        let concerned = untold.revoking.contains(&partition) || untold.lost.contains(&partition);
        match untold.since {
            Some(since) if concerned || since.elapsed() > REBALANCE_WAIT => Err(LogError::Timeout(since.elapsed())),
            _ => Ok(()),
        }
    }

    fn end_producers(&mut self) {
        self.lane.end(&LogError::ProducerEnded);
    }

    /// What must be settled before a restore, and its two answers beside the changelog.
    fn positions(&mut self, partition: Partition) -> Result<Restored, LogError> {
        let limit = self.shared.config.answer_deadline;
        let deadline = Instant::now() + limit;
        while self.committer.wait_ready(Duration::ZERO).is_err() {
            if self.committer.has_failed() {
                return Err(LogError::ProducerEnded);
            }
            if Instant::now() > deadline {
                return Err(LogError::Timeout(limit));
            }
            self.pump(PUMP)?;
            self.check_undisturbed(partition)?;
        }
        let consumer = self.member.consumer().clone();
        let name = self.shared.name(self.input).to_owned();
        let group_offset = stable_position(consumer, name, partition, limit)?.wait(limit, &mut || {
            self.pump(Duration::ZERO)?;
            self.check_undisturbed(partition)
        })?;
        Ok(Restored {
            group_offset,
            input_start: self.shared.start(self.input, partition)?,
        })
    }
}

impl TaskLog for KafkaTaskLog {
    fn poll(&mut self, max: usize, wait: Duration) -> Result<Polled, LogError> {
        self.shared.check_open()?;
        if !self.member.held().is_empty() && self.untold.revoking.is_empty() {
            self.release()?;
        }
        let mut polled = Polled::default();
        let mut records = Vec::new();
        if self.early.len() < EARLY_MAX {
            let something = self.untold.since.is_some() || !self.early.is_empty();
            let wait = if something { Duration::ZERO } else { wait };
            let room = max.saturating_sub(self.early.len()).max(1);
            let news = self.member.pull(room, wait, &mut records)?;
            self.note(news);
        }
        self.early.append(&mut records);
        self.tell(&mut polled);
        let later = self.early.split_off(self.early.len().min(max));
        polled.records = std::mem::replace(&mut self.early, later);
        let waits = |p: &Partition| self.early.iter().any(|stored| stored.record.partition == *p);
        polled.caught_up = self.member.at_end().map(|(_, p)| p).filter(|p| !waits(p)).collect();
        Ok(polled)
    }

    fn emit(&mut self, record: Record) -> Result<(), LogError> {
        self.shared.check_open()?;
        check_record(&record, self.shared.config.partitions)?;
        self.lane.send(self.shared.name(record.topic), &record, None).map(drop)
    }

    fn begin_commit(&mut self, commit: Commit) -> Result<(), LogError> {
        self.shared.check_open()?;
        if self.lane.is_ended() || self.committer.has_failed() {
            return Err(LogError::ProducerEnded);
        }
        for record in commit.exact.iter().chain(&commit.changelog) {
            check_record(record, self.shared.config.partitions)?;
        }
        for (partition, _) in &commit.positions {
            self.check_owned(*partition)?;
        }
        self.committer.begin(Job {
            commit,
            input: self.input,
            sent: self.lane.sent(),
            lane: self.lane.clone(),
            consumer: self.member.consumer().clone(),
            breaks: self.breaks,
            begun: Instant::now(),
        })
    }

    fn commit_state(&mut self, wait: Duration) -> Result<CommitState, LogError> {
        self.shared.check_open()?;
        self.committer.state(wait).inspect_err(|_| self.end_producers())
    }

    fn restore(&mut self, partition: Partition, apply: &mut dyn FnMut(Stored)) -> Result<Restored, LogError> {
        self.shared.check_open()?;
        self.check_owned(partition)?;
        if !self.member.held().is_empty() {
            // The group waits for what is to be given back: poll first.
            return Err(LogError::Timeout(Duration::ZERO));
        }
        let restored = self.positions(partition)?;
        let Some(changelog) = self.changelog else {
            return Ok(restored);
        };
        let mut restorer = match self.restorer.take() {
            Some(restorer) => restorer,
            None => Restorer::new(self.shared.clone())?,
        };
        let result = restorer.read(changelog, partition, apply, &mut || {
            self.pump(Duration::ZERO)?;
            self.check_undisturbed(partition)
        });
        self.restorer = Some(restorer);
        result.map(|()| restored)
    }

    fn seek(&mut self, partition: Partition, offset: Offset) -> Result<(), LogError> {
        self.shared.check_open()?;
        self.check_owned(partition)?;
        self.shared.check_range(self.input, partition, offset)?;
        self.early.retain(|stored| stored.record.partition != partition);
        self.member.seek(self.input, partition, offset)
    }

    fn recover(&mut self) -> Result<(), LogError> {
        self.shared.check_open()?;
        self.end_producers();
        self.early.clear();
        self.lane = open_lane(&self.shared, self.group, self.slot)?;
        let metrics = self.member.metrics().clone();
        self.committer = Committer::start(self.shared.clone(), &self.transactional_id, metrics)?;
        if self.member.is_fatal() {
            self.member.connect()?;
            self.owned.clear();
            self.untold = Untold::default();
        } else {
            // Gone, and not told yet: to claim it again would give it two owners.
            let gone = |p: &Partition| self.untold.lost.contains(p) || self.untold.revoked.contains(p);
            self.owned.retain(|p| !gone(p));
            let places: Vec<_> = self.owned.iter().map(|p| (self.input, *p)).collect();
            self.member.pause_all(&places)?;
            self.untold.assigned.extend(&self.owned);
            self.untold.since.get_or_insert_with(Instant::now);
        }
        let limit = self.shared.config.answer_deadline;
        let deadline = Instant::now() + limit;
        while let Err(error) = self.committer.wait_ready(Duration::ZERO) {
            if self.committer.has_failed() {
                return Err(self.committer.state(Duration::ZERO).err().unwrap_or(error));
            }
            if Instant::now() > deadline {
                return Err(LogError::Timeout(limit));
            }
            self.pump(PUMP)?;
        }
        Ok(())
    }
}

fn open_lane(shared: &Shared, group: Group, slot: ThreadSlot) -> Result<Arc<Lane>, LogError> {
    let name = format!("{}-{}", group.name(), slot.index);
    Ok(Arc::new(Lane::open(shared, &name, LaneKind::Fast)?))
}

/// A stable name ends its own open transaction at the next start; without one, its time-out does.
fn transactional_id(shared: &Shared, group: Group, slot: ThreadSlot) -> String {
    let prefix = &shared.config.prefix;
    let group = group.name();
    match &shared.config.static_member {
        Some(name) => format!("{prefix}{group}-{name}-{}", slot.index),
        None => format!(
            "{prefix}{group}-{}-{:016x}-{}",
            shared.config.client_id,
            nonce(),
            slot.index
        ),
    }
}

/// Another one at each call, also over processes.
fn nonce() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u64(CALLS.fetch_add(1, Ordering::Relaxed));
    hasher.finish()
}
