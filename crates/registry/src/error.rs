//! What can go wrong with a registry.

use std::path::PathBuf;

use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::RawError;
use schemas::{RegisteredSchema, SchemaOwner, schema_owner};
use thiserror::Error;

/// An operating error of the registry.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// No answer, or a server's error: may be better later.
    #[error("the schema registry {url} does not answer")]
    Away {
        /// Its address.
        url: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It answers, and says no: credentials, permissions, or not a registry at that address.
    #[error("the schema registry {url} refuses to {what} (HTTP {status}): {message}")]
    Refused {
        /// Its address.
        url: String,
        /// What was asked.
        what: String,
        /// Its answer; 0 if it was not one of a registry.
        status: u16,
        /// Its words.
        message: String,
    },
    /// The schema does not fit the versions before it.
    #[error(
        "the schema registry refuses the schema of {subject} (HTTP 409), which does not fit its earlier versions: {message}"
    )]
    Incompatible {
        /// Whose schema.
        subject: String,
        /// What does not fit: registries name the fields.
        message: String,
    },
    /// Somebody has to register first.
    #[error("subject {subject} does not have this build's schema: run `atalaia topology apply`")]
    NotRegistered {
        /// The subject.
        subject: String,
    },
    /// The registry has lost its memory and counts anew.
    #[error(
        "schema id {id} was {before}, and the schema registry says it is {now}: its ids have changed, so records would be \
         read as what they are not; restore the registry's data"
    )]
    IdsChanged {
        /// The id.
        id: u32,
        /// What records of the log mean by it.
        before: String,
        /// What the registry says.
        now: String,
    },
    /// The ids on disk cannot be read or written.
    #[error("schema ids in {}: {problem}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The configuration cannot work.
    #[error("{0}")]
    Config(String),
}

impl RegistryError {
    /// Whether trying again later can help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Away { .. })
    }

    pub(crate) fn changed(before: &RegisteredSchema, now: &str) -> Self {
        let now = match schema_owner(now) {
            SchemaOwner::Ours(record) if record == before.record => format!("a different {}", record.name()),
            SchemaOwner::Ours(record) => record.name().to_owned(),
            SchemaOwner::Newer(name) | SchemaOwner::Foreign(name) => name,
        };
        Self::IdsChanged {
            id: before.id,
            before: before.record.name().to_owned(),
            now,
        }
    }

    /// What the client's error means.
    pub(crate) fn of(error: SRCError, url: &str, what: String) -> Self {
        let status = status_of(&error);
        let raw = std::error::Error::source(&error).and_then(|s| s.downcast_ref::<RawError>());
        let message = raw.map_or_else(|| error.error.clone(), |raw| raw.message.clone());
        Self::answered(url, what, status, message).unwrap_or_else(|| Self::Away {
            url: url.to_owned(),
            source: Box::new(error),
        })
    }

    /// `None` if the status says that it may be better later.
    pub(crate) fn answered(url: &str, what: String, status: Option<u16>, message: String) -> Option<Self> {
        match status {
            Some(status @ (400..=407 | 409..=428 | 430..=499)) => Some(Self::Refused {
                url: url.to_owned(),
                what,
                status,
                message,
            }),
            _ => None,
        }
    }
}

/// The client puts the status into its words only.
pub(crate) fn status_of(error: &SRCError) -> Option<u16> {
    let (_, after) = error.error.split_once("with status ")?;
    after.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_error_is_sorted_by_its_status() {
        let check = |text: &str, is_transient: bool| {
            let error = RegistryError::of(SRCError::new(text, None, false), "http://r", "register".into());
            assert_eq!(error.is_transient(), is_transient, "{error}");
        };
        let status = |s: &str| format!("HTTP request to schema registry failed with status {s}");
        check(&status("401 Unauthorized"), false);
        check(&status("422 Unprocessable Entity"), false);
        check(&status("429 Too Many Requests"), true);
        check(&status("408 Request Timeout"), true);
        check(&status("500 Internal Server Error"), true);
        check(&status("503 Service Unavailable"), true);
        check("http call to schema registry failed", true);
    }
}
