//! Start and stop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use connector_kit::{Chores, PublisherConfig, SpoolConfig, StopToken};
use log::Log;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::config::Config;
use super::outbox::Outbox;
use super::poller::{Poller, Shared};

/// How long the tasks may take to hand over what they have.
const LEAVE: Duration = Duration::from_secs(3);

/// The connector cannot be started.
#[derive(Debug, Error)]
#[error("cannot start the connector padtec")]
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

/// Starts to read every system of the configuration.
///
/// # Errors
/// When a thread or the spool is not to be had.
pub fn start(config: Config, log: Arc<dyn Log>, tokio: &Handle) -> Result<Running, BuildError> {
    let spool = SpoolConfig::new(config.data.join("spool/padtec"), config.spool_bytes_max);
    let sending = PublisherConfig::with_spool(format!("{}-padtec", config.instance), spool);
    let (outbox, publisher) = Outbox::start(log.clone(), sending, tokio)?;
    let (stop, stopping) = watch::channel(false);
    let shared = Arc::new(Shared::default());
    let chores_stop = StopToken::new();
    let chores = Chores {
        instance: format!("{}-padtec", config.instance),
        watched: config.systems.iter().map(|system| system.root.clone()).collect(),
        registered: config.registered,
        ledger: Box::new(|_| Vec::new()),
    };
    let stopped = chores_stop.clone();
    let chores = std::thread::Builder::new()
        .name("padtec-chores".to_owned())
        .spawn(move || chores.run(log, &stopped, &stopped))?;
    let mut tasks = JoinSet::new();
    for system in config.systems {
        let poller = Poller::new(
            system,
            config.intervals,
            shared.clone(),
            outbox.clone(),
            stopping.clone(),
        );
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

    /// Complete reads of an inventory so far, over all systems.
    pub fn cards_read(&self) -> u64 {
        self.shared.cards_read.load(Ordering::Relaxed)
    }

    /// Reads of measures so far, over all systems.
    pub fn measures_read(&self) -> u64 {
        self.shared.measures_read.load(Ordering::Relaxed)
    }

    /// Gives up requests that are under way, and brings what was read into the log. Takes at most 10 s.
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
            tracing::warn!("not every read of a Padtec system ended in time");
        }
        drop(tasks);
        self.outbox = None;
        let chores = self.chores.take().map(|(stop, thread)| {
            stop.stop();
            thread
        });
        for thread in self.publisher.take().into_iter().chain(chores) {
            if thread.join().is_err() {
                tracing::error!("a thread of the connector padtec panicked");
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
