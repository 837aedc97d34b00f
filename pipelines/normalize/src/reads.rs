//! Which ONUs are gone: the roster against complete readings.
//!
//! A reading is several records. Only when all of its parts have come, in order and complete, whatever the roster has inside its scope
//! and no part has named is **absent as of the moment the reading was asked for**. Anything else concludes nothing: a part that is
//! missing or comes out of order, another reading in between, an answer that was not whole, a row that could not be placed.
//!
//! Absent is told twice. Between the moment a reading was asked for and its conclusion an ONU may have spoken, and then `status` rightly
//! does not believe the first telling, which is older. Were the ONU off the roster by then, nobody would ever tell again. So the first
//! telling only notes it as missed; a sign of life takes the note away, and the next reading, asked for after the first was there, tells
//! again and takes it off.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::places::{OnuPlace, Onus, Places};

/// ONUs that one reading may miss, and that may be noted as missed: a slot of state stays below 64 KiB. What is left is found by the next
/// readings: a board of 2,048 ONUs is taken away by four.
pub const MISSED_MAX: usize = 1_024;

/// Highest number of a frame, slot or port that a reading may name: 6 bits of an ifIndex.
pub(crate) const NUMBER_MAX: u8 = 63;

/// A reading of which parts are still to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unfinished {
    head: Head,
    /// The next part.
    next: i32,
    /// What it has missed so far on the ports that it has named, in the order found.
    missing: Vec<OnuPlace>,
}

/// What all parts of one reading have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// Its name, hashed: parts of two readings are never the same but for one chance in 2^64.
    pub id: u64,
    /// How many parts it has.
    pub of: i32,
    /// What it covers.
    pub scope: Scope,
    /// When it was asked for.
    pub started_at: Micros,
}

/// What a reading covers: a frame, a slot or a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scope {
    frame: u8,
    slot: Option<u8>,
    port: Option<u8>,
}

impl Scope {
    /// Reads `0`, `0/3` or `0/3/5`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('/').map(|n| n.parse().ok().filter(|&n| n <= NUMBER_MAX));
        let (frame, slot, port) = (numbers.next()??, numbers.next(), numbers.next());
        let number = |part: Option<Option<u8>>| match part {
            None => Some(None),
            Some(number) => number.map(Some),
        };
        let (slot, port) = (number(slot)?, number(port)?);
        numbers.next().is_none().then_some(Self { frame, slot, port })
    }

    /// Whether it is a whole frame.
    pub fn is_frame(&self) -> bool {
        self.slot.is_none()
    }

    /// Whether a port is inside.
    pub fn covers(&self, [frame, slot, port]: [u8; 3]) -> bool {
        self.covers_board([frame, slot]) && self.port.is_none_or(|p| p == port)
    }

    /// Whether a board is inside, or around it.
    pub fn covers_board(&self, [frame, slot]: [u8; 2]) -> bool {
        self.frame == frame && self.slot.is_none_or(|s| s == slot)
    }
}

impl Unfinished {
    /// Whether it has missed this ONU.
    pub fn misses(&self, onu: &OnuPlace) -> bool {
        self.missing.contains(onu)
    }

    /// At least the bytes it takes in the changelog.
    pub fn bytes_max(&self) -> usize {
        // A hash, a count, three numbers of which two may be missing, an instant; a count; a length.
        10 + 5 + 5 + 10 + 5 + 3 + 4 * self.missing.len()
    }
}

impl Places {
    /// Part `part` of a reading comes. Anything but the next one of the reading that is under way ends it, and nothing is concluded.
    pub(crate) fn begin_part(&mut self, head: Head, part: i32) {
        if part == 0 {
            self.ports.iter_mut().for_each(|port| port.is_named = false);
            self.unfinished = Some(Unfinished {
                head,
                next: 0,
                missing: Vec::new(),
            });
        }
        let follows = |read: &Unfinished| read.head == head && read.next == part && part < head.of;
        if !self.unfinished.as_ref().is_some_and(follows) {
            self.unfinished = None;
        }
    }

    /// A part names the ONUs of a port; there must be room for it. A port that a reading names twice is not whole in either place, so
    /// nothing is concluded from the reading.
    pub(crate) fn named(&mut self, place: [u8; 3], named: &Onus, started_at: Micros) {
        if self.port(&place).is_some_and(|port| port.is_named) {
            self.unfinished = None;
        }
        let port = self.port_mut(place);
        let missing = port.onus.without(named);
        if missing.is_empty() {
            port.read_at = port.read_at.max(started_at);
        }
        for onu in named.each() {
            port.onus.add(onu);
        }
        port.is_named = true;
        let [frame, slot, number] = place;
        let onu = |id| [frame, slot, number, id];
        if !self.missed.is_empty() {
            named.each().for_each(|id| self.found(&onu(id)));
        }
        if let Some(read) = self.unfinished.as_mut().filter(|read| read.head.scope.covers(place)) {
            let room = MISSED_MAX.saturating_sub(read.missing.len());
            read.missing.extend(missing.each().take(room).map(onu));
        }
    }

    /// All of a part was taken; `is_sound` if it was complete and each of its rows had a place. Answers the ONUs that are absent as of
    /// the moment the reading was asked for, when this was the last part of one.
    pub(crate) fn end_part(&mut self, is_sound: bool, received_at: Micros) -> Vec<OnuPlace> {
        let Some(mut read) = self.unfinished.take().filter(|_| is_sound) else {
            return Vec::new();
        };
        read.next += 1;
        if read.next < read.head.of {
            self.unfinished = Some(read);
            return Vec::new();
        }
        let Head { scope, started_at, .. } = read.head;
        let mut missing = read.missing;
        // A port that was not named has no ONU.
        for port in self.ports.iter().filter(|p| !p.is_named && scope.covers(p.place)) {
            let [frame, slot, number] = port.place;
            let room = MISSED_MAX.saturating_sub(missing.len());
            missing.extend(port.onus.each().take(room).map(|id| [frame, slot, number, id]));
        }
        // A sign of life between takes an ONU off this list; it must have come before this reading was asked for.
        let tells_again = started_at >= self.missed_at;
        let (again, mut first): (Vec<_>, Vec<_>) = missing
            .into_iter()
            .partition(|onu| self.missed.binary_search(onu).is_ok());
        if tells_again {
            again.iter().for_each(|&onu| self.remove(onu));
        }
        first.truncate(MISSED_MAX.saturating_sub(self.missed.len()));
        self.missed.extend(&first);
        self.missed.sort_unstable();
        if !first.is_empty() {
            self.missed_at = self.missed_at.max(received_at);
        }
        first.extend(again);
        first.sort_unstable();
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_frame_a_slot_or_a_port() {
        #[track_caller]
        fn check(text: &str, place: [u8; 3], covered: Option<bool>) {
            assert_eq!(Scope::parse(text).map(|scope| scope.covers(place)), covered, "{text}");
        }
        check("0", [0, 3, 5], Some(true));
        check("1", [0, 3, 5], Some(false));
        check("0/3", [0, 3, 5], Some(true));
        check("0/4", [0, 3, 5], Some(false));
        check("0/3/5", [0, 3, 5], Some(true));
        check("0/3/6", [0, 3, 5], Some(false));
        for bad in ["", "/", "0/", "0/3/5/1", "64", "a", "0/-1", "0//5"] {
            check(bad, [0, 3, 5], None);
        }
    }

    fn head(id: u64, of: i32, started_s: i64) -> Head {
        Head {
            id,
            of,
            scope: Scope::parse("0/3").unwrap(),
            started_at: Micros(started_s * Micros::SECOND),
        }
    }

    fn set(ids: &[u8]) -> Onus {
        let mut onus = Onus::default();
        ids.iter().for_each(|&id| onus.add(id));
        onus
    }

    /// Gives a part of a reading, which is there five seconds after it was asked for.
    fn part(places: &mut Places, head: Head, part: i32, ports: &[(u8, &[u8])]) -> Vec<OnuPlace> {
        places.begin_part(head, part);
        for (port, onus) in ports {
            places.named([0, 3, *port], &set(onus), head.started_at);
        }
        places.end_part(true, head.started_at.plus(5 * Micros::SECOND))
    }

    fn with(ports: &[(u8, &[u8])]) -> Places {
        let mut places = Places::default();
        assert_eq!(part(&mut places, head(1, 1, 10), 0, ports), Vec::<OnuPlace>::new());
        places
    }

    #[test]
    fn what_a_whole_reading_does_not_name_is_absent_twice_and_then_forgotten() {
        let mut places = with(&[(0, &[1, 2]), (1, &[7])]);
        let mut elsewhere = places.clone();
        elsewhere.port_mut([0, 4, 0]).onus.add(9);
        let gone = [[0, 3, 0, 2], [0, 3, 1, 7]];
        for places in [&mut places, &mut elsewhere] {
            assert_eq!(part(places, head(2, 1, 70), 0, &[(0, &[1])]), gone);
            assert_eq!(part(places, head(3, 1, 130), 0, &[(0, &[1])]), gone);
            assert_eq!(part(places, head(4, 1, 190), 0, &[(0, &[1])]), Vec::<OnuPlace>::new());
        }
        assert!(elsewhere.port(&[0, 4, 0]).unwrap().onus.has(9), "outside of the scope");
    }

    #[test]
    fn a_sign_of_life_between_begins_anew() {
        let mut places = with(&[(0, &[1, 2])]);
        let spot = crate::places::Spot {
            board: [0, 3],
            port: Some([0, 3, 0]),
            onu: Some(2),
        };
        let gone = [[0, 3, 0, 2]];
        assert_eq!(part(&mut places, head(2, 1, 70), 0, &[(0, &[1])]), gone);
        assert!(!places.knows(&spot));
        places.add(&spot);
        assert_eq!(part(&mut places, head(3, 1, 130), 0, &[(0, &[1])]), gone);
        // Asked for before the one that told it was there: it tells, and takes nothing off.
        assert_eq!(part(&mut places, head(4, 1, 131), 0, &[(0, &[1])]), gone);
        assert_eq!(part(&mut places, head(5, 1, 190), 0, &[(0, &[1])]), gone);
        assert_eq!(
            part(&mut places, head(6, 1, 250), 0, &[(0, &[1])]),
            Vec::<OnuPlace>::new()
        );
    }

    #[test]
    fn parts_conclude_together_or_not_at_all() {
        let gone = [[0, 3, 1, 7]];
        let none = Vec::<OnuPlace>::new();
        let start = || with(&[(0, &[1]), (1, &[7])]);
        let mut places = start();
        assert_eq!(part(&mut places, head(2, 2, 70), 0, &[(0, &[1])]), none);
        assert_eq!(part(&mut places, head(2, 2, 70), 1, &[]), gone);
        // The second part twice, of another reading, before the first, or alone.
        for (first, second) in [
            ((2, 0), (3, 1)),
            ((2, 1), (2, 0)),
            ((2, 0), (2, 0)),
            ((2, 1), (2, 1)),
            ((2, 0), (2, 2)),
        ] {
            let mut places = start();
            assert_eq!(part(&mut places, head(first.0, 2, 70), first.1, &[(0, &[1])]), none);
            assert_eq!(
                part(&mut places, head(second.0, 2, 70), second.1, &[]),
                none,
                "{second:?}"
            );
        }
        // A port in two parts, or twice in one.
        let mut places = start();
        assert_eq!(part(&mut places, head(2, 2, 70), 0, &[(0, &[1]), (1, &[])]), none);
        assert_eq!(part(&mut places, head(2, 2, 70), 1, &[(1, &[7])]), none);
        let mut places = start();
        assert_eq!(part(&mut places, head(2, 1, 70), 0, &[(0, &[]), (0, &[1])]), none);
        assert_eq!(part(&mut places, head(3, 1, 130), 0, &[(0, &[1]), (1, &[7])]), none);
        // A part that is not sound.
        let mut places = start();
        assert_eq!(part(&mut places, head(2, 2, 70), 0, &[(0, &[1])]), none);
        places.begin_part(head(2, 2, 70), 1);
        assert_eq!(places.end_part(false, Micros(0)), none);
        assert_eq!(part(&mut places, head(2, 2, 70), 1, &[]), none);
    }

    #[test]
    fn more_than_can_be_noted_is_found_by_the_next_readings() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let ports: Vec<(u8, &[u8])> = (0..8).map(|port| (port, &all[..])).collect();
        let mut places = with(&ports);
        let mut told = std::collections::BTreeMap::<OnuPlace, u32>::new();
        let mut reads = 0;
        loop {
            let gone = part(&mut places, head(10 + reads, 1, 70 + reads.cast_signed() * 60), 0, &[]);
            if gone.is_empty() {
                break;
            }
            assert!(gone.len() <= MISSED_MAX);
            gone.into_iter().for_each(|onu| *told.entry(onu).or_default() += 1);
            reads += 1;
        }
        assert_eq!((told.len(), reads), (2_048, 4));
        assert!(told.values().all(|&times| times == 2));
    }

    #[test]
    fn the_largest_state_fits_a_slot() {
        let mut places = Places::default();
        for n in 0..128 {
            places.boards.push([n, u8::MAX]);
        }
        for n in 0..u16::try_from(crate::PORTS_MAX).unwrap() {
            let [high, low] = n.to_be_bytes();
            let port = places.port_mut([high, low, u8::MAX]);
            port.read_at = Micros(i64::MAX);
            port.onus = set(&(0..=u8::MAX).collect::<Vec<_>>());
        }
        let every = |n: usize| [u8::MAX, u8::MAX, n.to_le_bytes()[1], n.to_le_bytes()[0]];
        places.missed = (0..MISSED_MAX).map(every).collect();
        places.unfinished = Some(Unfinished {
            head: Head {
                id: u64::MAX,
                of: i32::MIN,
                scope: Scope::parse("63/63/63").unwrap(),
                started_at: Micros(i64::MIN),
            },
            next: i32::MIN,
            missing: places.missed.clone(),
        });
        (places.heard_at, places.missed_at) = (Micros(i64::MIN), Micros(i64::MIN));
        places.blind = Some(crate::blind::Blind::since(Micros(i64::MIN)));
        let bytes = postcard::to_allocvec(&places).unwrap();
        assert!(bytes.len() <= places.bytes_max() && places.bytes_max() < topology::SLOT_BYTES_MAX - 1_024);
        assert_eq!(postcard::from_bytes::<Places>(&bytes).unwrap(), places);
    }
}
