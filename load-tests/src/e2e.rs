//! Trap → WebSocket client: the clock starts when the datagram is due to be sent, and stops when the frame is read.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use load_tests::client::{Live, login, wait_ready};
use load_tests::device::{Devices, Note, pace};
use load_tests::product::{FirstStart, Running, Setup};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::print_figure;

pub const OLTS: u8 = 4;

struct Run {
    latencies_ms: Vec<f64>,
    sent: u32,
    cpu_us_per_trap: f64,
}

/// A product that runs: one process, or several.
pub struct Product {
    pub setup: Setup,
    pub parts: Vec<Running>,
    pub first: FirstStart,
    pub _folder: TempDir,
}

impl Product {
    /// Everything in one process.
    fn embedded(binary: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let setup = Setup::new(binary, folder.path(), OLTS)?;
        let mut product = setup.spawn(&[("ATALAIA_LOG", "warn".into())])?;
        let first = product
            .wait_board(Duration::from_secs(20))?
            .context("a first start prints the password")?;
        Ok(Self {
            setup,
            parts: vec![product],
            first,
            _folder: folder,
        })
    }

    fn cpu(&self) -> Result<Duration> {
        self.parts.iter().map(Running::cpu).sum()
    }
}

/// Runs and prints.
pub fn run(binary: &Path, pairs: usize, rate: f64, seconds: u32) -> Result<()> {
    measure("e2e", pairs, rate, seconds, &mut || Product::embedded(binary))
}

/// Starts a product for each run, sends, and prints under the name.
pub fn measure(
    name: &str,
    pairs: usize,
    rate: f64,
    seconds: u32,
    start: &mut dyn FnMut() -> Result<Product>,
) -> Result<()> {
    let mut runs = Vec::new();
    for _ in 0..pairs {
        runs.push(one(start()?, rate, seconds)?);
    }
    for (percent, share) in [
        ("p50", 0.50),
        ("p95", 0.95),
        ("p99", 0.99),
        ("p99.9", 0.999),
        ("max", 1.0),
    ] {
        let values = runs.iter().map(|r| percentile(&r.latencies_ms, share)).collect();
        print_figure(&format!("{name} trap → WebSocket {percent} at {rate}/s"), "ms", values);
    }
    print_figure(
        &format!("{name} CPU of the whole product"),
        "µs/trap",
        runs.iter().map(|r| r.cpu_us_per_trap).collect(),
    );
    let lost = runs
        .iter()
        .map(|r| f64::from(r.sent) - r.latencies_ms.len() as f64)
        .collect();
    print_figure(&format!("{name} events not seen"), "events", lost);
    Ok(())
}

fn one(product: Product, rate: f64, seconds: u32) -> Result<Run> {
    let (setup, first) = (&product.setup, &product.first);
    let runtime = tokio::runtime::Runtime::new()?;
    let token = runtime.block_on(async {
        for part in &product.parts {
            wait_ready(part.http, Duration::from_secs(60)).await?;
        }
        login(setup.http(), &first.user, &first.password).await
    })?;
    let subscription = json!({ "type": "subscribe", "id": "ev", "topic": "events", "limit": 1 });
    let mut live = runtime.block_on(Live::connect(setup.http(), &token, &subscription))?;

    let due: Arc<Mutex<HashMap<(String, bool), Instant>>> = Arc::default();
    let total = (rate * f64::from(seconds)) as u32;
    let reader = {
        let due = due.clone();
        runtime.spawn(async move {
            let mut latencies = Vec::with_capacity(total as usize);
            let idle = Duration::from_secs(3);
            while latencies.len() < total as usize {
                let Ok(Ok(text)) = tokio::time::timeout(idle, live.next_text()).await else {
                    break;
                };
                let read_at = Instant::now();
                let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                for change in frame["changes"].as_array().into_iter().flatten() {
                    let item = &change["item"];
                    let Some(entity) = item["entity"].as_str() else {
                        continue;
                    };
                    let key = (entity.to_owned(), item["phase"] == "raise");
                    if let Some(at) = due.lock().expect("no reader panics").remove(&key) {
                        latencies.push(read_at.duration_since(at).as_secs_f64() * 1e3);
                    }
                }
            }
            latencies
        })
    };
    let devices = Devices::new(OLTS, setup.trap_target())?;
    let cpu_before = product.cpu()?;
    let began = Instant::now();
    for n in 0..total {
        pace(began, n, rate);
        let note = Note::nth(n, OLTS);
        let due_at = began + Duration::from_secs_f64(f64::from(n) / rate);
        due.lock()
            .expect("no reader panics")
            .insert((note.entity(), note.raise), due_at);
        devices.send(&note, false);
    }
    let latencies_ms = runtime.block_on(reader)?;
    let cpu = product.cpu()?.saturating_sub(cpu_before);
    ensure!(
        !latencies_ms.is_empty(),
        "no event reached the client; the product says:\n{}",
        setup.log_text()
    );
    for part in product.parts {
        part.terminate(Duration::from_secs(25))?;
    }
    Ok(Run {
        latencies_ms,
        sent: total,
        cpu_us_per_trap: cpu.as_secs_f64() * 1e6 / f64::from(total),
    })
}

fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}
