//! An installation on the servers: topics and tables of its own, its parts as processes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use load_tests::client::{login, wait_ready};
use load_tests::product::{COMMUNITY, FirstStart, Running, Servers, Setup};
use log::Log;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::common;

/// How long anything may take on a busy machine.
pub const WAIT: Duration = Duration::from_secs(60);

/// The part that decides.
pub const NETWORK: &[&str] = &["pipeline", "network"];
/// The part that writes the store.
pub const PERSIST: &[&str] = &["pipeline", "persist"];

pub struct World {
    pub setup: Setup,
    pub runtime: Runtime,
    _folder: TempDir,
}

impl World {
    /// Topics, schemas and tables made; nothing runs.
    pub fn new(name: &str, olts: u8) -> Self {
        Self::on(Servers::from_environment(name).unwrap(), olts)
    }

    /// The same on other servers.
    pub fn on(servers: Servers, olts: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::on(common::binary(), folder.path(), olts, Some(servers)).unwrap();
        println!("{}", setup.run(&["topology", "apply"]).unwrap());
        println!("{}", setup.run(&["migrate"]).unwrap());
        Self {
            setup,
            runtime: Runtime::new().unwrap(),
            _folder: folder,
        }
    }

    /// Starts a part and waits until it is able.
    pub fn start(&self, part: &[&str]) -> Running {
        let running = self.spawn(part, &[]);
        self.wait_ready(&running, part);
        running
    }

    /// Starts a part and does not wait.
    pub fn spawn(&self, part: &[&str], environment: &[(&str, String)]) -> Running {
        self.setup.spawn_part(part, &log_name(part), environment).unwrap()
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

    /// The last lines that a part has logged.
    pub fn says(&self, part: &[&str]) -> String {
        let text = std::fs::read_to_string(self.setup.folder.join(log_name(part))).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
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
