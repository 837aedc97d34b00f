//! Network life from a seed: which OLT says what, when, and what a right board shows after it.
//!
//! The script is an endless, ordered stream of [`Happening`]s in real time from the start. An ONU, a PON port and a
//! board take part in one incident at a time, and rest between two, so that each expectation stands alone.

mod incidents;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use model::{Cause, EntityId, Kind, State};

use crate::dice::Dice;
use crate::network::Network;
use crate::simulation::SimConfig;
use crate::trap::Trap;

/// Traps of a quick start are spread so far, and a burst is never denser: 2,000 ONUs are told in 1.8 s.
const PER_SECOND_MAX: u32 = 1_200;
/// Between two traps of one entity: more than the hundredth of a second in which sysUpTime counts.
const APART: Duration = Duration::from_millis(50);
/// Between two incidents of one ONU: more than the 10 s in which a dying gasp explains a loss of signal.
const REST: Duration = Duration::from_secs(15);
/// Between two restarts of one OLT: more than the 5 min by which a listener tells one boot of a sender from another.
const BETWEEN_RESTARTS: Duration = Duration::from_secs(330);

/// What a right board shows of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth {
    /// Its state.
    pub state: State,
    /// Why, where it is out of service and the traps tell. A failed board's do not.
    pub cause: Option<Cause>,
}

impl Truth {
    const ONLINE: Self = Self {
        state: State::Online,
        cause: None,
    };

    const fn offline(cause: Cause) -> Self {
        Self {
            state: State::Offline,
            cause: Some(cause),
        }
    }
}

/// One trap of the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When, from the start of the simulation, in real time. Never before the one in front of it.
    pub at: Duration,
    /// Which OLT says it: index into [`Network::olts`].
    pub olt: usize,
    /// What it says.
    pub trap: Trap,
    /// What a right board shows from then on; `None` where the trap changes no state.
    pub expect: Option<(EntityId, Truth)>,
}

/// What is to come, in order.
struct Entry {
    at: Duration,
    order: u64,
    what: What,
}

enum What {
    Say {
        olt: usize,
        trap: Trap,
        truth: Option<Truth>,
    },
    Beat(Beat),
}

/// Each keeps its own time; intervals in seconds of script time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beat {
    /// Something small at one ONU.
    Single,
    /// A cut feeder: a PON port dark.
    FibreCut,
    /// A street without power: ONUs on several ports of a board.
    StreetPower,
    /// A board fails.
    BoardFailure,
    /// An OLT starts again.
    Restart,
    /// A thunderstorm over one OLT.
    Storm,
}

impl Beat {
    /// First time, and from one time to the next.
    const PLAN: [(Self, f64, f64); 6] = [
        (Self::Single, 2.5, 1.0),
        (Self::FibreCut, 20.0, 90.0),
        (Self::StreetPower, 45.0, 150.0),
        (Self::BoardFailure, 75.0, 300.0),
        (Self::Storm, 150.0, 400.0),
        (Self::Restart, 340.0, 600.0),
    ];
}

/// The endless stream of happenings.
pub struct Script {
    network: Arc<Network>,
    speed: f64,
    dice: Dice,
    queue: BinaryHeap<Reverse<Entry>>,
    order: u64,
    /// Until when an entity is taken, and when it may say the next thing.
    onus: Vec<Vec<Clock>>,
    pons: BTreeMap<(usize, u8, u8), Duration>,
    boards: BTreeMap<(usize, u8), Duration>,
    restarted: BTreeMap<usize, Duration>,
    last: Option<Duration>,
    found: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    taken_until: Duration,
    next: Duration,
}

impl Script {
    /// Begins the life of a network.
    pub(crate) fn new(network: Arc<Network>, config: &SimConfig) -> Self {
        let onus = network
            .olts
            .iter()
            .map(|olt| vec![Clock::default(); olt.onus.len()])
            .collect();
        let mut script = Self {
            network,
            speed: config.speed.clamp(0.01, 1_000.0),
            dice: Dice::fork(config.seed, 2),
            queue: BinaryHeap::new(),
            order: 0,
            onus,
            pons: BTreeMap::new(),
            boards: BTreeMap::new(),
            restarted: BTreeMap::new(),
            last: None,
            found: 0,
        };
        let told = script.introduce(config.resumed);
        for (beat, first, _) in Beat::PLAN {
            let at = told + script.real(first - 2.0);
            script.push(at, What::Beat(beat));
        }
        script
    }

    /// Seconds of script time in real time.
    fn real(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64((seconds / self.speed).max(0.0))
    }

    /// A span of real time that stands for `low` to `high` seconds of script time.
    fn some(&mut self, low: f64, high: f64) -> Duration {
        let seconds = self.dice.between(low, high);
        self.real(seconds)
    }

    fn push(&mut self, at: Duration, what: What) {
        self.order += 1;
        self.queue.push(Reverse(Entry {
            at,
            order: self.order,
            what,
        }));
    }

    fn say(&mut self, at: Duration, olt: usize, trap: Trap, truth: Option<Truth>) {
        self.push(at, What::Say { olt, trap, truth });
    }

    /// Something about one ONU, at `at` or as soon after as its last words allow. Returns when.
    fn say_of(&mut self, at: Duration, (olt, onu): (usize, usize), trap: Trap, truth: Option<Truth>) -> Duration {
        let clock = &mut self.onus[olt][onu];
        let at = at.max(clock.next);
        clock.next = at + APART;
        clock.taken_until = clock.taken_until.max(at + REST);
        self.say(at, olt, trap, truth);
        at
    }

    fn beat(&mut self, beat: Beat, now: Duration) {
        match beat {
            Beat::Single => self.single(now),
            Beat::FibreCut => self.fibre_cut(now),
            Beat::StreetPower => self.street_power(now),
            Beat::BoardFailure => self.board_failure(now),
            Beat::Restart => self.restart(now),
            Beat::Storm => self.storm(now),
        }
        let (_, _, interval) = Beat::PLAN
            .into_iter()
            .find(|(b, _, _)| *b == beat)
            .expect("every beat is in the plan");
        // Small things happen per customer, large ones per network.
        let interval = match beat {
            Beat::Single => (interval * 2_000.0 / self.onu_count()).clamp(0.02, 2.0),
            _ => interval,
        };
        let at = now + self.some(interval * 0.6, interval * 1.4).max(Duration::from_millis(1));
        self.push(at, What::Beat(beat));
    }

    fn onu_count(&self) -> f64 {
        let count: usize = self.onus.iter().map(Vec::len).sum();
        f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX))
    }

    fn entity(&self, olt: usize, trap: &Trap) -> EntityId {
        let root = &self.network.olts[olt].root;
        match *trap {
            Trap::Onu { place, .. } | Trap::RunState { place, .. } => root.onu(place),
            Trap::PortLos { slot, port, .. } | Trap::Autofind { slot, port, .. } => root.pon(0, slot, port),
            Trap::Board { slot, .. } => root.board(0, slot),
            Trap::ColdStart => root.entity(),
        }
    }
}

impl Iterator for Script {
    type Item = Happening;

    fn next(&mut self) -> Option<Happening> {
        loop {
            let Reverse(Entry { at, what, .. }) = self.queue.pop()?;
            match what {
                What::Beat(beat) => self.beat(beat, at),
                What::Say { olt, trap, truth } => {
                    let floor = self
                        .last
                        .map_or(Duration::ZERO, |last| last + Duration::from_secs(1) / PER_SECOND_MAX);
                    let at = at.max(floor);
                    self.last = Some(at);
                    let entity = self.entity(olt, &trap);
                    let expect = truth.map(|truth| (entity, truth));
                    debug_assert!(
                        expect
                            .as_ref()
                            .is_none_or(|(e, t)| State::allowed(e.kind()).contains(&t.state))
                    );
                    debug_assert!(expect.as_ref().is_none_or(|(e, _)| e.kind() != Kind::Olt));
                    return Some(Happening { at, olt, trap, expect });
                }
            }
        }
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Entry {}
