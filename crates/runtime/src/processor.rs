//! A processor in this process: its stream threads, and what they say of themselves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use log::{Log, LogError, ThreadSlot};
use model::Partition;
use thiserror::Error;
use topology::{Group, Topic};

use crate::chain::Chain;
use crate::metrics::PartitionGauges;
use crate::policy::{CommitPolicy, SystemClock, WATCHDOG};
use crate::restore::OnTorn;
use crate::status::{PartitionState, PartitionStatus, ThreadStatus};
use crate::thread::{ChainFactory, CodecSource, StreamThread, ThreadConfig, Turn};

/// How long the last commit may take on the way out; a stop is over in under 25 s.
const DRAIN_LIMIT: Duration = Duration::from_secs(20);
/// Ticks of a caught-up partition (design §4).
const TICK_EVERY: Duration = Duration::from_secs(1);

/// What a processor is made of.
#[derive(Clone)]
pub struct ProcessorConfig {
    /// The log it reads and writes.
    pub log: Arc<dyn Log>,
    /// Its consumer group; its steps must be the chain's.
    pub group: Group,
    /// OS threads; at most one a partition is of use.
    pub threads: u32,
    /// When to cut.
    pub commit: CommitPolicy,
    /// What to do with a restore that does not add up.
    pub on_torn: OnTorn,
}

/// Why a processor does not start, or ended.
#[derive(Debug, Error)]
pub enum ProcessorError {
    /// The log does not give its part.
    #[error("cannot open the log for group {group}")]
    Open {
        /// The group's name.
        group: &'static str,
        /// Why.
        #[source]
        source: LogError,
    },
    /// The system gives no thread.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    /// The log ended under it.
    #[error("a stream thread ended with an error")]
    Ended(#[source] LogError),
    /// A bug of the engine.
    #[error("a stream thread panicked")]
    Panicked,
}

/// A running processor.
#[derive(Debug)]
pub struct ProcessorHandle {
    stop: Arc<AtomicBool>,
    threads: Vec<(ThreadStatus, JoinHandle<Result<(), LogError>>)>,
    ends: EndsOf,
}

#[derive(Clone)]
struct EndsOf(Arc<dyn Log>);

impl std::fmt::Debug for EndsOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EndsOf")
    }
}

/// What a processor says of itself.
#[derive(Debug, Clone, Default)]
pub struct ProcessorStatus {
    /// Owned partitions.
    pub partitions: BTreeMap<Partition, PartitionStatus>,
    /// Why threads are not at work: away from the log, or stuck.
    pub failures: Vec<String>,
}

impl ProcessorStatus {
    /// Whether every owned partition runs and every thread is alive.
    pub fn is_ready(&self) -> bool {
        let running = |status: &PartitionStatus| status.state == PartitionState::Running;
        self.failures.is_empty() && !self.partitions.is_empty() && self.partitions.values().all(running)
    }
}

/// Starts a processor. The factory is called once a restored partition.
///
/// # Errors
/// When the log does not give its part, or the system no thread.
///
/// # Panics
/// When the chain is not the group's: a bug of the one who assembles it.
pub fn spawn<E, F>(config: ProcessorConfig, chain: F) -> Result<ProcessorHandle, ProcessorError>
where
    E: Send + 'static,
    F: Fn() -> Chain<E> + Send + Sync + 'static,
{
    assert!(
        chain().is_complete_for(config.group),
        "the chain's steps are not those of group {:?}",
        config.group
    );
    let chain: ChainFactory<E> = Arc::new(chain);
    let stop = Arc::new(AtomicBool::new(false));
    let of = config.threads.clamp(1, config.log.partitions().max(1));
    let mut handle = ProcessorHandle {
        stop: stop.clone(),
        threads: Vec::new(),
        ends: EndsOf(config.log.clone()),
    };
    for index in 0..of {
        let open = |source| ProcessorError::Open {
            group: config.group.name(),
            source,
        };
        let task_log = config
            .log
            .task_log(config.group, ThreadSlot { index, of })
            .map_err(open)?;
        let log = config.log.clone();
        let codec: CodecSource = Box::new(move || log.codec().clone());
        let thread_config = ThreadConfig {
            generation: config.log.generation(),
            partitions: config.log.partitions(),
            commit: config.commit,
            on_torn: config.on_torn,
            tick_every: Some(TICK_EVERY),
        };
        let clock = Arc::new(SystemClock::default());
        let thread = StreamThread::new(task_log, codec, chain.clone(), clock, thread_config);
        let status = thread.status();
        status.show(PartitionGauges::new(config.group.name(), index));
        let stop = stop.clone();
        let join = std::thread::Builder::new()
            .name(format!("{}-{index}", config.group.name()))
            .spawn(move || run(thread, &stop))
            .map_err(ProcessorError::Thread)?;
        handle.threads.push((status, join));
    }
    Ok(handle)
}

fn run<E: Send + 'static>(mut thread: StreamThread<E>, stop: &AtomicBool) -> Result<(), LogError> {
    let status = thread.status();
    let end = loop {
        if stop.load(Ordering::Acquire) {
            break last_commit(thread.drain(DRAIN_LIMIT));
        }
        match thread.turn() {
            Ok(Turn::Worked) => {}
            // `stop` unparks.
            Ok(Turn::Pause(wait)) => std::thread::park_timeout(wait),
            Err(error) => break Err(error),
        }
    };
    status.forget_all();
    match &end {
        Ok(()) => status.failed(Some("stopped".into())),
        Err(error) => {
            tracing::error!(error = error as &dyn std::error::Error, "a stream thread ended");
            status.failed(Some(error.to_string()));
        }
    }
    end
}

/// A last commit that does not stand, because the log is away or another member has taken over, is no failure of the
/// stop: nothing is lost, and whoever owns the partition next processes those records again.
fn last_commit(end: Result<(), LogError>) -> Result<(), LogError> {
    match end {
        Err(error) if error.is_transient() || matches!(error, LogError::Fenced(_)) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the last commit does not stand: what came since the one before is processed again"
            );
            Ok(())
        }
        end => end,
    }
}

impl ProcessorHandle {
    /// Asks the threads to commit and end; does not wait.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        for (_, thread) in &self.threads {
            thread.thread().unpark();
        }
    }

    /// Whether a thread ended, asked or not.
    pub fn has_ended(&self) -> bool {
        self.threads.iter().any(|(_, thread)| thread.is_finished())
    }

    /// Stops, and waits until all has ended.
    ///
    /// # Errors
    /// When the log had ended before, or a thread panicked: nothing is lost, the rest is processed again at the next
    /// start.
    pub fn join(self) -> Result<(), ProcessorError> {
        self.stop();
        let mut result = Ok(());
        for (_, thread) in self.threads {
            match thread.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => result = Err(ProcessorError::Ended(error)),
                Err(_) => result = Err(ProcessorError::Panicked),
            }
        }
        result
    }

    /// What it is doing, for `/ready`; asks the log for the ends of the input.
    pub fn status(&self) -> ProcessorStatus {
        let mut out = ProcessorStatus::default();
        for (index, (status, thread)) in self.threads.iter().enumerate() {
            let (partitions, last_turn, failure) = status.read();
            out.partitions.extend(partitions);
            let stuck = last_turn.is_none_or(|at: Instant| at.elapsed() > WATCHDOG);
            let failure = match failure {
                Some(failure) => Some(failure),
                None if thread.is_finished() => Some("ended".into()),
                None if stuck => Some(format!("no turn for {} s", WATCHDOG.as_secs())),
                None => None,
            };
            out.failures
                .extend(failure.map(|text| format!("thread {index}: {text}")));
        }
        match self.ends.0.ends(Topic::Observations) {
            Ok(ends) => {
                for (&partition, status) in &mut out.partitions {
                    let end = usize::try_from(partition).ok().and_then(|p| ends.get(p));
                    status.lag = end.map(|end| end.saturating_sub(status.next_offset));
                }
            }
            Err(error) => out
                .failures
                .push(format!("the log does not say where its input ends: {error}")),
        }
        out
    }
}
