//! Operating errors, and which of them pass by themselves.

use scylla::errors::{
    BrokenConnectionError, ConnectionPoolError, DbError, ExecutionError, NewSessionError, PrepareError,
    RequestAttemptError, SchemaAgreementError,
};
use store::StoreError;
use thiserror::Error;

/// An operating error of the CQL engine.
#[derive(Debug, Error)]
pub enum CqlError {
    /// The configuration cannot be meant so.
    #[error("[store] {key}: {problem}")]
    Config {
        /// Which setting.
        key: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// None of the configured nodes answers.
    #[error("no node of the store can be reached ({attempts}): check [store] nodes, and that the servers run")]
    Unreachable {
        /// Each address, and what became of it.
        attempts: String,
    },
    /// A node answers, but a session cannot be had.
    #[error("the store's nodes answer, but give no session: check [store] user, password and datacenter")]
    Session(#[source] Box<NewSessionError>),
    /// The keyspace is not there.
    #[error("there is no keyspace `{keyspace}`: run `atalaia migrate`")]
    NoKeyspace {
        /// Its name.
        keyspace: String,
    },
    /// The tables are older than this build.
    #[error(
        "the tables in keyspace `{keyspace}` are older than this build (version {version}, step {step} is missing): run `atalaia migrate`"
    )]
    TooOld {
        /// Where.
        keyspace: String,
        /// First version that is not whole.
        version: u32,
        /// First step of it that is missing.
        step: u32,
    },
    /// The tables are newer than this build.
    #[error(
        "the tables are of version {found}, which this build (version {ours}) does not understand: run a newer build"
    )]
    TooNew {
        /// Version in the store.
        found: u32,
        /// Newest version this build knows.
        ours: u32,
    },
    /// What was applied is not what this build would apply.
    #[error(
        "version {version}, step {step} of the tables was applied with another text: this build and the store do not belong together"
    )]
    OtherText {
        /// Version.
        version: u32,
        /// Step in it.
        step: u32,
    },
    /// Somebody else migrates.
    #[error("`{owner}` is migrating the tables: wait for it, or a minute if it was killed, and try again")]
    Locked {
        /// Who.
        owner: String,
    },
    /// The lock ran out under us, and somebody else may have it.
    #[error("the migration's lock was lost: run `atalaia migrate` again")]
    LockLost,
    /// The servers answered something else than was asked for.
    #[error("{what}: the servers' answer is not understood")]
    Answer {
        /// What was being done.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A conditional write whose outcome cannot be told.
    #[error(
        "a conditional write was not answered, and what stands there now does not tell whether it counted: read it again"
    )]
    OutcomeUnknown,
    /// A request failed.
    #[error("{what}")]
    Request {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: Box<ExecutionError>,
    },
    /// It did not succeed in the time it had.
    #[error("{what}: no success within {seconds} s")]
    TooLate {
        /// What was being done.
        what: &'static str,
        /// How long was tried.
        seconds: u64,
        /// The last failure.
        #[source]
        source: Box<ExecutionError>,
    },
}

impl CqlError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Locked { .. } | Self::LockLost | Self::OutcomeUnknown => true,
            Self::Session(error) => !matches!(**error, NewSessionError::IllegalConfig(_)) && !is_refused_login(error),
            Self::Request { source, .. } | Self::TooLate { source, .. } => is_transient(source),
            Self::Config { .. }
            | Self::NoKeyspace { .. }
            | Self::TooOld { .. }
            | Self::TooNew { .. }
            | Self::OtherText { .. }
            | Self::Answer { .. } => false,
        }
    }

    pub(crate) fn answer(what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        Self::Answer { what, source }
    }
}

impl From<CqlError> for StoreError {
    fn from(error: CqlError) -> Self {
        let context = error.to_string();
        let transient = error.is_transient();
        // The driver's error is what stands behind ours, whose text is the context already.
        let source = match error {
            CqlError::Request { source, .. } | CqlError::TooLate { source, .. } => source as Box<_>,
            CqlError::Session(source) => source as Box<_>,
            CqlError::Answer { source, .. } => source,
            other => other.into(),
        };
        if transient {
            Self::Away { context, source }
        } else {
            Self::Engine { context, source }
        }
    }
}

/// Whether the servers do not know us; said in words, for the driver keeps it deep inside.
fn is_refused_login(error: &NewSessionError) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.to_string().to_lowercase().contains("authenticat") {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whether a request may succeed later as it is.
pub(crate) fn is_transient(error: &ExecutionError) -> bool {
    kind(error).1
}

/// The kind of a failure for counting, and whether it passes by itself.
pub(crate) fn kind(error: &ExecutionError) -> (&'static str, bool) {
    match error {
        ExecutionError::LastAttemptError(error) => kind_of_attempt(error),
        ExecutionError::RequestTimeout(_) => ("client_timeout", true),
        ExecutionError::ConnectionPoolError(_)
        | ExecutionError::PrepareError(PrepareError::ConnectionPoolError(
            ConnectionPoolError::Broken { .. } | ConnectionPoolError::Initializing,
        )) => ("no_connection", true),
        // All nodes are down: the plan holds those that are up.
        ExecutionError::EmptyPlan => ("no_node", true),
        ExecutionError::PrepareError(PrepareError::AllAttemptsFailed { first_attempt }) => {
            kind_of_attempt(first_attempt)
        }
        ExecutionError::SchemaAgreementError(SchemaAgreementError::Timeout(_)) => ("no_schema_agreement", true),
        ExecutionError::SchemaAgreementError(_) | ExecutionError::MetadataError(_) => ("metadata", true),
        _ => ("bad_request", false),
    }
}

fn kind_of_attempt(error: &RequestAttemptError) -> (&'static str, bool) {
    match error {
        RequestAttemptError::DbError(error, _) => kind_of_answer(error),
        RequestAttemptError::BrokenConnectionError(BrokenConnectionError { .. }) => ("broken_connection", true),
        RequestAttemptError::UnableToAllocStreamId => ("no_stream", true),
        RequestAttemptError::SerializationError(_) | RequestAttemptError::CqlRequestSerialization(_) => {
            ("bad_request", false)
        }
        _ => ("bad_answer", true),
    }
}

fn kind_of_answer(error: &DbError) -> (&'static str, bool) {
    match error {
        DbError::Unavailable { .. } => ("unavailable", true),
        DbError::Overloaded | DbError::RateLimitReached { .. } => ("overloaded", true),
        DbError::IsBootstrapping => ("bootstrapping", true),
        DbError::ReadTimeout { .. } => ("read_timeout", true),
        DbError::WriteTimeout { .. } => ("write_timeout", true),
        DbError::ReadFailure { .. } => ("read_failure", true),
        DbError::WriteFailure { .. } => ("write_failure", true),
        DbError::TruncateError => ("truncate", true),
        DbError::ServerError => ("server_error", true),
        DbError::Unprepared { .. } => ("unprepared", true),
        DbError::Unauthorized | DbError::AuthenticationError => ("unauthorized", false),
        _ => ("refused", false),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_passes_by_itself_is_away_and_the_rest_is_not() {
        let answered =
            |error: DbError| ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, "x".into()));
        let check = |error: ExecutionError, expected: bool| {
            let what = "writing rows";
            let error: StoreError = CqlError::Request {
                what,
                source: Box::new(error),
            }
            .into();
            assert_eq!(error.is_transient(), expected, "{error:?}");
            assert_eq!(error.to_string(), "writing rows");
        };
        check(answered(DbError::Overloaded), true);
        check(answered(DbError::ServerError), true);
        check(ExecutionError::RequestTimeout(Duration::from_secs(1)), true);
        check(ExecutionError::EmptyPlan, true);
        check(answered(DbError::Invalid), false);
        check(answered(DbError::SyntaxError), false);
        check(answered(DbError::Unauthorized), false);
    }
}
