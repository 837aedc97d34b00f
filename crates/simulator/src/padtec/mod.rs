//! A Padtec management system: an optical network over several sites, served over HTTP in the shape of the vendor's Smart API, or in a
//! plainer one, with the faults that such systems are known for.
//!
//! Written from what is publicly known of the vendor's interface, and from nothing of the connector that reads it. Lists are bare arrays
//! by page and size without a total, times are local without a zone, values are texts without units, and serial numbers are small.
//!
//! Invariants:
//! - only loopback addresses are served;
//! - what is shown depends on the seed and on the clock alone, and both shapes show the same network;
//! - nothing of a request is kept but its count.

mod fault;
mod http;
mod plain;
mod plant;
mod smart;
mod stamp;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub use fault::PadtecFault;
pub use plant::AlarmShown;

use crate::clock;
use crate::dice::Dice;
use http::{Answer, Request};
use plant::Plant;

/// Which interface is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The vendor's, below `/nms-api/v1`.
    Smart,
    /// The plain one.
    Plain,
}

/// How a management system is served.
#[derive(Clone)]
pub struct PadtecConfig {
    /// Where, on a loopback address; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Which interface.
    pub shape: Shape,
    /// Where all chance comes from.
    pub seed: u64,
    /// Cards, over all sites.
    pub cards: usize,
    /// Sites.
    pub sites: usize,
    /// Who may log in.
    pub user: String,
    /// His password.
    pub password: String,
    /// The token that a login gives, and that may be shown without one.
    pub token: String,
    /// How often values and their stamps are collected.
    pub cycle: Duration,
    /// Minutes of its clock ahead of UTC.
    pub zone_minutes: i64,
    /// The most rows of a page.
    pub page_max: usize,
    /// Alarms come and go by themselves.
    pub lively: bool,
}

impl Default for PadtecConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            shape: Shape::Smart,
            seed: 1,
            cards: 24,
            sites: 4,
            user: "noc".to_owned(),
            password: "padtec".to_owned(),
            token: "eyJ.simulated.token".to_owned(),
            cycle: Duration::from_secs(30),
            // Manaus.
            zone_minutes: -240,
            page_max: 1_000,
            lively: true,
        }
    }
}

/// It cannot be served.
#[derive(Debug, Error)]
pub enum PadtecError {
    /// Another address than loopback.
    #[error("{0} is no loopback address: a simulated system is served to this machine alone")]
    NotLoopback(SocketAddr),
    /// The address is taken, or cannot be used.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// No runtime.
    #[error("cannot start the runtime of the simulated management system")]
    Runtime(#[source] io::Error),
}

/// What happened so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PadtecCounts {
    /// Requests by path.
    pub requests: BTreeMap<String, u64>,
    /// Logins that were right.
    pub logins: u64,
    /// Requests and logins refused.
    pub refused: u64,
}

/// What all connections share.
pub(crate) struct System {
    config: PadtecConfig,
    inner: Mutex<Inner>,
}

struct Inner {
    plant: Plant,
    faults: Vec<PadtecFault>,
    counts: PadtecCounts,
    dice: Dice,
}

/// A management system that is being served.
pub struct Padtec {
    system: Arc<System>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Padtec {
    /// Serves a network.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn serve(config: PadtecConfig) -> Result<Self, PadtecError> {
        if !config.listen.ip().is_loopback() {
            return Err(PadtecError::NotLoopback(config.listen));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("simulator-padtec")
            .enable_all()
            .build()
            .map_err(PadtecError::Runtime)?;
        let listen = |error| PadtecError::Listen(config.listen, error);
        let listener = runtime.block_on(TcpListener::bind(config.listen)).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let system = Arc::new(System {
            inner: Mutex::new(Inner {
                plant: Plant::new(&config),
                faults: Vec::new(),
                counts: PadtecCounts::default(),
                dice: Dice::fork(config.seed, 0x9AD7),
            }),
            config,
        });
        runtime.spawn(http::accept(listener, system.clone()));
        Ok(Self {
            system,
            address,
            runtime: Some(runtime),
        })
    }

    /// Where it is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its interface begins.
    pub fn base(&self) -> String {
        match self.system.config.shape {
            Shape::Smart => format!("http://{}/nms-api", self.address),
            Shape::Plain => format!("http://{}", self.address),
        }
    }

    /// Breaks it in these ways, and in no others.
    pub fn set_faults(&self, faults: &[PadtecFault]) {
        self.system.inner().faults = faults.to_vec();
    }

    /// What happened so far.
    pub fn counts(&self) -> PadtecCounts {
        self.system.inner().counts.clone()
    }

    /// The keys of its cards, in its order.
    pub fn cards(&self) -> Vec<String> {
        self.system
            .inner()
            .plant
            .cards
            .iter()
            .map(|card| card.uid.clone())
            .collect()
    }

    /// A card stops working, or works again.
    pub fn set_up(&self, card: &str, up: bool) {
        let mut inner = self.system.inner();
        for known in inner.plant.cards.iter_mut().filter(|known| known.uid == card) {
            known.up = up;
        }
    }

    /// Takes a card out of the network.
    pub fn remove_card(&self, card: &str) {
        self.system.inner().plant.cards.retain(|known| known.uid != card);
    }

    /// The alarms that it shows now.
    pub fn alarms(&self) -> Vec<AlarmShown> {
        self.system.inner().plant.alarms(clock::now(), &self.system.config)
    }

    /// An alarm begins.
    pub fn raise(&self, card: &str, group: &str, name: &str, severity: &str) {
        let at = clock::now();
        self.system.inner().plant.raise(card, [group, name, severity], at);
    }

    /// Every alarm of a group on a card ends.
    pub fn clear(&self, card: &str, group: &str) {
        self.system.inner().plant.clear(card, group);
    }
}

impl Drop for Padtec {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl System {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Plain data, whole after every statement.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the next answer takes.
    pub(crate) fn pause(&self) -> Duration {
        let slow = |fault: &PadtecFault| match fault {
            PadtecFault::Slow(pause) => Some(*pause),
            _ => None,
        };
        self.inner().faults.iter().find_map(slow).unwrap_or_default()
    }

    /// Whether connections are dropped.
    pub(crate) fn is_away(&self) -> bool {
        self.inner().faults.contains(&PadtecFault::Away)
    }

    /// Answers one request.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let mut inner = self.inner();
        let count = inner.counts.requests.entry(request.path.clone());
        *count.or_default() += 1;
        let shape = self.config.shape;
        let (login, scheme) = match shape {
            Shape::Smart => ("/nms-api/v1/admin/login", "Token"),
            Shape::Plain => ("/login", "Bearer"),
        };
        if request.path == login {
            return self.log_in(request, &mut inner);
        }
        let shown = format!("{scheme} {}", self.config.token);
        let chance = fault::unauthorized(&inner.faults);
        if request.authorization.as_deref() != Some(&shown) || inner.dice.chance(chance) {
            inner.counts.refused += 1;
            return Answer::status(401);
        }
        if request.method != "GET" {
            return Answer::status(405);
        }
        let now = clock::now();
        match shape {
            Shape::Smart => smart::answer(request, &mut inner, now, &self.config),
            Shape::Plain => plain::answer(request, &mut inner, now, &self.config),
        }
    }

    fn log_in(&self, request: &Request, inner: &mut Inner) -> Answer {
        let fields: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let (user, token) = match self.config.shape {
            Shape::Smart => ("username", format!("Token {}", self.config.token)),
            Shape::Plain => ("user", self.config.token.clone()),
        };
        let is_right = fields[user] == self.config.user.as_str() && fields["password"] == self.config.password.as_str();
        if !is_right || request.method != "POST" {
            inner.counts.refused += 1;
            return Answer::status(401);
        }
        inner.counts.logins += 1;
        Answer::json(&serde_json::json!({ "token": token }))
    }
}
