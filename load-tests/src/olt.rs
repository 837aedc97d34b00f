//! Reading OLTs: what a poll costs us, netmiko and asyncssh against the same simulated boxes; a large table; a thousand OLTs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use connector_olt_ssh::decode::{self, Screen, Settings, text_of};
use connector_olt_ssh::poll::{self, Config, Device, Intervals};
use connector_olt_ssh::session::{self, FilePins, GateLimits, Profile, SessionLimits, Target, Transport};
use log::MemoryLog;
use model::{Root, Secret};

use crate::{print_figure, stages};

const PASSWORD: &str = "bench";
const PASSWORD_ENV: &str = "OLT_PASSWORD";
/// ONUs of an OLT whose summary has about 20 kB.
const ONUS: usize = 130;
const COLD_POLLS: usize = 10;
const WARM_POLLS: usize = 50;
const COMMAND: &str = "display ont info summary 0";
/// How long the thousand are watched, and how long they may take to be read once.
const WATCHED: Duration = Duration::from_secs(120);
const FIRST_ROUND: Duration = Duration::from_secs(180);

/// Simulated OLTs in a process of their own, so that their CPU is not ours. Every other one is an MA5800, with modern algorithms.
struct Boxes {
    child: Child,
    port: u16,
}

impl Drop for Boxes {
    fn drop(&mut self) {
        // It has nothing to lose.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Boxes {
    fn start(program: &Path, olts: usize, onus: usize) -> Result<Self> {
        let port = TcpListener::bind(("127.10.0.1", 0))?.local_addr()?.port();
        let (olts, onus) = (olts.to_string(), onus.to_string());
        let child = Command::new(program)
            .args([
                "--target",
                "127.0.0.1:9",
                "--speed",
                "0.01",
                "--olts",
                &olts,
                "--onus",
                &onus,
            ])
            .args(["--cli-port", &port.to_string()])
            .env(PASSWORD_ENV, PASSWORD)
            .env("TRAP_COMMUNITY", "bench")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let boxes = Self { child, port };
        let began = Instant::now();
        while std::net::TcpStream::connect(boxes.address(0)).is_err() {
            ensure!(
                began.elapsed() < Duration::from_secs(60),
                "the simulator does not start"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(boxes)
    }

    /// Address of the nth OLT.
    fn address(&self, n: usize) -> SocketAddr {
        let n = u32::try_from(n).expect("at most a thousand") + 1;
        let address = u32::from(Ipv4Addr::new(127, 10, 0, 0)) + n;
        SocketAddr::new(IpAddr::V4(address.into()), self.port)
    }

    fn target(&self, n: usize) -> Target {
        Target {
            name: format!("olt-{n}"),
            address: self.address(n),
            transport: Transport::Ssh(if n.is_multiple_of(2) {
                Profile::Modern
            } else {
                Profile::Legacy
            }),
            user: "noc".to_owned(),
            password: Secret::new(PASSWORD, "bench"),
        }
    }
}

/// Runs and prints.
pub fn run(pairs: usize, olts: usize) -> Result<()> {
    let simulator = build_simulator()?;
    large_table(&simulator, pairs)?;
    polls(&simulator, pairs)?;
    thousand(&simulator, olts)
}

fn build_simulator() -> Result<PathBuf> {
    let status = Command::new("cargo")
        .args(["build", "--release", "-q", "-p", "simulator"])
        .status()?;
    ensure!(status.success(), "the simulator does not build");
    let here = std::env::current_exe()?;
    Ok(here.parent().context("a program lies in a folder")?.join("simulator"))
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

async fn open(target: &Target, pins: &FilePins) -> Result<session::Session> {
    let mut session = session::open(target, pins, &SessionLimits::default()).await?;
    session.set_up().await?;
    ensure!(session.config().await?, "not let into the configuration mode");
    Ok(session)
}

/// Reads the summary, and makes rows of it.
async fn poll_once(session: &mut session::Session) -> Result<(usize, usize)> {
    let said = session.run(COMMAND, false).await?;
    let text = text_of(&said.bytes);
    let screen = Screen::of(&text);
    let settings = Settings {
        whole: true,
        ..Settings::default()
    };
    let reading = decode::read_summary(&screen, &decode::Command::parse(COMMAND)?, &settings);
    ensure!(reading.complete, "incomplete: {:?}", reading.issues.first());
    Ok((said.bytes.len(), reading.rows.len()))
}

/// 2,048 ONUs in one answer.
fn large_table(simulator: &Path, pairs: usize) -> Result<()> {
    let boxes = Boxes::start(simulator, 1, 2_048)?;
    let pins = tempfile::tempdir()?;
    let bytes = runtime()?.block_on(async {
        let mut session = open(&boxes.target(0), &FilePins::new(pins.path())).await?;
        let said = session.run(COMMAND, false).await?;
        session.leave().await?;
        anyhow::Ok(said.bytes)
    })?;
    let command = decode::Command::parse(COMMAND)?;
    let settings = Settings {
        whole: true,
        ..Settings::default()
    };
    let mut times = Vec::new();
    for _ in 0..pairs {
        const READS: u32 = 50;
        let began = stages::cpu();
        for _ in 0..READS {
            let text = text_of(std::hint::black_box(&bytes));
            let screen = Screen::of(&text);
            let reading = decode::read_summary(&screen, &command, &settings);
            ensure!(
                reading.complete && reading.rows.len() == 2_048,
                "{:?}",
                reading.issues.first()
            );
        }
        times.push((stages::cpu() - began).as_secs_f64() * 1e3 / f64::from(READS));
    }
    print_figure(
        &format!("olt, rows of 2,048 ONUs ({} kB)", bytes.len() / 1_000),
        "ms",
        times,
    );
    Ok(())
}

/// What a poll costs, cold and warm.
fn polls(simulator: &Path, pairs: usize) -> Result<()> {
    let olts = 2 * (COLD_POLLS + 1);
    let boxes = Boxes::start(simulator, olts, olts * ONUS)?;
    let mut ours = (Vec::new(), Vec::new());
    let peers = ["netmiko", "asyncssh"];
    let mut theirs = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    let python = peer_python();
    if let Err(error) = &python {
        println!("olt: netmiko and asyncssh do not run: {error:#}");
    }
    let mut size = 0;
    for _ in 0..pairs {
        let (cold, warm, bytes) = our_polls(&boxes)?;
        size = bytes;
        ours.0.push(cold);
        ours.1.push(warm);
        // A box forgets a session after 8 s, and lets nobody in before.
        std::thread::sleep(Duration::from_secs(9));
        let Ok(python) = &python else { continue };
        for (kind, (cold, warm)) in peers.iter().zip(&mut theirs) {
            let (c, w) = peer_polls(python, kind, &boxes)?;
            cold.push(c);
            warm.push(w);
            std::thread::sleep(Duration::from_secs(9));
        }
    }
    print_figure(
        &format!("olt, CPU of a cold poll, {} kB", size / 1_000),
        "ms",
        ours.0.clone(),
    );
    print_figure("olt, CPU of a warm poll, rows included", "ms", ours.1.clone());
    for (kind, (cold, warm)) in peers.iter().zip(theirs) {
        for (temperature, ours, theirs) in [("cold", &ours.0, cold), ("warm", &ours.1, warm)] {
            if theirs.is_empty() {
                continue;
            }
            let ratios = theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect();
            print_figure(&format!("{kind}, CPU of a {temperature} poll, text only"), "ms", theirs);
            print_figure(&format!("{kind} over us, {temperature}, pairs"), "times", ratios);
        }
    }
    Ok(())
}

/// Milliseconds of CPU, cold and warm, and bytes of an answer.
fn our_polls(boxes: &Boxes) -> Result<(f64, f64, usize)> {
    let pins = tempfile::tempdir()?;
    let pins = FilePins::new(pins.path());
    runtime()?.block_on(async {
        let mut session = open(&boxes.target(0), &pins).await?;
        let (bytes, rows) = poll_once(&mut session).await?;
        ensure!(rows > 100, "{rows} rows");
        let began = stages::cpu();
        for _ in 0..WARM_POLLS {
            poll_once(&mut session).await?;
        }
        let warm = (stages::cpu() - began).as_secs_f64() * 1e3 / WARM_POLLS as f64;
        session.leave().await?;
        let began = stages::cpu();
        for n in 1..=COLD_POLLS {
            let mut session = open(&boxes.target(2 * n), &pins).await?;
            poll_once(&mut session).await?;
            session.leave().await?;
        }
        let cold = (stages::cpu() - began).as_secs_f64() * 1e3 / COLD_POLLS as f64;
        Ok((cold, warm, bytes))
    })
}

/// A Python with the peers, made once beside this program.
fn peer_python() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here
        .parent()
        .context("a program lies in a folder")?
        .join("peer-olt-ssh");
    let python = folder.join("bin/python");
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/olt-ssh/requirements.txt");
    if !folder.join("ready").exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).status()?;
        ensure!(made.success(), "python3 -m venv fails");
        let installed = Command::new(&python)
            .args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r"])
            .arg(requirements)
            .status()?;
        ensure!(installed.success(), "pip install fails");
        std::fs::write(folder.join("ready"), "")?;
    }
    Ok(python)
}

fn peer_polls(python: &Path, kind: &str, boxes: &Boxes) -> Result<(f64, f64)> {
    let addresses = (0..=COLD_POLLS).map(|n| boxes.address(2 * n).ip().to_string());
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/olt-ssh/peer.py"))
        .args([kind, PASSWORD_ENV, &boxes.port.to_string(), &WARM_POLLS.to_string()])
        .args(addresses)
        .env(PASSWORD_ENV, PASSWORD)
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [cold, warm, _] = numbers[..] else {
        bail!("{kind} says {said:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    Ok((cold, warm))
}

/// A thousand OLTs, their states read every 60 s over at most 64 sessions: our CPU, and how late they are.
fn thousand(simulator: &Path, olts: usize) -> Result<()> {
    let boxes = Boxes::start(simulator, olts, olts * 16)?;
    let folder = tempfile::tempdir()?;
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let hour = Duration::from_secs(3_600);
    let log = MemoryLog::new(8);
    let config = Config {
        instance: "bench".to_owned(),
        data: folder.path().to_owned(),
        spool_bytes_max: 1 << 28,
        devices: (0..olts)
            .map(|n| {
                Ok(Device {
                    root: Root::parse(&format!("default/olt/olt-{n}"))?,
                    target: boxes.target(n),
                    day_first: true,
                })
            })
            .collect::<Result<_>>()?,
        registered: Vec::new(),
        intervals: Intervals {
            state: Duration::from_secs(60),
            optics: hour,
            alarms: hour,
            autofind: hour,
            inventory: hour,
        },
        sessions_max: 64,
        limits: SessionLimits::default(),
        gate: GateLimits::default(),
    };
    let running = poll::start(config, log, tokio.handle())?;
    let began = Instant::now();
    while running.states_read() < olts as u64 && began.elapsed() < FIRST_ROUND {
        std::thread::sleep(Duration::from_millis(200));
    }
    print_figure(
        &format!("olt, first round of {olts} OLTs"),
        "s",
        vec![began.elapsed().as_secs_f64()],
    );
    let (before, cpu, began) = (running.states_read(), stages::cpu(), Instant::now());
    std::thread::sleep(WATCHED);
    let wall = began.elapsed().as_secs_f64();
    let share = (stages::cpu() - cpu).as_secs_f64() / wall * 100.0;
    let rounds = (running.states_read() - before) as f64 / olts as f64;
    print_figure(
        &format!("olt, {olts} OLTs, 64 sessions: our CPU"),
        "% of a core",
        vec![share],
    );
    print_figure(
        "olt, from one read of an OLT to the next",
        "s",
        vec![wall / rounds.max(0.001)],
    );
    running.stop();
    Ok(())
}
