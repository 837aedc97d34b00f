//! The engine: a session, prepared statements, and limits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use scylla::client::session::Session;
use scylla::statement::unprepared::Statement;
use store::rows::{CONDITIONAL_TABLES, TABLES};
use store::{Page, Row, Scan, Store, StoreError, TableDef, TableDump, Value, check_key};
use tokio::sync::Semaphore;

use crate::read::Reader;
use crate::retry::{Backoff, Op, Requests};
use crate::statements::Statements;
use crate::time::{Clock, machine};
use crate::write::Writer;
use crate::{CqlConfig, CqlError, conditional, dump, migrate, session};

/// How long the servers may take to empty a table: their own limit is a minute.
const TRUNCATE_TIMEOUT: Duration = Duration::from_secs(75);
const TRUNCATE_WITHIN: Duration = Duration::from_secs(180);

/// The store on ScyllaDB's protocol.
pub struct CqlStore {
    config: CqlConfig,
    session: Session,
    statements: Statements,
    requests: Requests,
    in_flight: Semaphore,
    clock: Clock,
}

impl CqlStore {
    /// Opens the store; waits for servers that come up, up to [`CqlConfig::open_within`].
    ///
    /// # Errors
    /// When no node can be reached in that time, the login is refused, or the tables are not those of this build.
    pub async fn open(config: CqlConfig) -> Result<Arc<Self>, CqlError> {
        let session = Self::session_within(&config).await?;
        migrate::check(&session, &config, migrate::MIGRATIONS).await?;
        Self::over(session, config, TABLES).await
    }

    /// Opens the store with tables of one's own, which have to be there, whatever was migrated. For tests.
    ///
    /// # Errors
    /// As [`CqlStore::open`].
    pub async fn open_with(config: CqlConfig, tables: &'static [&'static TableDef]) -> Result<Arc<Self>, CqlError> {
        let session = Self::session_within(&config).await?;
        Self::over(session, config, tables).await
    }

    /// A session within the time that an open has.
    pub(crate) async fn session_within(config: &CqlConfig) -> Result<Session, CqlError> {
        let deadline = Instant::now() + config.open_within;
        let mut backoff = Backoff::new();
        loop {
            let error = match session::connect(config).await {
                Ok(session) => return Ok(session),
                Err(error) => error,
            };
            let wait = backoff.next();
            if !error.is_transient() || Instant::now() + wait >= deadline {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn over(
        session: Session,
        config: CqlConfig,
        tables: &'static [&'static TableDef],
    ) -> Result<Arc<Self>, CqlError> {
        let statements = Statements::prepare(&session, &config.keyspace, tables).await?;
        Ok(Arc::new(Self {
            in_flight: Semaphore::new(config.writes_in_flight),
            config,
            session,
            statements,
            requests: Requests::new(),
            clock: machine(),
        }))
    }

    pub(crate) fn config(&self) -> &CqlConfig {
        &self.config
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) fn statements(&self) -> &Statements {
        &self.statements
    }

    pub(crate) fn requests(&self) -> &Requests {
        &self.requests
    }

    pub(crate) fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader {
            session: &self.session,
            requests: &self.requests,
            within: self.config.read_within,
        }
    }

    fn writer(&self) -> Writer<'_> {
        Writer {
            session: &self.session,
            statements: &self.statements,
            requests: &self.requests,
            in_flight: &self.in_flight,
            within: self.config.write_within,
            clock: &self.clock,
        }
    }
}

#[async_trait]
impl Store for CqlStore {
    async fn upsert(&self, rows: Vec<Row>) -> Result<(), StoreError> {
        self.writer().upsert(&rows).await
    }

    async fn scan(&self, scan: Scan) -> Result<Page, StoreError> {
        self.reader().scan(&self.statements, &scan, self.now_ms()).await
    }

    async fn delete(&self, table: &'static TableDef, key: Vec<Value>, wts_us: i64) -> Result<(), StoreError> {
        check_key(table, &key)?;
        if !table.mutable || table.ends_by_key() {
            return Err(StoreError::Invalid {
                table: table.name,
                problem: "rows that never change are not deleted, they end".to_owned(),
            });
        }
        if CONDITIONAL_TABLES.iter().any(|t| t.name == table.name) {
            return conditional::delete(self, table, &key, wts_us).await;
        }
        self.writer().delete(table, &key, wts_us).await
    }

    async fn put_if(&self, row: Row, expect: Option<Vec<Option<Value>>>) -> Result<bool, StoreError> {
        conditional::put_if(self, &row, expect.as_deref()).await
    }

    /// A read at the consistency of all others, tried once.
    async fn health(&self) -> Result<(), StoreError> {
        let statement = self.statements.health(&self.session).await?;
        let request = self.session.execute_unpaged(&statement, ());
        let answer = self.requests.once(Op::Health, request).await;
        answer.map(drop).map_err(|error| {
            let (what, source) = (Op::Health.what(), Box::new(error));
            CqlError::Request { what, source }.into()
        })
    }

    /// Truncates: the only way to forget deletions too, which would hide what a rebuild writes again. Every node has to be up.
    async fn wipe(&self, tables: &[&'static TableDef]) -> Result<(), StoreError> {
        for table in tables {
            self.statements.of(table)?;
            let mut statement = Statement::new(format!("TRUNCATE {}.{}", self.config.keyspace, table.name));
            statement.set_request_timeout(Some(TRUNCATE_TIMEOUT));
            let request = || self.session.query_unpaged(statement.clone(), ());
            self.requests.until_done(Op::Truncate, TRUNCATE_WITHIN, request).await?;
        }
        Ok(())
    }

    async fn dump(&self, tables: &[&'static TableDef]) -> Result<Vec<TableDump>, StoreError> {
        let mut dumps = Vec::with_capacity(tables.len());
        for table in tables {
            dumps.push(dump::dump(self, table).await?);
        }
        Ok(dumps)
    }
}
