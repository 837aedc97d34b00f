//! Build and run: sockets, then threads, then the drain.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use connector_kit::{
    Chores, Deadline, Publisher, PublisherConfig, SpoolConfig, SpoolState, StopToken, listen_loop, now,
};
use log::Log;
use metrics::gauge;
use schemas::DeviceRegistered;
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use crate::account::Counts;
use crate::batch;
use crate::config::{Config, Device, Listener};
use crate::inform::{Answerer, Answers, answers};
use crate::listener::{TURN, TrapListener};
use crate::metric;
use crate::probe::{self, Probe, Prober};
use crate::shared::Shared;
use crate::v3::{V3, V3Error};

/// How long stopping may take in all.
const STOP: Duration = Duration::from_secs(5);

/// The connector cannot be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// A listener's socket cannot be opened.
    #[error("cannot listen on {bind} (listener `{listener}`){hint}")]
    Listen {
        /// Which listener.
        listener: String,
        /// Its address.
        bind: SocketAddr,
        /// What to do about it.
        hint: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// SNMPv3 cannot be prepared.
    #[error("cannot prepare SNMPv3")]
    V3(#[from] V3Error),
}

/// Built: every socket is bound, so what is sent now waits in its receive buffer.
pub struct Connector {
    config: Arc<Config>,
    v3: Option<Arc<V3>>,
    log: Arc<dyn Log>,
    sockets: Vec<(Listener, UdpSocket, usize)>,
}

/// Binds the sockets, makes the keys of v3 users and counts this start of our SNMP engine. Starts nothing.
///
/// # Errors
/// When an address is taken, is not ours, or needs a right we do not have; or the engine's file cannot be written.
pub fn build(config: Config, log: Arc<dyn Log>) -> Result<Connector, BuildError> {
    let mut sockets = Vec::new();
    for listener in &config.listeners {
        let (socket, buffer) = open(listener.bind, config.limits.receive_buffer_bytes).map_err(|source| {
            let hint = match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    ": a port below 1024 needs CAP_NET_BIND_SERVICE (or listen above and forward port 162 to it)"
                }
                io::ErrorKind::AddrInUse => ": another program has it, perhaps snmptrapd",
                _ => "",
            };
            BuildError::Listen {
                listener: listener.name.clone(),
                bind: listener.bind,
                hint,
                source,
            }
        })?;
        sockets.push((listener.clone(), socket, buffer));
    }
    let v3 = V3::start(&config.users, config.data.as_deref())?.map(Arc::new);
    Ok(Connector {
        config: Arc::new(config),
        v3,
        log,
        sockets,
    })
}

fn open(bind: SocketAddr, receive_buffer_bytes: usize) -> io::Result<(UdpSocket, usize)> {
    let socket = Socket::new(Domain::for_address(bind), Type::DGRAM, Some(Protocol::UDP))?;
    if bind.is_ipv6() {
        // `[::]` hears both families.
        socket.set_only_v6(false)?;
    }
    // By right of CAP_NET_ADMIN past net.core.rmem_max, else as much as that allows.
    if rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, receive_buffer_bytes).is_err() {
        socket.set_recv_buffer_size(receive_buffer_bytes)?;
    }
    let given = socket.recv_buffer_size()?;
    socket.bind(&bind.into())?;
    socket.set_read_timeout(Some(TURN))?;
    let socket = UdpSocket::from(socket);
    batch::ask_for_drops(&socket)?;
    Ok((socket, given))
}

impl Connector {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no thread, a spool cannot be opened, or a socket does not say where it is bound.
    pub fn run(self) -> io::Result<Running> {
        let stop = StopToken::new();
        let settled = StopToken::new();
        let mut running = Running {
            stop: stop.clone(),
            settled: settled.clone(),
            listeners: Vec::new(),
            workers: Vec::new(),
            chores: None,
        };
        let mut probers = Vec::new();
        for (listener, socket, buffer) in self.sockets {
            let mut worker = Worker::new(&listener, socket, buffer, &self.config, self.v3.clone(), &self.log)?;
            if self.config.probe_interval.is_some() {
                let prober = Prober::new(&listener.name, worker.shared.bound, self.log.partitions())?;
                worker.probe = Some(prober.probe());
                probers.push(prober);
            }
            running.listeners.push(worker.shared.clone());
            running.workers.extend(worker.spawn(&stop)?);
        }
        if let Some(interval) = self.config.probe_interval.filter(|_| !probers.is_empty()) {
            let stop = stop.clone();
            let prober = spawn("trap-probe", move || probe::run(&probers, interval, &stop))?;
            running.workers.push(prober);
        }
        let chores = Chores {
            instance: self.config.instance.clone(),
            watched: self.config.devices.iter().map(|d| d.root.clone()).collect(),
            registered: self.config.devices.iter().map(registration).collect(),
            ledger: {
                let listeners = running.listeners.clone();
                Box::new(move |at| listeners.iter().flat_map(|l| l.rows(at)).collect())
            },
        };
        let log = self.log;
        running.chores = Some(spawn("trap-chores", move || chores.run(log, &stop, &settled))?);
        Ok(running)
    }
}

/// What one listener's two threads start with.
struct Worker {
    shared: Arc<Shared>,
    socket: Arc<UdpSocket>,
    config: Arc<Config>,
    v3: Option<Arc<V3>>,
    publisher: Publisher<crate::account::Slot>,
    answers: Answers,
    answerer: Answerer,
    probe: Option<Arc<Probe>>,
}

impl Worker {
    fn new(
        listener: &Listener,
        socket: UdpSocket,
        buffer: usize,
        config: &Arc<Config>,
        v3: Option<Arc<V3>>,
        log: &Arc<dyn Log>,
    ) -> io::Result<Self> {
        let bound = socket.local_addr()?;
        let inode = rustix::fs::fstat(&socket)?.st_ino;
        let name = &listener.name;
        let asked = config.limits.receive_buffer_bytes;
        // The kernel books twice what it gives, for its own overhead.
        tracing::info!(listener = %name, %bound, receive_buffer_asked = asked, receive_buffer_given = buffer, "listening for traps");
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        gauge!(metric::RECEIVE_BUFFER, "listener" => name.clone()).set(buffer as f64);
        let publisher_name = format!("{}-{name}", config.instance);
        let sending = match &config.data {
            // By listener, not by process: what one leaves the next one finds.
            Some(data) => PublisherConfig::with_spool(
                publisher_name,
                SpoolConfig::new(data.join("spool/snmp-traps").join(name), config.limits.spool_bytes_max),
            ),
            None => PublisherConfig::new(publisher_name),
        };
        let publisher = Publisher::open(log.clone(), sending).map_err(io::Error::other)?;
        let (answers, answerer) = answers(name, config.limits.pending_informs_max);
        let shared = Arc::new(Shared::new(
            name,
            bound,
            buffer,
            publisher.writer(),
            inode,
            publisher.recovered(),
        ));
        Ok(Self {
            shared,
            socket: Arc::new(socket),
            config: config.clone(),
            v3,
            publisher,
            answers,
            answerer,
            probe: None,
        })
    }

    fn spawn(self, stop: &StopToken) -> io::Result<[JoinHandle<()>; 2]> {
        let Self {
            shared,
            socket,
            config,
            v3,
            publisher,
            answers,
            answerer,
            probe,
        } = self;
        let stop = stop.clone();
        let answering = socket.clone();
        let answer_thread = spawn("trap-answers", move || answerer.run(&answering))?;
        let listen_thread = spawn("trap-listener", move || {
            let name = shared.name.clone();
            // Dropping the listener lets the answers end.
            let mut listener = TrapListener::new(socket, config, v3, publisher, answers, shared, probe);
            listen_loop(&name, &mut listener, &stop);
        })?;
        Ok([listen_thread, answer_thread])
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// What the configuration says of a device.
fn registration(device: &Device) -> DeviceRegistered {
    let said_at = now();
    let raw = &device.raw;
    DeviceRegistered {
        entity: device.root.as_str().to_owned(),
        kind: model::Kind::Olt.as_str().to_owned(),
        serial: None,
        name: Some(raw.name.clone()),
        site: raw.site.clone(),
        description: raw.description.clone(),
        vendor: raw.vendor.clone(),
        model: raw.model.clone(),
        address: Some(device.address.to_string()),
        attributes: raw.attributes.clone(),
        origin: "config".to_owned(),
        removed: false,
        observed_at: said_at,
        received_at: said_at,
    }
}

/// One listener, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerSnapshot {
    /// Its name.
    pub name: String,
    /// Its writer id's name, which is of this run alone.
    pub writer: String,
    /// Where it hears; with the port the system chose where 0 was asked.
    pub bound: SocketAddr,
    /// Receive buffer as the kernel gave it.
    pub receive_buffer_bytes: usize,
    /// Datagrams the kernel dropped for want of it.
    pub kernel_drops: u64,
    /// Its counts.
    pub counts: Counts,
    /// How its spool stood a moment ago.
    pub spool: SpoolState,
    /// Counts of each sender by UDP source address.
    pub senders: Vec<(String, Counts)>,
}

/// Running threads. Dropped without [`Running::stop`], they are asked to end and not waited for.
pub struct Running {
    stop: StopToken,
    settled: StopToken,
    listeners: Vec<Arc<Shared>>,
    workers: Vec<JoinHandle<()>>,
    chores: Option<JoinHandle<()>>,
}

impl Running {
    /// Where each listener hears, in the order of the configuration.
    pub fn bound(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|l| l.bound).collect()
    }

    /// All counts as they stand now.
    pub fn snapshot(&self) -> Vec<ListenerSnapshot> {
        self.listeners.iter().map(|l| snapshot_of(l)).collect()
    }

    /// Whether every thread still works.
    pub fn is_alive(&self) -> bool {
        self.workers.iter().chain(&self.chores).all(|t| !t.is_finished())
    }

    /// What is wrong with the disk of a spool, if anything is: nothing is lost by it yet.
    pub fn spool_trouble(&self) -> Option<String> {
        self.listeners.iter().find_map(|l| {
            let trouble = l.spool().trouble?;
            Some(format!("spool of listener {}: {trouble}", l.name))
        })
    }

    /// Stops hearing, takes what has arrived, waits for acknowledgements, answers their informs, writes the last ledger
    /// rows. Takes at most 5 s; answers the final counts, and whether everything ended by itself.
    pub fn stop(mut self) -> (Vec<ListenerSnapshot>, bool) {
        let deadline = Deadline::after(STOP);
        self.stop.stop();
        let workers = std::mem::take(&mut self.workers);
        let mut complete = join(workers, deadline);
        self.settled.stop();
        complete &= join(self.chores.take().into_iter().collect(), deadline);
        (self.snapshot(), complete)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.stop();
        self.settled.stop();
    }
}

fn snapshot_of(shared: &Shared) -> ListenerSnapshot {
    let (counts, senders, kernel_drops) = shared.counts();
    ListenerSnapshot {
        name: shared.name.clone(),
        writer: shared.writer.clone(),
        bound: shared.bound,
        receive_buffer_bytes: shared.receive_buffer_bytes,
        kernel_drops,
        counts,
        spool: shared.spool(),
        senders,
    }
}

/// Waits for threads; one that hangs in the log is left behind and said.
fn join(threads: Vec<JoinHandle<()>>, deadline: Deadline) -> bool {
    let mut complete = true;
    for thread in threads {
        while !thread.is_finished() && !deadline.passed() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let name = thread.thread().name().unwrap_or_default().to_owned();
        if !thread.is_finished() {
            tracing::error!(thread = name, "did not end in time");
            complete = false;
        } else if thread.join().is_err() {
            tracing::error!(thread = name, "panicked");
            complete = false;
        }
    }
    complete
}
