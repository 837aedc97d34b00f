//! Commands on an installation: over a Unix socket in the data folder when an `up` runs there, else on the folder itself.
//! One JSON request a connection; JSON lines come back, the last one `{"done":true}` or `{"error":"…"}`.
//! The socket is readable and writable for its owner only.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use log::Log;
use model::Tenant;
use serde::{Deserialize, Serialize};
use settings::{LogBackend, Settings};
use store::Store;

use crate::backends::{self, Absence, Backends};
use crate::command_line::Place;
use crate::operations;
use crate::parts::Selection;

/// Name of the socket in the data folder.
const SOCKET: &str = "atalaia.sock";
/// Largest request: a thousand registrations with long descriptions.
const REQUEST_BYTES_MAX: u64 = 16 << 20;

/// Where a tail begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// At the oldest record.
    Start,
    /// After the newest.
    End,
    /// With records appended since then.
    SecondsAgo(i64),
}

/// What exists, as a person or a file says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Entity id.
    pub entity: String,
    /// What it is.
    pub kind: String,
    /// Serial number.
    pub serial: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Site.
    pub site: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Vendor.
    pub vendor: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Management address.
    pub address: Option<String>,
    /// It no longer exists.
    #[serde(default)]
    pub removed: bool,
    /// Anything else.
    #[serde(default)]
    pub attributes: std::collections::BTreeMap<String, String>,
}

/// What can be asked.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Records of a topic.
    Tail {
        /// Topic without prefix.
        topic: String,
        /// Where to begin.
        from: From,
        /// Only records whose key or entity contains this.
        entity: Option<String>,
        /// Go on.
        follow: bool,
        /// At most this many.
        limit: Option<usize>,
    },
    /// Registers entities.
    Register {
        /// What exists.
        rows: Vec<Registration>,
        /// Who says so.
        origin: String,
    },
    /// Adds a user or changes one.
    AddUser {
        /// Login name.
        name: String,
        /// Role.
        role: String,
        /// Password; never logged.
        password: String,
    },
    /// Lists users.
    ListUsers,
    /// How the installation is.
    Doctor,
    /// Compares state recomputed from `observations` with the changelog.
    ReplayCheck,
    /// Adds up hours, days and months again from raw samples.
    RebuildRollups {
        /// Microseconds since 1970.
        from: i64,
        /// The same.
        to: i64,
    },
}

/// What an operation works on.
#[derive(Clone)]
pub struct Installation {
    /// The log.
    pub log: Arc<dyn Log>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// For the store's queries.
    pub runtime: tokio::runtime::Handle,
    /// Whose it is.
    pub tenant: Tenant,
}

/// Runs a request on the installation of `place`, wherever it is open.
///
/// # Errors
/// When it cannot be reached or opened, or the operation fails.
pub fn with_installation(place: &Place, request: &Request, on_line: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let settings = crate::up::load_settings(place)?;
    let folder = &settings.data;
    if !matches!(settings.log.backend, LogBackend::Embedded) {
        return on_backends(&settings, request, on_line);
    }
    match UnixStream::connect(folder.join(SOCKET)) {
        Ok(stream) => ask(stream, request, on_line),
        Err(_) => {
            if !folder.exists() {
                bail!(
                    "there is no data folder {}: name it with --data, or start `atalaia up`",
                    folder.display()
                );
            }
            on_backends(&settings, request, on_line)
        }
    }
}

/// Opens log and store for this one operation.
fn on_backends(settings: &Settings, request: &Request, on_line: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let Backends {
        log,
        store,
        learner: _learner,
    } = backends::open(settings, Selection::ALL, &runtime, Absence::Fail)?;
    let installation = Installation {
        log: log.clone(),
        store: store.context("there is no store")?,
        runtime: runtime.handle().clone(),
        tenant: settings.tenant.clone(),
    };
    let result = operations::run(request, &installation, &AtomicBool::new(false), on_line);
    log.close().context("cannot close the log")?;
    result
}

fn ask(mut stream: UnixStream, request: &Request, on_line: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream
        .write_all(line.as_bytes())
        .context("the running atalaia does not listen")?;
    for line in BufReader::new(stream).lines() {
        let line = line.context("the running atalaia has gone away")?;
        if line == DONE {
            return Ok(());
        }
        if let Some(error) = line.strip_prefix(ERROR) {
            bail!("{error}");
        }
        on_line(&line)?;
    }
    bail!("the running atalaia has gone away")
}

const DONE: &str = "+done";
const ERROR: &str = "-error ";

/// Serves requests until dropped.
pub struct Server {
    path: PathBuf,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Listens in the data folder, one thread a connection.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn start(folder: &Path, installation: Installation) -> Result<Self> {
        let path = folder.join(SOCKET);
        // The folder is locked by this process: a socket that lies here is a dead one's.
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        let listener = UnixListener::bind(&path).with_context(|| format!("cannot listen on {}", path.display()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = stop.clone();
        std::thread::Builder::new().name("socket".into()).spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::Relaxed) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (installation, stop) = (installation.clone(), stopping.clone());
                let spawned = std::thread::Builder::new().name("command".into()).spawn(move || {
                    if let Err(error) = serve(stream, &installation, &stop) {
                        tracing::debug!(%error, "a command's connection ended early");
                    }
                });
                if let Err(error) = spawned {
                    tracing::warn!(%error, "cannot start a thread for a command");
                }
            }
        })?;
        Ok(Self { path, stop })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the accepting thread; if nobody accepts any more, so much the better.
        drop(UnixStream::connect(&self.path));
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the socket was gone already");
        }
    }
}

fn serve(stream: UnixStream, installation: &Installation, stop: &AtomicBool) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut writer = std::io::BufWriter::new(stream.try_clone()?);
    let mut line = String::new();
    std::io::Read::take(BufReader::new(stream), REQUEST_BYTES_MAX).read_line(&mut line)?;
    let result = match serde_json::from_str::<Request>(&line) {
        Ok(request) => operations::run(&request, installation, stop, &mut |line| {
            writeln!(writer, "{line}")?;
            writer.flush().context("the client has gone away")
        }),
        Err(error) => Err(anyhow::anyhow!("not a request this version knows: {error}")),
    };
    match result {
        Ok(()) => writeln!(writer, "{DONE}")?,
        Err(error) => writeln!(writer, "{ERROR}{}", format!("{error:#}").replace('\n', " "))?,
    }
    writer.flush()?;
    Ok(())
}
