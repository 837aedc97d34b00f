//! One UDP socket and the thread that reads it: datagram → verdict → record.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use connector_kit::{Deadline, Heard, Listen, Outgoing, Publisher, now};
use metrics::{Gauge, gauge};
use model::Micros;
use schemas::{LedgerRow, SnmpVersion, TrapReceived};
use snmp_pdu::{Message, TrapPdu, Version};
use topology::Topic;

use crate::account::{Account, Counts, Limit, Outcome, Refusal, Slot};
use crate::config::{Config, Credential};
use crate::inform::Answers;
use crate::kernel::KernelDrops;
use crate::sender::{Attribution, Directory, Strangers};
use crate::{access, metric};

/// Longest UDP payload, and a byte more to be sure.
const DATAGRAM_BYTES_MAX: usize = 65_536;
/// How long one turn waits for a datagram.
pub(crate) const TURN: Duration = Duration::from_millis(50);
/// How often acknowledgements are looked at under load.
const TEND_EVERY: Duration = Duration::from_millis(5);
/// How long the drain reads on, and then waits for acknowledgements.
const READ_ON: Duration = Duration::from_millis(500);
const ACKNOWLEDGE: Duration = Duration::from_millis(2_500);

/// What others may look at while the thread runs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub name: String,
    pub bound: SocketAddr,
    pub receive_buffer_bytes: usize,
    pub writer: String,
    account: Mutex<Account>,
    kernel: Mutex<KernelDrops>,
}

impl Shared {
    pub fn new(name: &str, bound: SocketAddr, receive_buffer_bytes: usize, writer: &str, inode: u64) -> Self {
        Self {
            name: name.to_owned(),
            bound,
            receive_buffer_bytes,
            writer: writer.to_owned(),
            account: Mutex::new(Account::new(name)),
            kernel: Mutex::new(KernelDrops::new(inode)),
        }
    }

    /// Counts of the listener and of each sender, and the kernel's drops, all now.
    pub fn counts(&self) -> (Counts, Vec<(String, Counts)>, u64) {
        let drops = self.kernel_drops();
        let account = self.account();
        let senders = account
            .senders()
            .map(|(name, counts)| (name.to_owned(), counts.clone()))
            .collect();
        (account.total().clone(), senders, drops)
    }

    /// Ledger rows as they stand.
    pub fn rows(&self, at: Micros) -> Vec<LedgerRow> {
        let drops = self.kernel_drops();
        self.account().rows(&self.writer, drops, at)
    }

    fn kernel_drops(&self) -> u64 {
        let mut kernel = self.kernel.lock().unwrap_or_else(PoisonError::into_inner);
        let more = kernel.read();
        if more > 0 {
            self.account().kernel_dropped(more);
            tracing::warn!(listener = %self.name, dropped = more, "the kernel dropped datagrams: its receive buffer was full");
        }
        kernel.total()
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The listener, owned by its thread.
pub(crate) struct TrapListener {
    socket: Arc<UdpSocket>,
    config: Arc<Config>,
    directory: Directory,
    strangers: Strangers,
    publisher: Publisher<Slot>,
    answers: Answers,
    shared: Arc<Shared>,
    buffer: Box<[u8]>,
    tended: Instant,
    /// The last turn brought nothing: there is time to look after what was sent.
    idle: bool,
    strangers_gauge: Gauge,
}

impl TrapListener {
    pub fn new(
        socket: Arc<UdpSocket>,
        config: Arc<Config>,
        publisher: Publisher<Slot>,
        answers: Answers,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            socket,
            directory: Directory::new(&config),
            strangers: Strangers::new(config.limits),
            config,
            publisher,
            answers,
            strangers_gauge: gauge!(metric::UNKNOWN_SENDERS, "listener" => shared.name.clone()),
            shared,
            buffer: vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice(),
            tended: Instant::now(),
            idle: false,
        }
    }

    /// Counts a datagram, whatever it is, exactly once.
    fn take(&mut self, length: usize, peer: SocketAddr) {
        let source = peer.ip().to_canonical();
        let (slot, new) = self.shared.account().slot(source);
        let buffer = std::mem::take(&mut self.buffer);
        let config = self.config.clone();
        let taken = self.handle(&config, &buffer[..length], peer, source, slot);
        self.buffer = buffer;
        if new && let Outcome::Refused(refusal) = taken.outcome {
            tracing::warn!(listener = %self.shared.name, %source, reason = refusal.as_str(), "refused a trap, and will count the next ones");
        }
        self.shared.account().count(taken.outcome, slot, taken.root.as_ref());
    }

    fn handle(&mut self, config: &Config, datagram: &[u8], peer: SocketAddr, source: IpAddr, slot: Slot) -> Taken {
        let admitted = match admit(&config.credentials, datagram, source) {
            Ok(admitted) => admitted,
            Err(outcome) => return outcome.into(),
        };
        let inner = admitted.trap.inner_address().map(IpAddr::from);
        let attribution = self.directory.attribute(source, inner);
        let root = match self.root(&attribution) {
            Ok(root) => root,
            Err(limit) => return Outcome::OverLimit(limit).into(),
        };
        let inform = admitted.trap.is_inform();
        let durable = if inform {
            self.answers.prepare(&admitted.trap, admitted.community, peer)
        } else {
            None
        };
        let record = TrapReceived {
            root: root.to_string(),
            sender: source.to_string(),
            sender_port: i32::from(peer.port()),
            listener: self.shared.name.clone(),
            version: match admitted.credential.version {
                Version::V1 => SnmpVersion::V1,
                Version::V2c => SnmpVersion::V2c,
                Version::V3 => SnmpVersion::V3,
            },
            credential: admitted.credential.name.clone(),
            inform,
            relay: attribution.relay.map(|r| r.to_string()),
            inner_address: inner.map(|a| a.to_string()),
            received_at: now(),
            pdu: admitted.trap.without_community(),
        };
        let out = Outgoing {
            topic: Topic::Observations,
            key: &root,
            record: record.into(),
        };
        let fate = self.publisher.publish(out, slot, durable).map_err(|(_, reason)| reason);
        // A relay speaks for many: its row has no root of its own.
        let senders_root = attribution.relay.is_none().then_some(root);
        Taken {
            outcome: Outcome::Accepted(fate),
            root: senders_root,
        }
    }

    fn root(&mut self, attribution: &Attribution) -> Result<Arc<str>, Limit> {
        if let Some(root) = &attribution.device {
            return Ok(root.clone());
        }
        let (root, new) = self.strangers.admit(attribution.address, Instant::now())?;
        if new {
            tracing::warn!(
                listener = %self.shared.name,
                address = %attribution.address,
                %root,
                "traps from an address that no device is configured with"
            );
        }
        Ok(root)
    }

    fn settle(&mut self) {
        let shared = &self.shared;
        self.publisher.tend(|slot, fate| shared.account().settle(slot, fate));
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        self.strangers_gauge.set(self.strangers.len() as f64);
        self.tended = Instant::now();
    }
}

impl Listen for TrapListener {
    fn listen(&mut self) -> io::Result<Heard> {
        match self.socket.recv_from(&mut self.buffer) {
            Ok((length, peer)) => {
                self.take(length, peer);
                Ok(Heard::Something)
            }
            Err(error) if is_nothing(&error) => {
                self.idle = true;
                Ok(Heard::Nothing)
            }
            Err(error) => Err(error),
        }
    }

    fn tend(&mut self) {
        if std::mem::take(&mut self.idle) || self.tended.elapsed() >= TEND_EVERY {
            self.settle();
        }
    }

    fn drain(&mut self) {
        // What has arrived is taken, what arrives meanwhile too, but not for ever.
        let read_on = Deadline::after(READ_ON);
        if let Err(error) = self.socket.set_nonblocking(true) {
            tracing::error!(listener = %self.shared.name, %error, "cannot read on without waiting: what is left in the receive buffer is lost");
        } else {
            while !read_on.passed() && matches!(self.listen(), Ok(Heard::Something)) {}
        }
        let shared = &self.shared;
        self.publisher.drain(Deadline::after(ACKNOWLEDGE), |slot, fate| {
            shared.account().settle(slot, fate)
        });
    }
}

/// A turn's wait is over, or it was cut short by a signal.
fn is_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

/// What a datagram came to, and the root its sender's row may carry.
struct Taken {
    outcome: Outcome,
    root: Option<Arc<str>>,
}

impl From<Outcome> for Taken {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, root: None }
    }
}

/// A datagram that is a notification from someone who may send it.
struct Admitted<'a, 'c> {
    credential: &'c Credential,
    community: &'a [u8],
    trap: TrapPdu<'a>,
}

/// Pure: frame, then credential, then PDU, so that a stranger's PDU is not even looked at.
fn admit<'a, 'c>(
    credentials: &'c [Credential],
    datagram: &'a [u8],
    source: IpAddr,
) -> Result<Admitted<'a, 'c>, Outcome> {
    let message = Message::parse(datagram).map_err(|e| Outcome::Undecodable(e.reason))?;
    let Message::Community {
        version,
        community,
        pdu,
    } = message
    else {
        return Err(Outcome::Refused(Refusal::V3NotConfigured));
    };
    let credential = access::admit(credentials, version, community, source).map_err(Outcome::Refused)?;
    let trap = TrapPdu::parse(pdu).map_err(|e| Outcome::Undecodable(e.reason))?;
    Ok(Admitted {
        credential,
        community,
        trap,
    })
}
