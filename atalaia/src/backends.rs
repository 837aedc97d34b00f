//! Opens log and store as the configuration says: in the data folder, or on servers that several processes share.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use log::{EmbeddedConfig, EmbeddedLog, Log, LogError};
use log_kafka::{KafkaConfig, KafkaLog};
use model::Secret;
use registry::{Access, Learner, Registry, RegistryConfig};
use schemas::{Codec, RecordType};
use settings::{Kafka, LogBackend, Settings, StoreBackend};
use store::{FjallStore, Store};
use store_cql::{CqlConfig, CqlError, CqlLogin, CqlStore};

use crate::parts::Selection;

/// Between two attempts to reach a server that is away at the start.
const RETRY: Duration = Duration::from_secs(2);

/// Opens the log of a configuration, for looking at it from outside; `environment` is where its secrets may stand. The
/// learner has to live as long.
///
/// # Errors
/// When the configuration is wrong, or the log cannot be opened.
pub fn open_log_of(
    config: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
    tokio: &tokio::runtime::Runtime,
) -> Result<(Arc<dyn Log>, Option<Learner>)> {
    let settings = settings::load(Some(config), environment)?;
    log_of(&settings, Selection::NONE, tokio, Absence::Fail)
}

/// Opens the embedded log of a folder.
///
/// # Errors
/// When another process has it, or it cannot be used as it is.
pub fn open_log(folder: &Path, partitions: u32) -> Result<Arc<EmbeddedLog>, LogError> {
    EmbeddedLog::open(EmbeddedConfig {
        partitions,
        ..EmbeddedConfig::new(folder)
    })
}

/// Opens the embedded store of a folder.
///
/// # Errors
/// When it cannot be read.
pub fn open_store(folder: &Path) -> Result<Arc<FjallStore>> {
    FjallStore::open(folder).with_context(|| format!("cannot open the store in {}", folder.display()))
}

/// What the parts of a process stand on.
pub struct Backends {
    /// The log.
    pub log: Arc<dyn Log>,
    /// The store, if a part needs it.
    pub store: Option<Arc<dyn Store>>,
    /// Teaches the log's codec the schema ids it meets, where a registry gives them. Dropping it stops it.
    pub learner: Option<Learner>,
}

/// What to do about a server that is away at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Say so, and try again until it is there: for what runs on.
    Wait,
    /// Fail: a person is waiting.
    Fail,
}

/// Opens what the selected parts stand on.
///
/// # Errors
/// When it is in use, unreachable, or cannot be used as it is.
pub fn open(
    settings: &Settings,
    selection: Selection,
    tokio: &tokio::runtime::Runtime,
    absence: Absence,
) -> Result<Backends> {
    let (log, learner) = log_of(settings, selection, tokio, absence)?;
    let store = match selection.needs_store() {
        true => Some(store_of(settings, tokio, absence)?),
        false => None,
    };
    Ok(Backends { log, store, learner })
}

/// Whether one part alone can run on this configuration: what is embedded belongs to one process.
///
/// # Errors
/// With what to change.
pub fn must_be_shared(settings: &Settings, selection: Selection) -> Result<()> {
    if matches!(settings.log.backend, LogBackend::Embedded) {
        bail!("the log is embedded, so all parts run in one process: use `atalaia up`, or set log.backend = \"kafka\"");
    }
    if selection.needs_store() && matches!(settings.store.backend, StoreBackend::Embedded) {
        bail!(
            "the store is embedded, so all parts run in one process: use `atalaia up`, or set store.backend = \"cql\""
        );
    }
    Ok(())
}

fn log_of(
    settings: &Settings,
    selection: Selection,
    tokio: &tokio::runtime::Runtime,
    absence: Absence,
) -> Result<(Arc<dyn Log>, Option<Learner>)> {
    let LogBackend::Kafka(kafka) = &settings.log.backend else {
        let log = open_log(&settings.data.join("log"), settings.log.partitions)
            .with_context(|| format!("cannot open the log in {}", settings.data.display()))?;
        return Ok((log, None));
    };
    let registry = Arc::new(Registry::connect(registry_config(settings, kafka))?);
    let codec = match absence {
        Absence::Wait => tokio.block_on(registry.codec(Access::Read))?,
        Absence::Fail => Codec::new(&tokio.block_on(registry.ids(RecordType::ALL))?),
    };
    let codec = Arc::new(codec);
    let config = kafka_config(settings, kafka, codec.clone(), selection.name());
    let log = patiently(
        absence,
        "Kafka",
        || KafkaLog::open(config.clone()),
        LogError::is_transient,
    )?;
    let learner = registry
        .spawn_learner(codec)
        .context("cannot start the thread that learns schema ids")?;
    Ok((log, Some(learner)))
}

fn store_of(settings: &Settings, tokio: &tokio::runtime::Runtime, absence: Absence) -> Result<Arc<dyn Store>> {
    let Some(config) = cql_config(settings) else {
        return Ok(open_store(&settings.data.join("store"))?);
    };
    let open = || tokio.block_on(CqlStore::open(config.clone()));
    let store = patiently(absence, "the store", open, |error| {
        matches!(error, CqlError::Unreachable { .. })
    })?;
    Ok(store)
}

/// Opens something; while its servers are away, says so and tries again if it may.
fn patiently<T, E>(
    absence: Absence,
    what: &str,
    mut open: impl FnMut() -> Result<T, E>,
    passes: impl Fn(&E) -> bool,
) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    loop {
        match open() {
            Err(error) if absence == Absence::Wait && passes(&error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "waiting for {what}");
                std::thread::sleep(RETRY);
            }
            other => return Ok(other?),
        }
    }
}

/// How Kafka is reached.
pub fn kafka_config(settings: &Settings, kafka: &Kafka, codec: Arc<Codec>, part: &str) -> KafkaConfig {
    let mut config = KafkaConfig::new(&kafka.brokers, codec);
    config.prefix.clone_from(&kafka.prefix);
    config.partitions = settings.log.partitions;
    config.client_id = format!("atalaia-{part}");
    config.static_member = kafka.member.as_ref().map(|member| format!("{member}-{part}"));
    config.session_timeout = kafka.session_timeout;
    // A successor waits for a dead owner's transaction: no longer than for its session.
    config.transaction_timeout = kafka.session_timeout;
    let mut set = |name: &str, value: Secret| drop(config.extra.insert(name.to_owned(), value));
    let plain = |value: &str| Secret::new(value, "configuration");
    let protocol = match (kafka.tls, kafka.login.is_some()) {
        (false, false) => "plaintext",
        (false, true) => "sasl_plaintext",
        (true, false) => "ssl",
        (true, true) => "sasl_ssl",
    };
    set("security.protocol", plain(protocol));
    if let Some(ca) = &kafka.ca {
        set("ssl.ca.location", plain(&ca.display().to_string()));
    }
    if let Some(login) = &kafka.login {
        set("sasl.mechanism", plain("SCRAM-SHA-512"));
        set("sasl.username", plain(&login.user));
        set("sasl.password", login.password.clone());
    }
    config
}

/// How the schema registry is reached. Its ids are kept in the data folder, so that a start needs no registry.
pub fn registry_config(settings: &Settings, kafka: &Kafka) -> RegistryConfig {
    RegistryConfig {
        login: kafka
            .registry_login
            .as_ref()
            .map(|login| (login.user.clone(), login.password.clone())),
        ca: kafka.ca.clone(),
        cache_file: Some(settings.data.join("schema-ids.json")),
        ..RegistryConfig::new(&kafka.registry)
    }
}

/// How the store's servers are reached; `None` where it is embedded.
pub fn cql_config(settings: &Settings) -> Option<CqlConfig> {
    let StoreBackend::Cql {
        nodes,
        keyspace,
        datacenter,
        login,
        replication,
    } = &settings.store.backend
    else {
        return None;
    };
    Some(CqlConfig {
        datacenter: datacenter.clone(),
        login: login.as_ref().map(|login| CqlLogin {
            user: login.user.clone(),
            password: login.password.clone(),
        }),
        replication: *replication,
        ..CqlConfig::new(nodes.clone(), keyspace)
    })
}
