//! When which list of one system is read. Instants in, the next read out; no clock, no network.
//!
//! A list is due again an interval after it was begun, but not before it has rested as long as it took: a slow system is asked for
//! half of the time at most. A read of all measures is one of the critical ones too.

use std::time::{Duration, Instant};

/// When a list that failed is read again, at the latest.
const RETRY: Duration = Duration::from_secs(30);

/// One list to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The inventory.
    Cards,
    /// The alarms.
    Alarms,
    /// All measures.
    Normal,
    /// The measures of the quick tier.
    Critical,
}

impl Task {
    /// All of them, in the order in which they begin: cards first, so that what follows is of known ones.
    pub const ALL: [Self; 4] = [Self::Cards, Self::Alarms, Self::Normal, Self::Critical];

    /// The list's word in metrics and records.
    pub fn list(self) -> &'static str {
        match self {
            Self::Cards => "cards",
            Self::Alarms => "alarms",
            Self::Normal | Self::Critical => "measures",
        }
    }
}

/// From the beginning of a read to the next one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// Measures of the quick tier.
    pub critical: Duration,
    /// All measures.
    pub normal: Duration,
    /// Alarms.
    pub alarms: Duration,
    /// The inventory.
    pub inventory: Duration,
}

impl Intervals {
    fn of(&self, task: Task) -> Duration {
        match task {
            Task::Cards => self.inventory,
            Task::Alarms => self.alarms,
            Task::Normal => self.normal,
            Task::Critical => self.critical,
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

/// The plan of one system.
#[derive(Debug, Clone)]
pub struct Plan {
    intervals: Intervals,
    due: [Instant; 4],
}

impl Plan {
    /// Everything is due at `start`.
    pub fn new(intervals: Intervals, start: Instant) -> Self {
        let due = [start; 4];
        Self { intervals, due }
    }

    /// What to do at `now`: of what is due, what waits longest.
    pub fn next(&self, now: Instant) -> Next {
        let tasks = Task::ALL
            .into_iter()
            .map(|task| (self.due[task as usize], task as usize, task));
        let (due, _, task) = tasks
            .min_by_key(|(due, order, _)| (*due, *order))
            .expect("there are four");
        if due <= now { Next::Read(task) } else { Next::Wait(due) }
    }

    /// A read that began at `begun` is over at `ended`.
    pub fn done(&mut self, task: Task, begun: Instant, ended: Instant) {
        let took = ended.saturating_duration_since(begun);
        let again = |plan: &mut Self, task: Task| {
            plan.due[task as usize] = (begun + plan.intervals.of(task)).max(ended + took);
        };
        again(self, task);
        if task == Task::Normal {
            again(self, Task::Critical);
        }
    }

    /// A read failed, and may go better later.
    pub fn failed(&mut self, task: Task, ended: Instant) {
        self.due[task as usize] = ended + self.intervals.of(task).min(RETRY);
    }

    /// This list is due now.
    pub fn at_once(&mut self, task: Task, now: Instant) {
        self.due[task as usize] = now;
    }

    /// Nothing is read before this instant: the system does not answer.
    pub fn rest(&mut self, until: Instant) {
        for due in &mut self.due {
            *due = (*due).max(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tier_has_its_interval_and_a_slow_system_its_rest() {
        let start = Instant::now();
        let s = Duration::from_secs;
        let at = |seconds| start + s(seconds);
        let intervals = Intervals {
            critical: s(30),
            normal: s(300),
            alarms: s(60),
            inventory: s(3_600),
        };
        let mut plan = Plan::new(intervals, start);
        for task in [Task::Cards, Task::Alarms, Task::Normal] {
            assert_eq!(plan.next(start), Next::Read(task));
            plan.done(task, start, at(1));
        }
        assert_eq!(
            plan.next(at(1)),
            Next::Wait(at(30)),
            "all measures were the critical ones too"
        );
        assert_eq!(plan.next(at(30)), Next::Read(Task::Critical));
        plan.done(Task::Critical, at(30), at(55));
        assert_eq!(plan.next(at(60)), Next::Read(Task::Alarms));
        plan.failed(Task::Alarms, at(61));
        assert_eq!(plan.next(at(62)), Next::Wait(at(80)), "rested as long as it took");
        plan.rest(at(200));
        assert_eq!(plan.next(at(90)), Next::Wait(at(200)));
    }
}
