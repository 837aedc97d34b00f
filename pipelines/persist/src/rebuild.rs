//! The store again from the log: views are disposable.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{Log, LogError};
use store::Store;
use store::rows::DERIVED_TABLES;
use tokio::runtime::Handle;
use tokio::sync::watch;
use topology::Group;

use crate::PersistError;
use crate::session::{Context, Session, Stepped};
use crate::status::PersistStatus;

/// How long the partitions may take to be ours.
const JOIN_DEADLINE: Duration = Duration::from_secs(30);
const WAIT: Duration = Duration::from_millis(200);

/// What a rebuild did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RebuildCounts {
    /// Records read.
    pub records: u64,
    /// Rows written.
    pub rows: u64,
}

/// Forgets how far persist is, empties every table that comes from the log (users stay), and reads the topics again up to
/// where they end now. Blocks. No persist may run beside it: stop it first. If it ends half-way, a persist that is started
/// goes on with it.
///
/// # Errors
/// When log or store fail, or another member of the group keeps the partitions.
pub fn rebuild(log: Arc<dyn Log>, store: Arc<dyn Store>, runtime: Handle) -> Result<RebuildCounts, PersistError> {
    let (_never, stopping) = watch::channel(false);
    let context = Context {
        log: Arc::clone(&log),
        store: Arc::clone(&store),
        runtime: runtime.clone(),
        thread: 0,
        status: Arc::new(PersistStatus::new(1)),
        stopping,
        sends_letters: false,
    };
    let mut session = Session::new(&context, 1)?;
    own_all(&mut session, &*log)?;
    // In this order: a crash after the first leaves rows that are written again.
    session.rewind()?;
    runtime.block_on(store.wipe(DERIVED_TABLES))?;

    let mut ends = BTreeMap::new();
    for topic in Group::Persist.spec().reads {
        for (partition, end) in (0..).zip(log.ends(*topic)?) {
            ends.insert((*topic, partition), end);
        }
    }
    let mut counts = RebuildCounts::default();
    while session
        .positions()
        .iter()
        .any(|(key, next)| ends.get(key).is_some_and(|end| next < end))
    {
        match session.step(WAIT)? {
            Stepped::Did { records, rows } => {
                counts.records += records;
                counts.rows += rows;
            }
            Stepped::Idle if session.waits() => {}
            // Offsets have gaps: nothing left below the ends.
            Stepped::Idle | Stepped::Stopped => break,
        }
    }
    Ok(counts)
}

fn own_all(session: &mut Session<'_>, log: &dyn Log) -> Result<(), PersistError> {
    let partitions = usize::try_from(log.partitions()).unwrap_or(usize::MAX);
    let wanted = Group::Persist.spec().reads.len() * partitions;
    let deadline = Instant::now() + JOIN_DEADLINE;
    while session.positions().len() < wanted {
        session.join(WAIT)?;
        if Instant::now() >= deadline {
            return Err(LogError::Timeout(JOIN_DEADLINE).into());
        }
    }
    Ok(())
}
