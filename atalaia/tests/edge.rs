//! Storms and resent informs through the real listener, the embedded log and the production chain: as many events as there
//! was to tell, and one for each inform.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that panics has failed; its figures are printed"
)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_snmp_traps::{RawConfig, RawCredential, RawDevice, RawListener, Running, build, validate};
use load_tests::device::Note;
use load_tests::product::COMMUNITY;
use log::{EmbeddedConfig, EmbeddedLog, IdFilter, Log, Start, Tail};
use model::Secret;
use runtime::{CommitPolicy, OnTorn, ProcessorConfig, ProcessorHandle};
use schemas::AnyRecord;
use topology::{Group, Topic};

const PATIENCE: Duration = Duration::from_secs(120);

struct Chain {
    log: Arc<EmbeddedLog>,
    listener: Running,
    processor: Option<ProcessorHandle>,
    tail: Box<dyn Tail>,
    filter: IdFilter,
    _folder: tempfile::TempDir,
}

fn address(device: u32) -> Ipv4Addr {
    let byte = |n: u32| u8::try_from(n).unwrap();
    Ipv4Addr::new(127, 21, byte(device / 250), byte(device % 250 + 1))
}

impl Chain {
    fn start(devices: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = EmbeddedConfig {
            disk_reserve_bytes: 0,
            ..EmbeddedConfig::new(folder.path().join("log"))
        };
        let log = EmbeddedLog::open(config).unwrap();
        let raw = RawConfig {
            instance: "edge".to_owned(),
            listeners: vec![RawListener {
                name: Some("main".to_owned()),
                bind: "127.0.0.1:0".to_owned(),
            }],
            credentials: vec![RawCredential {
                name: "bench".to_owned(),
                version: "2c".to_owned(),
                community: Secret::new(COMMUNITY, "test"),
                sources: Vec::new(),
            }],
            data: Some(folder.path().to_owned()),
            devices: (0..devices)
                .map(|n| RawDevice {
                    name: format!("olt-{n}"),
                    address: address(n).to_string(),
                    vendor: Some("huawei".to_owned()),
                    ..RawDevice::default()
                })
                .collect(),
            ..RawConfig::default()
        };
        let listener = build(validate(raw).unwrap(), log.clone()).unwrap().run().unwrap();
        let processor = runtime::spawn(
            ProcessorConfig {
                log: log.clone(),
                group: Group::Network,
                threads: 2,
                commit: CommitPolicy::embedded(),
                on_torn: OnTorn::Wait,
            },
            atalaia::network_chain,
        )
        .unwrap();
        let tail = log.tail(&[(Topic::DeviceEvents, Start::Beginning)]).unwrap();
        Self {
            log,
            listener,
            processor: Some(processor),
            tail,
            filter: IdFilter::default(),
            _folder: folder,
        }
    }

    fn target(&self) -> SocketAddr {
        self.listener.bound()[0]
    }

    /// Waits until the listener has read so many, and none was dropped.
    fn wait_received(&self, count: u64) {
        let began = Instant::now();
        loop {
            let now = self.listener.snapshot().remove(0);
            assert_eq!(
                now.kernel_drops, 0,
                "the receive buffer was full: the test sends too fast for this machine"
            );
            if now.counts.received == count {
                assert_eq!(now.counts.accepted, count);
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{count} sent, {:?}", now.counts);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Events that traps and informs made, counted by device, once there are so many and everything is processed.
    fn events(&mut self, expected: u64) -> BTreeMap<String, u64> {
        let began = Instant::now();
        let mut events: BTreeMap<String, u64> = BTreeMap::new();
        let mut count = 0;
        loop {
            // In this order: what is processed now is in what is read next.
            let caught_up = self.is_caught_up();
            let records = self.tail.poll(10_000, Duration::from_millis(50)).unwrap();
            let quiet = records.is_empty();
            for stored in records {
                if !self.filter.admits(&stored) {
                    continue;
                }
                let record = self.log.codec().decode(stored.record.value.as_ref().unwrap()).unwrap();
                if let AnyRecord::DeviceEvent(event) = record
                    && event.trap_oid.is_some()
                {
                    *events.entry(event.root).or_default() += 1;
                    count += 1;
                }
            }
            if count >= expected && caught_up && quiet {
                return events;
            }
            assert!(began.elapsed() < PATIENCE, "{count} events of {expected} in time");
        }
    }

    fn is_caught_up(&self) -> bool {
        let status = self.processor.as_ref().unwrap().status();
        !status.partitions.is_empty() && status.partitions.values().all(|p| p.lag == Some(0))
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        if let Some(processor) = self.processor.take() {
            drop(processor.join());
        }
    }
}

fn note(device: u32, n: u32) -> Vec<u8> {
    let note = Note {
        olt: 0,
        onu: device % 64,
        raise: n.is_multiple_of(2),
        request_id: i32::try_from(n).unwrap(),
    };
    // Each at another time: one that came twice at one time would be a resent one.
    note.datagram(false, 1_000 + n * 100)
}

#[test]
fn a_thousand_sources_that_flap_make_as_many_events_as_they_flap() {
    let flaps: u32 = if std::env::var_os("ATALAIA_SOAK").is_some() {
        1_000
    } else {
        5
    };
    const SOURCES: u32 = 1_000;
    let mut chain = Chain::start(SOURCES);
    let sockets: Vec<_> = (0..SOURCES)
        .map(|n| UdpSocket::bind((IpAddr::from(address(n)), 0)).unwrap())
        .collect();
    let target = chain.target();
    let began = Instant::now();
    let mut sent = 0;
    // Down and up again.
    for n in 0..flaps * 2 {
        for (device, socket) in (0..).zip(&sockets) {
            socket.send_to(&note(device, n), target).unwrap();
            sent += 1;
        }
        chain.wait_received(sent);
    }
    let took = began.elapsed();
    let events = chain.events(sent);
    println!(
        "{SOURCES} sources, {flaps} flaps each: {sent} traps in {took:.2?}, {} events",
        events.values().sum::<u64>()
    );
    assert_eq!(events.len(), SOURCES as usize);
    assert!(events.values().all(|n| *n == u64::from(flaps) * 2), "{events:?}");
}

#[test]
fn an_inform_sent_one_to_five_times_is_one_event() {
    const INFORMS: u32 = 200;
    let mut chain = Chain::start(4);
    let target = chain.target();
    let mut sent = 0;
    for n in 0..INFORMS {
        let socket = UdpSocket::bind((IpAddr::from(address(n % 4)), 0)).unwrap();
        let inform = Note {
            olt: 0,
            onu: n / 4 % 64,
            raise: (n / 256).is_multiple_of(2),
            request_id: i32::try_from(n).unwrap(),
        };
        let datagram = inform.datagram(true, 1_000 + n);
        for _ in 0..=n % 5 {
            socket.send_to(&datagram, target).unwrap();
            sent += 1;
        }
    }
    chain.wait_received(sent);
    let events = chain.events(u64::from(INFORMS));
    println!(
        "{INFORMS} informs in {sent} datagrams: {} events",
        events.values().sum::<u64>()
    );
    assert_eq!(events.values().sum::<u64>(), u64::from(INFORMS));
}
