//! What is kept of one root: nothing of its ONUs but what is part of an incident.

use std::collections::BTreeMap;

use model::{Cause, EntityId, Micros, Place, Position, Root, State};
use runtime::Now;
use schemas::network::{LossNews, LossStage};
use serde::{Deserialize, Serialize};

use crate::Bits;

/// Most rounds of losses that are kept, waited for or part of an incident: an OLT has 272 ports.
pub const PARTS_MAX: usize = 600;
/// Most incidents of one root that are not closed.
pub const INCIDENTS_MAX: usize = 96;
/// Most closed incidents whose rows are kept; older ones are deleted before their year is over.
pub const CLOSED_MAX: usize = 128;
/// Most bytes of sets of ONUs of parts and of what is waited for: 272 ports of 128 ONUs take 8,704. What would not fit is counted, but
/// its ONUs' alarms are nobody's symptoms.
const BITS_BYTES_MAX: usize = 18_000;
/// Most boards out of service that are remembered.
const BOARDS_MAX: usize = 128;

/// A PON port by its numbers: frame, slot, port.
pub type PonPlace = [u8; 3];

/// What an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    /// The fibre between ports and their first splitters.
    Feeder,
    /// The port itself.
    Port,
    /// A part of a port's tree.
    Branch,
    /// The power of an area.
    PowerArea,
    /// The fibre of one customer.
    SingleDrop,
    /// A board.
    Board,
    /// The OLT does not answer: we are blind, nothing is known to be lost.
    MonitoringLoss,
    /// Too many at once for chance, and no one cause.
    Unexplained,
}

impl Verdict {
    /// The word that records carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Feeder => "feeder",
            Self::Port => "port",
            Self::Branch => "branch",
            Self::PowerArea => "power_area",
            Self::SingleDrop => "single_drop",
            Self::Board => "board",
            Self::MonitoringLoss => "monitoring_loss",
            Self::Unexplained => "unexplained",
        }
    }
}

/// Where an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Where {
    /// The whole root.
    Root,
    /// A board.
    Board(u8, u8),
    /// A PON port.
    Pon(PonPlace),
    /// An ONU.
    Onu(PonPlace, u16),
}

impl Where {
    /// Its id.
    pub fn entity(self, root: &Root) -> EntityId {
        match self {
            Self::Root => root.entity(),
            Self::Board(frame, slot) => root.board(frame, slot),
            Self::Pon([frame, slot, port]) => root.pon(frame, slot, port),
            Self::Onu(pon, onu) => onu_at(root, pon, onu),
        }
    }
}

/// An ONU's id.
pub fn onu_at(root: &Root, [frame, slot, port]: PonPlace, onu: u16) -> EntityId {
    root.onu(Place { frame, slot, port, onu })
}

/// One round of losses of one port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The port.
    pub place: PonPlace,
    /// The round.
    pub episode: u32,
    /// The incident it is part of, by its number; 0 while it is waited for.
    pub incident: u32,
    /// Observed time of its beginning.
    pub opened: Micros,
    /// No more losses come.
    pub settled: bool,
    /// When the first loss was observed.
    pub began_at: Micros,
    /// The input that told of it.
    pub began: Position,
    /// ONUs lost, if there was room for them.
    pub lost: Bits,
    /// Those not back.
    pub still: Bits,
    /// How many were lost.
    pub lost_count: u16,
    /// How many are not back.
    pub still_count: u16,
    /// Of the lost ones those whose power failed.
    pub gasps: u16,
    /// ONUs that worked before.
    pub before: u16,
    /// ONUs of the port that work.
    pub up: u16,
    /// Rounds in which most of them were lost together before.
    pub together: u16,
    /// State and cause of the port itself.
    pub port: (State, Option<Cause>),
    /// The port was out of service at some time since.
    pub port_was_out: bool,
    /// Populated ports of the board, and of the root.
    pub pons: (u16, u16),
    /// Its ONUs' alarms are symptoms.
    pub taken: bool,
}

impl Part {
    /// Of what gather says.
    pub fn of(news: &LossNews, now: &Now) -> Option<Self> {
        Some(Self {
            place: pon_place(&news.pon)?,
            episode: news.episode,
            incident: 0,
            opened: now.observed,
            settled: news.stage != LossStage::Began,
            began_at: news.began_at,
            began: news.began,
            lost: Bits::of(&news.lost),
            still: Bits::of(&news.still),
            lost_count: count(&news.lost),
            still_count: count(&news.still),
            gasps: count(&news.gasped),
            before: news.before,
            up: news.up,
            together: news.together,
            port: news.port,
            port_was_out: news.port.0 == State::Down,
            pons: (news.board_pons, news.olt_pons),
            taken: false,
        })
    }

    /// What became of it.
    pub fn refresh(&mut self, newer: Self) {
        let has_room = !self.lost.is_empty();
        *self = Self {
            incident: self.incident,
            opened: self.opened,
            settled: true,
            lost: if has_room { newer.lost } else { Bits::default() },
            still: if has_room { newer.still } else { Bits::default() },
            port_was_out: self.port_was_out || newer.port_was_out,
            pons: self.pons,
            taken: self.taken,
            ..newer
        };
    }

    /// Of the lost ones those that went without a word.
    pub fn dark(&self) -> u16 {
        self.lost_count.saturating_sub(self.gasps)
    }

    /// The port is out of service.
    pub fn is_port_out(&self) -> bool {
        self.port.0 == State::Down
    }

    fn bits_bytes(&self) -> usize {
        self.lost.bytes() + self.still.bytes()
    }
}

fn count(ids: &[u16]) -> u16 {
    u16::try_from(ids.len()).unwrap_or(u16::MAX)
}

/// Frame, slot and port of a PON port's id.
fn pon_place(pon: &EntityId) -> Option<PonPlace> {
    let mut numbers = pon.as_str().rsplit('/').map(str::parse::<u8>);
    let mut next = || numbers.next()?.ok();
    let (port, slot, frame) = (next()?, next()?, next()?);
    Some([frame, slot, port])
}

/// Frame and slot of a board's id.
pub fn board_place(board: &EntityId) -> Option<(u8, u8)> {
    let mut numbers = board.as_str().rsplit('/').map(str::parse::<u8>);
    let mut next = || numbers.next()?.ok();
    let (slot, frame) = (next()?, next()?);
    Some((frame, slot))
}

/// How far an incident's life has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Its cause stands.
    Open,
    /// Its cause is gone since `began`; what hangs on it has until `until`. Observed times.
    Settling {
        /// Since when.
        began: Micros,
        /// Until when.
        until: Micros,
    },
    /// It is over; the last entities are being released. Log time of its end.
    Closed(Micros),
}

/// One incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number among those of the root, from 1.
    pub number: u32,
    /// Its id.
    pub id: u128,
    /// What it is.
    pub verdict: Verdict,
    /// How sure, in hundredths.
    pub confidence: u8,
    /// Where.
    pub at: Where,
    /// How far it is.
    pub stage: Stage,
    /// When the first loss was observed.
    pub began_at: Micros,
    /// Observed time at which it was made.
    pub made: Micros,
    /// Observed time of its last row.
    pub told: Micros,
    /// The row is not as it is now.
    pub stale: bool,
    /// A place whose own alarms are symptoms.
    pub place_taken: Option<Where>,
}

/// What is kept of a root.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// Its site.
    pub site: Option<String>,
    /// Boards out of service, by frame and slot.
    pub boards: BTreeMap<(u8, u8), State>,
    /// Losses without a verdict yet.
    pub waiting: Vec<Part>,
    /// Losses that are part of an incident, in order of port and round.
    pub parts: Vec<Part>,
    /// Incidents that are not closed, oldest first.
    pub incidents: Vec<Incident>,
    /// Number of the next incident, less one.
    pub made: u32,
    /// Ids of closed ones and the log time of their end, oldest first.
    pub closed: Vec<(u128, Micros)>,
    /// ONUs lost lately without a common cause, and the observed time of the last one.
    pub scattered: (u32, Micros),
    /// There was no room for this many losses or incidents.
    pub refused: u32,
}

impl Tree {
    /// A part of an incident.
    pub fn part_mut(&mut self, place: PonPlace, episode: u32) -> Option<&mut Part> {
        self.parts.iter_mut().find(|p| (p.place, p.episode) == (place, episode))
    }

    /// The parts of an incident.
    pub fn parts_of(&self, incident: u32) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |p| p.incident == incident)
    }

    /// An incident.
    pub fn incident(&self, number: u32) -> Option<&Incident> {
        self.incidents.iter().find(|i| i.number == number)
    }

    /// An incident.
    pub fn incident_mut(&mut self, number: u32) -> Option<&mut Incident> {
        self.incidents.iter_mut().find(|i| i.number == number)
    }

    /// Notes that losses began.
    pub fn wait_for(&mut self, part: Part) {
        if !self.has_room() {
            return;
        }
        let part = self.within_bits(part);
        self.waiting.push(part);
    }

    /// Notes what became of losses that are waited for.
    pub fn waits_still(&mut self, at: usize, mut part: Part) {
        let before = self.waiting.remove(at);
        part.opened = before.opened;
        part.settled |= before.settled;
        let part = self.within_bits(part);
        self.waiting.insert(at, part);
    }

    fn has_room(&mut self) -> bool {
        let has_room = self.parts.len() + self.waiting.len() < PARTS_MAX;
        if !has_room {
            self.refused = self.refused.saturating_add(1);
        }
        has_room
    }

    /// Makes it a part of an incident. False if there is no room.
    pub fn add(&mut self, part: Part, incident: u32) -> bool {
        if !self.has_room() {
            return false;
        }
        let part = self.within_bits(Part { incident, ..part });
        let at = self
            .parts
            .partition_point(|p| (p.place, p.episode) < (part.place, part.episode));
        self.parts.insert(at, part);
        true
    }

    /// Notes that a board is out of service, or no longer.
    pub fn board(&mut self, board: (u8, u8), out: Option<State>) {
        match out {
            Some(state) if self.boards.len() < BOARDS_MAX => drop(self.boards.insert(board, state)),
            Some(_) => {}
            None => drop(self.boards.remove(&board)),
        }
    }

    fn within_bits(&self, mut part: Part) -> Part {
        let used: usize = self.parts.iter().chain(&self.waiting).map(Part::bits_bytes).sum();
        if used + part.bits_bytes() > BITS_BYTES_MAX {
            part.lost = Bits::default();
            part.still = Bits::default();
        }
        part
    }
}

/// Numbers of an incident.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// ONUs lost, each once.
    pub lost: u32,
    /// Not back.
    pub still: u32,
    /// Worked before on the ports concerned.
    pub before: u32,
    /// Power failures among the lost.
    pub gasps: u32,
    /// Ports.
    pub pons: u32,
}

impl Totals {
    /// Of the parts of an incident, in order of their ports.
    pub fn of<'a>(parts: impl Iterator<Item = &'a Part>) -> Self {
        let mut totals = Self::default();
        let mut last: Option<(PonPlace, u16)> = None;
        let mut seen: [Bits; 2] = Default::default();
        for part in parts {
            let counted = match last {
                Some((place, counted)) if place == part.place => counted,
                _ => {
                    seen = Default::default();
                    totals.pons += 1;
                    0
                }
            };
            let fresh = |bits: &Bits, seen: &mut Bits, count: u16| match bits.is_empty() {
                true => count,
                false => u16::try_from(bits.iter().filter(|&id| seen.set(id)).count()).unwrap_or(u16::MAX),
            };
            let lost = fresh(&part.lost, &mut seen[0], part.lost_count);
            let before = part.before.max(counted);
            totals.lost += u32::from(lost);
            totals.still += u32::from(fresh(&part.still, &mut seen[1], part.still_count));
            totals.gasps += u32::from(part.gasps.min(lost));
            totals.before += u32::from(before - counted);
            last = Some((part.place, before));
        }
        totals.before = totals.before.max(totals.lost);
        totals
    }

    /// Lost ones that went without a word.
    pub fn dark(&self) -> u32 {
        self.lost.saturating_sub(self.gasps)
    }

    /// Lost ones that are back.
    pub fn back(&self) -> u32 {
        self.lost.saturating_sub(self.still)
    }
}

impl Tree {
    /// Other ports of a board that lost all they had in an incident that still lasts.
    pub fn dark_pons(&self, (frame, slot): (u8, u8), beside: &[PonPlace]) -> usize {
        let is_dark = |p: &&Part| p.place[..2] == [frame, slot] && p.up == 0 && p.still_count > 0;
        let mut pons: Vec<PonPlace> = self.parts.iter().filter(is_dark).map(|p| p.place).collect();
        pons.dedup();
        pons.retain(|pon| !beside.contains(pon));
        pons.len()
    }

    /// Whether the root does not answer.
    pub fn is_blind(&self) -> bool {
        let blind = |i: &Incident| i.verdict == Verdict::MonitoringLoss && i.stage == Stage::Open;
        self.incidents.iter().any(blind)
    }
}
