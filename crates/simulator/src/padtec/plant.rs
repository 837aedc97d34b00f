//! The optical network: cards at sites, what is measured of them, and their alarms.

use model::Micros;

use super::PadtecConfig;
use crate::dice::Dice;

/// A model of a card.
struct Model {
    name: &'static str,
    family: &'static str,
    part: u32,
    firmware: &'static str,
    measures: &'static [Kind],
}

/// What is measured of a model.
pub(super) struct Kind {
    pub key: u32,
    pub name: &'static str,
    /// The vendor's group.
    pub group: Option<&'static str>,
    pub port: Option<&'static str>,
    /// What the plain shape says besides.
    pub plain_group: &'static str,
    pub unit: &'static str,
    base: f64,
    swing: f64,
}

const fn kind(
    key: u32,
    name: &'static str,
    (group, plain_group): (Option<&'static str>, &'static str),
    unit: &'static str,
    (base, swing): (f64, f64),
) -> Kind {
    Kind {
        key,
        name,
        group,
        port: None,
        plain_group,
        unit,
        base,
        swing,
    }
}

const POWER: (Option<&str>, &str) = (Some("POWER"), "POWER");
const CURRENT: (Option<&str>, &str) = (Some("CURRENT"), "ELECTRICAL");
const VOLTS: (Option<&str>, &str) = (Some("VOLTS"), "ELECTRICAL");
const GAIN: (Option<&str>, &str) = (Some("GAIN"), "OPTICAL");
const HEAT: (Option<&str>, &str) = (None, "TEMPERATURE");
const LIGHT: (Option<&str>, &str) = (None, "OPTICAL");

const RAMAN: &[Kind] = &[
    kind(7_260, "Pump Power", POWER, "dBm", (26.5, 0.15)),
    kind(7_704, "Power Signal", POWER, "dBm", (10.3, 0.4)),
    kind(7_705, "Laser Current 1", CURRENT, "mA", (570.0, 2.0)),
    kind(7_706, "Laser Current 2", CURRENT, "mA", (542.0, 2.0)),
    kind(7_275, "Power Laser 3", POWER, "mW", (199.9, 0.4)),
    kind(7_273, "Power Laser 2", POWER, "mW", (200.0, 0.4)),
    kind(7_288, "TEC Voltage Laser 3", VOLTS, "V", (-0.02, 0.01)),
    kind(7_289, "TEC Curr. Laser 3", CURRENT, "mA", (210.0, 5.0)),
    kind(7_261, "Board Temperature", HEAT, "Cel", (35.0, 2.0)),
];
const EDFA: &[Kind] = &[
    kind(5_101, "Pump Power", POWER, "dBm", (18.2, 0.3)),
    kind(5_102, "IN Line IN Power", POWER, "dBm", (-12.4, 0.8)),
    kind(5_103, "OUT Line Power", POWER, "dBm", (7.9, 0.3)),
    kind(5_104, "Target Gain (Stage 1)", GAIN, "dB", (20.0, 0.0)),
    kind(5_105, "Laser Current 1", CURRENT, "mA", (310.0, 3.0)),
    kind(5_106, "Board Temperature", HEAT, "Cel", (33.0, 2.0)),
];
const TRANSPONDER: &[Kind] = &[
    kind(9_901, "IN Line IN Power", POWER, "dBm", (-9.7, 0.7)),
    kind(9_902, "OUT Line Power", POWER, "dBm", (1.1, 0.1)),
    kind(9_903, "OSNR", LIGHT, "dB", (22.5, 0.9)),
    kind(9_904, "Pre-FEC BER", LIGHT, "1", (0.001, 0.0004)),
    kind(9_905, "Board Temperature", HEAT, "Cel", (41.0, 3.0)),
];
const MODELS: &[Model] = &[
    Model {
        name: "EOA2-HA-E21211-GW",
        family: "AMPLIFIER",
        part: 2_462,
        firmware: "1.8.2",
        measures: EDFA,
    },
    Model {
        name: "ROA1-HA-E29001-TR",
        family: "AMPLIFIER",
        part: 2_633,
        firmware: "1.3.0",
        measures: RAMAN,
    },
    Model {
        name: "TM800G-LT",
        family: "TRANSPONDER",
        part: 2_608,
        firmware: "2.11.1",
        measures: TRANSPONDER,
    },
    Model {
        name: "TM1200G-SA",
        family: "TRANSPONDER",
        part: 2_631,
        firmware: "2.11.1",
        measures: TRANSPONDER,
    },
    Model {
        name: "MDDC21401ST2",
        family: "MUX_DEMUX",
        part: 2_140,
        firmware: "",
        measures: &[],
    },
];
const SITES: &[&str] = &[
    "01 - POP-EXEMPLO-MAO",
    "02 - POP-EXEMPLO-ITA",
    "03 - POP-EXEMPLO-PVH",
    "04 - POP-EXEMPLO-A",
    "05 - São Paulo (Centro)",
    "06 - ILA Km 120/121",
];
/// What may alarm by itself: group, name, severity.
const TROUBLES: &[[&str; 3]] = &[
    ["LASER OFF", "Laser desligado (Line 2)", "MAJOR"],
    ["LOS", "LOS", "CRITICAL"],
    ["THRESHOLD", "Pin below the minimum threshold", "MINOR"],
    ["TEMPERATURE", "Temperatura alta", "WARNING"],
];
/// Seconds of one change of the alarms.
const ALARMS_S: i64 = 240;

/// A card.
#[derive(Debug, Clone)]
pub(super) struct Card {
    pub uid: String,
    pub serial: u32,
    model: usize,
    pub site: &'static str,
    pub up: bool,
}

impl Card {
    pub fn model(&self) -> &'static str {
        MODELS[self.model].name
    }
    pub fn family(&self) -> &'static str {
        MODELS[self.model].family
    }
    pub fn part(&self) -> u32 {
        MODELS[self.model].part
    }
    pub fn firmware(&self) -> Option<&'static str> {
        Some(MODELS[self.model].firmware).filter(|text| !text.is_empty())
    }
    pub fn measures(&self) -> &'static [Kind] {
        MODELS[self.model].measures
    }
}

/// An alarm as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmShown {
    /// Its number.
    pub oid: u64,
    /// The card.
    pub card: String,
    /// Its group.
    pub group: String,
    /// What people read.
    pub name: String,
    /// Its severity, in the vendor's words.
    pub severity: String,
    /// Since when.
    pub since: Micros,
}

pub(super) struct Plant {
    seed: u64,
    pub cards: Vec<Card>,
    raised: Vec<AlarmShown>,
    next_oid: u64,
}

impl Plant {
    pub fn new(config: &PadtecConfig) -> Self {
        let mut dice = Dice::fork(config.seed, 0xCA4D);
        let sites = config.sites.clamp(1, SITES.len());
        let card = |i: usize| {
            // Each model once, then by chance.
            let model = if i < MODELS.len() { i } else { dice.below(MODELS.len()) };
            let serial = 100 + u32::try_from(i).unwrap_or(u32::MAX / 2);
            Card {
                uid: format!("{}#{serial}", MODELS[model].name),
                serial,
                model,
                site: SITES[i % sites],
                up: true,
            }
        };
        Self {
            seed: config.seed,
            cards: (0..config.cards).map(card).collect(),
            raised: Vec::new(),
            next_oid: 753_114,
        }
    }

    /// The beginning of the collection that a moment shows.
    pub fn collected_at(at: Micros, config: &PadtecConfig) -> Micros {
        let cycle = i64::try_from(config.cycle.as_micros()).unwrap_or(i64::MAX).max(1);
        Micros(at.0.div_euclid(cycle) * cycle)
    }

    /// A value: it drifts over an hour or so, and trembles.
    pub fn value(&self, card: &Card, kind: &Kind, collected_at: Micros) -> String {
        #[expect(clippy::cast_precision_loss, reason = "seconds of a drift")]
        let seconds = (collected_at.0 / Micros::SECOND) as f64;
        let purpose = u64::from(card.serial) << 32 | u64::from(kind.key);
        let phase = Dice::fork(self.seed, purpose).between(0.0, std::f64::consts::TAU);
        let tremble = Dice::fork(self.seed ^ purpose, collected_at.0.unsigned_abs()).between(-0.2, 0.2);
        let value = kind.base + kind.swing * ((seconds / 1_500.0 + phase).sin() + tremble);
        if kind.unit == "1" {
            format!("{value:.6}")
        } else {
            format!("{value:.3}")
        }
    }

    pub fn raise(&mut self, card: &str, [group, name, severity]: [&str; 3], since: Micros) {
        self.raised.push(AlarmShown {
            oid: self.next_oid,
            card: card.to_owned(),
            group: group.to_owned(),
            name: name.to_owned(),
            severity: severity.to_owned(),
            since,
        });
        self.next_oid += 1;
    }

    pub fn clear(&mut self, card: &str, group: &str) {
        self.raised.retain(|alarm| alarm.card != card || alarm.group != group);
    }

    /// What stands: what was raised, and what comes and goes by itself.
    pub fn alarms(&self, at: Micros, config: &PadtecConfig) -> Vec<AlarmShown> {
        let mut alarms = self.raised.clone();
        let turn = at.0.div_euclid(ALARMS_S * Micros::SECOND);
        let lively = self.cards.iter().enumerate().filter(|_| config.lively);
        for (i, card) in lively {
            let mut dice = Dice::fork(self.seed ^ u64::from(card.serial), turn.unsigned_abs());
            if !dice.chance(0.04) {
                continue;
            }
            let [group, name, severity] = *dice.pick(TROUBLES);
            alarms.push(AlarmShown {
                oid: turn.unsigned_abs() * 10_000 + i as u64,
                card: card.uid.clone(),
                group: group.to_owned(),
                name: name.to_owned(),
                severity: severity.to_owned(),
                since: Micros(turn * ALARMS_S * Micros::SECOND),
            });
        }
        alarms
    }

    pub fn card(&self, uid: &str) -> Option<&Card> {
        self.cards.iter().find(|card| card.uid == uid)
    }
}
