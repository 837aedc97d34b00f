//! Start and stop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use connector_kit::{Chores, PublisherConfig, SpoolConfig, StopToken};
use log::Log;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::config::Config;
use super::outbox::Outbox;
use super::poller::{Poller, Shared};
use super::ways::Ways;
use crate::session::{FilePins, Gates};

/// How long sessions may take to be left as they should.
const LEAVE: Duration = Duration::from_secs(5);

/// The connector cannot be started.
#[derive(Debug, Error)]
#[error("cannot start the connector olt-ssh")]
pub struct BuildError(#[from] io::Error);

/// Running reads. Dropped without [`Running::stop`], they are asked to end and not waited for.
pub struct Running {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    outbox: Option<Outbox>,
    publisher: Option<JoinHandle<()>>,
    chores: Option<(StopToken, JoinHandle<()>)>,
    tokio: Handle,
}

/// Starts to read every OLT of the configuration.
///
/// # Errors
/// When a thread or the spool is not to be had.
pub fn start(config: Config, log: Arc<dyn Log>, tokio: &Handle) -> Result<Running, BuildError> {
    let spool = SpoolConfig::new(config.data.join("spool/olt-ssh"), config.spool_bytes_max);
    let sending = PublisherConfig::with_spool(format!("{}-olt", config.instance), spool);
    let (outbox, publisher) = Outbox::start(log.clone(), sending, tokio)?;
    let (stop, stopping) = watch::channel(false);
    let shared = Arc::new(Shared {
        crowded: config.devices.len() > config.sessions_max,
        slots: Semaphore::new(config.sessions_max.max(1)),
        gates: Gates::new(config.gate.clone()),
        pins: FilePins::new(config.data.join("host-keys")),
        limits: config.limits.clone(),
        intervals: config.intervals,
        ways: Ways::default(),
        unread: super::poller::UnreadBudget::default(),
        states_read: AtomicU64::new(0),
    });
    let chores_stop = StopToken::new();
    let chores = Chores {
        instance: format!("{}-olt", config.instance),
        watched: config.devices.iter().map(|device| device.root.clone()).collect(),
        registered: config.registered,
        ledger: Box::new(|_| Vec::new()),
    };
    let stopped = chores_stop.clone();
    let chores = std::thread::Builder::new()
        .name("olt-chores".to_owned())
        .spawn(move || chores.run(log, &stopped, &stopped))?;
    let mut tasks = JoinSet::new();
    let count = config.devices.len();
    for device in config.devices {
        let poller = Poller::new(device, count, shared.clone(), outbox.clone(), stopping.clone());
        tasks.spawn_on(poller.run(), tokio);
    }
    Ok(Running {
        shared,
        stop,
        tasks,
        outbox: Some(outbox),
        publisher: Some(publisher),
        chores: Some((chores_stop, chores)),
        tokio: tokio.clone(),
    })
}

impl Running {
    /// Whether every task and thread still works.
    pub fn is_alive(&self) -> bool {
        let threads = self
            .publisher
            .iter()
            .chain(self.chores.iter().map(|(_, thread)| thread));
        !self.tasks.is_empty() && threads.into_iter().all(|thread| !thread.is_finished())
    }

    /// Complete reads of the states of all ONUs of an OLT so far, over all OLTs.
    pub fn states_read(&self) -> u64 {
        self.shared.states_read.load(Ordering::Relaxed)
    }

    /// Leaves every session as it should be left, and brings what was read into the log. Takes at most 10 s.
    ///
    /// Must not be called from a thread of the runtime.
    pub fn stop(mut self) {
        self.stop.send_replace(true);
        let mut tasks = std::mem::take(&mut self.tasks);
        let all_left = self.tokio.block_on(async {
            let all = async { while tasks.join_next().await.is_some() {} };
            tokio::time::timeout(LEAVE, all).await.is_ok()
        });
        if !all_left {
            tracing::warn!("not every session was left in time: the devices forget them later");
        }
        drop(tasks);
        self.outbox = None;
        let chores = self.chores.take().map(|(stop, thread)| {
            stop.stop();
            thread
        });
        for thread in self.publisher.take().into_iter().chain(chores) {
            if thread.join().is_err() {
                tracing::error!("a thread of olt-ssh panicked");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some((stop, _)) = &self.chores {
            stop.stop();
        }
    }
}
