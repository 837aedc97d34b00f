//! Opens log and store as the configuration says: in the data folder, or on servers that several processes share.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use log::{EmbeddedConfig, EmbeddedLog, Log, LogError};
use settings::{LogBackend, Settings, StoreBackend};
use store::{FjallStore, Store};
use store_cql::{CqlConfig, CqlLogin, CqlStore};

use crate::parts::Selection;

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
}

/// Opens what the selected parts stand on.
///
/// # Errors
/// When it is in use, unreachable, or cannot be used as it is.
pub fn open(settings: &Settings, selection: Selection, tokio: &tokio::runtime::Runtime) -> Result<Backends> {
    let log = log_of(settings, tokio)?;
    let store = match selection.needs_store() {
        true => Some(store_of(settings, tokio)?),
        false => None,
    };
    Ok(Backends { log, store })
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

fn log_of(settings: &Settings, _tokio: &tokio::runtime::Runtime) -> Result<Arc<dyn Log>> {
    match &settings.log.backend {
        LogBackend::Embedded => Ok(open_log(&settings.data.join("log"), settings.log.partitions)
            .with_context(|| format!("cannot open the log in {}", settings.data.display()))?),
        LogBackend::Kafka(_) => bail!("the log on Kafka is not built yet in this version"),
    }
}

fn store_of(settings: &Settings, tokio: &tokio::runtime::Runtime) -> Result<Arc<dyn Store>> {
    match cql_config(settings) {
        None => Ok(open_store(&settings.data.join("store"))?),
        Some(config) => Ok(tokio.block_on(CqlStore::open(config))?),
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
