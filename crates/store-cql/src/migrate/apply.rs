//! A migration, from the keyspace to the last statement.

use std::time::Duration;

use scylla::client::session::Session;
use scylla::errors::ExecutionError;
use scylla::statement::unprepared::Statement;

use super::book::{self, Book, OWN_TABLES};
use super::lock::Lock;
use super::{MigrateOptions, MigrationStep, PendingStatement, text};
use crate::error::is_transient;
use crate::retry::Backoff;
use crate::session::datacenter;
use crate::time::machine;
use crate::{CqlConfig, CqlError, crash};

/// How long the servers may take for one statement, agreement included: usually 0.1 s. Below the lock's TTL.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a statement is tried whose failure may pass.
const ATTEMPTS: u32 = 5;

pub(super) async fn run(
    session: &Session,
    config: &CqlConfig,
    options: MigrateOptions,
    progress: &mut (dyn FnMut(MigrationStep) + Send),
) -> Result<(), CqlError> {
    let keyspace = config.keyspace.as_str();
    if Book::read(session, keyspace).await?.is_none() {
        make_keyspace(session, config, progress).await?;
    }
    use_keyspace(session, keyspace).await?;
    for (table, statement) in OWN_TABLES {
        if !book::table_exists(session, keyspace, table).await? {
            execute(session, statement).await?;
        }
    }
    let lock = Lock::take(session, keyspace, options.lock_ttl, options.lock_wait, progress).await?;
    let outcome = apply(session, config, options, &lock, progress).await;
    lock.release().await;
    outcome
}

async fn apply(
    session: &Session,
    config: &CqlConfig,
    options: MigrateOptions,
    lock: &Lock<'_>,
    progress: &mut (dyn FnMut(MigrationStep) + Send),
) -> Result<(), CqlError> {
    let keyspace = config.keyspace.as_str();
    // Only now: another one may just have done it.
    let book = Book::read(session, keyspace).await?.unwrap_or_default();
    let pending = book.pending(options.migrations)?;
    let applied = pending.len();
    for statement in pending {
        apply_one(session, keyspace, &statement, lock).await?;
        crash::inside_migration();
        let migration = options.migrations.iter().find(|m| m.version == statement.version);
        let compatible_from = migration.map_or(statement.version, |m| m.compatible_from);
        book::write_down(session, keyspace, &statement, compatible_from, machine()()).await?;
        tracing::info!(
            version = statement.version,
            step = statement.step,
            "applied a step of the store's tables"
        );
        progress(MigrationStep::Applied(statement));
    }
    let ours = options.migrations.iter().map(|m| m.version).max().unwrap_or(0);
    let version = book.version().max(ours);
    progress(MigrationStep::Done { version, applied });
    Ok(())
}

async fn apply_one(
    session: &Session,
    keyspace: &str,
    statement: &PendingStatement,
    lock: &Lock<'_>,
) -> Result<(), CqlError> {
    let mut backoff = Backoff::new();
    for attempt in 1.. {
        lock.keep().await?;
        if let Some((table, column)) = text::added_column(&statement.text)
            && book::column_exists(session, keyspace, table, column).await?
        {
            return Ok(());
        }
        match execute(session, &statement.text).await {
            Err(CqlError::Request { source, .. }) if attempt < ATTEMPTS && is_transient(&source) => {
                tracing::warn!(error = %source, version = statement.version, step = statement.step, "a step of the store's tables is tried again");
                tokio::time::sleep(backoff.next()).await;
            }
            outcome => return outcome,
        }
    }
    Ok(())
}

async fn make_keyspace(
    session: &Session,
    config: &CqlConfig,
    progress: &mut (dyn FnMut(MigrationStep) + Send),
) -> Result<(), CqlError> {
    let Some(datacenter) = datacenter(config, session).filter(|name| !name.contains('\'')) else {
        let problem = "the nodes do not say in which data centre they are: name it".to_owned();
        return Err(CqlError::Config {
            key: "datacenter",
            problem,
        });
    };
    let (keyspace, replication) = (config.keyspace.clone(), config.replication);
    let statement = format!(
        "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = \
         {{'class': 'NetworkTopologyStrategy', '{datacenter}': {replication}}}"
    );
    execute(session, &statement).await?;
    progress(MigrationStep::KeyspaceMade {
        keyspace,
        datacenter,
        replication,
    });
    Ok(())
}

async fn use_keyspace(session: &Session, keyspace: &str) -> Result<(), CqlError> {
    let used = session.use_keyspace(keyspace, true).await;
    used.map_err(|error| CqlError::Request {
        what: "choosing the keyspace",
        source: Box::new(ExecutionError::from(error)),
    })
}

/// Executes a statement, and waits until all nodes agree on the tables.
async fn execute(session: &Session, text: &str) -> Result<(), CqlError> {
    let mut statement = Statement::new(text);
    statement.set_request_timeout(Some(STATEMENT_TIMEOUT));
    let executed = session.query_unpaged(statement, ()).await;
    executed.map(drop).map_err(|error| CqlError::Request {
        what: "changing the tables",
        source: Box::new(error),
    })
}
