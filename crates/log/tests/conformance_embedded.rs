//! The embedded log keeps what every backend promises.

#![allow(clippy::unwrap_used, reason = "a test's verdict")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atalaia_log::conformance::{Factory, PARTITIONS, WAIT};
use atalaia_log::{EmbeddedConfig, EmbeddedLog, Log, Retention, ThreadSlot};
use tempfile::TempDir;
use topology::{Group, Topic};

struct Embedded(TempDir);

fn embedded() -> Embedded {
    Embedded(tempfile::tempdir().unwrap())
}

/// Maintenance runs when it is told to.
fn config(folder: &TempDir) -> EmbeddedConfig {
    EmbeddedConfig {
        partitions: PARTITIONS,
        disk_reserve_bytes: 0,
        maintain_every: Duration::from_secs(3600),
        ..EmbeddedConfig::new(folder.path())
    }
}

impl Factory for Embedded {
    type Log = EmbeddedLog;

    fn open(&self) -> Arc<EmbeddedLog> {
        EmbeddedLog::open(config(&self.0)).unwrap()
    }

    fn open_brief(&self) -> Arc<EmbeddedLog> {
        let kept = Retention {
            time: Duration::from_millis(1),
            bytes: u64::MAX,
        };
        let retention = HashMap::from([(Topic::Observations, kept)]);
        EmbeddedLog::open(EmbeddedConfig {
            retention,
            ..config(&self.0)
        })
        .unwrap()
    }

    fn reopen(&self, log: Arc<EmbeddedLog>) -> Arc<EmbeddedLog> {
        log.close().unwrap();
        self.open()
    }

    fn declare_lost(&self, log: &EmbeddedLog, group: Group, slot: ThreadSlot) {
        assert!(log.declare_lost(group, slot));
    }

    fn fail_sends(&self, log: &EmbeddedLog, fail: bool) {
        log.set_disk_reserve(if fail { u64::MAX } else { 0 });
    }

    fn outlive_retention(&self, log: &EmbeddedLog) {
        let until = Instant::now() + WAIT;
        while log.starts(Topic::Observations).unwrap() != log.ends(Topic::Observations).unwrap() {
            assert!(Instant::now() < until, "retention drops nothing");
            log.maintain().unwrap();
        }
    }
}

atalaia_log::conformance_suite!(embedded());
