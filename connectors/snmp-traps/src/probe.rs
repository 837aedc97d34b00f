//! The freshness probe: traps of our own, sent as datagrams to our own listeners, one through each partition, again and again.
//! Whoever watches the far end of the pipeline knows by them how old what it shows may be (docs/adr/0014).
//!
//! A probe is believed by two things that nobody else has: the very socket it comes from, and a community drawn at each start.
//! It is counted like any datagram, under a sender of its own name, so that the listener's sums stay right and no stranger is
//! made of it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_kit::{Every, StopToken, now};
use metrics::counter;
use model::{Root, RootKind, Tenant};
use rand::RngExt as _;
use snmp_pdu::encode::{self, V2Notification};
use snmp_pdu::{Message, Oid, TrapPdu, Value, Version};
use topology::partition_of;

use crate::metric;

/// Under net-snmp's `netSnmpPlaypen`, which is nobody's: these traps never leave the machine.
const TRAP: Oid = Oid::new(&[1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1, 0, 1]);
/// Which partition the trap is for.
const PARTITION: Oid = Oid::new(&[1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1, 1]);

/// A listener's probe, as its thread knows it.
#[derive(Debug)]
pub(crate) struct Probe {
    from: SocketAddr,
    community: [u8; 32],
    /// A root in each partition.
    roots: Vec<Arc<str>>,
}

impl Probe {
    /// Whether a datagram comes from our own socket, or claims to.
    pub fn is_from(&self, peer: SocketAddr) -> bool {
        peer.port() == self.from.port() && peer.ip().to_canonical() == self.from.ip()
    }

    /// The trap inside, and the root to publish it under, if this datagram from our socket is one of ours.
    pub fn recognise<'a>(&self, datagram: &'a [u8]) -> Option<(TrapPdu<'a>, &Arc<str>)> {
        let Ok(Message::Community { community, pdu, .. }) = Message::parse(datagram) else {
            return None;
        };
        if community != self.community {
            return None;
        }
        let trap = TrapPdu::parse(pdu).ok()?;
        let partition = trap.varbinds().find(|v| v.oid == PARTITION)?.value.as_u32_bits()?;
        Some((trap, self.roots.get(usize::try_from(partition).ok()?)?))
    }
}

/// The sending end.
#[derive(Debug)]
pub(crate) struct Prober {
    listener: String,
    target: SocketAddr,
    socket: UdpSocket,
    probe: Arc<Probe>,
}

impl Prober {
    /// For a listener that hears at `bound`, over a log of so many partitions.
    ///
    /// # Errors
    /// When the system gives no socket.
    pub fn new(listener: &str, bound: SocketAddr, partitions: u32) -> io::Result<Self> {
        // A socket on `[::]` hears both families, so one loopback address does for every unspecified one.
        let here = if bound.ip().is_unspecified() {
            IpAddr::from(Ipv4Addr::LOCALHOST)
        } else {
            bound.ip()
        };
        let socket = UdpSocket::bind((here, 0))?;
        let probe = Probe {
            from: SocketAddr::new(here.to_canonical(), socket.local_addr()?.port()),
            community: rand::rng().random(),
            roots: roots(listener, partitions),
        };
        Ok(Self {
            listener: listener.to_owned(),
            target: SocketAddr::new(here, bound.port()),
            socket,
            probe: Arc::new(probe),
        })
    }

    /// What the listener recognises its traps by.
    pub fn probe(&self) -> Arc<Probe> {
        self.probe.clone()
    }

    /// Sends one trap through each partition.
    fn send(&self) {
        let outcome =
            |word: &'static str| counter!(metric::PROBES, "listener" => self.listener.clone(), "outcome" => word);
        for partition in 0..self.probe.roots.len() {
            let datagram = self.datagram(i32::try_from(partition).unwrap_or(i32::MAX));
            match self.socket.send_to(&datagram, self.target) {
                Ok(_) => outcome("sent").increment(1),
                Err(error) => {
                    outcome("send_failed").increment(1);
                    tracing::warn!(listener = %self.listener, target = %self.target, %error, "cannot send a freshness probe");
                }
            }
        }
    }

    fn datagram(&self, partition: i32) -> Vec<u8> {
        // The clock of records: the far end subtracts it from its own.
        let sent_at = u64::try_from(now().0).unwrap_or_default();
        let head = V2Notification {
            request_id: partition,
            uptime: 0,
            trap_oid: TRAP,
        };
        let varbinds = [
            (PARTITION, Value::Integer(partition)),
            (Oid::new(&schemas::probe::SENT_AT_OID), Value::Counter64(sent_at)),
        ];
        encode::message(Version::V2c, &self.probe.community, &encode::v2_trap(&head, &varbinds))
    }
}

/// Sends for every listener at once and then every `interval`, until it is time to stop.
pub(crate) fn run(probers: &[Prober], interval: Duration, stop: &StopToken) {
    let mut every = Every::new(interval, Instant::now());
    while !stop.wait(every.wait(Instant::now())) {
        if every.due(Instant::now()) {
            probers.iter().for_each(Prober::send);
        }
    }
}

/// `default/probe/LISTENER.N`, the listener as a hash of its name, since a name may be as long as a root's: for each partition the first N that
/// falls into it. Of its own for each listener, for only the last row of a root is kept.
fn roots(listener: &str, partitions: u32) -> Vec<Arc<str>> {
    let mut found: Vec<Option<Arc<str>>> = vec![None; usize::try_from(partitions).unwrap_or_default()];
    let mut missing = found.len();
    let fnv = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let listener = listener.bytes().fold(0x811c_9dc5, fnv);
    let (tenant, mut number) = (Tenant::default(), 0_u64);
    while missing > 0 {
        let root = Root::new(&tenant, RootKind::Probe, &format!("{listener:08x}.{number}"))
            .expect("digits and a dot are a name");
        let partition = usize::try_from(partition_of(root.as_str(), partitions)).unwrap_or_default();
        if let Some(place @ None) = found.get_mut(partition) {
            *place = Some(root.as_str().into());
            missing -= 1;
        }
        number += 1;
    }
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_a_root_of_its_own() {
        for partitions in [1, 4, 8, 24, 1_024] {
            let roots = roots("main", partitions);
            assert!(!roots.contains(&super::roots("other", partitions)[0]));
            let reached: Vec<u32> = roots.iter().map(|root| partition_of(root, partitions)).collect();
            assert_eq!(reached, (0..partitions).collect::<Vec<_>>());
        }
    }

    #[test]
    fn only_its_own_socket_and_community_make_a_probe() {
        let bound = "127.0.0.1:1162".parse().unwrap();
        let prober = Prober::new("main", bound, 4).unwrap();
        let probe = prober.probe();
        let other = Prober::new("main", bound, 4).unwrap();
        let datagram = prober.datagram(3);
        let check = |datagram: &[u8], peer: SocketAddr, expected: Option<&str>| {
            let found = probe.is_from(peer).then(|| probe.recognise(datagram)).flatten();
            let found = found.map(|(_, root)| root.clone());
            assert_eq!(found.as_deref(), expected, "{peer}");
        };
        let root = probe.roots[3].clone();
        check(&datagram, probe.from, Some(&root));
        let mapped = SocketAddr::new("::ffff:127.0.0.1".parse().unwrap(), probe.from.port());
        check(&datagram, mapped, Some(&root));
        check(&datagram, other.probe.from, None);
        check(&datagram, "192.0.2.1:162".parse().unwrap(), None);
        check(&other.datagram(3), probe.from, None);
        check(&prober.datagram(4), probe.from, None);
        check(&prober.datagram(-1), probe.from, None);
        for cut in 0..datagram.len() {
            check(&datagram[..cut], probe.from, None);
        }
    }
}
