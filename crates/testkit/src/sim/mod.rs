//! The schedule simulation: the production stream thread over a simulated log, under a seeded scheduler that crashes,
//! pauses, expels and rebalances; what is left at the end is compared with a crash-free oracle.

mod chain;
mod oracle;
mod schedule;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use runtime::{Chain, Mutation};
use schemas::{AnyRecord, Codec};

pub use chain::{TestChain, TestEvent};

use crate::cluster::{CrashAt, LogFault};
use crate::rng::Rng;

/// What is simulated: a chain, and an input for it. The network's chain joins here.
pub trait Subject: Clone + Send + Sync + 'static {
    /// What its steps hand to each other.
    type Event: Send + 'static;

    /// A new chain without state.
    fn chain(&self) -> Chain<Self::Event>;

    /// The next record for `observations`, and the root it is about (its key).
    fn input(&self, rng: &mut Rng) -> (String, AnyRecord);
}

/// One guard removed from the engine, the log or the reader: the simulation must notice each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Mutant {
    None,
    IdByRunningIndex,
    IdsOutOfKeyOrder,
    CommitBeforeFastAcks,
    PositionOutsideCommit,
    RestoreReadsOpenCommit,
    ReaderWithoutIdRule,
    LosesFastOutput,
    TickBeforeCaughtUp,
    NoWriterDedupe,
    LaterEventsSkipped,
}

impl Mutant {
    /// All that must be caught.
    pub const ALL: &'static [Self] = &[
        Self::IdByRunningIndex,
        Self::IdsOutOfKeyOrder,
        Self::CommitBeforeFastAcks,
        Self::PositionOutsideCommit,
        Self::RestoreReadsOpenCommit,
        Self::ReaderWithoutIdRule,
        Self::LosesFastOutput,
        Self::TickBeforeCaughtUp,
        Self::NoWriterDedupe,
        Self::LaterEventsSkipped,
    ];

    fn of_engine(self) -> Mutation {
        match self {
            Self::IdByRunningIndex => Mutation::IdByRunningIndex,
            Self::IdsOutOfKeyOrder => Mutation::IdsOutOfKeyOrder,
            Self::TickBeforeCaughtUp => Mutation::TickBeforeCaughtUp,
            Self::NoWriterDedupe => Mutation::NoWriterDedupe,
            Self::LaterEventsSkipped => Mutation::LaterEventsSkipped,
            _ => Mutation::None,
        }
    }

    fn of_log(self) -> LogFault {
        match self {
            Self::CommitBeforeFastAcks => LogFault::CommitBeforeFastAcks,
            Self::PositionOutsideCommit => LogFault::PositionOutsideCommit,
            Self::RestoreReadsOpenCommit => LogFault::RestoreReadsOpenCommit,
            Self::LosesFastOutput => LogFault::LosesFastOutput,
            _ => LogFault::None,
        }
    }
}

/// What is wrong at the end of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A reader of a fast topic with the id rule saw other records than it should.
    FastContent,
    /// The same content under other ids.
    FastIds,
    /// One id with two contents.
    Repeat,
    /// An exact topic.
    Exact,
    /// The state.
    Changelog,
    /// The group's position.
    Position,
    /// A call the log's contract forbids.
    Contract,
    /// It does not come to an end.
    Stuck,
    /// Something panicked that should not.
    Panic,
}

/// One violation.
#[derive(Debug, Clone)]
pub struct Violation {
    /// The schedule: `SEED=… cargo test -p testkit --test sim` runs it alone.
    pub seed: u64,
    /// What.
    pub kind: Kind,
    /// In words.
    pub text: String,
}

/// What a number of schedules showed.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Schedules run.
    pub schedules: u64,
    /// Records of their inputs, ticks included.
    pub records: u64,
    /// Fewest records of a schedule.
    pub records_min: u64,
    /// Crashes, by the place.
    pub crashes: BTreeMap<CrashAt, u64>,
    /// Crashes between turns.
    pub crashes_between: u64,
    /// Fewest crashes of a schedule.
    pub crashes_min: u64,
    /// Owners taken for dead while alive.
    pub zombies: u64,
    /// Orderly rebalances.
    pub rebalances: u64,
    /// What was wrong.
    pub violations: Vec<Violation>,
}

impl Report {
    fn add(&mut self, other: Self) {
        let first = self.schedules == 0;
        let least = |mine: u64, theirs: u64| if first { theirs } else { mine.min(theirs) };
        self.records_min = least(self.records_min, other.records_min);
        self.crashes_min = least(self.crashes_min, other.crashes_min);
        self.schedules += other.schedules;
        self.records += other.records;
        self.crashes_between += other.crashes_between;
        self.zombies += other.zombies;
        self.rebalances += other.rebalances;
        for (at, n) in other.crashes {
            *self.crashes.entry(at).or_default() += n;
        }
        self.violations.extend(other.violations);
    }
}

/// Runs the schedules of these seeds, on all cores. Stops early once `enough` violations are found.
pub fn run<S: Subject>(subject: &S, seeds: Range<u64>, mutant: Mutant, enough: usize) -> Report {
    keep_quiet_about_poison();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = u64::try_from(threads).unwrap_or(1);
    let mut report = Report::default();
    std::thread::scope(|scope| {
        let shares: Vec<_> = (0..threads)
            .map(|thread| {
                let seeds = seeds.clone().filter(move |seed| seed % threads == thread);
                scope.spawn(move || {
                    let mut share = Report::default();
                    for seed in seeds {
                        share.add(schedule::run(subject, seed, mutant));
                        if share.violations.len() >= enough {
                            break;
                        }
                    }
                    share
                })
            })
            .collect();
        for share in shares {
            let share = share.join().expect("a schedule catches its own panics");
            if share.schedules > 0 {
                report.add(share);
            }
        }
    });
    report
}

/// The codec of every simulation and driver: schemas are parsed once.
pub(crate) fn codec() -> Arc<Codec> {
    static CODEC: OnceLock<Arc<Codec>> = OnceLock::new();
    CODEC.get_or_init(|| Arc::new(Codec::standalone())).clone()
}

/// The engine catches the panics that an input provokes on purpose; they need not be printed by the thousand.
fn keep_quiet_about_poison() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let said = info.payload().downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| info.payload().downcast_ref::<&str>().copied());
            if said != Some(chain::POISON) {
                before(info);
            }
        }));
    });
}
