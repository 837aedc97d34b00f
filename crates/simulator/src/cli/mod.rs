//! The OLTs' command lines: SSH on each OLT's own address, telnet when asked, with the state its traps tell of.
//!
//! Written from what is publicly known of real boxes, and from nothing of the connectors that read them.
//!
//! ```text
//! TCP ─▶ ssh, telnet ─▶ door ─▶ session ─▶ shell ─▶ query ─▶ show ─▶ chassis ◀─ traps, operators
//! ```
//!
//! Invariants:
//! - what it shows of an ONU is the truth of the script by now, lost traps included;
//! - one runtime serves all OLTs: no thread for each;
//! - a client can cost neither memory without bound nor anything to another OLT.

mod alarms;
mod chassis;
mod config;
mod console;
mod door;
mod fault;
mod garbage;
mod keys;
mod line;
mod login;
mod onu;
mod optics;
mod output;
mod personality;
mod plant;
mod query;
mod questions;
mod session;
mod settings;
mod shell;
mod show;
mod ssh;
mod stamp;
mod telnet;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use model::{Place, Serial};
use rustix::process::{Resource, getrlimit, setrlimit};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub use config::{CliConfig, Pace};
pub use door::CliCounts;
pub use fault::CliFault;
pub use optics::Optics;
pub use personality::Personality;
pub(crate) use plant::Plant;
pub use plant::{LifeError, OnuShown, PonAddress};

use console::Console;
use keys::HostKeys;

use crate::network::Network;

/// After a refused accept (no file handles left), before the next.
const BREATH: Duration = Duration::from_millis(100);

/// Why the command lines cannot be served.
#[derive(Debug, Error)]
pub enum CliError {
    /// An address is taken or not there.
    #[error(
        "cannot serve a command line on {address}: choose another port, and on systems other than Linux add the address first"
    )]
    Bind {
        /// The OLT's.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The runtime cannot be started.
    #[error("cannot start the runtime of the command lines")]
    Runtime(#[source] io::Error),
}

/// The command lines of a network, served until dropped.
pub struct Cli {
    plant: Arc<Plant>,
    consoles: Vec<Arc<Console>>,
    ssh: Vec<SocketAddr>,
    telnet: Vec<SocketAddr>,
    runtime: Option<Runtime>,
}

impl Cli {
    /// Serves those of a network.
    ///
    /// # Errors
    /// When an address cannot be used.
    pub(crate) fn serve(network: &Network, plant: Arc<Plant>, config: &CliConfig, seed: u64) -> Result<Self, CliError> {
        room_for_sockets(network.olts.len());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("simulator-cli")
            .enable_all()
            .build()
            .map_err(CliError::Runtime)?;
        let config = Arc::new(config.clone());
        let keys = Arc::new(HostKeys::new(seed));
        let console = |i| Arc::new(Console::new(plant.clone(), i, config.clone()));
        let consoles: Vec<_> = (0..network.olts.len()).map(console).collect();
        let (mut ssh, mut telnet) = (Vec::new(), Vec::new());
        for (olt, console) in network.olts.iter().zip(&consoles) {
            let (listener, address) = bind(&runtime, olt.address, config.port)?;
            ssh.push(address);
            runtime.spawn(accept_ssh(listener, console.clone(), keys.clone()));
            if let Some(port) = config.telnet_port {
                let (listener, address) = bind(&runtime, olt.address, port)?;
                telnet.push(address);
                runtime.spawn(accept_telnet(listener, console.clone()));
            }
        }
        Ok(Self {
            plant,
            consoles,
            ssh,
            telnet,
            runtime: Some(runtime),
        })
    }

    pub(crate) fn plant(&self) -> Arc<Plant> {
        self.plant.clone()
    }

    /// Where an OLT serves SSH. Panics when there is no such OLT, as everything here does.
    pub fn address(&self, olt: usize) -> SocketAddr {
        self.ssh[olt]
    }

    /// Where it serves telnet, if it does.
    pub fn telnet_address(&self, olt: usize) -> Option<SocketAddr> {
        self.telnet.get(olt).copied()
    }

    /// The `[[olt]]` entries of a configuration that knows this network and where its command lines are served now.
    pub fn olt_entries(&self) -> String {
        let config = &self.consoles[0].config;
        self.plant
            .network()
            .entries(Some((config, &|olt| self.ssh[olt].port())))
    }

    /// Breaks an OLT's command line, or mends it.
    pub fn set_fault(&self, olt: usize, fault: Option<CliFault>) {
        self.consoles[olt].set_fault(fault);
    }

    /// Makes an OLT answer slower or faster, from its next output on.
    pub fn set_pace(&self, olt: usize, pace: Pace) {
        self.consoles[olt].set_pace(pace);
    }

    /// What happened at an OLT's command line.
    pub fn counts(&self, olt: usize) -> CliCounts {
        self.consoles[olt].door.counts()
    }

    /// What an OLT's command line shows of its ONUs, in the order of their places.
    pub fn shown(&self, olt: usize) -> Vec<OnuShown> {
        self.plant.shown(olt)
    }

    /// An operator deletes an ONU. It goes on shining, so its OLT finds it again as a stranger.
    ///
    /// # Errors
    /// When nobody has it.
    pub fn remove_onu(&self, serial: Serial) -> Result<(), LifeError> {
        self.plant.remove(serial)
    }

    /// An operator configures an ONU on another port, and it comes up there. Returns where.
    ///
    /// # Errors
    /// When nobody has it, or there is no room.
    pub fn move_onu(&self, serial: Serial, to: PonAddress) -> Result<Place, LifeError> {
        self.plant.move_to(serial, to)
    }

    /// An operator configures a new ONU, and it comes up. Returns where.
    ///
    /// # Errors
    /// When somebody has it already, or there is no room.
    pub fn add_onu(&self, to: PonAddress, serial: Serial, description: &str, model: &str) -> Result<Place, LifeError> {
        self.plant.add(to, serial, description, model)
    }

    /// An ONU that nobody configured appears in `display ont autofind all`.
    ///
    /// # Errors
    /// When somebody has it already, or there is no such port.
    pub fn find_stranger(&self, at: PonAddress, serial: Serial) -> Result<(), LifeError> {
        self.plant.find_stranger(at, serial)
    }

    /// An operator describes an ONU anew.
    ///
    /// # Errors
    /// When nobody has it.
    pub fn describe_onu(&self, serial: Serial, description: &str) -> Result<(), LifeError> {
        self.plant
            .change(serial, |onu, _| description.clone_into(&mut onu.description))
    }

    /// An operator switches an ONU off, or on again. One that is off sends no traps.
    ///
    /// # Errors
    /// When nobody has it.
    pub fn activate_onu(&self, serial: Serial, active: bool) -> Result<(), LifeError> {
        self.plant.change(serial, |onu, now| onu.activate(active, now))
    }
}

impl Drop for Cli {
    fn drop(&mut self) {
        // Hanging sessions are not waited for; and it may happen inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Raises this process's limit on open files, as far as it may, to what this many OLTs need: sockets for traps, SSH and
/// telnet, sessions, and some for the rest of the process.
fn room_for_sockets(olts: usize) {
    let wanted = u64::try_from(olts * 4 + 512).unwrap_or(u64::MAX);
    let mut limit = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|files| files >= wanted);
    if enough(limit.current) {
        return;
    }
    limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, wanted, "cannot raise the limit on open files");
    }
}

fn bind(runtime: &Runtime, address: Ipv4Addr, port: u16) -> Result<(TcpListener, SocketAddr), CliError> {
    let address = SocketAddr::from((address, port));
    let listen = || {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let _inside = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    listen().map_err(|source| CliError::Bind { address, source })
}

async fn accept_ssh(listener: TcpListener, console: Arc<Console>, keys: Arc<HostKeys>) {
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let (console, keys) = (console.clone(), keys.clone());
                tokio::spawn(async move {
                    let olt = console.olt;
                    if let Err(error) = ssh::serve(console, keys, stream, from.ip()).await {
                        tracing::debug!(olt, %error, "an ssh connection ended");
                    }
                });
            }
            Err(error) => breathe(&error).await,
        }
    }
}

async fn accept_telnet(listener: TcpListener, console: Arc<Console>) {
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let console = console.clone();
                tokio::spawn(async move {
                    let olt = console.olt;
                    if let Err(error) = telnet::serve(console, stream, from.ip()).await {
                        tracing::debug!(olt, %error, "a telnet connection ended");
                    }
                });
            }
            Err(error) => breathe(&error).await,
        }
    }
}

async fn breathe(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(BREATH).await;
}
