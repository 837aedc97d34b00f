//! What all handles and the writer of one embedded log share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use model::{Offset, Partition};
use topology::{Group, Topic};

use super::config::EmbeddedConfig;
use super::queue::{Job, Queue};
use super::store::Store;
use super::tips::Tips;
use crate::handles::{Backend, Changes, Membership, Message, guard};
use crate::metrics::LogMetrics;
use crate::{LogError, Stored};

/// Records cloned at once out of the latest ones.
const RECENT_CHUNK: usize = 512;

pub(super) struct Shared {
    pub(super) config: EmbeddedConfig,
    pub(super) queue: Queue,
    pub(super) tips: Tips,
    pub(super) metrics: LogMetrics,
    membership: Membership,
    changes: Changes,
    closed: AtomicBool,
    disk_reserve: AtomicU64,
    positions: Mutex<HashMap<(Group, Topic, Partition), Offset>>,
    /// `None` once closed.
    store: RwLock<Option<Arc<Store>>>,
    /// Disconnects when the last holder of the store is gone.
    store_gone: Receiver<()>,
}

impl Shared {
    pub(super) fn new(
        config: EmbeddedConfig,
        store: Arc<Store>,
        store_gone: Receiver<()>,
        positions: HashMap<(Group, Topic, Partition), Offset>,
    ) -> Self {
        Self {
            queue: Queue::new(config.queue_bytes_max),
            tips: Tips::new(config.partitions),
            metrics: LogMetrics::new(),
            membership: Membership::new(config.partitions),
            changes: Changes::default(),
            closed: AtomicBool::new(false),
            disk_reserve: AtomicU64::new(config.disk_reserve_bytes),
            positions: Mutex::new(positions),
            store: RwLock::new(Some(store)),
            store_gone,
            config,
        }
    }

    pub(super) fn store(&self) -> Result<Arc<Store>, LogError> {
        self.store
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or(LogError::Closed)
    }

    pub(super) fn set_position(&self, group: Group, topic: Topic, partition: Partition, offset: Offset) {
        guard(&self.positions).insert((group, topic, partition), offset);
    }

    pub(super) fn disk_reserve(&self) -> u64 {
        self.disk_reserve.load(Ordering::Relaxed)
    }

    pub(super) fn set_disk_reserve(&self, bytes: u64) {
        self.disk_reserve.store(bytes, Ordering::Relaxed);
    }

    /// Nothing more comes in, and readers are told.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.queue.close();
        self.changes.tell();
    }

    /// Lets go of the folder, and waits until readers in the middle of a read have done so too.
    pub(super) fn let_go(&self, wait: Duration) -> Result<(), LogError> {
        self.store.write().unwrap_or_else(PoisonError::into_inner).take();
        match self.store_gone.recv_timeout(wait) {
            Err(RecvTimeoutError::Disconnected) => Ok(()),
            Ok(()) | Err(RecvTimeoutError::Timeout) => Err(LogError::Timeout(wait)),
        }
    }
}

impl Backend for Shared {
    fn partitions(&self) -> u32 {
        self.config.partitions
    }

    fn membership(&self) -> &Membership {
        &self.membership
    }

    fn changes(&self) -> &Changes {
        &self.changes
    }

    fn check_open(&self) -> Result<(), LogError> {
        if self.closed.load(Ordering::Acquire) {
            Err(LogError::Closed)
        } else {
            Ok(())
        }
    }

    fn start(&self, topic: Topic, partition: Partition) -> Offset {
        self.store().map_or(0, |store| store.shelf(topic).start(partition))
    }

    fn end(&self, topic: Topic, partition: Partition) -> Offset {
        self.tips.end(topic, partition)
    }

    fn scan(
        &self,
        topic: Topic,
        partition: Partition,
        from: Offset,
        to: Offset,
        each: &mut dyn FnMut(Stored) -> bool,
    ) -> Result<(), LogError> {
        let store = self.store()?;
        let shelf = store.shelf(topic);
        let oldest = shelf.start(partition);
        if from < oldest {
            return Err(LogError::OffsetTooOld {
                topic,
                partition,
                asked: from,
                oldest,
            });
        }
        let mut next = from;
        while next < to {
            let Some(recent) = self.tips.recent(topic, partition, next, to, RECENT_CHUNK) else {
                return shelf.scan(partition, next, to, each);
            };
            let Some(last) = recent.last() else { return Ok(()) };
            next = last.offset + 1;
            for stored in recent {
                if !each(stored) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn committed(&self, group: Group, topic: Topic, partition: Partition) -> Option<Offset> {
        guard(&self.positions).get(&(group, topic, partition)).copied()
    }

    fn submit(&self, message: Message) -> Result<(), LogError> {
        self.queue.push(Job::Message(message))
    }
}
