//! The product on Apache Kafka, a schema registry and Cassandra: `infra/dev/with-servers cargo run … -- servers`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use load_tests::client::{request_text, wait_ready};
use load_tests::device::dying_gasp;
use load_tests::product::{COMMUNITY, Running, Servers, Setup};
use log::Log;
use schemas::TrapReceived;
use tempfile::TempDir;
use topology::{Group, Topic};

use crate::e2e::{self, OLTS, Product};
use crate::{print_figure, stages};

/// ONUs the records of [`throughput`] are about.
const EVENT_ONUS: u32 = 100_000;
/// ONUs of one OLT: 16 boards of 16 ports, all full.
const ONUS_PER_OLT: u32 = 16 * 16 * 128;
/// So that each of two stream threads has twelve tasks.
const PARTITIONS: u32 = 24;
const NETWORK: &[&str] = &["pipeline", "network"];
const FAR: Duration = Duration::from_secs(600);

/// Topics, schemas and tables of an installation of its own.
struct Installation {
    setup: Setup,
    servers: Servers,
    runtime: tokio::runtime::Runtime,
    folder: TempDir,
}

impl Installation {
    fn new(binary: &Path) -> Result<Self> {
        let servers = Servers {
            partitions: PARTITIONS,
            log_settings: String::new(),
            ..Servers::from_environment("bench")?
        };
        let folder = tempfile::tempdir()?;
        let setup = Setup::on(binary, folder.path(), OLTS, Some(servers.clone()))?;
        setup.run(&["topology", "apply"])?;
        setup.run(&["migrate"])?;
        Ok(Self {
            setup,
            servers,
            runtime: tokio::runtime::Runtime::new()?,
            folder,
        })
    }

    fn log(&self) -> Result<Arc<dyn Log>> {
        let environment = [("BENCH_COMMUNITY".to_owned(), COMMUNITY.to_owned())];
        let config = self.setup.folder.join("atalaia.toml");
        // No newer build writes here: the ids known now are all there are.
        let (log, _learner) = atalaia::open_log_of(&config, environment, &self.runtime)?;
        Ok(log)
    }

    fn start(&self, part: &[&str]) -> Result<Running> {
        let quiet = [("ATALAIA_LOG", "warn".to_owned())];
        self.setup.spawn_part(part, "log", &quiet)
    }

    fn wait_ready(&self, part: &Running) -> Result<()> {
        let ready = self.runtime.block_on(wait_ready(part.http, Duration::from_secs(120)));
        ready.map(drop).with_context(|| self.setup.log_text())
    }

    /// Writes numbered traps as the connector does: `n` about ONU `n` modulo `onus`.
    fn fill(&self, log: &dyn Log, numbers: std::ops::Range<u32>, onus: u32) -> Result<()> {
        let producer = log.producer("bench")?;
        let mut last = 0;
        for n in numbers {
            last = producer.send(
                stages::published(trap(n, onus), n, log.codec(), log.partitions())?,
                None,
            )?;
        }
        Ok(producer.wait(last, Instant::now() + FAR)?)
    }

    fn wait_processed(&self, log: &dyn Log, ends: &[u64]) -> Result<()> {
        let end = Instant::now() + FAR;
        loop {
            let committed = log.committed(Group::Network, Topic::Observations)?;
            if committed.iter().zip(ends).all(|(c, end)| c.unwrap_or(0) >= *end) {
                return Ok(());
            }
            ensure!(Instant::now() < end, "not processed in time: {}", self.setup.log_text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The `n`th trap of a script in which `onus` ONUs lose their power in turn, then get it back, and so on.
fn trap(n: u32, onus: u32) -> TrapReceived {
    let (raise, onu) = ((n / onus).is_multiple_of(2), n % onus);
    let (olt, at) = (onu / ONUS_PER_OLT, onu % ONUS_PER_OLT);
    let small = |number: u32| i32::try_from(number).expect("below the ONUs of an OLT");
    let place = (small(1 + at / 2_048), small(at / 128 % 16), small(at % 128));
    let request_id = i32::try_from(n + 1).expect("runs are shorter than 2^31");
    let pdu = dying_gasp(raise, place, request_id, n, false);
    stages::received(format!("default/olt/big-{olt}"), n, pdu)
}

/// Trap over UDP → frame at a WebSocket client, every part a process of its own.
pub fn latency(binary: &Path, pairs: usize, rate: f64, seconds: u32) -> Result<()> {
    e2e::measure("Kafka,", pairs, rate, seconds, &mut || {
        let installation = Installation::new(binary)?;
        let mut api = installation.start(&["api"])?;
        let first = api
            .wait_board(Duration::from_secs(60))?
            .context("a first start prints the password")?;
        let mut parts = vec![api];
        for part in [NETWORK, &["pipeline", "persist"], &["connector", "snmp-traps"]] {
            parts.push(installation.start(part)?);
        }
        Ok(Product {
            setup: installation.setup,
            parts,
            first,
            _folder: installation.folder,
        })
    })
}

/// The processor on a topic that is full, against Kafka Streams on the same records.
pub fn throughput(binary: &Path, pairs: usize, events: u32) -> Result<()> {
    let (mut ours, mut wall, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut p50, mut p95) = (Vec::new(), Vec::new());
    let peer = Peer::prepare();
    for _ in 0..pairs {
        let installation = Installation::new(binary)?;
        let log = installation.log()?;
        installation.fill(&*log, 0..events, EVENT_ONUS)?;
        let ends = log.ends(Topic::Observations)?;
        // Before ticks come in, which it would not understand.
        let their_rate = match &peer {
            Ok(peer) => Some(peer.run(&installation.servers, events)?),
            Err(_) => None,
        };
        let network = installation.start(NETWORK)?;
        let began = Instant::now();
        installation.wait_processed(&*log, &ends)?;
        wall.push(f64::from(events) / began.elapsed().as_secs_f64());
        let our_rate = f64::from(events) / network.cpu()?.as_secs_f64();
        ours.push(our_rate);
        let request = request_text(network.http, "GET", "/metrics", None, None);
        let (_, metrics) = installation.runtime.block_on(request)?;
        p50.push(quantile(&metrics, "atalaia_commit_seconds", 0.50)? * 1e3);
        p95.push(quantile(&metrics, "atalaia_commit_seconds", 0.95)? * 1e3);
        network.terminate(Duration::from_secs(25))?;
        if let Some(rate) = their_rate {
            theirs.push(rate);
            ratios.push(our_rate / rate);
        }
        log.close()?;
    }
    print_figure("Kafka, processor", "events/CPU-s", ours);
    print_figure("Kafka, processor", "events/s", wall);
    match peer {
        Ok(_) => {
            print_figure("Kafka Streams, same records", "events/CPU-s", theirs);
            print_figure("processor over Kafka Streams, pairs", "times", ratios);
        }
        Err(error) => println!("Kafka Streams: not measured ({error:#})"),
    }
    print_figure("Kafka, commit of 12 tasks under full load p50", "ms", p50);
    print_figure("Kafka, commit of 12 tasks under full load p95", "ms", p95);
    Ok(())
}

/// A processor that comes back to many ONUs, from a changelog as load leaves it.
pub fn restore(binary: &Path, onus: u32, load_seconds: u32) -> Result<()> {
    let installation = Installation::new(binary)?;
    let log = installation.log()?;
    let network = installation.start(NETWORK)?;
    let mut sent = 0;
    let began = Instant::now();
    while sent < onus || began.elapsed() < Duration::from_secs(load_seconds.into()) {
        let next = sent + 100_000.min(onus);
        installation.fill(&*log, sent..next, onus)?;
        sent = next;
        // Not further ahead than a processor that keeps up leaves it.
        installation.wait_processed(
            &*log,
            &log.ends(Topic::Observations)?
                .iter()
                .map(|e| e * 4 / 5)
                .collect::<Vec<_>>(),
        )?;
    }
    installation.wait_processed(&*log, &log.ends(Topic::Observations)?)?;
    network.terminate(Duration::from_secs(25))?;
    let changelog: u64 = log.ends(Topic::ChangelogNetwork)?.iter().sum();
    let network = installation.start(NETWORK)?;
    installation.wait_ready(&network)?;
    let took = network.started.elapsed();
    let (resident, cpu) = (resident_mib(&network)?, network.cpu()?);
    network.terminate(Duration::from_secs(25))?;
    println!("# restore: {onus} ONUs, {sent} traps before, {changelog} records written to the changelog");
    print_figure("Kafka, restore, start to ready", "s", vec![took.as_secs_f64()]);
    print_figure("Kafka, restore, CPU", "s", vec![cpu.as_secs_f64()]);
    print_figure("Kafka, restored processor, resident", "MiB", vec![resident]);
    Ok(())
}

/// Our clients against the bare loops of the libraries they stand on: programs of their own crates.
pub fn clients() -> Result<()> {
    let example = |arguments: &[&str]| -> Result<()> {
        let status = Command::new("cargo")
            .args(["run", "--release", "-q"])
            .args(arguments)
            .status()?;
        ensure!(status.success(), "{arguments:?} ended with {status}");
        Ok(())
    };
    example(&["-p", "log-kafka", "--example", "consume_rate"])?;
    example(&[
        "-p",
        "store-cql",
        "--features",
        "bench",
        "--example",
        "rows_per_cpu_second",
    ])
}

/// Kafka Streams at the same job: `peers/kafka-streams`.
struct Peer {
    jars: String,
    source: PathBuf,
    schemas: PathBuf,
}

impl Peer {
    fn prepare() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let output = Command::new(root.join("infra/dev/servers"))
            .args(["jars", "streams"])
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout)?;
        Ok(Self {
            jars: text.lines().last().context("no folder of jars")?.to_owned(),
            source: root.join("load-tests/peers/kafka-streams/Peer.java"),
            schemas: root.join("schemas/avro"),
        })
    }

    /// Records per CPU-second, once its compiler has seen the code.
    fn run(&self, servers: &Servers, events: u32) -> Result<f64> {
        let output = Command::new("java")
            .args(["-Xms512m", "-Xmx1g", "-cp", &format!("{}/*", self.jars)])
            .arg(&self.source)
            .args([&servers.kafka, &servers.prefix, &servers.partitions.to_string()])
            .arg(&self.schemas)
            .args([&events.to_string(), "2"])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let number = |name: &str| -> Option<f64> {
            let mut words = text.split_whitespace().skip_while(|word| *word != name);
            words.nth(1)?.parse().ok()
        };
        match (number("records"), number("cpu_s")) {
            (Some(records), Some(cpu)) => Ok(records / cpu),
            _ => bail!("Kafka Streams said:\n{text}{}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}

/// A quantile of a Prometheus histogram, by the straight line within its bucket.
fn quantile(metrics: &str, name: &str, share: f64) -> Result<f64> {
    let bucket = format!("{name}_bucket");
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for line in metrics.lines().filter(|line| line.starts_with(&bucket)) {
        let bound = line.split("le=\"").nth(1).and_then(|rest| rest.split('"').next());
        let count = line.rsplit(' ').next().and_then(|count| count.parse().ok());
        if let (Some(bound), Some(count)) = (bound.and_then(|b| b.parse().ok()), count) {
            buckets.push((bound, count));
        }
    }
    let total = buckets.last().map_or(0.0, |(_, count)| *count);
    ensure!(total > 0.0, "{name} has counted nothing");
    let wanted = total * share;
    let (mut below, mut low) = (0.0, 0.0);
    for (bound, count) in buckets {
        if count >= wanted && bound.is_finite() {
            return Ok(low + (bound - low) * (wanted - below) / (count - below).max(1.0));
        }
        (below, low) = (count, bound);
    }
    Ok(low)
}

/// What a process holds in memory, from the kernel's table.
fn resident_mib(process: &Running) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", process.child.id()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line
        .and_then(|rest| rest.split_whitespace().next())
        .context("the kernel's table has another form")?
        .parse()?;
    Ok(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_on_the_line_within_its_bucket() {
        let metrics = "x_bucket{le=\"0.1\"} 10\nx_bucket{le=\"0.2\"} 30\nx_bucket{le=\"+Inf\"} 30\nx_sum 4\n";
        let check = |share: f64, expected: f64| {
            let found = quantile(metrics, "x", share).expect("a histogram");
            assert!((found - expected).abs() < 1e-9, "{share}: {found}");
        };
        check(0.5, 0.125);
        check(1.0, 0.2);
        check(1.0 / 3.0, 0.1);
        assert!(quantile("", "x", 0.5).is_err());
    }

    #[test]
    fn traps_go_round_the_onus_and_back() {
        let first = trap(0, 40_000);
        assert_eq!(first.root, "default/olt/big-0");
        assert_eq!(trap(32_768, 40_000).root, "default/olt/big-1");
        assert_ne!(trap(40_000, 40_000).pdu, first.pdu, "power back");
    }
}
