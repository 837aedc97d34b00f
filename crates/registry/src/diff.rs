//! What `atalaia topology diff` says of the registry.

use std::fmt;

use schemas::RecordType;

use crate::{COMPATIBILITY, Registry, RegistryError};

/// Something that `atalaia topology apply` would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// No version at all.
    Missing {
        /// The subject.
        subject: String,
    },
    /// Versions, but not this build's schema.
    Differs {
        /// The subject.
        subject: String,
        /// How many versions it has.
        versions: usize,
    },
    /// Another level than FULL_TRANSITIVE.
    Compatibility {
        /// The subject.
        subject: String,
        /// The level it has, or inherits.
        level: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { subject } => write!(f, "subject {subject}: missing"),
            Self::Differs { subject, versions } => {
                write!(
                    f,
                    "subject {subject}: none of its {versions} versions is this build's schema"
                )
            }
            Self::Compatibility { subject, level } => {
                write!(
                    f,
                    "subject {subject}: compatibility is {level}, should be {COMPATIBILITY}"
                )
            }
        }
    }
}

impl Registry {
    /// What would have to change for these records, in their order; nothing is changed.
    ///
    /// # Errors
    /// When the registry is away or refuses.
    pub async fn diff(&self, records: &[RecordType]) -> Result<Vec<Difference>, RegistryError> {
        let mut differences = Vec::new();
        for &record in records {
            let subject = self.subject(record);
            let versions = self.client.versions(&subject).await?.len();
            if versions == 0 {
                let subject = subject.clone();
                differences.push(Difference::Missing { subject });
            } else if self.client.lookup(&subject, record.schema_json()).await?.is_none() {
                let subject = subject.clone();
                differences.push(Difference::Differs { subject, versions });
            }
            let level = self.client.compatibility(&subject).await?;
            if level.as_deref() != Some(COMPATIBILITY) {
                let level = level.unwrap_or_else(|| "unknown".into());
                differences.push(Difference::Compatibility { subject, level });
            }
        }
        Ok(differences)
    }
}
