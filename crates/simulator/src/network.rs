//! An ISP from a seed: OLTs with boards, PON ports and ONUs. Nobody in it exists.

use std::net::Ipv4Addr;

use model::{Place, Root, RootKind, Serial, Tenant};
use thiserror::Error;

use crate::cli::CliConfig;
use crate::dice::Dice;
use crate::names;

/// PON ports of a large board, and boards of a large chassis (MA5800-X17).
const PORTS_MAX: usize = 16;
const BOARDS_MAX: usize = 17;
/// ONUs on a port: the split of a GPON.
const ONUS_PER_PON_MAX: usize = 128;
/// ONUs on a port where there is room.
const ONUS_PER_PON: usize = 20;
/// Most ONUs of one OLT: every port of the largest chassis full.
pub const ONUS_PER_OLT_MAX: usize = BOARDS_MAX * PORTS_MAX * ONUS_PER_PON_MAX;
/// Most OLTs: each has an address of its own in 127.10.0.0/16.
pub const OLTS_MAX: usize = 1_000;

/// A size that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SizeError {
    /// Too few or too many OLTs.
    #[error("{0} OLTs cannot be simulated: ask for 1 to {OLTS_MAX}")]
    Olts(usize),
    /// Too many ONUs.
    #[error("{onus} ONUs do not fit on {olts} OLTs: one has at most {ONUS_PER_OLT_MAX}")]
    Onus {
        /// OLTs asked for.
        olts: usize,
        /// ONUs asked for.
        onus: usize,
    },
}

/// The whole network.
#[derive(Debug, Clone)]
pub struct Network {
    /// Its OLTs; never empty.
    pub olts: Vec<Olt>,
}

/// One OLT.
#[derive(Debug, Clone)]
pub struct Olt {
    /// Its root.
    pub root: Root,
    /// Where it stands.
    pub site: String,
    /// Its model.
    pub model: &'static str,
    /// The loopback address its traps come from.
    pub address: Ipv4Addr,
    /// Its boards, in the order of their slots.
    pub boards: Vec<Board>,
    /// Its ONUs, in the order of their places.
    pub onus: Vec<Onu>,
}

/// One PON board, in frame 0.
#[derive(Debug, Clone)]
pub struct Board {
    /// Its slot.
    pub slot: u8,
    /// Its model.
    pub model: &'static str,
    /// How many PON ports of it are in use, from 0 on.
    pub ports: u8,
}

/// One ONU.
#[derive(Debug, Clone)]
pub struct Onu {
    /// Where it hangs.
    pub place: Place,
    /// Its serial number.
    pub serial: Serial,
    /// The customer's name: invented.
    pub name: String,
    /// The customer's address: invented.
    pub description: String,
    /// Its model.
    pub model: &'static str,
    /// The customer's plan.
    pub plan: &'static str,
    /// Whether the import has it. One that is not can only be learnt from its OLT.
    pub registered: bool,
}

impl Network {
    /// Makes the network of a seed.
    ///
    /// # Errors
    /// When the size cannot be.
    pub fn generate(seed: u64, olts: usize, onus: usize) -> Result<Self, SizeError> {
        if !(1..=OLTS_MAX).contains(&olts) {
            return Err(SizeError::Olts(olts));
        }
        if onus > olts * ONUS_PER_OLT_MAX {
            return Err(SizeError::Onus { olts, onus });
        }
        let mut dice = Dice::fork(seed, 1);
        let mut serial = u32::try_from(dice.next() >> 32).expect("32 bits");
        let share = |i: usize| onus / olts + usize::from(i < onus % olts);
        let olts = (0..olts)
            .map(|i| Olt::generate(&mut dice, i, share(i), &mut serial))
            .collect();
        Ok(Self { olts })
    }

    /// Becomes what its command lines show: models of the families asked for, and some ONUs in no registration. What
    /// traps say stays the same.
    pub(crate) fn become_served(&mut self, cli: &CliConfig) {
        let mut families = cli.personalities.iter().cycle();
        for olt in &mut self.olts {
            olt.model = families.next().map_or(olt.model, |family| family.model(olt.model));
        }
        let every = cli.unregistered_every;
        for (i, onu) in self.olts.iter_mut().flat_map(|olt| &mut olt.onus).enumerate() {
            onu.registered = every == 0 || (i + 1) % every != 0;
        }
    }

    /// How many ONUs there are.
    pub fn onu_count(&self) -> usize {
        self.olts.iter().map(|olt| olt.onus.len()).sum()
    }

    /// Every ONU with its OLT.
    pub fn onus(&self) -> impl Iterator<Item = (&Olt, &Onu)> {
        self.olts
            .iter()
            .flat_map(|olt| olt.onus.iter().map(move |onu| (olt, onu)))
    }
}

impl Olt {
    fn generate(dice: &mut Dice, index: usize, onus: usize, serial: &mut u32) -> Self {
        let site = names::SITES[index % names::SITES.len()];
        let name = format!("{}-{:02}", site.to_ascii_lowercase(), index / names::SITES.len() + 1);
        let root = Root::new(&Tenant::default(), RootKind::Olt, &name).expect("letters, a dash and digits are a name");
        let pons = (onus.div_ceil(ONUS_PER_PON)).clamp(1, BOARDS_MAX * PORTS_MAX);
        let ports = if pons > 8 * 8 { PORTS_MAX } else { 8 };
        let boards: Vec<Board> = (0..pons.div_ceil(ports))
            .map(|b| Board {
                slot: small(b + 1),
                model: if ports == PORTS_MAX { "H901GPSF" } else { "H901GPHF" },
                ports: small((pons - b * ports).min(ports)),
            })
            .collect();
        let mut olt = Self {
            root,
            site: site.to_owned(),
            model: if ports == PORTS_MAX { "MA5800-X17" } else { "MA5800-X7" },
            address: Ipv4Addr::new(127, 10, small(index / 250), small(index % 250 + 1)),
            boards,
            onus: Vec::with_capacity(onus),
        };
        for (pon, count) in uneven(dice, pons, onus).into_iter().enumerate() {
            let (slot, port) = (small(pon / ports + 1), small(pon % ports));
            for onu in 0..count {
                let onu = u16::try_from(onu).expect("at most 128");
                olt.onus.push(Onu::generate(
                    dice,
                    Place {
                        frame: 0,
                        slot,
                        port,
                        onu,
                    },
                    serial,
                ));
            }
        }
        olt
    }

    /// Indices into `onus` of those on a port.
    pub fn onus_on(&self, slot: u8, port: u8) -> impl Iterator<Item = usize> + '_ {
        let on = move |o: &Onu| o.place.slot == slot && o.place.port == port;
        self.onus.iter().enumerate().filter(move |(_, o)| on(o)).map(|(i, _)| i)
    }

    /// Every (slot, port) in use.
    pub fn pons(&self) -> impl Iterator<Item = (u8, u8)> + '_ {
        self.boards.iter().flat_map(|b| (0..b.ports).map(|p| (b.slot, p)))
    }
}

impl Onu {
    fn generate(dice: &mut Dice, place: Place, serial: &mut u32) -> Self {
        // An odd step visits every number once: serials never repeat.
        *serial = serial.wrapping_add(0x3C6E_F373);
        let mut octets = *b"HWTC\0\0\0\0";
        octets[4..].copy_from_slice(&serial.to_be_bytes());
        Self {
            place,
            serial: Serial::from_octets(octets),
            name: names::customer(dice),
            description: names::street(dice),
            model: *dice.pick(names::ONU_MODELS),
            plan: *dice.pick(names::PLANS),
            registered: true,
        }
    }
}

/// Spreads `total` over `parts`, some fuller than others, none above the limit.
fn uneven(dice: &mut Dice, parts: usize, total: usize) -> Vec<usize> {
    let mut counts: Vec<usize> = (0..parts)
        .map(|i| total / parts + usize::from(i < total % parts))
        .collect();
    for i in (1..parts).step_by(2) {
        let moved = dice.below((counts[i - 1] / 3).min(ONUS_PER_PON_MAX - counts[i]) + 1);
        counts[i - 1] -= moved;
        counts[i] += moved;
    }
    counts
}

fn small(n: usize) -> u8 {
    u8::try_from(n).expect("sizes are limited so that slots, ports and addresses fit a byte")
}
