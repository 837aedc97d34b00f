//! What losses that came at one time have in common. Pure counting; why each rule: README.

use std::collections::BTreeMap;

use model::Cause;

use super::tree::{Part, PonPlace, Tree, Verdict, Where};

/// Fewest ONUs lost at once in a part of a port's tree that make a branch by themselves.
const BRANCH_MIN: u16 = 3;
/// This many at once on one port are no chance, however much else goes on.
const CLEARLY_MANY: u16 = 8;
/// Fewest dying gasps of a power area.
const GASPS_MIN: u16 = 3;

/// The losses of one port, put together.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    /// The port.
    pub place: PonPlace,
    /// Lost.
    pub lost: u16,
    /// Of those with a dying gasp.
    pub gasps: u16,
    /// Worked before.
    pub before: u16,
    /// Work now.
    pub up: u16,
    /// Lost together before, so often.
    pub together: u16,
    /// The port is out of service, for this cause.
    pub port_out: Option<Option<Cause>>,
    /// Populated ports of its board, and of the root.
    pub pons: (u16, u16),
}

/// A verdict over some ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What.
    pub verdict: Verdict,
    /// How sure, in hundredths.
    pub confidence: u8,
    /// Where.
    pub at: Where,
    /// The ports.
    pub pons: Vec<PonPlace>,
}

impl Sum {
    /// One for each port, in their order.
    pub fn all<'a>(parts: impl Iterator<Item = &'a Part>) -> Vec<Self> {
        let mut sums: BTreeMap<PonPlace, Self> = BTreeMap::new();
        for part in parts {
            let sum = sums.entry(part.place).or_insert(Self {
                place: part.place,
                lost: 0,
                gasps: 0,
                before: 0,
                up: part.up,
                together: 0,
                port_out: None,
                pons: part.pons,
            });
            sum.lost = sum.lost.saturating_add(part.lost_count);
            sum.gasps = sum.gasps.saturating_add(part.gasps);
            sum.before = sum.before.max(part.before).max(sum.lost);
            sum.up = sum.up.min(part.up);
            sum.together = sum.together.max(part.together);
            sum.port_out = sum.port_out.or(part.is_port_out().then_some(part.port.1));
        }
        sums.into_values().collect()
    }

    fn dark(&self) -> u16 {
        self.lost - self.gasps
    }

    /// All that worked is gone: nothing is left, or next to nothing (a trap in ten may be lost on its way).
    fn is_whole(&self) -> bool {
        let next_to_all = self.lost >= CLEARLY_MANY && u32::from(self.lost) * 10 >= u32::from(self.before) * 9;
        self.port_out.is_some() || (self.lost >= 2 && self.up == 0) || next_to_all
    }

    fn mostly_gasped(&self) -> bool {
        self.gasps > 0 && self.gasps >= self.dark()
    }
}

/// What these losses are: those of a port may be in one verdict at most. What has no common cause is in none.
///
/// `scattered` is how many others went in the last minute without a common cause: what is no more than that is chance.
pub fn judge(sums: &[Sum], tree: &Tree, scattered: u32) -> Vec<Judged> {
    let mut judged = Vec::new();
    let (gasping, dark): (Vec<Sum>, Vec<Sum>) = sums.iter().partition(|sum| sum.mostly_gasped());
    let (on_boards, dark): (Vec<Sum>, Vec<Sum>) =
        dark.into_iter().partition(|sum| tree.boards.contains_key(&board(sum)));
    let (whole, partly): (Vec<Sum>, Vec<Sum>) = dark.into_iter().partition(Sum::is_whole);
    judged.extend(boards(&on_boards));
    judged.extend(power_area(&gasping, &partly, scattered));
    judged.extend(wholes(&whole, tree));
    judged.extend(partly.iter().filter_map(|sum| part_of_port(sum, &partly, scattered)));
    if judged.is_empty() && scattered == 0 {
        judged.extend(single_drop(sums));
    }
    judged
}

/// Ports of boards that are out of service.
fn boards(sums: &[Sum]) -> Vec<Judged> {
    by_board(sums)
        .into_iter()
        .map(|(at, pons)| of_board(at, pons, 95))
        .collect()
}

/// Dying gasps: many of one port, of several ports, or nearly all there is.
fn power_area(gasping: &[Sum], partly: &[Sum], scattered: u32) -> Option<Judged> {
    let over = |sums: &[Sum], what: fn(&Sum) -> u16| -> u32 { sums.iter().map(|s| u32::from(what(s))).sum() };
    let (gasps, lost) = (over(gasping, |s| s.gasps), over(gasping, |s| s.lost));
    let all = lost + over(partly, |s| s.lost) + scattered;
    let ports = u32::try_from(gasping.len()).unwrap_or(u32::MAX);
    let nearly_all = gasps * 10 >= all * 7 && gasps >= 6 && gasps >= 3 * ports;
    let strong = |sum: &&Sum| {
        let (mean, rest) = mean_of_others(sum, gasping, |s| s.gasps, scattered);
        sum.gasps >= GASPS_MIN && is_above_chance(sum.gasps, mean, rest)
    };
    let members: Vec<Sum> = if nearly_all {
        gasping.to_vec()
    } else {
        gasping.iter().filter(strong).copied().collect()
    };
    if members.is_empty() {
        return None;
    }
    let (gasps, lost) = (over(&members, |s| s.gasps), over(&members, |s| s.lost));
    let share = f64::from(gasps) / f64::from(lost.max(1));
    Some(Judged {
        verdict: Verdict::PowerArea,
        confidence: hundredths(weight(lost) * (0.5 + 0.5 * share)),
        at: common_place(&members),
        pons: members.iter().map(|s| s.place).collect(),
    })
}

/// Ports on which nothing is left: each a feeder or a port, a whole board, or a cable with several feeders.
fn wholes(whole: &[Sum], tree: &Tree) -> Vec<Judged> {
    let whole: Vec<Sum> = whole
        .iter()
        .filter(|s| s.lost >= 2 || (s.port_out.is_some() && s.before > 0))
        .copied()
        .collect();
    let Some(first) = whole.first() else {
        return Vec::new();
    };
    let by_board = by_board(&whole);
    let is_all = |at: &(u8, u8), pons: &Vec<PonPlace>, populated: u16| {
        let known = tree.dark_pons(*at, pons);
        pons.len() >= 2 && pons.len() + known >= usize::from(populated)
    };
    if let [(at, pons)] = &by_board[..]
        && is_all(at, pons, first.pons.0)
    {
        let ports = u32::try_from(pons.len()).unwrap_or(u32::MAX);
        return vec![of_board(*at, pons.clone(), hundredths(0.95 * weight(ports * 2)))];
    }
    let port_fault = |sum: &Sum| matches!(sum.port_out, Some(cause) if cause != Some(Cause::Fibre));
    let verdict = if whole.len() == 1 && port_fault(first) {
        Verdict::Port
    } else {
        Verdict::Feeder
    };
    let lost: u32 = whole.iter().map(|s| u32::from(s.lost)).sum();
    let dark: u32 = whole.iter().map(|s| u32::from(s.dark())).sum();
    let share = f64::from(dark) / f64::from(lost.max(1));
    let told = whole.iter().any(|s| s.port_out.is_some());
    let counted = weight(lost) * (0.6 + 0.4 * share);
    let sure = match (told, lost) {
        (true, 0) => 0.6,
        (true, _) => counted.max(0.9),
        _ => counted,
    };
    vec![Judged {
        verdict,
        confidence: hundredths(sure),
        at: common_place(&whole),
        pons: whole.iter().map(|s| s.place).collect(),
    }]
}

/// A part of a port's tree, or many at once without one cause.
fn part_of_port(sum: &Sum, partly: &[Sum], scattered: u32) -> Option<Judged> {
    let (mean, rest) = mean_of_others(sum, partly, Sum::dark, scattered);
    // A cut fibre makes nobody gasp; among many there may be one who does for a reason of his own.
    let is_dark = sum.gasps == 0 || (sum.lost >= CLEARLY_MANY && sum.gasps * 4 <= sum.lost);
    let many = sum.dark() >= BRANCH_MIN && is_above_chance(sum.dark(), mean, rest);
    let known = sum.together > 0 && sum.dark() >= 2;
    let one = |verdict, confidence| Judged {
        verdict,
        confidence,
        at: Where::Pon(sum.place),
        pons: vec![sum.place],
    };
    if is_dark && (many || known) {
        let share = f64::from(sum.dark()) / f64::from(sum.lost.max(1));
        let splitter = if known { 0.2 } else { 0.0 };
        let sure = weight(u32::from(sum.lost)) * (0.5 + 0.3 * share + splitter);
        return Some(one(Verdict::Branch, hundredths(sure)));
    }
    let above = sum.lost >= CLEARLY_MANY && is_above_chance(sum.lost, mean, rest);
    above.then(|| one(Verdict::Unexplained, 30))
}

/// One ONU on the whole root went dark.
fn single_drop(sums: &[Sum]) -> Option<Judged> {
    let mut lossy = sums.iter().filter(|s| s.lost > 0);
    let (sum, None) = (lossy.next()?, lossy.next()) else {
        return None;
    };
    // Which ONU it is, the caller knows.
    (sum.lost == 1 && sum.gasps == 0).then(|| Judged {
        verdict: Verdict::SingleDrop,
        confidence: if sum.before > 1 { 60 } else { 40 },
        at: Where::Pon(sum.place),
        pons: vec![sum.place],
    })
}

fn of_board((frame, slot): (u8, u8), pons: Vec<PonPlace>, confidence: u8) -> Judged {
    Judged {
        verdict: Verdict::Board,
        confidence,
        at: Where::Board(frame, slot),
        pons,
    }
}

fn board(sum: &Sum) -> (u8, u8) {
    (sum.place[0], sum.place[1])
}

fn by_board(sums: &[Sum]) -> Vec<((u8, u8), Vec<PonPlace>)> {
    let mut boards: BTreeMap<(u8, u8), Vec<PonPlace>> = BTreeMap::new();
    sums.iter()
        .for_each(|s| boards.entry(board(s)).or_default().push(s.place));
    boards.into_iter().collect()
}

/// The port, else the board, else the root that all have in common.
fn common_place(sums: &[Sum]) -> Where {
    match sums {
        [one] => Where::Pon(one.place),
        [first, rest @ ..] if rest.iter().all(|s| board(s) == board(first)) => {
            Where::Board(first.place[0], first.place[1])
        }
        _ => Where::Root,
    }
}

/// How many losses the other ports of the root have in the mean, and how many ports that are.
fn mean_of_others(sum: &Sum, of: &[Sum], what: fn(&Sum) -> u16, scattered: u32) -> (f64, u32) {
    let others = of.iter().filter(|s| s.place != sum.place);
    let total: u32 = others.map(|s| u32::from(what(s))).sum::<u32>() + scattered;
    let ports = u32::from(sum.pons.1)
        .max(u32::try_from(of.len()).unwrap_or(u32::MAX))
        .saturating_sub(1);
    (f64::from(total) / f64::from(ports.max(1)), ports)
}

/// Whether so many are more than scattered losses would put on one port: by three standard deviations and one.
fn is_above_chance(count: u16, mean: f64, ports: u32) -> bool {
    count >= CLEARLY_MANY || ports == 0 || f64::from(count) >= mean + 3.0 * mean.sqrt() + 1.0
}

/// What a number of witnesses is worth: 0.33 of one, 0.8 of eight, nearly 1 of a hundred.
fn weight(count: u32) -> f64 {
    f64::from(count) / (f64::from(count) + 2.0)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
fn hundredths(sure: f64) -> u8 {
    (sure.clamp(0.0, 0.99) * 100.0).round() as u8
}
