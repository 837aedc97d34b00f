//! An installation on the servers: topics and tables of its own, its parts as processes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use load_tests::client::{login, request_text, wait_ready};
use load_tests::product::{COMMUNITY, FirstStart, Running, Servers, Setup};
use log::Log;
use store_cql::{CqlConfig, CqlStore};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::common;

/// How long anything may take on a busy machine.
pub const WAIT: Duration = Duration::from_secs(120);

static TURN: Mutex<()> = Mutex::new(());

/// The part that decides.
pub const NETWORK: &[&str] = &["pipeline", "network"];
/// The part that writes the store.
pub const PERSIST: &[&str] = &["pipeline", "persist"];

pub struct World {
    pub setup: Setup,
    pub runtime: Runtime,
    spawned: AtomicU32,
    _folder: TempDir,
    /// One installation at a time: two at once on two cores measure each other. Given back last.
    _turn: MutexGuard<'static, ()>,
}

impl World {
    /// Topics, schemas and tables made; nothing runs.
    pub fn new(name: &str, olts: u8) -> Self {
        Self::on(Servers::from_environment(name).unwrap(), olts)
    }

    /// The same on other servers.
    pub fn on(servers: Servers, olts: u8) -> Self {
        let world = Self::bare(servers, olts);
        world.apply();
        world
    }

    /// Neither topics nor tables yet.
    pub fn bare(servers: Servers, olts: u8) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut folder = tempfile::tempdir().unwrap();
        // A failed run's logs, for a person to read.
        folder.disable_cleanup(std::env::var_os("ATALAIA_TEST_KEEP").is_some());
        let setup = Setup::on(common::binary(), folder.path(), olts, Some(servers)).unwrap();
        Self {
            setup,
            runtime: Runtime::new().unwrap(),
            spawned: AtomicU32::new(0),
            _folder: folder,
            _turn: turn,
        }
    }

    /// Makes topics, schemas and tables.
    pub fn apply(&self) {
        self.apply_topics();
        println!("{}", self.setup.run(&["migrate"]).unwrap());
    }

    /// Makes topics and schemas.
    pub fn apply_topics(&self) {
        println!("{}", self.setup.run(&["topology", "apply"]).unwrap());
    }

    /// Starts a part and waits until it is able.
    pub fn start(&self, part: &[&str]) -> Running {
        let running = self.spawn(part, &[]);
        self.wait_ready(&running, part);
        running
    }

    /// Starts a part and does not wait.
    pub fn spawn(&self, part: &[&str], environment: &[(&str, String)]) -> Running {
        let log = format!("{}-{}", log_name(part), self.spawned.fetch_add(1, Ordering::Relaxed));
        self.setup.spawn_part(part, &log, environment).unwrap()
    }

    pub fn wait_ready(&self, running: &Running, part: &[&str]) {
        let ready = self.runtime.block_on(wait_ready(running.http, WAIT));
        assert!(ready.is_ok(), "{part:?} is not ready; it says:\n{}", self.says(part));
    }

    /// Starts the API and logs in.
    pub fn start_board(&self) -> (Running, FirstStart) {
        let mut api = self.spawn(&["api"], &[]);
        let first = api
            .wait_board(WAIT)
            .unwrap_or_else(|e| panic!("{e:#}: {}", self.says(&["api"])));
        self.wait_ready(&api, &["api"]);
        (api, first.expect("the first start prints a password"))
    }

    pub fn token(&self, first: &FirstStart) -> String {
        let login = login(self.setup.http(), &first.user, &first.password);
        self.runtime.block_on(login).unwrap()
    }

    /// The log, as another process sees it.
    pub fn log(&self) -> Arc<dyn Log> {
        let config = self.setup.folder.join("atalaia.toml");
        let environment = [("BENCH_COMMUNITY".to_owned(), COMMUNITY.to_owned())];
        let (log, learner) = atalaia::open_log_of(&config, environment, &self.runtime).unwrap();
        // No newer build writes here: the ids known now are all there are.
        drop(learner);
        log
    }

    /// The store, as another process sees it.
    pub fn store(&self) -> Arc<CqlStore> {
        let servers = self.setup.servers.as_ref().expect("a world stands on servers");
        let config = CqlConfig::new(vec![servers.cql.clone()], &servers.keyspace);
        self.runtime.block_on(CqlStore::open(config)).unwrap()
    }

    /// Sum of a part's metrics of this name whose labels hold all of these, as `state="running"`.
    pub fn metric(&self, running: &Running, name: &str, labels: &[&str]) -> f64 {
        let text = self
            .runtime
            .block_on(request_text(running.http, "GET", "/metrics", None, None))
            .map(|(_, text)| text)
            .unwrap_or_default();
        text.lines()
            .filter(|line| line.split(['{', ' ']).next() == Some(name) && labels.iter().all(|l| line.contains(l)))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// Partitions that a processor has restored and runs.
    pub fn running_partitions(&self, running: &Running) -> f64 {
        self.metric(running, runtime::metrics::TASK_PARTITIONS, &["state=\"running\""])
    }

    /// The last line that every process has logged.
    pub fn last_words(&self) -> String {
        let files = std::fs::read_dir(&self.setup.folder).unwrap().flatten();
        let mut words: Vec<_> = files
            .filter(|file| file.file_name().to_string_lossy().starts_with("log-"))
            .map(|file| {
                let text = std::fs::read_to_string(file.path()).unwrap_or_default();
                let last = text.lines().last().unwrap_or_default().to_owned();
                format!("{}: {last}\n", file.file_name().to_string_lossy())
            })
            .collect();
        words.sort_unstable();
        words.concat()
    }

    /// The last lines that the last processes of a part have logged.
    pub fn says(&self, part: &[&str]) -> String {
        let prefix = format!("{}-", log_name(part));
        let files = std::fs::read_dir(&self.setup.folder).unwrap().flatten();
        let number = |name: &str| name.strip_prefix(&prefix)?.parse::<u32>().ok();
        let mut logs: Vec<_> = files
            .filter_map(|f| Some((number(f.file_name().to_str()?)?, f.path())))
            .collect();
        logs.sort_unstable();
        let last = logs.iter().rev().take(3).rev().map(|(number, path)| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            format!(
                "process {number}:\n{}\n",
                lines[lines.len().saturating_sub(15)..].join("\n")
            )
        });
        last.collect()
    }
}

fn log_name(part: &[&str]) -> String {
    format!("log-{}", part.join("-"))
}

/// Asks until it is so.
pub fn until(what: &str, mut check: impl FnMut() -> bool) {
    let end = Instant::now() + WAIT;
    while !check() {
        assert!(Instant::now() < end, "not within {WAIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
