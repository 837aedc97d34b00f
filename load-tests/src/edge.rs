//! The edge alone: datagrams over UDP into the durable embedded log, and what a trap costs on the way.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use connector_snmp_traps::{
    ListenerSnapshot, RawConfig, RawCredential, RawDevice, RawListener, Running, build, validate,
};
use load_tests::device::Note;
use load_tests::product::COMMUNITY;
use log::{EmbeddedConfig, EmbeddedLog, Log};
use model::Secret;
use schemas::Codec;
use snmp_pdu::{Message, TrapPdu};

use crate::peers::PEERS;
use crate::{print_figure, stages};

/// Different datagrams that are sent in turn.
const SHAPES: u32 = 1_024;
/// How long a paced run lasts.
const PACED: Duration = Duration::from_secs(2);
/// Rates of the ladder, datagrams a second.
const LADDER: &[u32] = &[10_000, 20_000, 50_000, 75_000, 100_000, 150_000, 200_000];
const PATIENCE: Duration = Duration::from_secs(60);

/// All figures of this stage.
pub fn run(pairs: usize) -> Result<()> {
    costs(pairs)?;
    let mut peers: Vec<_> = PEERS
        .iter()
        .map(|(name, find)| (*name, find(), Vec::new(), Vec::new()))
        .collect();
    let mut ours = Vec::new();
    for _ in 0..pairs {
        let own = saturated()?;
        ours.push(own);
        for (_, peer, theirs, ratios) in &mut peers {
            if let Ok(peer) = peer {
                let other = peer.saturated(&|to| send(to, None, PACED).map(drop))?;
                theirs.push(other);
                ratios.push(own / other);
            }
        }
    }
    print_figure("edge, UDP to durable log, saturated", "traps/CPU-s", ours);
    for (name, peer, theirs, ratios) in peers {
        match peer {
            Ok(_) => {
                print_figure(&format!("{name}, same bytes"), "traps/CPU-s", theirs);
                print_figure(&format!("edge over {name}, pairs"), "times", ratios);
            }
            Err(error) => println!("{name}: not measured ({error:#})"),
        }
    }
    ladder()
}

/// What reading and writing one trap costs, and how often it allocates.
fn costs(pairs: usize) -> Result<()> {
    const ITEMS: usize = 200_000;
    let datagram = Note::nth(1, 1).datagram(false, 1);
    let read = || -> Result<()> {
        let Message::Community { pdu, .. } = Message::parse(std::hint::black_box(&datagram))? else {
            anyhow::bail!("our own datagram")
        };
        std::hint::black_box(TrapPdu::parse(pdu)?);
        Ok(())
    };
    let codec = Codec::standalone();
    let trap = stages::trap(1, 1);
    let view = trap.view();
    let mut out = Vec::with_capacity(1_024);
    let write = || -> Result<()> {
        codec.encode_into(std::hint::black_box(&view), &mut out);
        std::hint::black_box(&out);
        Ok(())
    };
    figures("edge, decode v2c trap", pairs, ITEMS, read)?;
    figures("edge, encode TrapReceived", pairs, ITEMS, write)
}

/// Prints nanoseconds of CPU and allocations of one piece of work.
pub fn figures(name: &str, pairs: usize, items: usize, mut work: impl FnMut() -> Result<()>) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..pairs {
        let began = stages::cpu();
        for _ in 0..items {
            work()?;
        }
        times.push((stages::cpu() - began).as_nanos() as f64 / items as f64);
    }
    let mut result = Ok(());
    let allocations = allocation_counter::measure(|| result = work()).count_total;
    result?;
    print_figure(name, "ns", times);
    print_figure(&format!("{name}, allocations"), "", vec![allocations as f64]);
    Ok(())
}

/// A listener over an embedded log in a folder of its own.
struct Edge {
    log: Arc<EmbeddedLog>,
    running: Running,
    _folder: tempfile::TempDir,
}

impl Edge {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = EmbeddedLog::open(EmbeddedConfig::new(folder.path().join("log")))?;
        let raw = RawConfig {
            instance: "bench".to_owned(),
            listeners: vec![RawListener {
                name: Some("main".to_owned()),
                bind: "127.0.0.1:0".to_owned(),
            }],
            credentials: vec![RawCredential {
                name: "bench".to_owned(),
                version: "2c".to_owned(),
                community: Secret::new(COMMUNITY, "bench"),
                sources: Vec::new(),
            }],
            data: Some(folder.path().to_owned()),
            devices: vec![RawDevice {
                name: "olt-0".to_owned(),
                address: "127.0.0.1".to_owned(),
                ..RawDevice::default()
            }],
            ..RawConfig::default()
        };
        let config = validate(raw).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let running = build(config, log.clone())?.run()?;
        Ok(Self {
            log,
            running,
            _folder: folder,
        })
    }

    fn snapshot(&self) -> ListenerSnapshot {
        self.running.snapshot().remove(0)
    }

    /// Waits until everything sent is dropped by the kernel or in the log.
    fn settled(&self, sent: u64) -> Result<ListenerSnapshot> {
        let began = Instant::now();
        loop {
            let now = self.snapshot();
            if now.kernel_drops + now.counts.received == sent && now.counts.in_window == 0 {
                return Ok(now);
            }
            ensure!(began.elapsed() < PATIENCE, "{sent} sent, but {now:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn stop(self) -> Result<()> {
        let (_, complete) = self.running.stop();
        ensure!(complete, "the listener did not end in order");
        Ok(self.log.close()?)
    }
}

fn datagrams() -> Vec<Vec<u8>> {
    (0..SHAPES).map(|n| Note::nth(n, 1).datagram(false, n)).collect()
}

/// Sends for a while, at a rate or as fast as it goes; answers how many, and the CPU time it took.
fn send(to: SocketAddr, rate: Option<u32>, lasts: Duration) -> Result<(u64, Duration)> {
    let sender = std::thread::spawn(move || -> Result<(u64, Duration)> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(to)?;
        let datagrams = datagrams();
        let (began, cpu) = (Instant::now(), thread_cpu());
        let mut sent = 0_usize;
        while began.elapsed() < lasts {
            let due = rate.map_or(usize::MAX, |r| (began.elapsed().as_secs_f64() * f64::from(r)) as usize);
            for _ in 0..64 {
                if sent >= due {
                    std::thread::sleep(Duration::from_micros(100));
                    break;
                }
                socket.send(&datagrams[sent % datagrams.len()])?;
                sent += 1;
            }
        }
        Ok((sent as u64, thread_cpu() - cpu))
    });
    sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))?
}

fn thread_cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}

/// Traps that became durable per second of CPU, the sender's not counted.
fn saturated() -> Result<f64> {
    let edge = Edge::start()?;
    let before = stages::cpu();
    let (sent, senders) = send(edge.running.bound()[0], None, PACED)?;
    let end = edge.settled(sent)?;
    let cpu = (stages::cpu() - before).saturating_sub(senders);
    edge.stop()?;
    Ok(end.counts.acknowledged as f64 / cpu.as_secs_f64().max(0.01))
}

/// The highest rate of the ladder at which nothing was lost.
fn ladder() -> Result<()> {
    let mut best = 0;
    for rate in LADDER {
        let edge = Edge::start()?;
        let (sent, _) = send(edge.running.bound()[0], Some(*rate), PACED)?;
        let end = edge.settled(sent)?;
        let reached = sent as f64 / PACED.as_secs_f64();
        println!(
            "edge at {rate}/s asked, {reached:.0}/s sent: {} lost, receive buffer {} B",
            end.kernel_drops, end.receive_buffer_bytes
        );
        edge.stop()?;
        if end.kernel_drops > 0 || reached < f64::from(*rate) * 0.95 {
            break;
        }
        best = *rate;
    }
    print_figure("edge, highest rate without loss", "traps/s", vec![f64::from(best)]);
    Ok(())
}
