//! One schedule: everything that can happen to two members and their log, in an order a seed gives.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::{Headers, Record};
use model::{Micros, WriterId};
use runtime::{ChainFactory, CommitPolicy, OnTorn, StreamThread, ThreadConfig};
use topology::{Topic, partition_of};

use super::{Kind, Mutant, Report, Subject, Violation, codec, oracle};
use crate::cluster::{Cluster, CrashAt};
use crate::rng::Rng;

const MEMBERS: usize = 2;
const PARTITIONS: u32 = 2;
/// Records that connectors write, at least.
const RECORDS: usize = 60;
/// Crashes of a schedule, at least.
const CRASHES: u64 = 2;
/// A crash that was armed and has not come about by then happens where the member stands.
const ARMED_STEPS: usize = 60;
/// More steps than any schedule needs.
const STEPS_MAX: usize = 20_000;

struct Schedule<'a, S: Subject> {
    subject: &'a S,
    cluster: Cluster,
    chain: ChainFactory<S::Event>,
    rng: Rng,
    threads: Vec<Option<StreamThread<S::Event>>>,
    /// Steps a member still stands still.
    paused: Vec<usize>,
    inputs: usize,
    writers: Vec<Writer>,
    crashes_left: u64,
    armed_for: usize,
    config: ThreadConfig,
    report: Report,
}

/// A connector's sending thread: what it fears lost it sends again, under the same number.
struct Writer {
    name: String,
    sequence: u64,
    unsure: Vec<Record>,
}

/// Runs one schedule to its end and compares.
pub(super) fn run<S: Subject>(subject: &S, seed: u64, mutant: Mutant) -> Report {
    let ran = catch_unwind(AssertUnwindSafe(|| {
        Schedule::new(subject, seed, mutant).run(seed, mutant)
    }));
    ran.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_default();
        Report {
            schedules: 1,
            violations: vec![Violation {
                seed,
                kind: Kind::Panic,
                text,
            }],
            ..Report::default()
        }
    })
}

impl<'a, S: Subject> Schedule<'a, S> {
    fn new(subject: &'a S, seed: u64, mutant: Mutant) -> Self {
        let mut rng = Rng::new(seed);
        let cluster = Cluster::new(rng.next_u64(), PARTITIONS, MEMBERS, codec());
        cluster.lock().fault = mutant.of_log();
        cluster.lock().set_poll_max(1 + rng.below(8));
        let interval = Duration::from_millis([0, 100, 250][rng.below(3)]);
        let config = ThreadConfig {
            generation: 1,
            partitions: PARTITIONS,
            commit: CommitPolicy {
                slots_max: 5 + rng.below(40),
                ..CommitPolicy::every(interval)
            },
            on_torn: OnTorn::Wait,
            tick_every: Some(Duration::from_secs(1)),
        };
        Self {
            subject,
            cluster,
            chain: {
                let subject = subject.clone();
                Arc::new(move || subject.chain().with_mutation(mutant.of_engine()))
            },
            threads: (0..MEMBERS).map(|_| None).collect(),
            paused: vec![0; MEMBERS],
            inputs: 0,
            writers: (0..2)
                .map(|n| Writer {
                    name: format!("w{n}-0"),
                    sequence: 0,
                    unsure: Vec::new(),
                })
                .collect(),
            crashes_left: CRASHES + rng.next_u64() % 3,
            armed_for: 0,
            config,
            rng,
            report: Report {
                schedules: 1,
                ..Report::default()
            },
        }
    }

    fn run(mut self, seed: u64, mutant: Mutant) -> Report {
        let mut steps = 0;
        while self.inputs < RECORDS || self.crashes_left > 0 || self.cluster.lock().armed().is_some() {
            self.step();
            steps += 1;
            assert!(steps < STEPS_MAX, "a schedule ends");
        }
        let mut wrong: Vec<(Kind, String)> = Vec::new();
        if !self.heal() {
            wrong.push((Kind::Stuck, self.standing()));
        }
        let contract = self.cluster.lock().take_violations();
        wrong.extend(contract.into_iter().map(|text| (Kind::Contract, text)));
        for partition in 0..PARTITIONS {
            wrong.extend(oracle::compare(
                self.subject,
                &self.cluster,
                partition,
                PARTITIONS,
                mutant,
            ));
            self.report.records += self.cluster.read(Topic::Observations, partition).len() as u64;
        }
        self.report.crashes = self.cluster.lock().crashes().clone();
        self.report.records_min = self.inputs as u64;
        self.report.crashes_min = self.report.crashes.values().sum::<u64>() + self.report.crashes_between;
        self.report.violations = wrong
            .into_iter()
            .map(|(kind, text)| Violation { seed, kind, text })
            .collect();
        self.report
    }

    fn step(&mut self) {
        let member = self.rng.below(MEMBERS);
        for paused in &mut self.paused {
            *paused = paused.saturating_sub(1);
        }
        self.watch_armed();
        let free = self.paused[member] == 0;
        match self.rng.below(1_000) {
            0..180 => self.write_input(),
            180..520 if free => self.turn(member),
            520..620 => {
                let some = 1 + self.rng.below(4);
                self.cluster.lock().deliver(member, some);
            }
            620..720 => self.cluster.lock().acknowledge(member),
            720..880 if free => drop(self.cluster.lock().advance_commit(member)),
            880..930 => self.move_clock(),
            930..945 => self.rebalance(),
            945..955 => self.zombie(member),
            955..961 => self.cluster.lock().fail_fast(member),
            961..966 => self.cluster.lock().lose_answer(member),
            966..972 => self.cluster.lock().time_out_transactions(),
            972..1_000 => self.crash_or_start(member),
            _ => {}
        }
    }

    fn write_input(&mut self) {
        let w = self.rng.below(self.writers.len());
        if self.rng.chance(3) {
            // The instance starts again: a new nonce; what it was unsure of is gone or went through.
            let nonce = self.rng.below(1_000);
            self.writers[w] = Writer {
                name: format!("w{w}-{nonce}-{}", self.inputs),
                sequence: 0,
                unsure: Vec::new(),
            };
        }
        if self.rng.chance(10) {
            let again = std::mem::take(&mut self.writers[w].unsure);
            for record in again {
                self.cluster.append(record);
            }
            return;
        }
        let (root, record) = self.subject.input(&mut self.rng);
        let partition = partition_of(&root, PARTITIONS);
        let value = match self.rng.below(50) {
            0 => vec![0, 0, 0, 0, 1, 255, 255],
            1 => Vec::new(),
            _ => codec().encode(&record).expect("subjects make records that encode"),
        };
        let writer = &mut self.writers[w];
        let id = WriterId {
            writer: writer.name.clone(),
            sequence: writer.sequence,
        };
        writer.sequence += 1;
        let record = Record {
            topic: Topic::Observations,
            partition,
            key: Bytes::from(root),
            value: Some(Bytes::from(value)),
            headers: Headers {
                writer: Some(id),
                ..Headers::default()
            },
        };
        if writer.unsure.len() < 4 {
            writer.unsure.push(record.clone());
        }
        self.cluster.append(record);
        self.inputs += 1;
    }

    fn turn(&mut self, member: usize) {
        let Some(thread) = &mut self.threads[member] else {
            return;
        };
        if thread.turn().is_err() {
            // It died in one of its calls.
            self.threads[member] = None;
        }
    }

    fn move_clock(&mut self) {
        let micros = match self.rng.below(40) {
            0 => 95 * Micros::SECOND,
            1 => -2 * Micros::SECOND,
            2..8 => 1_500_000,
            _ => 40_000,
        };
        self.cluster.advance(micros);
    }

    fn rebalance(&mut self) {
        self.report.rebalances += 1;
        self.cluster.lock().rebalance();
    }

    /// A pause, taken for dead or not; between turns, or with what the next poll brings in its hands.
    fn zombie(&mut self, member: usize) {
        self.report.zombies += 1;
        let mut world = self.cluster.lock();
        match self.rng.below(3) {
            0 => world.expel(member),
            1 => world.expel_after_poll(member),
            _ => {}
        }
        drop(world);
        if self.rng.chance(50) {
            self.turn(member);
        }
        self.paused[member] = self.rng.below(80);
        if self.rng.chance(20) {
            self.cluster.lock().time_out_transactions_of(member);
        }
    }

    fn crash_or_start(&mut self, member: usize) {
        if self.threads[member].is_none() {
            self.start(member);
            return;
        }
        if self.crashes_left == 0 || self.cluster.lock().armed().is_some() || self.rng.chance(50) {
            return;
        }
        self.crashes_left -= 1;
        self.armed_for = 0;
        self.paused[member] = 0;
        let at = CrashAt::ALL[self.rng.below(CrashAt::ALL.len())];
        // Some places are rare: bring the member there.
        match at {
            CrashAt::Recover => self.cluster.lock().fail_fast(member),
            CrashAt::Restore | CrashAt::Seek => self.start(member),
            CrashAt::Tick => self.cluster.advance(Micros::SECOND),
            _ => {}
        }
        self.cluster.lock().arm(member, at);
    }

    fn watch_armed(&mut self) {
        let Some((member, _)) = self.cluster.lock().armed() else {
            return;
        };
        self.armed_for += 1;
        if self.rng.chance(60) {
            self.go_on(member);
        }
        // The step may have been the one.
        if self.armed_for > ARMED_STEPS && self.cluster.lock().armed().is_some() {
            self.report.crashes_between += 1;
            self.cluster.lock().crash(member);
            self.threads[member] = None;
        }
    }

    /// Brings a member nearer to where it is to die.
    fn go_on(&mut self, member: usize) {
        match self.rng.below(8) {
            0 => self.write_input(),
            1 => self.cluster.advance(60_000),
            2..4 => self.turn(member),
            _ => {
                let mut world = self.cluster.lock();
                if self.rng.chance(60) {
                    world.deliver(member, usize::MAX);
                    world.acknowledge(member);
                }
                world.advance_commit(member);
            }
        }
    }

    fn start(&mut self, member: usize) {
        if self.threads[member].take().is_some() {
            self.cluster.lock().crash(member);
        }
        let log = Box::new(self.cluster.join(member));
        let clock = Arc::new(self.cluster.clone());
        let codec = self.cluster.codec().clone();
        let source = Box::new(move || codec.clone());
        self.threads[member] = Some(StreamThread::new(log, source, self.chain.clone(), clock, self.config));
    }

    /// Nothing fails any more: everybody comes back, and all is processed. False if it does not come to an end.
    fn heal(&mut self) -> bool {
        self.cluster.lock().set_poll_max(usize::MAX);
        for _ in 0..1_500 {
            self.cluster.advance(30_000);
            for member in 0..MEMBERS {
                if !self.cluster.lock().is_alive(member) {
                    self.threads[member] = None;
                }
                if self.threads[member].is_none() {
                    self.start(member);
                }
                self.turn(member);
                let mut world = self.cluster.lock();
                world.deliver(member, usize::MAX);
                world.acknowledge(member);
                while world.advance_commit(member) {}
            }
            self.cluster.lock().time_out_transactions();
            if self.is_done() {
                return true;
            }
        }
        false
    }

    fn is_done(&self) -> bool {
        let idle = (0..MEMBERS).all(|m| self.cluster.lock().is_idle(m));
        idle && (0..PARTITIONS).all(|p| self.cluster.committed(p).unwrap_or(0) == self.cluster.input_end(p))
    }

    fn standing(&self) -> String {
        let of = |p| {
            let states: Vec<_> = self
                .threads
                .iter()
                .flatten()
                .filter_map(|thread| thread.state(p))
                .collect();
            format!(
                "partition {p} at {:?} of {}: {states:?}",
                self.cluster.committed(p),
                self.cluster.input_end(p)
            )
        };
        (0..PARTITIONS).map(of).collect::<Vec<_>>().join("; ")
    }
}
