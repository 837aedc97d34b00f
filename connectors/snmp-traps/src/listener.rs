//! One UDP socket and the thread that reads it: datagram → verdict → record.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use connector_kit::{Deadline, DropReason, Heard, Listen, OnDurable, Publisher, now};
use metrics::{Counter, Gauge, counter, gauge};
use schemas::{Codec, SnmpVersion, TrapReceivedView};
use snmp_pdu::{Message, TrapPdu, Version, encode};
use snmp_usm::{Envelope, Received};
use topology::Topic;

use crate::account::{Counted, Outcome, PROBE_SLOT, Slot};
use crate::batch::{BATCH, Batch};
use crate::config::Config;
use crate::inform::Answers;
use crate::probe::Probe;
use crate::refusal::{Limit, Refusal};
use crate::sender::{Attribution, Directory, Strangers};
use crate::shared::Shared;
use crate::v3::{ReportBudget, V3};
use crate::{access, metric};

/// How long one turn waits for a datagram.
pub(crate) const TURN: Duration = Duration::from_millis(50);
/// How often acknowledgements are looked at under load.
const TEND_EVERY: Duration = Duration::from_millis(5);
/// Datagrams that come closer than this are awaited together: a wake-up costs more than a trap (performance.md §4.1).
const LOADED: Duration = Duration::from_millis(1);
const NAP: Duration = Duration::from_micros(300);
/// Bytes of memory that records share.
const ARENA_BYTES: usize = 256 << 10;
/// Keys of roots that are kept: far more than roots.
const KEYS_MAX: usize = 100_000;
/// How long the drain reads on, and then waits for acknowledgements.
const READ_ON: Duration = Duration::from_millis(500);
const ACKNOWLEDGE: Duration = Duration::from_millis(2_500);

/// A sender as it is written and counted.
#[derive(Debug, Clone)]
struct Known {
    slot: Slot,
    address: Arc<str>,
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
    batch: Batch,
    /// Of this batch, not counted yet.
    taken: Vec<Counted>,
    /// What is remembered of each sender, so that a known one takes no lock and no allocation.
    known: HashMap<IpAddr, Known>,
    keys: HashMap<Arc<str>, Bytes>,
    codec: Arc<Codec>,
    /// The present PDU and the present record; and where records lie until they are in the log.
    pdu: Vec<u8>,
    encoded: Vec<u8>,
    arena: BytesMut,
    fates: Vec<(Slot, Result<(), DropReason>)>,
    /// For what is decrypted.
    plain: Vec<u8>,
    tended: Instant,
    /// When the last batch came that was not full.
    heard: Instant,
    /// The last turn brought nothing: there is time to look after what was sent.
    idle: bool,
    strangers_gauge: Gauge,
    /// What our own traps are recognised by.
    probe: Option<Arc<Probe>>,
}

impl TrapListener {
    pub fn new(
        socket: Arc<UdpSocket>,
        config: Arc<Config>,
        v3: Option<Arc<V3>>,
        publisher: Publisher<Slot>,
        answers: Answers,
        shared: Arc<Shared>,
        probe: Option<Arc<Probe>>,
    ) -> Self {
        let codec = publisher.codec().clone();
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
            batch: Batch::new(),
            taken: Vec::with_capacity(BATCH),
            known: HashMap::new(),
            keys: HashMap::new(),
            codec,
            pdu: Vec::new(),
            encoded: Vec::new(),
            arena: BytesMut::new(),
            fates: Vec::new(),
            plain: Vec::new(),
            tended: Instant::now(),
            heard: Instant::now(),
            idle: false,
            probe,
        }
    }

    /// Takes every datagram of the batch, and then counts them, each exactly once: what is counted as accepted survives the
    /// process if the log is away.
    fn take_batch(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let mut plain = std::mem::take(&mut self.plain);
        let (config, v3) = (self.config.clone(), self.v3.clone());
        for index in 0..batch.len() {
            let Some((datagram, peer)) = batch.get(index) else {
                break;
            };
            let source = peer.ip().to_canonical();
            if self.take_probe(datagram, peer) {
                continue;
            }
            let known = self.known(source);
            let taken = match admit(&config, v3.as_deref(), datagram, &mut plain, source) {
                Ok(admitted) => self.handle(&admitted, v3.as_deref(), peer, source, &known),
                Err((outcome, report)) => {
                    if let Some(report) = report {
                        self.reports.send(&self.socket, &report, peer);
                    }
                    outcome.into()
                }
            };
            self.taken.push(Counted {
                outcome: taken.outcome,
                slot: known.slot,
                source,
                root: taken.root,
            });
        }
        if let Some(drops) = batch.kernel_drops {
            self.shared.note_kernel_drops(drops);
        }
        (self.batch, self.plain) = (batch, plain);
        self.publisher.write_out();
        let listener = &self.shared.name;
        self.shared.count(&mut self.taken, |counted| {
            if let Outcome::Refused(refusal) = counted.outcome {
                tracing::warn!(%listener, source = %counted.source, reason = refusal.as_str(), "refused a trap, and will count the next ones");
            }
        });
    }

    /// Takes a datagram if it is a freshness probe of ours: the same way into the log, under a sender of its own.
    fn take_probe(&mut self, datagram: &[u8], peer: SocketAddr) -> bool {
        let Some(probe) = self.probe.as_ref().filter(|probe| probe.is_from(peer)).cloned() else {
            return false;
        };
        let Some((trap, root)) = probe.recognise(datagram) else {
            return false;
        };
        let admitted = Admitted {
            version: Version::V2c,
            credential: schemas::probe::SENDER,
            proof: Proof::Community(&[]),
            trap,
        };
        let source = peer.ip().to_canonical();
        let attribution = Attribution {
            address: source,
            relay: None,
            device: None,
        };
        let known = Known {
            slot: PROBE_SLOT,
            address: schemas::probe::SENDER.into(),
        };
        let fate = self.publish(&admitted, &attribution, root, None, peer, &known, None);
        self.taken.push(Counted {
            outcome: Outcome::Accepted(fate),
            slot: PROBE_SLOT,
            source,
            root: None,
        });
        true
    }

    fn known(&mut self, source: IpAddr) -> Known {
        if let Some(known) = self.known.get(&source) {
            return known.clone();
        }
        let known = Known {
            slot: self.shared.slot(source),
            address: source.to_string().into(),
        };
        // Those who share a slot are not remembered: there may be any number.
        if !known.slot.is_shared() {
            self.known.insert(source, known.clone());
        }
        known
    }

    fn handle(
        &mut self,
        admitted: &Admitted<'_, '_>,
        v3: Option<&V3>,
        peer: SocketAddr,
        source: IpAddr,
        known: &Known,
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
        let fate = self.publish(admitted, &attribution, &root, inner, peer, known, durable);
        // A relay speaks for many: its row has no root of its own.
        let senders_root = attribution.relay.is_none().then_some(root);
        Taken {
            outcome: Outcome::Accepted(fate),
            root: senders_root,
        }
    }

    /// Encodes into memory that is shared by many records, so that a trap costs no allocation of its own.
    #[allow(clippy::too_many_arguments, reason = "what a datagram was taken apart into")]
    fn publish(
        &mut self,
        admitted: &Admitted<'_, '_>,
        attribution: &Attribution,
        root: &Arc<str>,
        inner: Option<IpAddr>,
        peer: SocketAddr,
        known: &Known,
        durable: Option<Arc<dyn OnDurable>>,
    ) -> Result<(), DropReason> {
        let relay = attribution.relay.map(|r| r.to_string());
        let inner = inner.map(|a| a.to_string());
        admitted.trap.copy_without_community(&mut self.pdu);
        let trap = TrapReceivedView {
            root,
            sender: &known.address,
            sender_port: peer.port().into(),
            listener: &self.shared.name,
            version: match admitted.version {
                Version::V1 => SnmpVersion::V1,
                Version::V2c => SnmpVersion::V2c,
                Version::V3 => SnmpVersion::V3,
            },
            credential: admitted.credential,
            inform: admitted.trap.is_inform(),
            relay: relay.as_deref(),
            inner_address: inner.as_deref(),
            received_at: now(),
            pdu: &self.pdu,
        };
        self.codec.encode_into(&trap, &mut self.encoded);
        if self.arena.capacity() < self.encoded.len() {
            self.arena = BytesMut::with_capacity(ARENA_BYTES.max(self.encoded.len()));
        }
        self.arena.extend_from_slice(&self.encoded);
        let value = self.arena.split().freeze();
        let key = self.key(root);
        self.publisher
            .publish_encoded(Topic::Observations, key, value, known.slot, durable)
            .map_err(|(_, reason)| reason)
    }

    fn key(&mut self, root: &Arc<str>) -> Bytes {
        if let Some(key) = self.keys.get(root) {
            return key.clone();
        }
        // Roots of strangers come and go.
        if self.keys.len() >= KEYS_MAX {
            self.keys.clear();
        }
        let key = Bytes::copy_from_slice(root.as_bytes());
        self.keys.insert(root.clone(), key.clone());
        key
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
        let fates = &mut self.fates;
        self.publisher.tend(|slot, fate| fates.push((slot, fate)));
        self.shared.settle(fates);
        if let Some(state) = self.publisher.spool_state() {
            self.shared.show_spool(state);
        }
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
        if self.heard.elapsed() < LOADED {
            std::thread::sleep(NAP);
        }
        match self.batch.receive(&self.socket) {
            Ok(()) => {
                if self.batch.len() < BATCH {
                    self.heard = Instant::now();
                }
                self.take_batch();
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
        let fates = &mut self.fates;
        self.publisher
            .drain(Deadline::after(ACKNOWLEDGE), |slot, fate| fates.push((slot, fate)));
        self.shared.settle(fates);
        if let Some(state) = self.publisher.spool_state() {
            self.shared.show_spool(state);
        }
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
