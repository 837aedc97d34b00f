//! The codec of a process, with or without the registry.

use std::time::Duration;

use schemas::{Codec, RecordType, RegisteredSchema};

use crate::{Registry, RegistryError};

const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_LAST: Duration = Duration::from_secs(10);

/// What a process may do at the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Register what is missing.
    Register,
    /// Read only.
    Read,
}

impl Registry {
    /// A codec with the ids of this registry. If it is away: with the ids on disk; if they are not enough, it is asked again
    /// until it answers (drop the future to give up).
    ///
    /// # Errors
    /// What waiting would not help: a refusal, a schema that is not registered and may not be, ids that have changed.
    pub async fn codec(&self, access: Access) -> Result<Codec, RegistryError> {
        let mut wait = RETRY_FIRST;
        loop {
            let loaded = match access {
                Access::Register => self.ensure(RecordType::ALL).await,
                Access::Read => self.ids(RecordType::ALL).await,
            };
            let error = match loaded {
                Ok(schemas) => return Ok(Codec::new(&schemas)),
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            let cached = self.cached();
            if is_enough(&cached) {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    ids = cached.len(),
                    "starting with the schema ids on disk"
                );
                return Ok(Codec::new(&cached));
            }
            tracing::error!(
                error = &error as &dyn std::error::Error,
                ?wait,
                "the schema registry is needed, for its ids were never seen from here: waiting for it"
            );
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY_LAST);
        }
    }
}

/// Whether this build can write every record.
fn is_enough(known: &[RegisteredSchema]) -> bool {
    RecordType::ALL
        .iter()
        .all(|t| known.iter().any(|s| s.record == *t && s.json == t.schema_json()))
}
