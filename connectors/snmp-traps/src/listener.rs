//! One UDP socket and the thread that reads it: datagram → verdict → record.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use connector_kit::{Deadline, Heard, Listen, Outgoing, Publisher, now};
use metrics::{Counter, Gauge, counter, gauge};
use model::Micros;
use schemas::{LedgerRow, SnmpVersion, TrapReceived};
use snmp_pdu::{Message, TrapPdu, Version, encode};
use snmp_usm::{Envelope, Received};
use topology::Topic;

use crate::account::{Account, Counts, Outcome, Slot};
use crate::config::Config;
use crate::inform::Answers;
use crate::kernel::KernelDrops;
use crate::refusal::{Limit, Refusal};
use crate::sender::{Attribution, Directory, Strangers};
use crate::v3::{ReportBudget, V3};
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
    v3: Option<Arc<V3>>,
    publisher: Publisher<Slot>,
    answers: Answers,
    reports: Reports,
    shared: Arc<Shared>,
    buffer: Box<[u8]>,
    /// For what is decrypted.
    plain: Vec<u8>,
    tended: Instant,
    /// The last turn brought nothing: there is time to look after what was sent.
    idle: bool,
    strangers_gauge: Gauge,
}

impl TrapListener {
    pub fn new(
        socket: Arc<UdpSocket>,
        config: Arc<Config>,
        v3: Option<Arc<V3>>,
        publisher: Publisher<Slot>,
        answers: Answers,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            socket,
            directory: Directory::new(&config),
            strangers: Strangers::new(config.limits),
            config,
            v3,
            publisher,
            answers,
            reports: Reports::new(&shared.name),
            strangers_gauge: gauge!(metric::UNKNOWN_SENDERS, "listener" => shared.name.clone()),
            shared,
            buffer: vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice(),
            plain: Vec::new(),
            tended: Instant::now(),
            idle: false,
        }
    }

    /// Counts a datagram, whatever it is, exactly once.
    fn take(&mut self, length: usize, peer: SocketAddr) {
        let source = peer.ip().to_canonical();
        let slot = self.shared.account().slot(source);
        let buffer = std::mem::take(&mut self.buffer);
        let mut plain = std::mem::take(&mut self.plain);
        let (config, v3) = (self.config.clone(), self.v3.clone());
        let taken = match admit(&config, v3.as_deref(), &buffer[..length], &mut plain, source) {
            Ok(admitted) => self.handle(&admitted, v3.as_deref(), peer, source, slot),
            Err((outcome, report)) => {
                if let Some(report) = report {
                    self.reports.send(&self.socket, &report, peer);
                }
                outcome.into()
            }
        };
        (self.buffer, self.plain) = (buffer, plain);
        let remarkable = self.shared.account().count(taken.outcome, slot, taken.root.as_ref());
        if remarkable && let Outcome::Refused(refusal) = taken.outcome {
            tracing::warn!(listener = %self.shared.name, %source, reason = refusal.as_str(), "refused a trap, and will count the next ones");
        }
    }

    fn handle(
        &mut self,
        admitted: &Admitted<'_, '_>,
        v3: Option<&V3>,
        peer: SocketAddr,
        source: IpAddr,
        slot: Slot,
    ) -> Taken {
        let inner = admitted.trap.inner_address().map(IpAddr::from);
        let attribution = self.directory.attribute(source, inner);
        let root = match self.root(&attribution) {
            Ok(root) => root,
            Err(limit) => return Outcome::OverLimit(limit).into(),
        };
        let inform = admitted.trap.is_inform();
        let durable = if inform {
            self.answers.prepare(peer, || match &admitted.proof {
                Proof::Community(community) => {
                    let response = encode::response(&admitted.trap)?;
                    Some(encode::message(Version::V2c, community, &response))
                }
                Proof::User(envelope) => v3?.response(envelope, &admitted.trap),
            })
        } else {
            None
        };
        let record = TrapReceived {
            root: root.to_string(),
            sender: source.to_string(),
            sender_port: i32::from(peer.port()),
            listener: self.shared.name.clone(),
            version: match admitted.version {
                Version::V1 => SnmpVersion::V1,
                Version::V2c => SnmpVersion::V2c,
                Version::V3 => SnmpVersion::V3,
            },
            credential: admitted.credential.to_owned(),
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
        if let Some(v3) = &self.v3 {
            v3.gauge();
        }
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

/// Reports of SNMPv3, sent at once: they promise nothing that must be durable first.
struct Reports {
    budget: ReportBudget,
    sent: Counter,
    failed: Counter,
    over_limit: Counter,
}

impl Reports {
    fn new(listener: &str) -> Self {
        let outcome =
            |word: &'static str| counter!(metric::REPORTS, "listener" => listener.to_owned(), "outcome" => word);
        Self {
            budget: ReportBudget::new(Instant::now()),
            sent: outcome("sent"),
            failed: outcome("send_failed"),
            over_limit: outcome("over_limit"),
        }
    }

    fn send(&mut self, socket: &UdpSocket, report: &[u8], peer: SocketAddr) {
        if !self.budget.spend(Instant::now()) {
            self.over_limit.increment(1);
            return;
        }
        match socket.send_to(report, peer) {
            Ok(_) => self.sent.increment(1),
            Err(error) => {
                self.failed.increment(1);
                tracing::debug!(%peer, %error, "cannot send a report, its addressee will ask again");
            }
        }
    }
}

/// A datagram that is a notification from someone who may send it.
struct Admitted<'a, 'c> {
    version: Version,
    /// Its name.
    credential: &'c str,
    proof: Proof<'a>,
    trap: TrapPdu<'a>,
}

/// By what it was believed, which also protects the answer.
enum Proof<'a> {
    Community(&'a [u8]),
    User(Envelope<'a>),
}

/// Frame, then credential, then PDU, so that a stranger's PDU is not even looked at. An error has the report that may go
/// back (v3 only).
fn admit<'a, 'c>(
    config: &'c Config,
    v3: Option<&'c V3>,
    datagram: &'a [u8],
    plain: &'a mut Vec<u8>,
    source: IpAddr,
) -> Result<Admitted<'a, 'c>, (Outcome, Option<Vec<u8>>)> {
    let message = Message::parse(datagram).map_err(|e| (Outcome::Undecodable(e.reason), None))?;
    let Message::Community {
        version,
        community,
        pdu,
    } = message
    else {
        let v3 = v3.ok_or((Outcome::Refused(Refusal::V3NotConfigured), None))?;
        let Received { envelope, trap } = v3.admit(datagram, plain, source)?;
        return Ok(Admitted {
            version: Version::V3,
            credential: v3.credential(&envelope),
            proof: Proof::User(envelope),
            trap,
        });
    };
    let credential = access::admit(&config.credentials, version, community, source)
        .map_err(|refusal| (Outcome::Refused(refusal), None))?;
    let trap = TrapPdu::parse(pdu).map_err(|e| (Outcome::Undecodable(e.reason), None))?;
    Ok(Admitted {
        version,
        credential: &credential.name,
        proof: Proof::Community(community),
        trap,
    })
}
