//! One read of an OLT: which commands it takes, and what becomes of their answers.

use std::collections::BTreeSet;
use std::future::Future;

use model::Micros;
use schemas::{AnyRecord, OnuRow};

use super::plan::Task;
use super::records::{self, About, Header, Ports};
use super::ways::{Span, Ways, is_pon_board};
use crate::decode::{self, Answer, Command, PortPlace, Problem, Reading, Row, Screen, Settings, scrubbed, text_of};
use crate::session::RunError;

/// The frame that is read: SmartAX and MA5800 chassis are frame 0, extended frames were never seen.
const FRAME: u8 = 0;
/// PON ports of a board at most (H901GPHF, H901CGHF).
const PORTS_MAX: u8 = 16;
/// Bytes of an answer that are kept for people when it was not understood.
const UNREAD_BYTES_MAX: usize = 64 << 10;
/// Longest firmware version that is remembered, in bytes: it is a label of metrics.
const VERSION_BYTES_MAX: usize = 64;
/// Issues told with it.
const UNREAD_ISSUES_MAX: usize = 5;

/// What a device said to a command.
pub(crate) struct Said {
    /// Echo, answer and prompt.
    pub bytes: Vec<u8>,
    /// When the command was sent.
    pub sent_at: Micros,
    /// When the answer was there.
    pub answered_at: Micros,
}

/// A command line that is logged in and in configuration mode.
pub(crate) trait Shell: Send {
    /// Runs a command that changes nothing.
    fn run(&mut self, command: &str) -> impl Future<Output = Result<Said, RunError>> + Send;
}

/// What is remembered of an OLT between reads.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Its firmware, once read.
    pub version: Option<String>,
    /// Slots with PON boards.
    pub pon_slots: BTreeSet<u8>,
    /// Ports with at least one ONU that works.
    pub live_ports: BTreeSet<PortPlace>,
}

/// An answer that was not understood, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unread {
    /// The command.
    pub command: String,
    /// The answer without its secrets, cut.
    pub text: String,
    /// What was not understood, and where.
    pub issues: Vec<String>,
}

/// What came of a read.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// What to say, in order.
    pub records: Vec<AnyRecord>,
    /// Rows in them.
    pub rows: usize,
    /// Whether nothing is missing.
    pub complete: bool,
    /// Answers that were not understood.
    pub unread: Vec<Unread>,
}

/// Why a read gave nothing.
#[derive(Debug)]
pub(crate) enum NotDone {
    /// The session or the command failed.
    Run(RunError),
    /// The device answered with an error.
    Answer(Answer),
}

impl From<RunError> for NotDone {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

/// Reads one OLT over one session.
pub(crate) struct Reader<'a, S> {
    pub shell: &'a mut S,
    pub root: &'a str,
    /// `ssh` or `telnet`.
    pub way: &'static str,
    pub day_first: bool,
    pub about: &'a About,
    pub ways: &'a Ways,
    pub memory: &'a mut Memory,
}

/// An answer, and when it was asked for.
struct Asked {
    command: Command,
    text: String,
    sent_at: Micros,
    answered_at: Micros,
}

impl<S: Shell> Reader<'_, S> {
    /// Does one read.
    pub async fn read(&mut self, task: Task) -> Result<Done, NotDone> {
        match task {
            Task::System => self.system().await,
            Task::Boards => self.boards().await,
            Task::State => self.state().await,
            Task::Inventory => self.lists().await,
            Task::Autofind => self.autofind().await,
            Task::Alarms => self.alarms().await,
            Task::Optics(port) => self.optics(port).await,
        }
    }

    async fn system(&mut self) -> Result<Done, NotDone> {
        let asked = self.ask("display version").await?;
        let uptime = self.ask("display sysuptime").await?;
        let screen = Screen::of(&uptime.text);
        let uptime_s = decode::read(&screen, &uptime.command, &self.settings())
            .rows
            .iter()
            .find_map(|row| match row {
                Row::Uptime(uptime) => Some(uptime.uptime_s),
                _ => None,
            });
        let mut version = None;
        let done = self.done(&asked, FRAME.to_string(), |rows, header| {
            let row = rows.iter().find_map(|row| match row {
                Row::Version(version) => Some(version),
                _ => None,
            });
            let Some(row) = row else { return (Vec::new(), 0) };
            version = row
                .version
                .as_deref()
                .map(|said| cut(said, VERSION_BYTES_MAX).to_owned());
            (records::system(header, row, row.uptime_s.or(uptime_s), self.about), 1)
        })?;
        if version.is_some() {
            self.memory.version = version;
        }
        Ok(done)
    }

    async fn boards(&mut self) -> Result<Done, NotDone> {
        let asked = self.ask(&format!("display board {FRAME}")).await?;
        let mut slots = BTreeSet::new();
        let done = self.done(&asked, FRAME.to_string(), |rows, header| {
            let rows: Vec<_> = rows
                .iter()
                .filter_map(|row| match row {
                    Row::Slot(slot) => Some(slot),
                    _ => None,
                })
                .collect();
            let pon = rows.iter().filter(|slot| slot.board.is_some_and(is_pon_board));
            slots.extend(pon.map(|slot| slot.slot));
            (records::boards(header, FRAME, &rows), rows.len())
        })?;
        self.memory.pon_slots = slots;
        Ok(done)
    }

    /// Every ONU's state, by the best command that this version knows.
    async fn state(&mut self) -> Result<Done, NotDone> {
        if !self.ways.of(self.version()).summary {
            return self.lists().await;
        }
        let asked = self.ask(&format!("display ont info summary {FRAME}")).await?;
        match self.summary(&asked) {
            Err(NotDone::Answer(Answer::Unsupported | Answer::BadCommand)) => {
                let version = self.version();
                tracing::info!(
                    root = self.root,
                    version,
                    "this version knows no summary of its ONUs: lists are read"
                );
                self.ways.without_summary(version);
                self.lists().await
            }
            other => other,
        }
    }

    fn summary(&mut self, asked: &Asked) -> Result<Done, NotDone> {
        let screen = Screen::of(&asked.text);
        let reading = decode::read_summary(&screen, &asked.command, &self.settings());
        if reading.rows.is_empty() && !matches!(reading.answer, Answer::Read | Answer::Empty) {
            return Err(NotDone::Answer(reading.answer));
        }
        let mut ports = Ports::new();
        records::summary_rows(&reading.rows, &mut ports);
        self.memory.live_ports = live_ports(&ports);
        let header = self.header(asked, FRAME.to_string(), reading.complete);
        Ok(Done {
            records: records::onu_table(&header, ports),
            rows: reading.rows.len(),
            complete: reading.complete,
            unread: unread(asked, &reading),
        })
    }

    /// Every ONU's states and full description, by the widest list that this version knows.
    async fn lists(&mut self) -> Result<Done, NotDone> {
        loop {
            let span = self.ways.of(self.version()).span;
            let read = match span {
                Span::Frame => self.list(&[FRAME.into()]).await,
                Span::Board => self.lists_of_boards(false).await,
                Span::Port => self.lists_of_boards(true).await,
            };
            match read {
                Err(NotDone::Answer(Answer::Unsupported | Answer::BadCommand))
                    if self.ways.without(self.version(), span) =>
                {
                    tracing::info!(
                        root = self.root,
                        version = self.version(),
                        "this version knows no list of a whole {span:?}: narrower ones are read"
                    );
                }
                other => return other,
            }
        }
    }

    async fn lists_of_boards(&mut self, by_port: bool) -> Result<Done, NotDone> {
        let mut all = Done {
            complete: true,
            ..Done::default()
        };
        if self.memory.pon_slots.is_empty() {
            // Which boards to ask is not known yet, or their read failed: without them nothing would be read, in silence.
            all.add(self.boards().await?);
        }
        let mut live = BTreeSet::new();
        for slot in self.memory.pon_slots.clone() {
            if !by_port {
                all.add(self.list(&[FRAME.into(), slot.into()]).await?);
                live.append(&mut self.memory.live_ports);
                continue;
            }
            for port in 0..PORTS_MAX {
                match self.list(&[FRAME.into(), slot.into(), port.into()]).await {
                    Ok(done) => all.add(done),
                    // A board with fewer ports.
                    Err(NotDone::Answer(Answer::BadCommand | Answer::Failure)) if port > 0 => break,
                    Err(other) => return Err(other),
                }
                live.append(&mut self.memory.live_ports);
            }
        }
        self.memory.live_ports = live;
        Ok(all)
    }

    /// `display ont info F[ S[ P]] all`.
    async fn list(&mut self, place: &[u16]) -> Result<Done, NotDone> {
        let words: Vec<String> = place.iter().map(ToString::to_string).collect();
        let asked = self.ask(&format!("display ont info {} all", words.join(" "))).await?;
        let mut live = BTreeSet::new();
        let done = self.done(&asked, words.join("/"), |rows, header| {
            let mut ports = Ports::new();
            for row in rows {
                if let Row::Onu(onu) = row {
                    records::list_row(onu, &mut ports);
                }
            }
            live = live_ports(&ports);
            (records::onu_table(header, ports), rows.len())
        })?;
        self.memory.live_ports = live;
        Ok(done)
    }

    async fn autofind(&mut self) -> Result<Done, NotDone> {
        let asked = self.ask("display ont autofind all").await?;
        self.done(&asked, FRAME.to_string(), |rows, header| {
            let found: Vec<_> = rows
                .iter()
                .filter_map(|row| match row {
                    Row::FoundOnu(onu) => Some(&**onu),
                    _ => None,
                })
                .collect();
            (records::autofind(header, &found), found.len())
        })
    }

    async fn alarms(&mut self) -> Result<Done, NotDone> {
        let asked = self.ask("display alarm active all detail").await?;
        self.done(&asked, FRAME.to_string(), |rows, header| {
            let alarms: Vec<_> = rows
                .iter()
                .filter_map(|row| match row {
                    Row::Alarm(alarm) => Some(&**alarm),
                    _ => None,
                })
                .collect();
            (records::alarms(header, &alarms), alarms.len())
        })
    }

    /// Optical levels are only to be had inside the board. One that does not let us in is not left either: `quit` would leave the mode
    /// around it.
    async fn optics(&mut self, place: PortPlace) -> Result<Done, NotDone> {
        let PortPlace { frame, slot, port } = place;
        let entered = self.shell.run(&format!("interface gpon {frame}/{slot}")).await?;
        if let Some(answer) = decode::error_in(&entered.bytes) {
            return Err(NotDone::Answer(answer));
        }
        let asked = self.ask(&format!("display ont optical-info {port} all")).await;
        // Whatever came of it; the error that counts is the first.
        let left = self.shell.run("quit").await;
        let asked = asked?;
        left?;
        self.done(&asked, format!("{frame}/{slot}/{port}"), |rows, header| {
            let rows: Vec<_> = rows
                .iter()
                .filter_map(|row| match row {
                    Row::OnuOptics(row) => Some(records::optics_row(row)),
                    _ => None,
                })
                .collect();
            let count = rows.len();
            (records::optics(header, place, rows), count)
        })
    }

    async fn ask(&mut self, command: &str) -> Result<Asked, NotDone> {
        let said = self.shell.run(command).await?;
        Ok(Asked {
            command: Command::parse(command).expect("we ask only what we can read"),
            text: text_of(&said.bytes).into_owned(),
            sent_at: said.sent_at,
            answered_at: said.answered_at,
        })
    }

    /// What an answer comes to. One that is an error and nothing else says nothing.
    fn done(
        &self,
        asked: &Asked,
        scope: String,
        make: impl FnOnce(&[Row<'_>], &Header) -> (Vec<AnyRecord>, usize),
    ) -> Result<Done, NotDone> {
        let screen = Screen::of(&asked.text);
        let reading = decode::read(&screen, &asked.command, &self.settings());
        if reading.rows.is_empty() && !matches!(reading.answer, Answer::Read | Answer::Empty) {
            return Err(NotDone::Answer(reading.answer));
        }
        let (records, rows) = make(&reading.rows, &self.header(asked, scope, reading.complete));
        Ok(Done {
            records,
            rows,
            complete: reading.complete,
            unread: unread(asked, &reading),
        })
    }

    fn header(&self, asked: &Asked, scope: String, complete: bool) -> Header {
        Header {
            root: self.root.to_owned(),
            read_id: format!("{:016x}", rand::random::<u64>()),
            scope,
            way: self.way,
            complete,
            started_at: asked.sent_at,
            received_at: asked.answered_at,
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            day_first: self.day_first,
            whole: true,
            host: self.about.host.clone(),
        }
    }

    /// Boxes whose version is not known are one version: nothing is learnt for others that way.
    fn version(&self) -> &str {
        self.memory.version.as_deref().unwrap_or(self.root)
    }
}

impl Done {
    fn add(&mut self, other: Self) {
        self.records.extend(other.records);
        self.rows += other.rows;
        self.complete &= other.complete;
        self.unread.extend(other.unread);
    }
}

/// Ports with at least one ONU that works.
fn live_ports(ports: &Ports<OnuRow>) -> BTreeSet<PortPlace> {
    let works = |onu: &OnuRow| onu.run_state.as_deref() == Some("online");
    let live = ports.iter().filter(|(_, onus)| onus.iter().any(works));
    live.map(|(port, _)| *port).collect()
}

/// The beginning of a text, whole letters.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// Whether there is nothing between echo and prompt: what that means is not known, but there is nothing to learn from it.
fn says_nothing(answer: &str) -> bool {
    let mut lines = answer.lines();
    let echo_and_prompt = (lines.next(), lines.next_back());
    echo_and_prompt.1.is_some() && lines.all(|line| line.trim_ascii().is_empty())
}

/// The answer, where its form was not what is known of the command.
fn unread<R>(asked: &Asked, reading: &Reading<'_, R>) -> Vec<Unread> {
    let strange = |problem: &Problem| {
        matches!(
            problem,
            Problem::OtherLayout | Problem::NotUnderstood | Problem::BadRow { .. } | Problem::NothingRead
        )
    };
    let issues: Vec<String> = reading
        .issues
        .iter()
        .filter(|issue| strange(&issue.problem))
        .take(UNREAD_ISSUES_MAX)
        .map(ToString::to_string)
        .collect();
    if issues.is_empty() || says_nothing(&asked.text) {
        return Vec::new();
    }
    let text = scrubbed(&asked.text);
    vec![Unread {
        command: asked.command.text().to_owned(),
        text: cut(&text, UNREAD_BYTES_MAX).to_owned(),
        issues,
    }]
}
