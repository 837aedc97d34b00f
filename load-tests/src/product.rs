//! The product as a process: started with a configuration, killed, started again.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Community of the configurations made here.
pub const COMMUNITY: &str = "bench-community";

/// How to start it.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The binary.
    pub binary: PathBuf,
    /// Folder of data, configuration and logs.
    pub folder: PathBuf,
    /// UDP port of the trap listener on 127.0.0.1, chosen once so that it stays over restarts.
    pub trap_port: u16,
    /// TCP port of HTTP, likewise.
    pub http_port: u16,
    /// OLTs `olt-0` … at 127.20.0.1 ….
    pub olts: u8,
    /// What it stands on: its data folder if `None`.
    pub servers: Option<Servers>,
}

/// Servers that the processes of an installation share.
#[derive(Debug, Clone)]
pub struct Servers {
    /// Brokers.
    pub kafka: String,
    /// A node of the store.
    pub cql: String,
    /// The schema registry.
    pub registry: String,
    /// Topics begin with this, so that installations do not meet.
    pub prefix: String,
    /// Tables stand here.
    pub keyspace: String,
    /// Partitions of each topic.
    pub partitions: u32,
    /// More lines for the `[log]` section.
    pub log_settings: String,
}

impl Servers {
    /// The servers that `infra/dev/servers up` has started, for an installation of this name (lower-case letters, digits
    /// and `_`).
    ///
    /// # Errors
    /// When their addresses are not in the environment.
    pub fn from_environment(name: &str) -> Result<Self> {
        let of = |variable: &str| {
            std::env::var(variable)
                .with_context(|| format!("{variable} is not set: run eval \"$(infra/dev/servers up)\""))
        };
        let name = format!("{name}_{:08x}", rand::random::<u32>());
        Ok(Self {
            kafka: of("KAFKA")?,
            cql: of("CQL")?,
            registry: of("REGISTRY")?,
            prefix: format!("{name}."),
            keyspace: name,
            partitions: 4,
            log_settings: "session_timeout_ms = 1500\n".to_owned(),
        })
    }

    fn configuration(&self) -> String {
        let Self {
            kafka,
            cql,
            registry,
            prefix,
            keyspace,
            partitions,
            log_settings,
        } = self;
        format!(
            "[log]\nbackend = \"kafka\"\nbrokers = \"{kafka}\"\nregistry = \"{registry}\"\nprefix = \"{prefix}\"\n\
             partitions = {partitions}\n{log_settings}\
             [store]\nbackend = \"cql\"\nnodes = [\"{cql}\"]\nkeyspace = \"{keyspace}\"\nreplication = 1\n"
        )
    }
}

impl Setup {
    /// Writes a configuration with `olts` OLTs into `folder` and picks free ports.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(binary: &Path, folder: &Path, olts: u8) -> Result<Self> {
        Self::on(binary, folder, olts, None)
    }

    /// The same on servers.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn on(binary: &Path, folder: &Path, olts: u8, servers: Option<Servers>) -> Result<Self> {
        let trap_port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let http_port = free_port()?;
        let setup = Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            trap_port,
            http_port,
            olts,
            servers,
        };
        std::fs::write(folder.join("atalaia.toml"), setup.configuration())?;
        Ok(setup)
    }

    fn configuration(&self) -> String {
        let mut text = format!(
            "data = {:?}\n[http]\nlisten = \"127.0.0.1:{}\"\n[snmp_traps]\nprobe_interval_s = 0\n[[snmp_traps.listener]]\nbind = \"127.0.0.1:{}\"\n\
             [[snmp_traps.credential]]\nname = \"bench\"\nversion = \"2c\"\ncommunity = {{ env = \"BENCH_COMMUNITY\" }}\n\
             [[snmp_traps.credential]]\nname = \"bench-1\"\nversion = \"1\"\ncommunity = {{ env = \"BENCH_COMMUNITY\" }}\n",
            self.folder.join("data"),
            self.http_port,
            self.trap_port
        );
        if let Some(servers) = &self.servers {
            text.push_str(&servers.configuration());
        }
        for olt in 0..self.olts {
            writeln!(
                text,
                "[[olt]]\nname = \"olt-{olt}\"\nsite = \"S{}\"\nvendor = \"huawei\"\naddress = \"{}\"",
                olt % 2,
                olt_address(olt)
            )
            .expect("writing to a string");
        }
        text
    }

    /// Where the traps go.
    pub fn trap_target(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.trap_port).into()
    }

    /// `http://…` of the API.
    pub fn http(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.http_port).into()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Starts it, with extra environment, without waiting.
    ///
    /// # Errors
    /// When the binary cannot be run.
    pub fn spawn(&self, environment: &[(&str, String)]) -> Result<Running> {
        self.start(self.command(&["up"]), "log", self.http_port, environment)
    }

    /// Starts one part as a process of its own, such as `["pipeline", "network"]`. Its probes get a port of their own; its
    /// log goes to the file `log`.
    ///
    /// # Errors
    /// When the binary cannot be run.
    pub fn spawn_part(&self, part: &[&str], log: &str, environment: &[(&str, String)]) -> Result<Running> {
        let http_port = if part == ["api"] { self.http_port } else { free_port()? };
        let mut command = self.command(part);
        command.args(["--listen", &format!("127.0.0.1:{http_port}")]);
        self.start(command, log, http_port, environment)
    }

    /// Runs a command of the installation to its end, such as `["topology", "apply"]`; answers what it printed.
    ///
    /// # Errors
    /// When it fails: with what it said.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.output(arguments, &[])?;
        if !output.status.success() {
            bail!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs a command of the installation, with extra environment, to whatever end it comes to.
    ///
    /// # Errors
    /// When the binary cannot be run.
    pub fn output(&self, arguments: &[&str], environment: &[(&str, String)]) -> Result<Output> {
        let mut command = self.command(arguments);
        command.envs(environment.iter().map(|(k, v)| (*k, v.as_str())));
        command
            .output()
            .with_context(|| format!("cannot run {}", self.binary.display()))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .arg("--config")
            .arg(self.folder.join("atalaia.toml"))
            .env("BENCH_COMMUNITY", COMMUNITY)
            .env(
                "ATALAIA_LOG",
                std::env::var("ATALAIA_LOG").unwrap_or_else(|_| "info".into()),
            )
            .stdin(Stdio::null());
        command
    }

    fn start(
        &self,
        mut command: Command,
        log: &str,
        http_port: u16,
        environment: &[(&str, String)],
    ) -> Result<Running> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join(log))?;
        let mut child = command
            .envs(environment.iter().map(|(k, v)| (*k, v.as_str())))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot run {}", self.binary.display()))?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Running {
            child,
            lines,
            http: (Ipv4Addr::LOCALHOST, http_port).into(),
            started: Instant::now(),
        })
    }

    /// What the process has logged so far.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// Source address of an OLT: its own, in the loopback network.
pub fn olt_address(olt: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 20, 0, olt + 1)
}

/// A started process. Killed when dropped.
pub struct Running {
    /// The process.
    pub child: Child,
    lines: std::sync::mpsc::Receiver<String>,
    /// Its probes, and its board if it has one.
    pub http: SocketAddr,
    /// When it was started.
    pub started: Instant,
}

/// The line a first start prints for a person.
#[derive(Debug, Clone)]
pub struct FirstStart {
    /// User.
    pub user: String,
    /// Password.
    pub password: String,
}

impl Running {
    /// Waits for the line with the board's address; the first start's also has user and password.
    ///
    /// # Errors
    /// When the process ends or says nothing in time.
    pub fn wait_board(&mut self, deadline: Duration) -> Result<Option<FirstStart>> {
        let end = Instant::now() + deadline;
        loop {
            let line = self
                .lines
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .context("the process did not print its board's address")?;
            if let Some(rest) = line.strip_prefix("board") {
                let words: Vec<_> = rest.split_whitespace().collect();
                let after = |name: &str| words.iter().position(|w| *w == name).and_then(|i| words.get(i + 1));
                return Ok(match (after("user"), after("password")) {
                    (Some(user), Some(password)) => Some(FirstStart {
                        user: (*user).to_owned(),
                        password: (*password).to_owned(),
                    }),
                    _ => None,
                });
            }
        }
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(mut self) -> Result<()> {
        // An error here means that it is dead already.
        drop(self.child.kill());
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and waits.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn terminate(mut self, deadline: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.wait(deadline)
    }

    /// SIGCONT: a process that was stopped goes on where it was.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Whether the whole process stands still, as after SIGSTOP.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn is_stopped(&self) -> Result<bool> {
        let state = self.stat()?;
        Ok(state.first().is_some_and(|state| state == "T"))
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).with_context(|| format!("cannot signal process {}", self.child.id()))
    }

    /// The kernel's row of the process, from its state on.
    fn stat(&self) -> Result<Vec<String>> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = text.rsplit(')').next().unwrap_or_default();
        Ok(fields.split_whitespace().map(str::to_owned).collect())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn wait(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let end = Instant::now() + deadline;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > end {
                bail!("the process did not end within {deadline:?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// CPU time the process has used so far, user and system, from the kernel's table.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu(&self) -> Result<Duration> {
        let fields = self.stat()?;
        let ticks = fields
            .get(11)
            .zip(fields.get(12))
            .context("the kernel's table has another form")?;
        let ticks: u64 = ticks.0.parse::<u64>()? + ticks.1.parse::<u64>()?;
        Ok(Duration::from_millis(
            ticks * 1_000 / rustix::param::clock_ticks_per_second(),
        ))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
