//! A running process: everything (`atalaia up`), or one part of it. Configuration, metrics, signals, drain.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use runtime::OnTorn;
use settings::Settings;

use crate::backends::{self, Absence, Backends};
use crate::command_line::Place;
use crate::metric_help::HELP;
use crate::parts::{Foundation, Parts, Selection};
use crate::{demo, logging};

/// Data folder of a demo that names none.
const DEMO_FOLDER: &str = "atalaia-demo";
/// From the signal to the end of the process, at most.
const DRAIN_MAX: Duration = Duration::from_secs(25);

/// What the command line of `atalaia up` says.
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
    /// What to do with a partition whose state and log do not add up.
    pub on_torn: OnTorn,
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

/// Runs everything until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// When something cannot be built, or the drain fails.
pub fn run(options: &Options) -> Result<()> {
    logging::start();
    if !options.demo {
        let mut settings = load_settings(&options.place)?;
        settings.http.listen = options.listen.unwrap_or(settings.http.listen);
        return Process::start(&settings, Selection::ALL, options.on_torn)?.run_until_signal();
    }
    let folder = options.place.data.clone().unwrap_or_else(|| PathBuf::from(DEMO_FOLDER));
    let resumed = folder.join("log").exists();
    let simulation = demo::simulation(options.seed, options.speed, resumed)?;
    let listen = options
        .listen
        .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
    let optical = demo::optical(options.seed)?;
    let settings = demo::settings(&simulation, &optical, &folder, listen)?;
    let process = Process::start(&settings, Selection::ALL, options.on_torn)?;
    let life = demo::live(&simulation, &process.parts, options)?;
    process.wait_for_signal()?;
    let (report, _) = life.stop();
    tracing::info!(?report, "the simulated network is silent");
    let drained = process.drain();
    // Served until nobody asks it any more.
    drop(optical);
    drained
}

/// Runs one part until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// As [`run`]; also when the configuration keeps everything in one process.
pub fn run_part(place: &Place, listen: Option<SocketAddr>, selection: Selection, on_torn: OnTorn) -> Result<()> {
    logging::start();
    let mut settings = load_settings(place)?;
    settings.http.listen = listen.unwrap_or(settings.http.listen);
    backends::must_be_shared(&settings, selection)?;
    Process::start(&settings, selection, on_torn)?.run_until_signal()
}

struct Process {
    tokio: tokio::runtime::Runtime,
    parts: Parts,
}

impl Process {
    fn start(settings: &Settings, selection: Selection, on_torn: OnTorn) -> Result<Self> {
        std::fs::create_dir_all(&settings.data)
            .with_context(|| format!("cannot make the data folder {}", settings.data.display()))?;
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("tokio")
            .build()?;
        let metrics = install_metrics()?;
        // The address first: a second process must fail before it touches anything.
        let listener = tokio
            .block_on(tokio::net::TcpListener::bind(settings.http.listen))
            .with_context(|| {
                format!(
                    "cannot listen on {}: choose another with --listen or http.listen",
                    settings.http.listen
                )
            })?;
        let Backends { log, store, learner } = backends::open(settings, selection, &tokio, Absence::Wait)?;
        let parts = Parts::start(Foundation {
            settings,
            selection,
            on_torn,
            tokio: &tokio,
            metrics,
            listener,
            log,
            store,
            learner,
        })?;
        if selection.api {
            print_board(&parts);
        } else {
            tracing::info!(part = selection.name(), probes = %parts.http_address, "running");
        }
        if selection.traps && settings.snmp_traps.listeners.is_empty() {
            tracing::warn!(
                "no trap listener is configured: add [[snmp_traps.listener]] and a credential (`atalaia check --example`)"
            );
        }
        Ok(Self { tokio, parts })
    }

    fn run_until_signal(self) -> Result<()> {
        self.wait_for_signal()?;
        self.drain()
    }

    fn wait_for_signal(&self) -> Result<()> {
        self.tokio.block_on(stop_signal())
    }

    fn drain(self) -> Result<()> {
        let asked = Instant::now();
        tracing::info!("draining");
        self.parts.drain(&self.tokio)?;
        tracing::info!(
            took_ms = asked.elapsed().as_millis(),
            limit_s = DRAIN_MAX.as_secs(),
            "drained"
        );
        self.tokio.shutdown_timeout(Duration::from_secs(1));
        Ok(())
    }
}

/// Prometheus metrics of this process.
fn install_metrics() -> Result<PrometheusHandle> {
    const SECONDS: &[f64] = &[
        0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .install_recorder()
        .context("cannot install the metrics recorder")?;
    for (name, help) in HELP {
        // The exporter keeps one text a name, whatever its kind.
        metrics::describe_counter!(*name, *help);
    }
    Ok(handle)
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

/// The line a person needs; password on the first start only.
fn print_board(parts: &Parts) {
    let address = parts.http_address;
    match &parts.first_password {
        Some(password) => println!(
            "board  http://{address}   user {}   password {}",
            api::users::FIRST_USER,
            password.reveal()
        ),
        None => println!("board  http://{address}"),
    }
}
