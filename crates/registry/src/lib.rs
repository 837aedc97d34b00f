//! Schema ids from a Confluent-compatible registry: registering, fetching, compatibility, and living without it.
//!
//! What it is not: a codec. [`schemas::Codec`] reads and writes; this crate gives it its ids and teaches it new ones.
//!
//! Invariants:
//! - the subject of a record is its full name (record-name strategy): a record means the same in every topic;
//! - an id that was seen once never changes its meaning here, whatever a registry says later ([`RegistryError::IdsChanged`]);
//! - nothing is learned from a registry that contradicts what it said before, or has forgotten it;
//! - with the ids on disk (`cache_file`) a start needs no registry.

mod cache;
mod client;
mod diff;
mod error;
mod learner;
pub mod metric;
mod start;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::Secret;
use schemas::{RecordType, RegisteredSchema, reads_alike};

pub use diff::Difference;
pub use error::RegistryError;
pub use learner::{Learner, RegistryStatus};
pub use start::Access;

use crate::cache::Cache;
use crate::client::Client;

/// The level that every subject has: any version reads what any other wrote.
pub const COMPATIBILITY: &str = "FULL_TRANSITIVE";

/// How to reach a registry.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// Base address; Apicurio's ends in `/apis/ccompat/v7`.
    pub url: String,
    /// In front of every subject; empty, except where several deployments that must not meet share a registry.
    pub subject_prefix: String,
    /// User and password (basic authentication).
    pub login: Option<(String, Secret)>,
    /// PEM file of certificates that sign the registry's; the system's if `None`.
    pub ca: Option<PathBuf>,
    /// For one request.
    pub timeout: Duration,
    /// Where ids are kept, so that a start needs no registry.
    pub cache_file: Option<PathBuf>,
}

impl RegistryConfig {
    /// Everything but the address as most have it.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            subject_prefix: String::new(),
            login: None,
            ca: None,
            timeout: Duration::from_secs(5),
            cache_file: None,
        }
    }
}

/// A registry, and what is known of it.
pub struct Registry {
    client: Client,
    prefix: String,
    cache: Mutex<Cache>,
}

impl Registry {
    /// Prepares the client and reads the ids on disk; asks nobody yet.
    ///
    /// # Errors
    /// When the certificates cannot be read or the ids on disk contradict each other.
    pub fn connect(config: RegistryConfig) -> Result<Self, RegistryError> {
        Ok(Self {
            client: Client::new(&config)?,
            prefix: config.subject_prefix,
            cache: Mutex::new(Cache::open(config.cache_file)?),
        })
    }

    /// The subject of a record.
    pub fn subject(&self, record: RecordType) -> String {
        format!("{}{}", self.prefix, record.full_name())
    }

    /// Registers the committed schema of each of these records where it is missing, and answers every version of their
    /// subjects with its id. Does nothing to what is there.
    ///
    /// # Errors
    /// When the registry is away, refuses a schema, or no longer gives the ids it gave.
    pub async fn ensure(&self, records: &[RecordType]) -> Result<Vec<RegisteredSchema>, RegistryError> {
        self.load(records, true).await
    }

    /// As [`Registry::ensure`], for who may not register.
    ///
    /// # Errors
    /// Also when a committed schema is not registered.
    pub async fn ids(&self, records: &[RecordType]) -> Result<Vec<RegisteredSchema>, RegistryError> {
        self.load(records, false).await
    }

    /// Sets FULL_TRANSITIVE on the subject of each of these records, also before its first version.
    ///
    /// # Errors
    /// When the registry is away or refuses.
    pub async fn set_compatibility(&self, records: &[RecordType]) -> Result<(), RegistryError> {
        for &record in records {
            let subject = self.subject(record);
            if self.client.compatibility(&subject).await?.as_deref() != Some(COMPATIBILITY) {
                self.client.set_compatibility(&subject, COMPATIBILITY).await?;
                tracing::info!(subject, level = COMPATIBILITY, "compatibility set");
            }
        }
        Ok(())
    }

    async fn load(&self, records: &[RecordType], may_register: bool) -> Result<Vec<RegisteredSchema>, RegistryError> {
        let cached = self.cached();
        let forgotten = self.verify(&cached).await?;
        if !forgotten.is_empty() {
            let ids: Vec<_> = forgotten.iter().map(|s| s.id).collect();
            tracing::error!(
                ?ids,
                "the registry has forgotten schema ids that records of the log carry: restore its data; nobody without the \
                 ids on disk can read those records"
            );
        }
        let mut found = BTreeMap::new();
        for record in in_order(records, &cached) {
            for schema in self.load_subject(record, may_register).await? {
                agree(&mut found, schema)?;
            }
        }
        let from_registry = found.len();
        for schema in cached {
            agree(&mut found, schema)?;
        }
        let found: Vec<_> = found.into_values().collect();
        tracing::info!(ids = found.len(), from_registry, "schema ids known");
        self.remember(&found)?;
        Ok(found)
    }

    /// Every version of one record's subject, the committed one by its own text.
    async fn load_subject(
        &self,
        record: RecordType,
        may_register: bool,
    ) -> Result<Vec<RegisteredSchema>, RegistryError> {
        let (subject, json) = (self.subject(record), record.schema_json());
        let id = match self.client.lookup(&subject, json).await? {
            Some(id) => id,
            None if may_register => {
                let id = self.client.register(&subject, json).await?;
                tracing::info!(subject, id, "schema registered");
                id
            }
            None => return Err(RegistryError::NotRegistered { subject }),
        };
        let mut versions = vec![RegisteredSchema {
            id,
            record,
            json: json.to_owned(),
        }];
        for version in self.client.versions(&subject).await? {
            let (id, json) = self.client.version(&subject, version).await?;
            if versions.iter().all(|v| v.id != id) {
                versions.push(RegisteredSchema { id, record, json });
            }
        }
        Ok(versions)
    }

    /// Asks for the content of each id; answers those the registry has forgotten.
    ///
    /// # Errors
    /// [`RegistryError::IdsChanged`] for the first that has another content now.
    pub(crate) async fn verify(&self, known: &[RegisteredSchema]) -> Result<Vec<RegisteredSchema>, RegistryError> {
        let mut forgotten = Vec::new();
        for schema in known {
            match self.client.schema(schema.id).await? {
                None => forgotten.push(schema.clone()),
                Some(json) if reads_alike(&json, &schema.json) => {}
                Some(json) => return Err(RegistryError::changed(schema, &json)),
            }
        }
        metric::forgotten(forgotten.len());
        Ok(forgotten)
    }

    pub(crate) fn cached(&self) -> Vec<RegisteredSchema> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).schemas()
    }

    pub(crate) fn remember(&self, schemas: &[RegisteredSchema]) -> Result<(), RegistryError> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).add(schemas)
    }
}

/// In the order of the ids they had: a registry that was emptied then gives the same again.
fn in_order(records: &[RecordType], cached: &[RegisteredSchema]) -> Vec<RecordType> {
    let id = |record: &RecordType| {
        let own = cached
            .iter()
            .find(|s| s.record == *record && s.json == record.schema_json());
        own.map_or(u32::MAX, |s| s.id)
    };
    let mut ordered = records.to_vec();
    ordered.sort_by_key(id);
    ordered
}

/// Adds a schema to a table in which an id has one meaning.
fn agree(found: &mut BTreeMap<u32, RegisteredSchema>, schema: RegisteredSchema) -> Result<(), RegistryError> {
    match found.get(&schema.id) {
        Some(other) if other.record == schema.record && reads_alike(&other.json, &schema.json) => {}
        Some(other) => return Err(RegistryError::changed(&schema, &other.json)),
        None => drop(found.insert(schema.id, schema)),
    }
    Ok(())
}
