//! A commit on its way, one protocol step at a time, and the transactions it leaves behind.

use log::{Commit, LogError};
use model::{Offset, Partition};
use topology::Topic;

use super::{CrashAt, LogFault, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TxnState {
    Open,
    Committed,
    Aborted,
}

#[derive(Debug)]
pub(super) struct Txn {
    pub state: TxnState,
    /// Whose it is.
    pub member: usize,
    /// Offsets sent to it.
    pub positions: Vec<(Partition, Offset)>,
    /// Its end was sent, but whether it arrived is not known.
    pub deciding: bool,
}

/// What a commit does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Stage {
    WaitForFast,
    Begin,
    Append,
    AllAcknowledged,
    SendOffsets,
    Commit,
    Answer,
}

impl Stage {
    fn crash_at(self) -> CrashAt {
        match self {
            Self::WaitForFast => CrashAt::FastAcknowledged,
            Self::Begin => CrashAt::Begin,
            Self::Append => CrashAt::Append,
            Self::AllAcknowledged => CrashAt::AllAcknowledged,
            Self::SendOffsets => CrashAt::SendOffsets,
            Self::Commit => CrashAt::Commit,
            Self::Answer => CrashAt::Answer,
        }
    }
}

pub(super) struct SimCommit {
    pub commit: Commit,
    pub stage: Stage,
    /// Fast sends that must be acknowledged first.
    pub fast_upto: u64,
    /// The group's generation that the polling thread knew at the cut.
    pub generation: u64,
    pub txn: usize,
    pub appended: usize,
}

impl World {
    /// What a member's running commit does next, if one runs.
    pub fn stage(&self, member: usize) -> Option<Stage> {
        self.members[member].commit.as_ref().map(|c| c.stage)
    }

    /// One protocol step of a member's commit. False: it waits for acknowledgements, or none runs.
    pub fn advance_commit(&mut self, member: usize) -> bool {
        let Some(stage) = self.stage(member) else { return false };
        let acked = self.members[member].acked;
        let waits = self.running(member).fast_upto > acked && self.fault != LogFault::CommitBeforeFastAcks;
        if stage == Stage::WaitForFast && waits && !self.is_armed(member, CrashAt::FastAcknowledged) {
            return false;
        }
        if self.crashes_here(member, stage.crash_at()) {
            return true;
        }
        if !matches!(stage, Stage::WaitForFast | Stage::Begin | Stage::Answer) {
            let txn = self.running(member).txn;
            if self.txns[txn].state != TxnState::Open {
                self.fail_commit(
                    member,
                    LogError::Fenced("the coordinator has ended the transaction".into()),
                );
                return true;
            }
        }
        let next = match stage {
            Stage::WaitForFast => Stage::Begin,
            Stage::Begin => {
                let txn = Txn {
                    state: TxnState::Open,
                    member,
                    positions: Vec::new(),
                    deciding: false,
                };
                self.txns.push(txn);
                self.running(member).txn = self.txns.len() - 1;
                if self.fault == LogFault::PositionOutsideCommit {
                    self.write_position_alone(member);
                }
                Stage::Append
            }
            Stage::Append => self.append_some(member),
            Stage::AllAcknowledged => Stage::SendOffsets,
            Stage::SendOffsets => {
                let (generation, txn) = (self.running(member).generation, self.running(member).txn);
                if generation != self.group_generation || !self.members[member].in_group {
                    self.txns[txn].state = TxnState::Aborted;
                    self.fail_commit(member, LogError::Fenced("illegal generation".into()));
                    return true;
                }
                self.txns[txn].positions = self.running(member).commit.positions.clone();
                Stage::Commit
            }
            Stage::Commit => {
                let txn = self.running(member).txn;
                self.end_txn(txn, true);
                Stage::Answer
            }
            Stage::Answer => {
                self.members[member].commit = None;
                self.members[member].result = Some(Ok(()));
                return true;
            }
        };
        self.running(member).stage = next;
        true
    }

    /// The outcome of a member's commit is not known to it: it stands or not, and the answer is lost.
    pub fn lose_answer(&mut self, member: usize) {
        if self.stage(member) == Some(Stage::Commit) {
            let txn = self.running(member).txn;
            self.txns[txn].deciding = true;
            self.fail_commit(member, LogError::Timeout(std::time::Duration::from_secs(10)));
        }
    }

    /// Ends every open transaction that nobody drives any more, as the coordinator does after a time.
    pub fn time_out_transactions(&mut self) {
        for txn in 0..self.txns.len() {
            let driven = self
                .members
                .iter()
                .any(|m| m.commit.as_ref().is_some_and(|c| c.txn == txn));
            if self.txns[txn].state == TxnState::Open && !driven {
                self.abort_or_decide(txn);
            }
        }
    }

    /// Ends a transaction of a paused owner.
    pub fn time_out_transactions_of(&mut self, member: usize) {
        for txn in 0..self.txns.len() {
            if self.txns[txn].state == TxnState::Open && self.txns[txn].member == member {
                self.abort_or_decide(txn);
            }
        }
    }

    pub(super) fn abort_or_decide(&mut self, txn: usize) {
        let stands = self.txns[txn].deciding && self.rng.chance(50);
        self.end_txn(txn, stands);
    }

    pub(super) fn fail_commit(&mut self, member: usize, error: LogError) {
        self.members[member].commit = None;
        self.members[member].result = Some(Err(error));
    }

    fn end_txn(&mut self, txn: usize, stands: bool) {
        self.txns[txn].state = if stands { TxnState::Committed } else { TxnState::Aborted };
        let positions = std::mem::take(&mut self.txns[txn].positions);
        if stands {
            for (partition, offset) in positions {
                self.committed[partition as usize] = Some(offset);
            }
        }
    }

    /// Some of the commit's records reach the log.
    fn append_some(&mut self, member: usize) -> Stage {
        let (txn, from) = (self.running(member).txn, self.running(member).appended);
        let commit = &self.running(member).commit;
        let all = commit.exact.len() + commit.changelog.len();
        let some = (all - from).min(1 + self.rng.below(all));
        for i in from..from + some {
            let commit = &self.running(member).commit;
            let record = commit
                .exact
                .iter()
                .chain(&commit.changelog)
                .nth(i)
                .expect("counted")
                .clone();
            let is_marker = record.topic == Topic::ChangelogNetwork && record.key.first() == Some(&0);
            if !(is_marker && self.fault == LogFault::PositionOutsideCommit) {
                self.append(record, Some(txn));
            }
        }
        self.running(member).appended = from + some;
        if from + some == all {
            Stage::AllAcknowledged
        } else {
            Stage::Append
        }
    }

    fn write_position_alone(&mut self, member: usize) {
        let commit = &self.running(member).commit;
        let markers: Vec<_> = commit
            .changelog
            .iter()
            .filter(|r| r.key.first() == Some(&0))
            .cloned()
            .collect();
        for (partition, offset) in commit.positions.clone() {
            self.committed[partition as usize] = Some(offset);
        }
        for marker in markers {
            self.append(marker, None);
        }
    }

    fn running(&mut self, member: usize) -> &mut SimCommit {
        self.members[member].commit.as_mut().expect("a commit runs")
    }
}
