//! Losses of one port as an incident counts them.

use model::{Cause, EntityId, Micros, Position, State};
use runtime::Now;
use schemas::network::{LossNews, LossStage};
use serde::{Deserialize, Serialize};

use super::tree::PonPlace;
use crate::Bits;

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

    /// Bytes of its sets of ONUs.
    pub fn bits_bytes(&self) -> usize {
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
