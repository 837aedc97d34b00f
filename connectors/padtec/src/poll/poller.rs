//! One system: waits for what is due, reads it, says what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use connector_kit::{Backoff, Breaker, now};
use metrics::{counter, gauge, histogram};
use model::{Micros, PollFailure};
use schemas::{AnyRecord, PollFailed};
use tokio::sync::watch;
use topology::Topic;

use super::clock::Clock;
use super::config::System;
use super::letters::Letters;
use super::listing::{ListError, Listing, Reader};
use super::metric;
use super::outbox::{Batch, Outbox};
use super::plan::{Intervals, Next, Plan, Task};
use super::records::{self, Header};
use crate::client::Client;
use crate::decode::{Alarm, Card, Decoder, Measure};
use crate::mapping::MappingFile;

/// What else is starting gets going first.
const START: Duration = Duration::from_secs(1);
/// First reads of several systems are spread over this.
const SPREAD: Duration = Duration::from_secs(2);
/// First and longest wait after a failure of the whole system.
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Failures of the whole system in a row after which it is left alone for a while.
const FAILURES_MAX: u32 = 5;
const REST: Duration = Duration::from_secs(60);
/// Longest detail of a failure, in bytes.
const DETAIL_BYTES_MAX: usize = 512;
/// Cards whose state is remembered.
const CARDS_MAX: usize = 100_000;
/// A card that is down is told this often between two inventories: one more than conclude it.
const DOWN_TOLD: u32 = 3;

/// What the tasks of all systems share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Complete reads of the inventory.
    pub cards_read: AtomicU64,
    /// Reads of all measures.
    pub measures_read: AtomicU64,
}

/// What measures told of a card between two inventories.
#[derive(Debug, Clone)]
struct Known {
    /// Its row of the inventory; of a card that is not in it, what its measures say.
    card: Card,
    /// Whether it works, as its measures say.
    up: Option<bool>,
    /// How often it was told to be down since it went down.
    told_down: u32,
}

/// Failures without a good read between.
#[derive(Debug, Default)]
struct Streak {
    in_a_row: u32,
    since: Option<Micros>,
}

impl Streak {
    /// One more: how many there are now, and since when.
    fn more(&mut self) -> (u32, Micros) {
        self.in_a_row = self.in_a_row.saturating_add(1);
        (self.in_a_row, *self.since.get_or_insert_with(now))
    }
}

/// The task of one system.
pub(crate) struct Poller {
    root: Arc<str>,
    client: Client,
    mapping: MappingFile,
    decoder: Decoder,
    zone: jiff::tz::TimeZone,
    plan: Plan,
    size: u64,
    clock: Clock,
    cards: BTreeMap<String, Known>,
    letters: Letters,
    /// Of the system as a whole, and of each of its lists.
    silence: Streak,
    streaks: BTreeMap<&'static str, Streak>,
    breaker: Breaker,
    backoff: Backoff,
    shared: Arc<Shared>,
    outbox: Outbox,
    stop: watch::Receiver<bool>,
}

impl Poller {
    pub fn new(
        system: System,
        intervals: Intervals,
        shared: Arc<Shared>,
        outbox: Outbox,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let System {
            root,
            base,
            login,
            trust,
            zone,
            mapping,
        } = system;
        if base.is_readable_on_the_way() {
            tracing::warn!(%root, host = base.host_and_port(), "token and password can be read on the way: the base address is no https://");
        }
        let spread = SPREAD.min(intervals.critical).mul_f64(rand::random_range(0.0..1.0));
        Self {
            root: root.shared(),
            client: Client::new(base, login, trust),
            decoder: Decoder::new(mapping.current().clone(), zone.clone()),
            size: mapping.current().api.size,
            mapping,
            zone,
            plan: Plan::new(intervals, Instant::now() + START.min(intervals.critical) + spread),
            clock: Clock::default(),
            cards: BTreeMap::new(),
            letters: Letters::default(),
            silence: Streak::default(),
            streaks: BTreeMap::new(),
            breaker: Breaker::new(FAILURES_MAX, REST.min(intervals.normal)),
            backoff: Backoff::new(WAIT_FIRST, WAIT_MAX.min(intervals.normal)),
            shared,
            outbox,
            stop,
        }
    }

    /// Works until it is told to stop. A request that is under way then is given up: it changes nothing there.
    pub async fn run(mut self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = self.work() => {}
            () = stopped(&mut stop) => {}
        }
    }

    async fn work(&mut self) {
        loop {
            let task = match self.plan.next(Instant::now()) {
                Next::Read(task) => task,
                Next::Wait(until) => {
                    tokio::time::sleep_until(until.into()).await;
                    continue;
                }
            };
            if !self.breaker.allows(Instant::now()) {
                let wait = self.backoff.fail();
                self.plan.rest(Instant::now() + wait);
                continue;
            }
            self.renew_mapping();
            let (begun, asked) = (Instant::now(), now());
            let logins = self.client.logins();
            let read = match task {
                Task::Cards => self.read_cards().await,
                Task::Alarms => self.read_alarms().await,
                Task::Normal | Task::Critical => self.read_measures(task).await,
            };
            counter!(metric::LOGINS, "system" => self.root.to_string()).increment(self.client.logins() - logins);
            self.conclude(task, read, begun, asked).await;
        }
    }

    /// What a read means for the next ones, and for people.
    async fn conclude(&mut self, task: Task, read: Result<Option<Failed>, ListError>, begun: Instant, asked: Micros) {
        let (list, ended) = (task.list(), Instant::now());
        let outcome = match &read {
            Ok(None) => "complete",
            Ok(Some(_)) => "incomplete",
            Err(_) => "failed",
        };
        counter!(metric::READS, "list" => list, "outcome" => outcome).increment(1);
        histogram!(metric::READ_SECONDS, "list" => list).record((ended - begun).as_secs_f64());
        match read {
            Ok(lack) => {
                self.plan.done(task, begun, ended);
                self.breaker.succeed();
                self.backoff.succeed();
                if std::mem::take(&mut self.silence).in_a_row > 0 && task != Task::Cards {
                    // What it has is not known any more.
                    self.plan.at_once(Task::Cards, ended);
                }
                match lack {
                    None => drop(self.streaks.remove(list)),
                    Some(Failed { class, detail }) => {
                        // An inventory is read once an hour, and what is missing in it cannot wait as long.
                        self.plan.failed(task, ended);
                        let streak = self.streaks.entry(list).or_default().more();
                        self.failed((list, streak), class, detail, asked).await;
                    }
                }
            }
            Err(error) => {
                self.plan.failed(task, ended);
                let streak = if error.is_of_all() {
                    self.silence.more()
                } else {
                    self.silence = Streak::default();
                    self.streaks.entry(list).or_default().more()
                };
                if error.is_of_all() {
                    self.breaker.fail(ended);
                    let wait = self.backoff.fail();
                    self.plan.rest(ended + wait);
                } else {
                    // It answers.
                    self.breaker.succeed();
                }
                self.failed((list, streak), error.class(), error.chain(), asked).await;
            }
        }
    }

    /// Takes another mapping if its file says another one.
    fn renew_mapping(&mut self) {
        match self.mapping.refresh() {
            Ok(false) => {}
            Ok(true) => {
                let mapping = self.mapping.current().clone();
                self.size = mapping.api.size;
                self.decoder = Decoder::new(mapping, self.zone.clone());
                counter!(metric::MAPPINGS, "outcome" => "read").increment(1);
                tracing::info!(root = &*self.root, "the mapping was read again");
            }
            Err(error) => {
                counter!(metric::MAPPINGS, "outcome" => "wrong").increment(1);
                tracing::error!(root = &*self.root, %error, "the mapping is wrong: the one before is kept");
            }
        }
    }

    async fn read_cards(&mut self) -> Result<Option<Failed>, ListError> {
        let mapping = self.mapping.current().clone();
        let its_now = self.clock.its(now());
        let decoder = &mut self.decoder;
        let reader = Reader {
            client: &mut self.client,
            mapping: &mapping,
            list: &mapping.cards,
            size: &mut self.size,
        };
        let read = reader.read(|page| decoder.cards(page, its_now), |card: &Card| card.key.as_str());
        let mut listing = read.await?;
        for card in &mut listing.rows {
            // That it is down must have been seen twice to be said here: this is no look at the card.
            let sure = |known: &&Known| known.up == Some(true) || known.told_down > 1;
            let told = self.cards.get(&card.key).filter(sure).and_then(|known| known.up);
            card.up = card.up.or(told);
        }
        let header = self.header(&listing, "all");
        self.publish(records::cards(&header, &listing.rows)).await;
        if listing.lacks.is_none() {
            self.shared.cards_read.fetch_add(1, Ordering::Relaxed);
            let keys: std::collections::BTreeSet<&str> = listing.rows.iter().map(|card| card.key.as_str()).collect();
            self.cards.retain(|key, _| keys.contains(key.as_str()));
        }
        for card in &listing.rows {
            self.remember(card);
        }
        Ok(self.end("cards", listing).await)
    }

    async fn read_alarms(&mut self) -> Result<Option<Failed>, ListError> {
        let mapping = self.mapping.current().clone();
        let its_now = self.clock.its(now());
        let decoder = &mut self.decoder;
        let reader = Reader {
            client: &mut self.client,
            mapping: &mapping,
            list: &mapping.alarms,
            size: &mut self.size,
        };
        let read = reader.read(|page| decoder.alarms(page, its_now), |alarm: &Alarm| alarm.id.as_str());
        let listing = read.await?;
        let header = self.header(&listing, "all");
        self.publish(records::alarms(&header, &listing.rows, &self.clock)).await;
        Ok(self.end("alarms", listing).await)
    }

    async fn read_measures(&mut self, task: Task) -> Result<Option<Failed>, ListError> {
        let mapping = self.mapping.current().clone();
        let its_now = self.clock.its(now());
        let decoder = &mut self.decoder;
        let reader = Reader {
            client: &mut self.client,
            mapping: &mapping,
            list: &mapping.measures,
            size: &mut self.size,
        };
        let read = reader.read(
            |page| decoder.measures(page, its_now),
            |measure: &Measure| measure.uid.as_str(),
        );
        let listing = read.await?;
        if let Some(newest) = listing.rows.iter().map(|measure| measure.updated_at).max() {
            self.clock.look(newest, listing.received_at);
            #[expect(clippy::cast_precision_loss, reason = "seconds of a clock that is off")]
            let ahead = (self.clock.ahead() / Micros::SECOND) as f64;
            gauge!(metric::CLOCK_AHEAD, "system" => self.root.to_string()).set(ahead);
        }
        let unknown = listing.rows.iter().filter(|measure| !measure.known).count();
        counter!(metric::UNKNOWN_MEASURES).increment(unknown as u64);
        let scope = if task == Task::Critical { "critical" } else { "all" };
        let header = self.header(&listing, scope);
        let wanted = |measure: &&Measure| task == Task::Normal || measure.critical;
        let rows: Vec<&Measure> = listing.rows.iter().filter(wanted).collect();
        self.publish(records::measures(&header, &rows, &self.clock)).await;
        let told = self.told_of(&listing.rows);
        if !told.is_empty() {
            let header = Header {
                complete: false,
                ..self.header(&listing, "seen")
            };
            self.publish(records::cards(&header, &told)).await;
        }
        self.shared.measures_read.fetch_add(1, Ordering::Relaxed);
        Ok(self.end("measures", listing).await)
    }

    /// Cards of which measures tell something new: that they work again, or that they do not.
    fn told_of(&mut self, measures: &[Measure]) -> Vec<Card> {
        let cards: BTreeMap<&str, &Card> = measures
            .iter()
            .map(|measure| (measure.card.key.as_str(), &measure.card))
            .collect();
        let mut told = Vec::new();
        for (key, card) in cards {
            if card.up.is_none() || (self.cards.len() >= CARDS_MAX && !self.cards.contains_key(key)) {
                continue;
            }
            let known = self.cards.entry(key.to_owned()).or_insert_with(|| Known {
                card: card.clone(),
                up: None,
                told_down: 0,
            });
            let is_news = known.up != card.up;
            known.up = card.up;
            known.told_down = match (card.up, is_news) {
                (Some(false), true) => 1,
                (Some(false), false) => known.told_down.saturating_add(1),
                _ => 0,
            };
            if is_news || (1..=DOWN_TOLD).contains(&known.told_down) {
                told.push(Card {
                    up: card.up,
                    status: card.status.clone(),
                    ..known.card.clone()
                });
            }
        }
        told
    }

    /// Keeps a row of the inventory.
    fn remember(&mut self, card: &Card) {
        if let Some(known) = self.cards.get_mut(&card.key) {
            known.card = card.clone();
        } else if self.cards.len() < CARDS_MAX {
            let known = Known {
                card: card.clone(),
                up: card.up,
                told_down: 0,
            };
            self.cards.insert(card.key.clone(), known);
        }
    }

    fn header<R>(&self, listing: &Listing<R>, scope: &'static str) -> Header {
        Header {
            root: self.root.to_string(),
            read_id: format!("{:016x}", rand::random::<u64>()),
            scope,
            way: self.mapping.current().name.clone(),
            complete: listing.lacks.is_none(),
            started_at: listing.started_at,
            received_at: listing.received_at,
        }
    }

    /// Counts a list, keeps what could not be read of it; why it is not whole.
    async fn end<R>(&mut self, list: &'static str, listing: Listing<R>) -> Option<Failed> {
        counter!(metric::ROWS, "list" => list).increment(listing.rows.len() as u64);
        for (issue, _) in &listing.issues {
            counter!(metric::BAD_ROWS, "list" => list, "reason" => issue.problem.as_str()).increment(1);
        }
        let way = self.mapping.current().name.clone();
        let letters = self
            .letters
            .of(&self.root, list, &way, &listing.issues, (now(), Instant::now()));
        if !letters.is_empty() {
            tracing::warn!(
                root = &*self.root,
                list,
                rows = letters.len(),
                "rows could not be read: kept as dead letters"
            );
            let key = self.root.clone();
            let records = letters.into_iter().map(AnyRecord::from).collect();
            let topic = Topic::DeadLetters;
            self.outbox.send(Batch { topic, key, records }).await;
        }
        let lack = listing.lacks?;
        Some(Failed {
            class: lack.class,
            detail: lack.detail,
        })
    }

    /// Says that something failed, in the log and to people.
    async fn failed(
        &self,
        (list, streak): (&str, (u32, Micros)),
        class: PollFailure,
        mut detail: String,
        asked: Micros,
    ) {
        let (at, (in_a_row, since)) = (now(), streak);
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        tracing::warn!(
            root = &*self.root,
            list,
            class = class.as_str(),
            in_a_row,
            error = detail,
            "a list of a Padtec system was not read whole"
        );
        let record = PollFailed {
            root: self.root.to_string(),
            way: self.mapping.current().name.clone(),
            read: list.to_owned(),
            class: class.as_str().to_owned(),
            detail,
            in_a_row: i32::try_from(in_a_row).unwrap_or(i32::MAX),
            since,
            started_at: asked,
            received_at: at,
        };
        self.publish(vec![record.into()]).await;
    }

    async fn publish(&self, records: Vec<AnyRecord>) {
        let (topic, key) = (Topic::Observations, self.root.clone());
        self.outbox.send(Batch { topic, key, records }).await;
    }
}

/// What there is to say of a list that is not whole.
struct Failed {
    class: PollFailure,
    detail: String,
}

/// Until it is told to stop, or nobody is left who could tell.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}
