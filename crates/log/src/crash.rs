//! Named points at which a test kills the process: the hard way to show that nothing is lost there.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use rustix::process::{Signal, getpid, kill_process};

/// Environment variable that arms one point: `NAME` or `NAME:n` for the nth passage; `stop:NAME` or `stop:NAME:n` pauses the
/// process there instead of ending it, until somebody continues it. For tests only.
pub const CRASH_AT_ENV: &str = "ATALAIA_TEST_CRASH_AT";

/// A place between two effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum CrashPoint {
    AfterInformAppendBeforeAnswer,
    BeforeCommit,
    InsideCommit,
    AfterCommit,
    DuringRestore,
    PersistBetweenRowsAndPosition,
    AfterFastSend,
    AfterAcknowledgements,
    AfterExactSends,
    AfterSendOffsets,
    InsideRevoke,
}

impl CrashPoint {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::AfterInformAppendBeforeAnswer,
        Self::BeforeCommit,
        Self::InsideCommit,
        Self::AfterCommit,
        Self::DuringRestore,
        Self::PersistBetweenRowsAndPosition,
        Self::AfterFastSend,
        Self::AfterAcknowledgements,
        Self::AfterExactSends,
        Self::AfterSendOffsets,
        Self::InsideRevoke,
    ];

    /// Its name in the environment variable.
    pub fn name(self) -> &'static str {
        match self {
            Self::AfterInformAppendBeforeAnswer => "after-inform-append-before-answer",
            Self::BeforeCommit => "before-commit",
            Self::InsideCommit => "inside-commit",
            Self::AfterCommit => "after-commit",
            Self::DuringRestore => "during-restore",
            Self::PersistBetweenRowsAndPosition => "persist-between-rows-and-position",
            Self::AfterFastSend => "after-fast-send",
            Self::AfterAcknowledgements => "after-acknowledgements",
            Self::AfterExactSends => "after-exact-sends",
            Self::AfterSendOffsets => "after-send-offsets",
            Self::InsideRevoke => "inside-revoke",
        }
    }
}

struct Armed {
    point: CrashPoint,
    signal: Signal,
    passages_left: AtomicI64,
}

/// Ends the process with SIGKILL (or pauses it) if this passage of this point is armed; otherwise costs one load.
pub fn crash_point(point: CrashPoint) {
    let Some(armed) = armed(point) else { return };
    if armed.passages_left.fetch_sub(1, Ordering::Relaxed) != 1 {
        return;
    }
    if let Err(error) = kill_process(getpid(), armed.signal) {
        tracing::error!(%error, "cannot signal this process at the armed point");
        std::process::abort();
    }
    if armed.signal == Signal::KILL {
        std::process::abort();
    }
    // Another thread may be the one that takes it, and on a busy machine late: this one must not run on until then.
    while is_pending(armed.signal) {
        std::thread::yield_now();
    }
}

/// Whether this process has been sent a signal that none of its threads has taken yet.
fn is_pending(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}

/// Whether some passage of this point is armed: where a point inside a call has to be prepared.
pub fn crash_armed(point: CrashPoint) -> bool {
    armed(point).is_some()
}

fn armed(point: CrashPoint) -> Option<&'static Armed> {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| {
        let text = std::env::var(CRASH_AT_ENV).ok()?;
        let (signal, text) = match text.strip_prefix("stop:") {
            Some(text) => (Signal::STOP, text),
            None => (Signal::KILL, &*text),
        };
        let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
        let point = CrashPoint::ALL.iter().copied().find(|p| p.name() == name)?;
        Some(Armed {
            point,
            signal,
            passages_left: AtomicI64::new(nth.parse().ok()?),
        })
    });
    armed.as_ref().filter(|armed| armed.point == point)
}
