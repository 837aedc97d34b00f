//! A small processor over a [`TaskLog`]: counts its input, says each record on a fast and on an exact topic, and keeps its sum
//! in the changelog. Its outputs are a pure function of the input, as the runtime's are.

use std::collections::BTreeMap;
use std::time::Duration;

use log::{Commit, CommitState, Headers, Log, LogError, Record, Stored, TaskLog, ThreadSlot};
use model::{Offset, Partition, Position, RecordId};
use topology::{Group, Topic};

/// What is kept of a partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    pub next: Offset,
    pub sum: u64,
}

pub struct Worker {
    task: Box<dyn TaskLog>,
    owned: BTreeMap<Partition, Option<State>>,
    running: bool,
    changed: BTreeMap<Partition, State>,
    exact: Vec<Record>,
    to_recover: bool,
    pub failures: u32,
}

impl Worker {
    pub fn new(log: &dyn Log) -> Self {
        Self {
            task: log.task_log(Group::Network, ThreadSlot { index: 0, of: 1 }).unwrap(),
            owned: BTreeMap::new(),
            running: false,
            changed: BTreeMap::new(),
            exact: Vec::new(),
            to_recover: false,
            failures: 0,
        }
    }

    /// States of the partitions owned and running, all committed; `None` while anything is not.
    pub fn committed(&self) -> Option<BTreeMap<Partition, State>> {
        if self.running || self.to_recover || !self.changed.is_empty() {
            return None;
        }
        self.owned.iter().map(|(p, state)| Some((*p, (*state)?))).collect()
    }

    /// One round; a failure is followed by a recovery in the next.
    pub fn turn(&mut self) {
        let result = if self.to_recover {
            self.task.recover().map(|()| self.to_recover = false)
        } else {
            self.work()
        };
        if let Err(error) = result {
            assert!(!matches!(error, LogError::Closed), "{error}");
            eprintln!("worker {}: {error}", std::process::id());
            self.failures += 1;
            self.to_recover = true;
            self.owned.clear();
            self.drop_work();
        }
    }

    fn drop_work(&mut self) {
        self.running = false;
        self.changed.clear();
        self.exact.clear();
    }

    fn work(&mut self) -> Result<(), LogError> {
        self.restore()?;
        let polled = self.task.poll(20, Duration::from_millis(5))?;
        for partition in polled.revoked.iter().chain(&polled.lost) {
            self.owned.remove(partition);
            self.changed.remove(partition);
            self.exact.retain(|record| record.partition != *partition);
        }
        for partition in polled.assigned {
            self.owned.insert(partition, None);
        }
        for stored in polled.records {
            self.process(&stored)?;
        }
        if self.running && self.task.commit_state(Duration::ZERO)? == CommitState::Idle {
            self.running = false;
        }
        let now = !polled.revoking.is_empty();
        if !self.changed.is_empty() && (now || !self.running) {
            self.wait_for_commit()?;
            self.commit()?;
        }
        if now { self.wait_for_commit() } else { Ok(()) }
    }

    fn wait_for_commit(&mut self) -> Result<(), LogError> {
        if self.running && self.task.commit_state(Duration::from_secs(5))? == CommitState::Running {
            return Err(LogError::Timeout(Duration::from_secs(5)));
        }
        self.running = false;
        Ok(())
    }

    fn restore(&mut self) -> Result<(), LogError> {
        if self.running {
            return Ok(());
        }
        let due: Vec<_> = self
            .owned
            .iter()
            .filter(|(_, s)| s.is_none())
            .map(|(p, _)| *p)
            .collect();
        for partition in due {
            let mut kept = BTreeMap::new();
            let restored = match self.task.restore(partition, &mut |stored| {
                kept.insert(stored.record.key.clone(), number(&stored));
            }) {
                Err(LogError::Timeout(_)) => continue,
                other => other?,
            };
            let state = State {
                next: kept.get(&b"marker"[..]).copied().unwrap_or(restored.input_start),
                sum: kept.get(&b"sum"[..]).copied().unwrap_or(0),
            };
            // Marker and position come from one commit, or the transaction was torn.
            if let Some(offset) = restored.group_offset {
                assert_eq!(offset, state.next, "commit_torn in partition {partition}");
            }
            self.task.seek(partition, state.next)?;
            self.owned.insert(partition, Some(state));
        }
        Ok(())
    }

    fn process(&mut self, stored: &Stored) -> Result<(), LogError> {
        let partition = stored.record.partition;
        let Some(Some(state)) = self.owned.get_mut(&partition) else {
            return Ok(());
        };
        let n = number(stored);
        let input = Position {
            generation: 1,
            partition,
            offset: stored.offset,
        };
        let output = |topic, key: &[u8], n| Record {
            headers: Headers {
                record_id: Some(RecordId::new(input, 1, key, 0)),
                ..Headers::default()
            },
            ..record(topic, partition, key, n)
        };
        self.task.emit(output(Topic::DeviceEvents, b"k", n))?;
        self.exact.push(output(Topic::DeadLetters, b"k", n));
        state.next = stored.offset + 1;
        state.sum += n;
        self.changed.insert(partition, *state);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), LogError> {
        let mut commit = Commit {
            exact: std::mem::take(&mut self.exact),
            ..Commit::default()
        };
        for (partition, state) in std::mem::take(&mut self.changed) {
            let slot = |key: &[u8], n| record(Topic::ChangelogNetwork, partition, key, n);
            commit.changelog.push(slot(b"sum", state.sum));
            commit.changelog.push(slot(b"marker", state.next));
            commit
                .exact
                .push(record(Topic::DeviceStatus, partition, b"sum", state.sum));
            commit.positions.push((partition, state.next));
        }
        self.task.begin_commit(commit)?;
        self.running = true;
        Ok(())
    }
}

pub fn record(topic: Topic, partition: Partition, key: &[u8], n: u64) -> Record {
    Record {
        topic,
        partition,
        key: key.to_vec().into(),
        value: Some(n.to_string().into_bytes().into()),
        headers: Headers::default(),
    }
}

pub fn number(stored: &Stored) -> u64 {
    let value = stored.record.value.as_ref().expect("no tombstones here");
    std::str::from_utf8(value).unwrap().parse().unwrap()
}
