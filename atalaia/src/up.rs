//! `atalaia up`: everything in one process over one data folder. Built from the log outwards, drained from the edge inwards.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use log::{EmbeddedLog, Log as _};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use pipeline_persist::PersistHandle;
use runtime::{CommitPolicy, OnTorn, ProcessorConfig, ProcessorHandle};
use settings::Settings;
use store::FjallStore;
use tokio::sync::watch;
use topology::Group;

use crate::command_line::Place;
use crate::ready::Held;
use crate::socket::{Installation, Server};
use crate::{assembly, demo, logging, token_key};

/// Data folder of a demo that names none.
const DEMO_FOLDER: &str = "atalaia-demo";
/// From the signal to the end of the process, at most.
const DRAIN_MAX: Duration = Duration::from_secs(25);
/// How much of the drain may go into processing what was taken in; the rest waits in the log for the next start.
const CATCH_UP_MAX: Duration = Duration::from_secs(8);
/// Stream threads, whatever the machine has: partitions are few.
const THREADS_MAX: usize = 8;

/// What the command line says.
pub struct Options {
    /// Configuration and data folder.
    pub place: Place,
    /// Simulate a network.
    pub demo: bool,
    /// Its seed.
    pub seed: u64,
    /// Its speed.
    pub speed: f64,
    /// Instead of `http.listen`.
    pub listen: Option<SocketAddr>,
}

/// Reads the configuration of an installation; `--data` overrides its folder.
///
/// # Errors
/// With every mistake of the configuration.
pub fn load_settings(place: &Place) -> Result<Settings> {
    let environment = settings::process_environment();
    let mut settings = settings::load(place.config.as_deref(), environment)
        .map_err(|errors| anyhow::anyhow!("{}", crate::commands::check::errors_text(&errors)))?;
    if let Some(data) = &place.data {
        settings.data.clone_from(data);
    }
    Ok(settings)
}

/// Opens log and store of a folder.
///
/// # Errors
/// When another process has it, or it cannot be used as it is.
pub fn open_folder(settings: &Settings) -> Result<(Arc<EmbeddedLog>, Arc<FjallStore>)> {
    let log = assembly::open_log(&settings.data.join("log"), settings.log.partitions)
        .with_context(|| format!("cannot open the log in {}", settings.data.display()))?;
    let store = assembly::open_store(&settings.data.join("store"))?;
    Ok((log, store))
}

/// Runs until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// When something cannot be built, or the drain fails.
pub fn run(options: &Options) -> Result<()> {
    logging::start();
    let demo_folder = options.place.data.clone().unwrap_or_else(|| PathBuf::from(DEMO_FOLDER));
    let resumed = demo_folder.join("log").exists();
    let simulation = options
        .demo
        .then(|| demo::simulation(options.seed, options.speed, resumed))
        .transpose()?;
    let settings = match &simulation {
        Some(simulation) => {
            let listen = options
                .listen
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
            demo::settings(simulation.network(), &demo_folder, listen)?
        }
        None => {
            let mut settings = load_settings(&options.place)?;
            settings.http.listen = options.listen.unwrap_or(settings.http.listen);
            settings
        }
    };
    std::fs::create_dir_all(&settings.data)
        .with_context(|| format!("cannot make the data folder {}", settings.data.display()))?;
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("tokio")
        .build()?;
    let metrics = install_metrics()?;
    let parts = Parts::start(&settings, &tokio, metrics)?;
    let network_life = simulation
        .as_ref()
        .map(|s| demo::live(s, &parts, options))
        .transpose()?;
    if settings.snmp_traps.listeners.is_empty() {
        tracing::warn!(
            "no trap listener is configured: add [[snmp_traps.listener]] and a credential (`atalaia check --example`)"
        );
    }
    tokio.block_on(stop_signal())?;
    let asked = Instant::now();
    tracing::info!("draining");
    if let Some(life) = network_life {
        let (report, _) = life.stop();
        tracing::info!(?report, "the simulated network is silent");
    }
    parts.drain(&tokio)?;
    tracing::info!(
        took_ms = asked.elapsed().as_millis(),
        limit_s = DRAIN_MAX.as_secs(),
        "drained"
    );
    tokio.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

/// Prometheus metrics of this process.
fn install_metrics() -> Result<PrometheusHandle> {
    const SECONDS: &[f64] = &[
        0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ];
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .install_recorder()
        .context("cannot install the metrics recorder")
}

async fn stop_signal() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Everything that runs.
pub struct Parts {
    /// The log.
    pub log: Arc<EmbeddedLog>,
    /// The data folder.
    pub folder: PathBuf,
    /// Where the trap listeners are bound.
    pub trap_addresses: Vec<SocketAddr>,
    processor: Held<ProcessorHandle>,
    persist: Held<PersistHandle>,
    connector: Held<connector_snmp_traps::Running>,
    live: Arc<api::LiveView>,
    http: tokio::task::JoinHandle<std::io::Result<()>>,
    stop_http: watch::Sender<bool>,
    _commands: Server,
}

impl Parts {
    fn start(settings: &Settings, tokio: &tokio::runtime::Runtime, metrics: PrometheusHandle) -> Result<Self> {
        // The address first: a second `up` must fail before it touches anything.
        let listener = tokio
            .block_on(tokio::net::TcpListener::bind(settings.http.listen))
            .with_context(|| {
                format!(
                    "cannot listen on {}: choose another with --listen or http.listen",
                    settings.http.listen
                )
            })?;
        let (log, store) = open_folder(settings)?;
        let instance = format!("up-{}", std::process::id());
        let connector = connector_snmp_traps::build(assembly::trap_connector(settings, &instance)?, log.clone())?;

        let threads = std::thread::available_parallelism()
            .map_or(2, usize::from)
            .min(THREADS_MAX);
        let (processor, persist, connector_running) = (Held::default(), Held::default(), Held::default());
        processor.hold(runtime::spawn(
            ProcessorConfig {
                log: log.clone(),
                group: Group::Network,
                threads: u32::try_from(threads)?,
                commit: CommitPolicy::embedded(),
                on_torn: OnTorn::Wait,
            },
            assembly::network_chain,
        )?);
        persist.hold(pipeline_persist::spawn(pipeline_persist::PersistConfig {
            log: log.clone(),
            store: store.clone(),
            runtime: tokio.handle().clone(),
            threads: 1,
        })?);
        let live = api::LiveView::start(log.clone(), &instance, api::RingLimits::default())?;
        let (stop_http, stopping) = watch::channel(false);
        let first = tokio.block_on(api::users::ensure_admin(&*store, assembly::tenant(settings).as_str()))?;
        let address = listener.local_addr()?;
        let config = api::ApiConfig::new(
            token_key::of(&settings.data)?,
            &instance,
            assembly::tenant(settings).as_str(),
        );
        let state = api::ApiState::new(
            config,
            api::Parts {
                log: log.clone(),
                store: store.clone(),
                live: live.clone(),
                ready: vec![
                    Arc::new(processor.clone()),
                    Arc::new(persist.clone()),
                    Arc::new(connector_running.clone()),
                ],
                render_metrics: Arc::new(move || metrics.render()),
            },
        )?;
        let http = tokio.spawn(api::serve(listener, state, wait_true(stopping)));
        let connector = connector.run()?;
        let trap_addresses = connector.bound();
        connector_running.hold(connector);
        let installation = Installation {
            log: log.clone(),
            store,
            runtime: tokio.handle().clone(),
            tenant: settings.tenant.clone(),
        };
        let commands = Server::start(&settings.data, installation)?;
        print_board(address, first.as_ref());
        Ok(Self {
            log,
            folder: settings.data.clone(),
            trap_addresses,
            processor,
            persist,
            connector: connector_running,
            live,
            http,
            stop_http,
            _commands: commands,
        })
    }

    /// Edge first, so that all that was taken in is processed; the log last.
    fn drain(self, tokio: &tokio::runtime::Runtime) -> Result<()> {
        if let Some(connector) = self.connector.take() {
            connector.stop();
        }
        self.processor.wait_caught_up(CATCH_UP_MAX);
        if let Some(processor) = self.processor.take() {
            processor.join().context("the processor did not end in order")?;
        }
        if let Some(persist) = self.persist.take() {
            persist.stop();
            persist.join().context("the store's writer did not end in order")?;
        }
        // Browsers hear the last of it before they are told to come back later.
        self.stop_http.send_replace(true);
        match tokio.block_on(self.http) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => bail!("the HTTP server did not end in order: {error}"),
            Err(error) => bail!("the HTTP server ended badly: {error}"),
        }
        self.live.stop();
        self.log.close().context("the log could not be closed")
    }
}

async fn wait_true(mut flag: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a reason to stop too.
    drop(flag.wait_for(|stop| *stop).await);
}

/// The line a person needs; password on the first start only.
fn print_board(address: SocketAddr, first: Option<&api::users::GeneratedPassword>) {
    match first {
        Some(password) => println!(
            "board  http://{address}   user {}   password {}",
            api::users::FIRST_USER,
            password.reveal()
        ),
        None => println!("board  http://{address}"),
    }
}
