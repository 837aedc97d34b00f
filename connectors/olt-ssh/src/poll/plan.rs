//! When what is read of one OLT. Instants in, the next read out; no clock, no network.
//!
//! - One read at a time: of those that are due, optical levels last, then the one that waits longest.
//! - A read is due again an interval after it began, but a box that answers slowly has its rest: each kind of read takes at
//!   most a tenth of its time, all together at most half of it.
//! - The ports' optical levels are spread over their interval.
//! - What a version does not know is left alone for a day.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::decode::PortPlace;

/// Rest of a kind of read after its end, in times of what it took: a tenth of the time is for it.
const REST: u32 = 9;
/// Longest pause after a read before another one.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// When a read that failed is tried again, at the latest.
const RETRY: Duration = Duration::from_secs(30);
/// When a command that the device did not know is tried again: it may have another version by then.
const UNKNOWN: Duration = Duration::from_secs(86_400);

/// One read of an OLT. In the order in which they begin on a new session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Task {
    /// Product, version, uptime.
    System,
    /// The boards.
    Boards,
    /// Every ONU's state.
    State,
    /// ONUs that wait to be provisioned.
    Autofind,
    /// Active alarms.
    Alarms,
    /// Every ONU's full description and configuration state.
    Inventory,
    /// Optical levels of the ONUs of a port.
    Optics(PortPlace),
}

impl Task {
    /// The word in metrics and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Boards => "boards",
            Self::State => "onu_table",
            Self::Autofind => "autofind",
            Self::Alarms => "alarms",
            Self::Inventory => "inventory",
            Self::Optics(_) => "optics",
        }
    }

    fn is_optics(self) -> bool {
        matches!(self, Self::Optics(_))
    }
}

/// From the beginning of a read to the next one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// Every ONU's state.
    pub state: Duration,
    /// Optical levels of a port.
    pub optics: Duration,
    /// Active alarms.
    pub alarms: Duration,
    /// ONUs that wait.
    pub autofind: Duration,
    /// Boards, version, full descriptions.
    pub inventory: Duration,
}

impl Intervals {
    fn of(&self, task: Task) -> Duration {
        match task {
            Task::System | Task::Boards | Task::Inventory => self.inventory,
            Task::State => self.state,
            Task::Autofind => self.autofind,
            Task::Alarms => self.alarms,
            Task::Optics(_) => self.optics,
        }
    }
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// This read.
    Read(Task),
    /// Nothing before this instant.
    Wait(Instant),
}

/// The plan of one OLT.
#[derive(Debug, Clone)]
pub struct Plan {
    intervals: Intervals,
    due: BTreeMap<Task, Instant>,
    /// The box rests until then.
    rests_until: Instant,
}

impl Plan {
    /// Everything but optical levels is due at `start`; those are once the ports are known.
    pub fn new(intervals: Intervals, start: Instant) -> Self {
        let all = [
            Task::System,
            Task::Boards,
            Task::State,
            Task::Autofind,
            Task::Alarms,
            Task::Inventory,
        ];
        Self {
            intervals,
            due: all.into_iter().map(|task| (task, start)).collect(),
            rests_until: start,
        }
    }

    /// What to do at `now`. A read that is due within `ahead` is done at once: where a session has to be given back soon, it
    /// is used for what would need another one.
    pub fn next(&self, now: Instant, ahead: Duration) -> Next {
        let ready = self.due.iter().filter(|(_, due)| **due <= now + ahead);
        let first = ready.min_by_key(|(task, due)| (task.is_optics(), **due, **task));
        match first {
            Some((task, _)) if self.rests_until <= now => Next::Read(*task),
            Some(_) => Next::Wait(self.rests_until),
            None => {
                let earliest = self.due.values().min().copied();
                Next::Wait(earliest.unwrap_or(now + RETRY).max(self.rests_until))
            }
        }
    }

    /// A read that began at `begun` is over at `ended`.
    pub fn done(&mut self, task: Task, begun: Instant, ended: Instant) {
        let took = ended.saturating_duration_since(begun);
        self.again(task, (begun + self.intervals.of(task)).max(ended + took * REST));
        self.rest(took, ended);
    }

    /// A read failed, and may go better later: after `retry_after`, if the device or the failure says when.
    pub fn failed(&mut self, task: Task, begun: Instant, ended: Instant, retry_after: Option<Duration>) {
        let soon = self.intervals.of(task).min(RETRY);
        self.again(task, ended + retry_after.unwrap_or(soon));
        self.rest(ended.saturating_duration_since(begun), ended);
    }

    /// The device does not know the command.
    pub fn unknown(&mut self, task: Task, now: Instant) {
        self.again(task, now + UNKNOWN);
    }

    /// The device has another version than before: what the old one did not know is tried again.
    pub fn renewed(&mut self, now: Instant) {
        for (task, due) in &mut self.due {
            *due = (*due).min(now + self.intervals.of(*task));
        }
    }

    /// The ports whose optical levels are read from now on: new ones one after the other over the interval.
    pub fn ports(&mut self, ports: &BTreeSet<PortPlace>, now: Instant) {
        self.due
            .retain(|task, _| !matches!(task, Task::Optics(port) if !ports.contains(port)));
        let new: Vec<_> = ports
            .iter()
            .map(|port| Task::Optics(*port))
            .filter(|task| !self.due.contains_key(task))
            .collect();
        let count = u32::try_from(new.len()).unwrap_or(u32::MAX).max(1);
        for (n, task) in (0..).zip(new) {
            self.due.insert(task, now + self.intervals.optics / count * n);
        }
    }

    /// Unless it is gone: a port may be while its levels are read.
    fn again(&mut self, task: Task, at: Instant) {
        if let Some(due) = self.due.get_mut(&task) {
            *due = at;
        }
    }

    fn rest(&mut self, took: Duration, ended: Instant) {
        self.rests_until = ended + took.min(PAUSE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVALS: Intervals = Intervals {
        state: Duration::from_secs(60),
        optics: Duration::from_secs(300),
        alarms: Duration::from_secs(60),
        autofind: Duration::from_secs(60),
        inventory: Duration::from_secs(3_600),
    };

    fn port(port: u8) -> PortPlace {
        PortPlace {
            frame: 0,
            slot: 1,
            port,
        }
    }

    /// Plays `seconds` of a box that takes `took` for each read; what was read when, in seconds.
    fn play(plan: &mut Plan, start: Instant, seconds: u64, took: impl Fn(Task) -> Duration) -> Vec<(u64, Task)> {
        let mut now = start;
        let mut read = Vec::new();
        while now < start + Duration::from_secs(seconds) {
            match plan.next(now, Duration::ZERO) {
                Next::Wait(until) => {
                    assert!(until > now, "waits for the past");
                    now = until;
                }
                Next::Read(task) => {
                    read.push(((now - start).as_secs(), task));
                    let ended = now + took(task);
                    plan.done(task, now, ended);
                    now = ended;
                }
            }
        }
        read
    }

    fn count(read: &[(u64, Task)], wanted: impl Fn(Task) -> bool) -> usize {
        read.iter().filter(|(_, task)| wanted(*task)).count()
    }

    #[test]
    fn each_kind_keeps_its_interval_and_the_first_round_its_order() {
        let start = Instant::now();
        let mut plan = Plan::new(INTERVALS, start);
        plan.ports(&BTreeSet::from([port(0), port(1), port(2)]), start);
        let read = play(&mut plan, start, 3_600, |_| Duration::from_millis(500));
        let first: Vec<_> = read.iter().take(6).map(|(_, task)| *task).collect();
        assert_eq!(
            first,
            [
                Task::System,
                Task::Boards,
                Task::State,
                Task::Autofind,
                Task::Alarms,
                Task::Inventory
            ]
        );
        assert_eq!(count(&read, |task| task == Task::State), 60);
        assert_eq!(count(&read, |task| task == Task::Inventory), 1);
        assert_eq!(count(&read, Task::is_optics), 36);
        let of = |n| read.iter().find(|(_, task)| *task == Task::Optics(port(n))).unwrap().0;
        assert!(of(1) >= 100 && of(2) >= 200, "spread over the interval");
    }

    #[test]
    fn a_slow_box_is_asked_less_often() {
        let start = Instant::now();
        let mut plan = Plan::new(INTERVALS, start);
        let ports: BTreeSet<_> = (0..128).map(port).collect();
        plan.ports(&ports, start);
        let took = |task: Task| Duration::from_secs(if task.is_optics() { 10 } else { 15 });
        let hours = 4;
        let read = play(&mut plan, start, hours * 3_600, took);
        let busy: Duration = read.iter().map(|(_, task)| took(*task)).sum();
        assert!(busy <= Duration::from_secs(hours * 1_800 + 60), "{busy:?}");
        let states = count(&read, |task| task == Task::State);
        // A tenth of the time: every 150 s instead of every 60 s; not starved by 128 late ports.
        assert!((80..=96).contains(&states), "{states}");
        let ports_read: BTreeSet<_> = read.iter().filter(|(_, task)| task.is_optics()).collect();
        assert!(ports_read.len() >= 128, "every port has its turn: {}", ports_read.len());
    }

    #[test]
    fn what_fails_is_tried_again_and_what_is_unknown_only_with_another_version() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut plan = Plan::new(INTERVALS, start);
        for task in [Task::Boards, Task::State, Task::Autofind, Task::Alarms, Task::Inventory] {
            plan.done(task, start, start);
        }
        plan.failed(Task::System, start, start + second, None);
        assert_eq!(
            plan.next(start + second, Duration::ZERO),
            Next::Wait(start + second * 31)
        );
        plan.failed(Task::System, start, start, Some(second * 10));
        assert_eq!(
            plan.next(start + second, Duration::ZERO),
            Next::Wait(start + second * 10)
        );
        plan.unknown(Task::System, start);
        plan.unknown(Task::State, start);
        assert_eq!(
            plan.next(start + second * 60, Duration::ZERO),
            Next::Read(Task::Autofind)
        );
        let read = play(&mut plan, start + second * 60, 3_000, |_| Duration::ZERO);
        assert_eq!(count(&read, |task| matches!(task, Task::System | Task::State)), 0);
        plan.renewed(start + second * 4_000);
        let read = play(&mut plan, start + second * 4_000, 70, |_| Duration::ZERO);
        assert_eq!(count(&read, |task| task == Task::State), 1);
    }

    #[test]
    fn a_session_that_goes_soon_is_used_for_what_is_due_soon() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut plan = Plan::new(INTERVALS, start);
        play(&mut plan, start, 1, |_| Duration::ZERO);
        assert_eq!(
            plan.next(start + second * 40, Duration::ZERO),
            Next::Wait(start + second * 60)
        );
        assert_eq!(plan.next(start + second * 40, second * 20), Next::Read(Task::State));
        assert_eq!(
            plan.next(start + second * 40, second * 19),
            Next::Wait(start + second * 60)
        );
    }

    #[test]
    fn a_port_that_is_gone_is_read_no_more() {
        let start = Instant::now();
        let mut plan = Plan::new(INTERVALS, start);
        plan.ports(&BTreeSet::from([port(0), port(1)]), start);
        plan.ports(&BTreeSet::from([port(1)]), start);
        plan.done(Task::Optics(port(0)), start, start);
        let read = play(&mut plan, start, 1_000, |_| Duration::ZERO);
        assert_eq!(count(&read, |task| task == Task::Optics(port(0))), 0);
        assert!(count(&read, |task| task == Task::Optics(port(1))) >= 3);
    }
}
