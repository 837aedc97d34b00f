//! Migrations: numbered texts of statements, each of which may be executed twice. What was executed is written down with a
//! checksum, statement by statement, so one that was killed goes on where it was; a lock keeps others out meanwhile.
//!
//! ```text
//! keyspace ─▶ tables for the book ─▶ lock ─▶ read the book, compare ─▶ { keep the lock, execute, agree, write down }* ─▶ unlock
//! ```

mod apply;
mod book;
mod lock;
mod text;

use std::fmt;
use std::time::Duration;

use scylla::client::session::Session;

use self::book::Book;
use crate::{CqlConfig, CqlError, CqlStore};

/// One version of the tables. Texts are fixed once they have been released: a change is a new version.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// 1, 2, 3 …
    pub version: u32,
    /// The oldest version whose builds can work with these tables: added columns hurt nobody.
    pub compatible_from: u32,
    /// Statements, each ended by `;` at a line's end. Only such as may be executed twice: `… IF NOT EXISTS`, and
    /// `ALTER TABLE … ADD`, which is left out where the column is there.
    pub text: &'static str,
}

/// The versions of this build.
pub static MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        compatible_from: 1,
        text: include_str!("../../migrations/0001_tables.cql"),
    },
    Migration {
        version: 2,
        compatible_from: 1,
        text: include_str!("../../migrations/0002_ledger.cql"),
    },
    Migration {
        version: 3,
        compatible_from: 1,
        text: include_str!("../../migrations/0003_readings.cql"),
    },
    Migration {
        version: 4,
        compatible_from: 1,
        text: include_str!("../../migrations/0004_measured.cql"),
    },
    Migration {
        version: 5,
        compatible_from: 1,
        text: include_str!("../../migrations/0005_alarms.cql"),
    },
];

/// What a migration does next, or has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrationStep {
    /// The keyspace was made.
    KeyspaceMade {
        /// Its name.
        keyspace: String,
        /// Where its copies are.
        datacenter: String,
        /// How many.
        replication: u32,
    },
    /// Another one is at work.
    Waiting {
        /// Who.
        owner: String,
    },
    /// A statement was executed and written down.
    Applied(PendingStatement),
    /// Nothing is left to do.
    Done {
        /// Version of the tables.
        version: u32,
        /// Statements executed this time.
        applied: usize,
    },
}

impl fmt::Display for MigrationStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyspaceMade {
                keyspace,
                datacenter,
                replication,
            } => write!(f, "made keyspace {keyspace} with {replication} copies in {datacenter}"),
            Self::Waiting { owner } => write!(f, "waiting for {owner}, which is migrating"),
            Self::Applied(statement) => write!(f, "applied {statement}"),
            Self::Done { version, applied: 0 } => write!(f, "the tables are of version {version} already"),
            Self::Done { version, applied } => write!(
                f,
                "the tables are of version {version} now, {applied} statements applied"
            ),
        }
    }
}

/// A statement that a migration would execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingStatement {
    /// Version it belongs to.
    pub version: u32,
    /// Its number in that, from 1.
    pub step: u32,
    /// The statement.
    pub text: String,
}

impl fmt::Display for PendingStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self
            .text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end_matches(['(', ' ']);
        write!(f, "{}.{}: {first}", self.version, self.step)
    }
}

/// What is applied, and how. For tests: the product uses the default.
#[derive(Debug, Clone, Copy)]
pub struct MigrateOptions {
    /// Versions, by number.
    pub migrations: &'static [Migration],
    /// How long the lock of one that was killed stands. Longer than a statement may take.
    pub lock_ttl: Duration,
    /// How long to wait for another one.
    pub lock_wait: Duration,
}

impl Default for MigrateOptions {
    fn default() -> Self {
        Self {
            migrations: MIGRATIONS,
            lock_ttl: Duration::from_secs(45),
            lock_wait: Duration::from_secs(120),
        }
    }
}

impl CqlStore {
    /// Brings the tables to this build's version, the keyspace included. May be run again, beside others, and after a kill at
    /// any moment.
    ///
    /// # Errors
    /// When no node can be reached, the tables are newer than this build or of another text, or another migration keeps
    /// the lock.
    pub async fn migrate(config: &CqlConfig, progress: &mut (dyn FnMut(MigrationStep) + Send)) -> Result<(), CqlError> {
        Self::migrate_with(config, MigrateOptions::default(), progress).await
    }

    /// The same with migrations and times of one's own. For tests.
    ///
    /// # Errors
    /// As [`CqlStore::migrate`].
    pub async fn migrate_with(
        config: &CqlConfig,
        options: MigrateOptions,
        progress: &mut (dyn FnMut(MigrationStep) + Send),
    ) -> Result<(), CqlError> {
        let session = Self::session_within(config).await?;
        apply::run(&session, config, options, progress).await
    }

    /// What [`CqlStore::migrate`] would execute now, in its order. Changes nothing.
    ///
    /// # Errors
    /// When no node can be reached, or the tables are newer than this build or of another text.
    pub async fn pending(config: &CqlConfig) -> Result<Vec<PendingStatement>, CqlError> {
        let session = Self::session_within(config).await?;
        let book = Book::read(&session, &config.keyspace).await?.unwrap_or_default();
        book.pending(MIGRATIONS)
    }
}

/// Whether the tables are those of this build.
pub(crate) async fn check(session: &Session, config: &CqlConfig, migrations: &[Migration]) -> Result<(), CqlError> {
    let keyspace = config.keyspace.clone();
    let Some(book) = Book::read(session, &keyspace).await? else {
        return Err(CqlError::NoKeyspace { keyspace });
    };
    match book.pending(migrations)?.first() {
        None => Ok(()),
        Some(missing) => Err(CqlError::TooOld {
            keyspace,
            version: missing.version,
            step: missing.step,
        }),
    }
}
