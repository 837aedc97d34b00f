//! The log in memory keeps what every backend promises.

#![allow(clippy::unwrap_used, reason = "a test's verdict")]

use std::sync::Arc;

use atalaia_log::conformance::{Factory, PARTITIONS};
use atalaia_log::{Fault, Log, MemoryLog, ThreadSlot};
use topology::{Group, Topic};

struct InMemory;

impl Factory for InMemory {
    type Log = MemoryLog;

    fn open(&self) -> Arc<MemoryLog> {
        MemoryLog::new(PARTITIONS)
    }

    fn reopen(&self, log: Arc<MemoryLog>) -> Arc<MemoryLog> {
        log.reopen()
    }

    fn declare_lost(&self, log: &MemoryLog, group: Group, slot: ThreadSlot) {
        assert!(log.declare_lost(group, slot));
    }

    fn fail_sends(&self, log: &MemoryLog, fail: bool) {
        for fault in [Fault::FailSend, Fault::FailCommit] {
            log.set_fault(fault, if fail { u32::MAX } else { 0 });
        }
    }

    fn outlive_retention(&self, log: &MemoryLog) {
        log.drop_before(Topic::Observations, 0, log.ends(Topic::Observations).unwrap()[0]);
    }
}

atalaia_log::conformance_suite!(InMemory);
