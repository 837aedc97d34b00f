//! One migration at a time: a row with an owner and a TTL. Of one that was killed it goes by itself.

use std::time::{Duration, Instant};

use rand::RngExt;
use scylla::client::session::Session;
use scylla::statement::Consistency;
use scylla::statement::unprepared::Statement;
use scylla::value::{CqlTimestamp, CqlValue, Row as Values};

use super::MigrationStep;
use super::book::ID;
use crate::CqlError;
use crate::conditional::was_applied;
use crate::error::is_transient;
use crate::time::machine;

/// How often a lock that another one has is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const WHAT: &str = "taking the migration's lock";

/// The lock, ours until [`Lock::release`] or its TTL.
pub(super) struct Lock<'a> {
    session: &'a Session,
    table: String,
    owner: String,
    ttl_s: i32,
}

impl<'a> Lock<'a> {
    /// Takes the lock, or waits for who has it.
    pub(super) async fn take(
        session: &'a Session,
        keyspace: &str,
        ttl: Duration,
        wait: Duration,
        progress: &mut (dyn FnMut(MigrationStep) + Send),
    ) -> Result<Self, CqlError> {
        let lock = Self {
            session,
            table: format!("{keyspace}.schema_lock"),
            owner: owner(),
            ttl_s: i32::try_from(ttl.as_secs().max(1)).unwrap_or(i32::MAX),
        };
        let deadline = Instant::now() + wait;
        let mut told = None;
        loop {
            let text = format!(
                "INSERT INTO {} (id, owner, at) VALUES (?, ?, ?) IF NOT EXISTS USING TTL ?",
                lock.table
            );
            let values = (ID, lock.owner.as_str(), CqlTimestamp(machine()()), lock.ttl_s);
            match session
                .query_unpaged(Statement::new(text), values)
                .await
                .map(was_applied)
            {
                Ok(Ok(true)) => return Ok(lock),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => return Err(error),
                // Whether it counted is seen by whose it is.
                Err(error) if is_transient(&error) => tracing::warn!(%error, "the migration's lock was not answered"),
                Err(error) => return Err(request(error)),
            }
            match lock.present_owner().await? {
                Some(owner) if owner == lock.owner => return Ok(lock),
                Some(owner) => {
                    if Instant::now() >= deadline {
                        return Err(CqlError::Locked { owner });
                    }
                    if told.as_ref() != Some(&owner) {
                        progress(MigrationStep::Waiting { owner: owner.clone() });
                        told = Some(owner);
                    }
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                None if Instant::now() >= deadline => return Err(CqlError::LockLost),
                None => {}
            }
        }
    }

    /// Makes it last again as long as at its beginning.
    pub(super) async fn keep(&self) -> Result<(), CqlError> {
        let text = format!(
            "UPDATE {} USING TTL ? SET owner = ?, at = ? WHERE id = ? IF owner = ?",
            self.table
        );
        let values = (
            self.ttl_s,
            self.owner.as_str(),
            CqlTimestamp(machine()()),
            ID,
            self.owner.as_str(),
        );
        match self
            .session
            .query_unpaged(Statement::new(text), values)
            .await
            .map(was_applied)
        {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(CqlError::LockLost),
            Ok(Err(error)) => Err(error),
            Err(error) if is_transient(&error) => match self.present_owner().await? {
                Some(owner) if owner == self.owner => Ok(()),
                _ => Err(CqlError::LockLost),
            },
            Err(error) => Err(request(error)),
        }
    }

    /// Gives it back. If that fails its TTL does it.
    pub(super) async fn release(self) {
        let text = format!("DELETE FROM {} WHERE id = ? IF owner = ?", self.table);
        let released = self
            .session
            .query_unpaged(Statement::new(text), (ID, self.owner.as_str()))
            .await;
        if let Err(error) = released {
            tracing::warn!(%error, seconds = self.ttl_s, "cannot give the migration's lock back: it ends by itself");
        }
    }

    async fn present_owner(&self) -> Result<Option<String>, CqlError> {
        let mut statement = Statement::new(format!("SELECT owner FROM {} WHERE id = ?", self.table));
        statement.set_consistency(Consistency::Serial);
        statement.set_is_idempotent(true);
        let answer = self.session.query_unpaged(statement, (ID,)).await.map_err(request)?;
        let answer = answer
            .into_rows_result()
            .map_err(|error| CqlError::answer(WHAT, error))?;
        let row = answer
            .maybe_first_row::<Values>()
            .map_err(|error| CqlError::answer(WHAT, error))?;
        Ok(row.and_then(|row| match row.columns.into_iter().next() {
            Some(Some(CqlValue::Text(owner))) => Some(owner),
            _ => None,
        }))
    }
}

fn request(error: scylla::errors::ExecutionError) -> CqlError {
    let source = Box::new(error);
    CqlError::Request { what: WHAT, source }
}

/// Host, process and a number drawn now: who it is for a person, and nobody else.
fn owner() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "localhost".to_owned());
    let nonce: u32 = rand::rng().random();
    format!("{host} process {} {nonce:08x}", std::process::id())
}
