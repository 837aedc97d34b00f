//! A simulated system, the connector, and a log in memory.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_padtec::client::{Base, Login, Trust};
use connector_padtec::mapping::MappingFile;
use connector_padtec::poll::{self, Config, Intervals, Running, System};
use log::{Log as _, MemoryLog, Start, Stored, Tail};
use model::{Root, Secret};
use schemas::{AnyRecord, CardsRead, DeadLetter, ForeignAlarmsRead, MeasuresRead, PollFailed};
use simulator::padtec::{Padtec, PadtecConfig, Shape};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use topology::Topic;

pub const ROOT: &str = "default/padtec/nms-1";
pub const PASSWORD: &str = "canary-5f3a9c";
pub const TOKEN: &str = "eyJ.canary-77d1e0.x";
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What is simulated where a test says nothing else: nothing moves by itself.
pub fn simulated(shape: Shape, cards: usize) -> PadtecConfig {
    PadtecConfig {
        shape,
        cards,
        password: PASSWORD.to_owned(),
        token: TOKEN.to_owned(),
        cycle: Duration::from_secs(1),
        lively: false,
        ..PadtecConfig::default()
    }
}

pub struct Bench {
    pub padtec: Padtec,
    log: Arc<MemoryLog>,
    tail: Box<dyn Tail>,
    pub seen: Vec<Stored>,
    running: Option<Running>,
    runtime: Runtime,
    _folder: TempDir,
}

/// Everything that was published.
#[derive(Default)]
pub struct Published {
    pub cards: Vec<CardsRead>,
    pub measures: Vec<MeasuresRead>,
    pub alarms: Vec<ForeignAlarmsRead>,
    pub failed: Vec<PollFailed>,
    pub letters: Vec<DeadLetter>,
    pub registered: usize,
    pub heartbeats: usize,
}

impl Published {
    /// Whole readings of all cards.
    pub fn whole_cards(&self) -> Vec<&CardsRead> {
        let is_whole = |read: &&CardsRead| read.complete && read.scope == "all";
        self.cards.iter().filter(is_whole).collect()
    }

    pub fn has_failed(&self, list: &str, class: &str) -> bool {
        self.failed
            .iter()
            .any(|failed| failed.read == list && failed.class == class)
    }
}

impl Bench {
    pub fn start(config: PadtecConfig) -> Self {
        Self::start_with(config, "smart-api", |_| {})
    }

    pub fn start_with(config: PadtecConfig, mapping: &str, prepare: impl FnOnce(&Padtec)) -> Self {
        let login = Login::Password {
            user: config.user.clone(),
            password: Secret::new(PASSWORD, "env PADTEC_PASSWORD"),
        };
        Self::start_as(config, mapping, login, prepare)
    }

    pub fn start_as(config: PadtecConfig, mapping: &str, login: Login, prepare: impl FnOnce(&Padtec)) -> Self {
        let padtec = Padtec::serve(config).unwrap();
        prepare(&padtec);
        let log = MemoryLog::new(4);
        let topics = [
            (Topic::Observations, Start::Beginning),
            (Topic::DeadLetters, Start::Beginning),
        ];
        let tail = log.tail(&topics).unwrap();
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = config_of(&padtec, mapping, login, folder.path());
        let running = poll::start(config, log.clone(), runtime.handle()).unwrap();
        Self {
            padtec,
            log,
            tail,
            seen: Vec::new(),
            running: Some(running),
            runtime,
            _folder: folder,
        }
    }

    /// What was published so far.
    pub fn published(&mut self) -> Published {
        self.seen
            .extend(self.tail.poll(1_000, Duration::from_millis(20)).unwrap());
        let mut published = Published::default();
        for stored in &self.seen {
            match self.log.codec().decode(stored.record.value.as_ref().unwrap()).unwrap() {
                AnyRecord::CardsRead(read) => published.cards.push(read),
                AnyRecord::MeasuresRead(read) => published.measures.push(read),
                AnyRecord::ForeignAlarmsRead(read) => published.alarms.push(read),
                AnyRecord::PollFailed(failed) => published.failed.push(failed),
                AnyRecord::DeadLetter(letter) => published.letters.push(letter),
                AnyRecord::DeviceRegistered(_) => published.registered += 1,
                AnyRecord::SourceHeartbeat(_) => published.heartbeats += 1,
                other => panic!("{other:?}"),
            }
        }
        published
    }

    /// Waits for a state of what was published.
    #[track_caller]
    pub fn wait(&mut self, what: &str, reached: impl Fn(&Published) -> bool) -> Published {
        let started = Instant::now();
        loop {
            let published = self.published();
            if reached(&published) {
                return published;
            }
            let failed: Vec<_> = published
                .failed
                .iter()
                .map(|f| format!("{} {} {}", f.read, f.class, f.detail))
                .collect();
            assert!(started.elapsed() < PATIENCE, "{what} did not come: {failed:#?}");
        }
    }

    /// Stops the connector; what it published in all.
    pub fn stop(mut self) -> (Published, Vec<Stored>) {
        self.running.take().unwrap().stop();
        let mut before = usize::MAX;
        while before != self.seen.len() {
            before = self.seen.len();
            self.published();
        }
        let published = self.published();
        drop(self.runtime);
        (published, self.seen)
    }
}

fn config_of(padtec: &Padtec, mapping: &str, login: Login, folder: &Path) -> Config {
    let base = Base::parse(&padtec.base()).unwrap();
    let ms = Duration::from_millis;
    Config {
        instance: "test".to_owned(),
        data: folder.to_owned(),
        spool_bytes_max: 64 << 20,
        systems: vec![System {
            root: Root::parse(ROOT).unwrap(),
            trust: Trust::of(&base, None).unwrap(),
            base,
            login,
            zone: connector_padtec::zone("America/Manaus").unwrap(),
            mapping: MappingFile::open(mapping).unwrap(),
        }],
        registered: Vec::new(),
        intervals: Intervals {
            critical: ms(200),
            normal: ms(700),
            alarms: ms(300),
            inventory: ms(400),
        },
    }
}
