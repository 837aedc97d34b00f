//! What runs in a process: all parts of an installation, or one of them. Built from the log outwards, drained from the edge
//! inwards.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use api::ReadyCheck;
use log::Log;
use metrics_exporter_prometheus::PrometheusHandle;
use pipeline_persist::PersistHandle;
use runtime::{CommitPolicy, OnTorn, ProcessorConfig, ProcessorHandle};
use settings::{LogBackend, Settings};
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use topology::Group;

use crate::ready::Held;
use crate::socket::{Installation, Server};
use crate::{assembly, token_key};

/// How much of the drain may go into processing what was taken in; the rest waits in the log for the next start.
const CATCH_UP_MAX: Duration = Duration::from_secs(8);
/// Stream threads, whatever the machine has: partitions are few.
const THREADS_MAX: usize = 8;

/// Which parts a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Connector `snmp-traps`.
    pub traps: bool,
    /// Connector `olt-ssh`.
    pub olts: bool,
    /// Connector `padtec`.
    pub padtec: bool,
    /// Task `network`.
    pub network: bool,
    /// The store's writer.
    pub persist: bool,
    /// Board, REST and WebSocket.
    pub api: bool,
}

impl Selection {
    /// All of them.
    pub const ALL: Self = Self {
        traps: true,
        olts: true,
        padtec: true,
        network: true,
        persist: true,
        api: true,
    };
    /// None: to choose from.
    pub const NONE: Self = Self {
        traps: false,
        olts: false,
        padtec: false,
        network: false,
        persist: false,
        api: false,
    };

    /// Whether a process with these parts reads or writes the store.
    pub fn needs_store(self) -> bool {
        self.persist || self.api
    }

    /// What it is called in logs and writer ids.
    pub fn name(self) -> &'static str {
        match self {
            Self {
                api: true,
                network: true,
                ..
            } => "up",
            Self { traps: true, .. } => "traps",
            Self { olts: true, .. } => "olts",
            Self { padtec: true, .. } => "padtec",
            Self { network: true, .. } => "network",
            Self { persist: true, .. } => "persist",
            _ => "api",
        }
    }
}

/// Everything that runs.
pub struct Parts {
    /// The log.
    pub log: Arc<dyn Log>,
    /// The data folder.
    pub folder: PathBuf,
    /// Where the trap listeners are bound.
    pub trap_addresses: Vec<SocketAddr>,
    /// Where HTTP is served.
    pub http_address: SocketAddr,
    /// The password of the first user, if it was made just now.
    pub first_password: Option<api::users::GeneratedPassword>,
    processor: Held<ProcessorHandle>,
    persist: Held<PersistHandle>,
    connector: Held<connector_snmp_traps::Running>,
    olts: Held<connector_olt_ssh::poll::Running>,
    padtec: Held<connector_padtec::poll::Running>,
    live: Option<Arc<api::LiveView>>,
    http: tokio::task::JoinHandle<std::io::Result<()>>,
    stop_http: watch::Sender<bool>,
    _commands: Option<Server>,
    _learner: Option<registry::Learner>,
}

/// What parts are made from.
pub struct Foundation<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// Which parts.
    pub selection: Selection,
    /// What the task does with a partition whose state and log do not add up.
    pub on_torn: OnTorn,
    /// Where their asynchronous work runs.
    pub tokio: &'a tokio::runtime::Runtime,
    /// Their metrics.
    pub metrics: PrometheusHandle,
    /// Bound already: a second process must fail before it touches anything.
    pub listener: TcpListener,
    /// The log.
    pub log: Arc<dyn Log>,
    /// The store, if a part needs it.
    pub store: Option<Arc<dyn Store>>,
    /// What teaches the log's codec.
    pub learner: Option<registry::Learner>,
}

impl Parts {
    /// Starts the selected parts.
    ///
    /// # Errors
    /// When one cannot be built.
    pub fn start(mut base: Foundation<'_>) -> Result<Self> {
        let learner = base.learner.take();
        let Foundation {
            settings,
            selection,
            on_torn,
            tokio,
            log,
            ..
        } = &base;
        let instance = format!("{}-{}", selection.name(), std::process::id());
        let (processor, persist, connector) = (Held::default(), Held::default(), Held::default());
        let (olts, padtec) = (Held::default(), Held::default());
        let mut ready: Vec<Arc<dyn ReadyCheck>> = Vec::new();
        // Bound before anything runs, heard when everything does.
        let traps = match selection.traps {
            true => Some(connector_snmp_traps::build(
                assembly::trap_connector(settings, &instance)?,
                log.clone(),
            )?),
            false => None,
        };
        if selection.network {
            processor.hold(start_network(settings, log, *on_torn)?);
            ready.push(Arc::new(processor.clone()));
        }
        if selection.persist {
            persist.hold(pipeline_persist::spawn(pipeline_persist::PersistConfig {
                log: log.clone(),
                store: base.needed_store()?,
                runtime: tokio.handle().clone(),
                threads: 1,
            })?);
            ready.push(Arc::new(persist.clone()));
        }
        if selection.traps {
            ready.push(Arc::new(connector.clone()));
        }
        let readers = match selection.olts {
            true => assembly::olt_connector(settings, &instance, !selection.traps)?,
            false => None,
        };
        if readers.is_some() {
            ready.push(Arc::new(olts.clone()));
        }
        let networks = match selection.padtec {
            true => assembly::padtec_connector(settings, &instance)?,
            false => None,
        };
        if networks.is_some() {
            ready.push(Arc::new(padtec.clone()));
        }
        let (stop_http, stopping) = watch::channel(false);
        let http_address = base.listener.local_addr()?;
        let commands = base.commands()?;
        let (log, folder, tokio) = (log.clone(), settings.data.clone(), *tokio);
        let (live, http, first_password) = if selection.api {
            base.start_board(&instance, ready, stopping)?
        } else {
            let probes = api::Probes {
                ready,
                render_metrics: renderer(base.metrics),
            };
            (
                None,
                tokio.spawn(api::serve_probes(base.listener, probes, wait_true(stopping))),
                None,
            )
        };
        let mut trap_addresses = Vec::new();
        if let Some(traps) = traps {
            let running = traps.run()?;
            trap_addresses = running.bound();
            connector.hold(running);
        }
        if let Some(readers) = readers {
            olts.hold(connector_olt_ssh::poll::start(readers, log.clone(), tokio.handle())?);
        }
        if let Some(networks) = networks {
            padtec.hold(connector_padtec::poll::start(networks, log.clone(), tokio.handle())?);
        }
        Ok(Self {
            log,
            folder,
            trap_addresses,
            http_address,
            first_password,
            processor,
            persist,
            connector,
            olts,
            padtec,
            live,
            http,
            stop_http,
            _commands: commands,
            _learner: learner,
        })
    }

    /// Edge first, so that all that was taken in is processed; the log last. A part that ends badly does not keep the
    /// others from ending well.
    ///
    /// # Errors
    /// The first part that does not end in order.
    pub fn drain(self, tokio: &tokio::runtime::Runtime) -> Result<()> {
        if let Some(olts) = self.olts.take() {
            olts.stop();
        }
        if let Some(padtec) = self.padtec.take() {
            padtec.stop();
        }
        if let Some(connector) = self.connector.take() {
            connector.stop();
            // Only who feeds the log alone can wait until it is empty.
            self.processor.wait_caught_up(CATCH_UP_MAX);
        }
        let mut ends = Vec::new();
        if let Some(processor) = self.processor.take() {
            ends.push(processor.join().context("the processor did not end in order"));
        }
        if let Some(persist) = self.persist.take() {
            persist.stop();
            ends.push(persist.join().context("the store's writer did not end in order"));
        }
        // Browsers hear the last of it before they are told to come back later.
        self.stop_http.send_replace(true);
        ends.push(match tokio.block_on(self.http) {
            Ok(end) => end.context("the HTTP server did not end in order"),
            Err(error) => Err(error).context("the HTTP server ended badly"),
        });
        if let Some(live) = self.live {
            live.stop();
        }
        ends.push(self.log.close().context("the log could not be closed"));
        ends.into_iter().collect()
    }
}

type Board = (
    Option<Arc<api::LiveView>>,
    tokio::task::JoinHandle<std::io::Result<()>>,
    Option<api::users::GeneratedPassword>,
);

impl Foundation<'_> {
    fn needed_store(&self) -> Result<Arc<dyn Store>> {
        self.store.clone().context("this part needs the store")
    }

    /// Only over an embedded log can commands not open it themselves.
    fn commands(&self) -> Result<Option<Server>> {
        if !matches!(self.settings.log.backend, LogBackend::Embedded) {
            return Ok(None);
        }
        let installation = Installation {
            log: self.log.clone(),
            store: self.needed_store()?,
            runtime: self.tokio.handle().clone(),
            tenant: self.settings.tenant.clone(),
        };
        Server::start(&self.settings.data, installation).map(Some)
    }

    fn start_board(
        self,
        instance: &str,
        ready: Vec<Arc<dyn ReadyCheck>>,
        stopping: watch::Receiver<bool>,
    ) -> Result<Board> {
        let store = self.needed_store()?;
        let tenant = self.settings.tenant.as_str();
        let live = api::LiveView::start(self.log.clone(), instance, api::RingLimits::default())?;
        let first = self.tokio.block_on(api::users::ensure_admin(&*store, tenant))?;
        let mut config = api::ApiConfig::new(token_key::of(self.settings)?, instance, tenant);
        config.probe = assembly::probe(self.settings, self.log.partitions());
        let parts = api::Parts {
            log: self.log,
            store,
            live: live.clone(),
            ready,
            explain_trap: Some(Arc::new(assembly::explain_trap)),
            render_metrics: renderer(self.metrics),
        };
        let state = api::ApiState::new(config, parts)?;
        let http = self.tokio.spawn(api::serve(self.listener, state, wait_true(stopping)));
        Ok((Some(live), http, first))
    }
}

fn start_network(settings: &Settings, log: &Arc<dyn Log>, on_torn: OnTorn) -> Result<ProcessorHandle> {
    let threads = std::thread::available_parallelism()
        .map_or(2, usize::from)
        .min(THREADS_MAX);
    let config = ProcessorConfig {
        log: log.clone(),
        group: Group::Network,
        threads: u32::try_from(threads)?,
        commit: match &settings.log.backend {
            LogBackend::Embedded => CommitPolicy::embedded(),
            LogBackend::Kafka(kafka) => CommitPolicy::every(kafka.commit_interval),
        },
        on_torn,
    };
    Ok(runtime::spawn(config, assembly::network_chain)?)
}

fn renderer(metrics: PrometheusHandle) -> Arc<dyn Fn() -> String + Send + Sync> {
    Arc::new(move || metrics.render())
}

async fn wait_true(mut flag: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a reason to stop too.
    drop(flag.wait_for(|stop| *stop).await);
}
