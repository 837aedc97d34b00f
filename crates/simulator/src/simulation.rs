//! A network that lives: a thread that sends the script to a listener, and what it has said so far.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::EntityId;

use crate::cli::{Cli, CliConfig, CliError, Plant};
use crate::clock;
use crate::datagrams::{Datagram, Datagrams, Mishaps};
use crate::life::{Script, Truth};
use crate::network::{Network, SizeError};
use crate::trap::Dialect;
use crate::wire::{Counts, Patience, SendError, Wire};

/// A real OLT sends an inform again a few times; ours is as patient as a restarting listener needs.
const PATIENCE: Patience = Patience {
    resend_after: Duration::from_secs(2),
    tries_max: 15,
    window: 256,
};
/// Longest sleep: how late an answer is taken or a stop noticed.
const NAP: Duration = Duration::from_millis(20);

/// What is simulated.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Where all chance comes from.
    pub seed: u64,
    /// OLTs.
    pub olts: usize,
    /// ONUs of all OLTs together.
    pub onus: usize,
    /// How fast life passes: 10 is ten times as fast as real. The first two seconds are never hurried.
    pub speed: f64,
    /// How each OLT talks: the first has the first dialect, and round again. v1 needs a credential of its own.
    pub dialects: Vec<Dialect>,
    /// What happens to datagrams on their way.
    pub mishaps: Mishaps,
    /// Whether the listener may remember an earlier life of this network: then every ONU begins by clearing the alarms of
    /// that life, which triples the start to six seconds for 2,000 ONUs.
    pub resumed: bool,
    /// The OLTs' command lines, where they are served.
    pub cli: Option<CliConfig>,
}

impl Default for SimConfig {
    fn default() -> Self {
        let dialects = vec![Dialect::default()];
        Self {
            seed: 1,
            olts: 4,
            onus: 2_000,
            speed: 1.0,
            dialects,
            mishaps: Mishaps::default(),
            resumed: false,
            cli: None,
        }
    }
}

/// A network and its script, not yet sending.
#[derive(Debug, Clone)]
pub struct Simulation {
    config: SimConfig,
    network: Arc<Network>,
}

impl Simulation {
    /// Makes the network.
    ///
    /// # Errors
    /// When its size cannot be.
    pub fn new(config: SimConfig) -> Result<Self, SizeError> {
        let mut network = Network::generate(config.seed, config.olts, config.onus)?;
        if let Some(cli) = &config.cli {
            network.become_served(cli);
        }
        let network = Arc::new(network);
        Ok(Self { config, network })
    }

    /// The `[[olt]]` entries of a configuration that knows this network, with the way to its command lines on the port
    /// configured. Where that is 0, see [`Cli::olt_entries`].
    pub fn olt_entries(&self) -> String {
        match &self.config.cli {
            Some(cli) => self.network.entries(Some((cli, &|_| cli.port))),
            None => self.network.entries(None),
        }
    }

    /// What there is.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What happens, without end: the same for the same configuration.
    pub fn script(&self) -> Script {
        Script::new(self.network.clone(), &self.config)
    }

    /// The same as datagrams, with mishaps.
    pub fn datagrams(&self, community: &str) -> Datagrams {
        self.datagrams_up_for(0, community)
    }

    fn datagrams_up_for(&self, uptime: u32, community: &str) -> Datagrams {
        let Self { config, network } = self;
        Datagrams::new(
            network.clone(),
            self.script(),
            config.seed,
            community,
            uptime,
            &config.dialects,
            config.mishaps,
        )
    }

    /// Begins to send to a listener on this machine, from a thread of its own, until stopped or dropped.
    ///
    /// # Errors
    /// When the target is not loopback, or an OLT's address cannot be used.
    pub fn start(&self, target: SocketAddr, community: &str) -> Result<Running, SendError> {
        let cli = self.serve_cli()?;
        let plant = cli.as_ref().map(Cli::plant);
        let wire = Wire::new(target, self.network.olts.iter().map(|o| o.address), PATIENCE)?;
        let shared = Arc::new(Shared::default());
        let mut player = Player {
            wire,
            shared: shared.clone(),
            plant: plant.clone(),
        };
        let datagrams = self.datagrams_up_for(clock::uptime(), community).follow(plant);
        let thread = std::thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || player.play(datagrams))
            .map_err(SendError::Thread)?;
        Ok(Running {
            shared,
            thread: Some(thread),
            cli,
        })
    }

    /// Serves the command lines of a network in which nothing happens; `None` when the configuration has none.
    ///
    /// # Errors
    /// When an OLT's address cannot be used.
    pub fn serve_cli(&self) -> Result<Option<Cli>, CliError> {
        let Some(config) = &self.config.cli else {
            return Ok(None);
        };
        let behind_s = i64::try_from(config.clock_behind.as_secs()).unwrap_or(i64::MAX / 4);
        let plant = Arc::new(Plant::new(self.network.clone(), behind_s));
        Cli::serve(&self.network, plant, config, self.config.seed).map(Some)
    }
}

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Datagrams sent for the first time.
    pub sent: u64,
    /// Informs sent again.
    pub resent: u64,
    /// Informs answered.
    pub answered: u64,
    /// Informs given up.
    pub given_up: u64,
    /// Traps lost on purpose.
    pub lost: u64,
    /// Datagrams the system refused to send.
    pub failed: u64,
}

impl Counts {
    fn put_into(self, report: &mut Report) {
        (report.sent, report.resent) = (self.sent, self.resent);
        (report.given_up, report.failed) = (self.given_up, self.failed);
    }
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    /// With the place in the script: a reordered older word does not undo a newer one.
    truth: BTreeMap<EntityId, (u64, Truth)>,
    uncertain: BTreeSet<EntityId>,
    report: Report,
}

impl Shared {
    fn said(&self) -> MutexGuard<'_, Said> {
        // Plain data, whole after every statement: a panic of another holder leaves nothing half done.
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A network that is sending.
pub struct Running {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    cli: Option<Cli>,
}

impl Running {
    /// The command lines, where they are served.
    pub fn cli(&self) -> Option<&Cli> {
        self.cli.as_ref()
    }

    /// What a right board shows of every board, port and ONU that has been told of, once it has heard all that was sent.
    pub fn truth(&self) -> BTreeMap<EntityId, Truth> {
        let of_traps = |said: &Said| said.truth.iter().map(|(e, (_, truth))| (e.clone(), *truth)).collect();
        let mut truth = of_traps(&self.shared.said());
        if let Some(cli) = &self.cli {
            cli.plant().overlay(&mut truth);
        }
        truth
    }

    /// Entities of which a trap was lost on purpose: a board cannot know the truth of these.
    pub fn uncertain(&self) -> BTreeSet<EntityId> {
        self.shared.said().uncertain.clone()
    }

    /// What was sent so far.
    pub fn report(&self) -> Report {
        self.shared.said().report
    }

    /// Stops sending at once; informs without an answer are forgotten. The truth stays readable on the result.
    pub fn stop(mut self) -> (Report, BTreeMap<EntityId, Truth>) {
        self.halt();
        (self.report(), self.truth())
    }

    fn halt(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the simulator's thread panicked");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.halt();
    }
}

struct Player {
    wire: Wire,
    shared: Arc<Shared>,
    plant: Option<Arc<Plant>>,
}

impl Player {
    fn play(&mut self, datagrams: Datagrams) {
        let start = Instant::now();
        for datagram in datagrams {
            loop {
                if self.shared.stop.load(Ordering::Acquire) {
                    return;
                }
                self.turn();
                let wait = datagram.at.saturating_sub(start.elapsed());
                if wait.is_zero() {
                    break;
                }
                std::thread::park_timeout(wait.min(NAP));
            }
            self.send(datagram);
        }
    }

    fn turn(&mut self) {
        let mut answered = 0;
        self.wire.turn(Instant::now(), |_, _| answered += 1);
        let mut said = self.shared.said();
        said.report.answered += answered;
        self.wire.counts.put_into(&mut said.report);
    }

    fn send(&mut self, datagram: Datagram) {
        let Datagram {
            olt,
            bytes,
            inform,
            expect,
            lost,
            order,
            says,
            ..
        } = datagram;
        // The box knows it whether the trap arrives or not.
        if let (Some(plant), Some(trap)) = (&self.plant, says) {
            plant.hear(order, olt, &trap, expect.as_ref().map(|(_, truth)| *truth));
        }
        if !lost {
            self.wire.send(olt, bytes, inform);
        }
        let mut said = self.shared.said();
        self.wire.counts.put_into(&mut said.report);
        said.report.lost += u64::from(lost);
        if let Some((entity, truth)) = expect {
            if lost {
                said.uncertain.insert(entity.clone());
            }
            let slot = said.truth.entry(entity).or_insert((order, truth));
            if order >= slot.0 {
                *slot = (order, truth);
            }
        }
    }
}
