//! A named point at which a test kills the process, armed as those of the log are.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

/// Environment variable that arms one point: `NAME` or `NAME:n` for the nth passage. For tests only. The same as the log's.
pub const CRASH_AT_ENV: &str = "ATALAIA_TEST_CRASH_AT";
/// The point inside a migration: a statement has been executed, and is not written down yet.
pub const INSIDE_MIGRATION: &str = "inside-migration";

/// Ends the process with SIGKILL if this passage of the point is armed.
pub(crate) fn inside_migration() {
    static LEFT: OnceLock<Option<AtomicI64>> = OnceLock::new();
    let left = LEFT.get_or_init(|| {
        let text = std::env::var(CRASH_AT_ENV).ok()?;
        let (name, nth) = text.split_once(':').unwrap_or((&text, "1"));
        (name == INSIDE_MIGRATION).then(|| nth.parse().ok().map(AtomicI64::new))?
    });
    if left
        .as_ref()
        .is_some_and(|left| left.fetch_sub(1, Ordering::Relaxed) == 1)
    {
        if let Err(error) = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL) {
            tracing::error!(%error, "cannot kill this process at the armed point");
        }
        std::process::abort();
    }
}
