//! Other trap receivers on the same datagrams: gosnmp's `TrapListener`, which is what Telegraf uses, and net-snmp's `snmptrapd`.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use load_tests::product::COMMUNITY;

const PATIENCE: Duration = Duration::from_secs(60);
/// A receiver that wrote nothing for so long has taken all it will.
const QUIET: Duration = Duration::from_secs(1);

/// A receiver that can be started.
pub trait Peer {
    /// Traps it decoded per second of its CPU while `send` sends as fast as it can.
    ///
    /// # Errors
    /// When it does not start, or does not say how many it took.
    fn saturated(&self, send: &dyn Fn(SocketAddr) -> Result<()>) -> Result<f64>;
}

type Find = fn() -> Result<Box<dyn Peer>>;

/// Name of each, and how to find it on this machine.
pub const PEERS: &[(&str, Find)] = &[
    ("gosnmp TrapListener", || Ok(Box::new(Gosnmp::build()?))),
    ("snmptrapd", || Ok(Box::new(Snmptrapd::find()?))),
];

fn free_address() -> Result<SocketAddr> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?)
}

/// Decodes, and counts.
struct Gosnmp {
    program: PathBuf,
}

impl Gosnmp {
    /// Builds it with the Go on this machine.
    fn build() -> Result<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/gosnmp");
        let here = std::env::current_exe()?;
        let program = here.parent().context("a program lies in a folder")?.join("peer-gosnmp");
        let built = Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(source)
            .status()
            .context("there is no Go on this machine")?;
        ensure!(built.success(), "it does not build");
        Ok(Self { program })
    }
}

impl Peer for Gosnmp {
    fn saturated(&self, send: &dyn Fn(SocketAddr) -> Result<()>) -> Result<f64> {
        let free = free_address()?;
        let mut child = Command::new(&self.program)
            .arg(free.to_string())
            .arg(COMMUNITY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("its output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        ensure!(line.trim() == "listening", "the peer says {line:?}");
        send(free)?;
        // Told to end, it says how many it decoded, and how much CPU it took.
        drop(child.stdin.take());
        line.clear();
        output.read_line(&mut line)?;
        child.wait()?;
        let numbers: Vec<f64> = line.split_whitespace().filter_map(|w| w.parse().ok()).collect();
        let [count, seconds] = numbers[..] else {
            bail!("the peer says {line:?}")
        };
        Ok(count / seconds.max(0.01))
    }
}

/// Decodes, and writes a line for each: as short a one as it can, which is the least it can be made to do.
struct Snmptrapd {
    program: PathBuf,
}

/// Killed when it is dropped: it has nothing to lose.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Snmptrapd {
    fn find() -> Result<Self> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&folders).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
        let program = folders.map(|f| f.join("snmptrapd")).find(|p| p.exists());
        Ok(Self {
            program: program.context("it is not installed: Debian package snmptrapd")?,
        })
    }
}

impl Peer for Snmptrapd {
    fn saturated(&self, send: &dyn Fn(SocketAddr) -> Result<()>) -> Result<f64> {
        let (folder, free) = (tempfile::tempdir()?, free_address()?);
        let (configuration, output) = (folder.path().join("snmptrapd.conf"), folder.path().join("log"));
        std::fs::write(
            &configuration,
            format!(
                "authCommunity log {COMMUNITY}\nformat1 trap\\n\nformat2 trap\\n\ndoNotRetainNotificationLogs yes\n"
            ),
        )?;
        let child = Command::new(&self.program)
            .args(["-f", "-C", "-n", "-c"])
            .arg(&configuration)
            .arg("-Lf")
            .arg(&output)
            .arg(format!("udp:{free}"))
            .env("SNMP_PERSISTENT_DIR", folder.path())
            .env("MIBS", "")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let child = Running(child);
        // It says so in its log when it hears.
        wait("it does not start", || {
            std::fs::read_to_string(&output).is_ok_and(|t| t.contains("NET-SNMP"))
        })?;
        let before = cpu_of(child.0.id())?;
        send(free)?;
        let (mut size, mut since) = (0, Instant::now());
        wait("it does not come to rest", || {
            let now = std::fs::metadata(&output).map_or(0, |m| m.len());
            if now != size {
                (size, since) = (now, Instant::now());
            }
            since.elapsed() > QUIET
        })?;
        let seconds = cpu_of(child.0.id())? - before;
        let count = std::fs::read_to_string(&output)?
            .lines()
            .filter(|l| l.ends_with("trap"))
            .count();
        ensure!(count > 0, "it took no trap");
        Ok(count as f64 / seconds.max(0.01))
    }
}

fn wait(what: &'static str, mut done: impl FnMut() -> bool) -> Result<()> {
    let began = Instant::now();
    while !done() {
        ensure!(began.elapsed() < PATIENCE, what);
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Seconds of CPU of a process, user and system: fields 14 and 15 of its `stat`, in clock ticks of a hundredth (proc(5)).
fn cpu_of(process: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit_once(')').context("its stat")?.1;
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|n| n.parse::<u64>().unwrap_or(0))
        .sum();
    Ok(ticks as f64 / 100.0)
}
