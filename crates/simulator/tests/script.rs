//! The script: deterministic, alive from the start, and its truth is that of a second reading of the rules.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{Cause, EntityId, Kind, State};
use simulator::{Dialect, Form, Happening, Mishaps, OnuAlarm, SimConfig, Simulation, Trap};
use snmp_pdu::{Message, TrapPdu};

fn simulation(speed: f64, mishaps: Mishaps, dialects: Vec<Dialect>) -> Simulation {
    Simulation::new(SimConfig {
        seed: 42,
        speed,
        mishaps,
        dialects,
        ..SimConfig::default()
    })
    .unwrap()
}

fn plain(speed: f64) -> Simulation {
    simulation(speed, Mishaps::default(), vec![Dialect::default()])
}

fn until(simulation: &Simulation, seconds: u64) -> Vec<Happening> {
    simulation
        .script()
        .take_while(|h| h.at < Duration::from_secs(seconds))
        .collect()
}

#[test]
fn a_seed_is_a_script() {
    let of = |seed| {
        let simulation = Simulation::new(SimConfig {
            seed,
            ..SimConfig::default()
        })
        .unwrap();
        simulation.datagrams("c").take(5_000).collect::<Vec<_>>()
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn the_board_is_alive_at_once_and_not_absurd() {
    let all = until(&plain(1.0), 600);
    let said: BTreeSet<_> = all
        .iter()
        .take_while(|h| h.at < Duration::from_millis(2_500))
        .filter_map(|h| h.expect.as_ref())
        .map(|e| &e.0)
        .collect();
    let network = plain(1.0);
    let entities = network
        .network()
        .olts
        .iter()
        .map(|o| o.onus.len() + o.pons().count() + o.boards.len())
        .sum::<usize>();
    assert_eq!(said.len(), entities, "everything has been said after 2.5 s");

    let per_second = |from: u64, to: u64| {
        let inside = |h: &&Happening| h.at >= Duration::from_secs(from) && h.at < Duration::from_secs(to);
        f64::from(u32::try_from(all.iter().filter(inside).count()).unwrap())
            / f64::from(u32::try_from(to - from).unwrap())
    };
    let (early, long) = (per_second(3, 18), per_second(3, 600));
    assert!((0.7..6.0).contains(&early), "{early}/s before the first burst");
    assert!((1.0..12.0).contains(&long), "{long}/s on average");
    assert!(
        all.iter().any(|h| h.trap == Trap::ColdStart)
            && all.iter().any(|h| matches!(h.trap, Trap::Board { failed: true, .. }))
    );
    assert!(
        all.iter()
            .any(|h| matches!(h.trap, Trap::PortLos { raised: Some((n, 0)), .. } if n > 3))
    );
    assert!(all.iter().any(|h| matches!(h.trap, Trap::Autofind { .. })));
}

#[test]
fn time_never_goes_back_and_bursts_have_a_limit() {
    for speed in [0.5, 1.0, 60.0] {
        let all: Vec<_> = plain(speed).script().take(20_000).collect();
        for pair in all.windows(2) {
            assert!(pair[1].at >= pair[0].at + Duration::from_micros(800), "{pair:?}");
        }
    }
}

/// The rules of an ONU's state, read once more and independently: last standing faults and their raises.
#[derive(Default)]
struct Rules {
    gasp: Option<Duration>,
    los: bool,
    gasped: Option<Duration>,
    now: Option<(State, Option<Cause>)>,
}

impl Rules {
    fn hear(&mut self, at: Duration, trap: &Trap) {
        let near_gasp = self.gasped.is_some_and(|g| at - g <= Duration::from_secs(10));
        let offline = |cause| Some((State::Offline, Some(cause)));
        self.now = match *trap {
            Trap::Onu {
                alarm: OnuAlarm::DyingGasp,
                raised: true,
                ..
            } => {
                (self.gasp, self.gasped) = (Some(at), Some(at));
                offline(Cause::Power)
            }
            Trap::Onu {
                alarm: OnuAlarm::Los,
                raised: true,
                ..
            } => {
                self.los = true;
                offline(if near_gasp { Cause::Power } else { Cause::Fibre })
            }
            Trap::Onu {
                alarm: OnuAlarm::DyingGasp,
                raised: false,
                ..
            } => {
                self.gasp = None;
                if self.los {
                    self.now
                } else {
                    Some((State::Online, None))
                }
            }
            Trap::Onu {
                alarm: OnuAlarm::Los,
                raised: false,
                ..
            } => {
                self.los = false;
                if self.gasp.is_some() {
                    self.now
                } else {
                    Some((State::Online, None))
                }
            }
            Trap::RunState { up: true, .. } => {
                assert!(
                    self.gasp.is_none() && !self.los,
                    "an ONU comes up only after its faults have cleared"
                );
                Some((State::Online, None))
            }
            Trap::RunState { up: false, .. } => match self.now {
                Some((State::Offline, cause)) => Some((State::Offline, cause)),
                _ => offline(Cause::Unknown),
            },
            _ => self.now,
        };
    }
}

#[test]
fn the_expectations_follow_from_the_traps() {
    for speed in [1.0, 20.0] {
        let mut onus: BTreeMap<EntityId, Rules> = BTreeMap::new();
        let mut seen: BTreeSet<(Kind, State, Option<Cause>)> = BTreeSet::new();
        for h in plain(speed).script().take(30_000) {
            let Some((entity, truth)) = h.expect else { continue };
            seen.insert((entity.kind(), truth.state, truth.cause));
            if entity.kind() == Kind::Onu {
                let rules = onus.entry(entity.clone()).or_default();
                rules.hear(h.at, &h.trap);
                assert_eq!(
                    rules.now,
                    Some((truth.state, truth.cause)),
                    "{entity} at {:?} after {:?}",
                    h.at,
                    h.trap
                );
            }
        }
        assert_eq!(
            seen.len(),
            8,
            "online, three ways to be offline, up, dark, normal, failed: {seen:?}"
        );
    }
}

#[test]
fn a_second_life_begins_by_ending_the_alarms_of_the_first() {
    let simulation = Simulation::new(SimConfig {
        resumed: true,
        ..SimConfig::default()
    })
    .unwrap();
    let start = until(&simulation, 7);
    let cleared = |wanted: OnuAlarm| {
        let places = start.iter().filter_map(|h| match h.trap {
            Trap::Onu {
                place,
                alarm,
                raised: false,
            } if alarm == wanted => Some((h.olt, place)),
            _ => None,
        });
        places.collect::<BTreeSet<_>>().len()
    };
    assert_eq!((cleared(OnuAlarm::Los), cleared(OnuAlarm::DyingGasp)), (2_000, 2_000));
}

#[test]
fn datagrams_are_what_the_listener_reads() {
    let dialects = [Form::V2cTrap, Form::V1Trap, Form::V2cInform].map(|form| Dialect {
        form,
        ..Dialect::default()
    });
    let simulation = simulation(1.0, Mishaps::default(), dialects.to_vec());
    let happenings = simulation.script().take(12_000);
    let mut last = [None; 4];
    for (d, h) in simulation.datagrams("secret").zip(happenings) {
        let Ok(Message::Community {
            community: b"secret",
            pdu,
            ..
        }) = Message::parse(&d.bytes)
        else {
            panic!("{h:?}")
        };
        let pdu = TrapPdu::parse(pdu).unwrap();
        assert_eq!(
            (pdu.is_inform(), d.inform.is_some(), d.at),
            (d.olt == 2, d.olt == 2, h.at)
        );
        let arcs = pdu.trap_oid.arcs();
        let expected: &[u32] = match h.trap {
            Trap::ColdStart => &[5, 1],
            Trap::RunState { .. } => &[3, 0, 100],
            Trap::PortLos { raised, .. } => {
                if raised.is_some() {
                    &[1, 0, 108]
                } else {
                    &[1, 0, 109]
                }
            }
            Trap::Board { failed, .. } => {
                if failed {
                    &[3, 0, 3]
                } else {
                    &[3, 0, 4]
                }
            }
            Trap::Autofind { .. } => &[2, 0, 2],
            Trap::Onu {
                alarm: OnuAlarm::DyingGasp,
                raised,
                ..
            } => {
                if raised {
                    &[2, 0, 18]
                } else {
                    &[2, 0, 19]
                }
            }
            Trap::Onu {
                alarm: OnuAlarm::Los,
                raised,
                ..
            } => {
                if raised {
                    &[2, 0, 12]
                } else {
                    &[2, 0, 13]
                }
            }
            Trap::Onu { .. } => &[],
        };
        assert!(arcs.ends_with(expected), "{arcs:?} {h:?}");
        let uptime = pdu.sys_uptime.unwrap();
        if h.trap == Trap::ColdStart {
            last[d.olt] = None;
        }
        assert!(last[d.olt].is_none_or(|before| before <= uptime), "uptime runs");
        last[d.olt] = Some(uptime);
    }
}

#[test]
fn mishaps_change_the_way_and_not_the_words() {
    let mishaps = Mishaps {
        loss: 0.1,
        duplicate: 0.1,
        reorder: 0.1,
    };
    let count = 10_000;
    let all: Vec<_> = simulation(1.0, mishaps, vec![Dialect::default()])
        .datagrams("c")
        .take(count)
        .collect();
    let share = |n: usize| f64::from(u32::try_from(n).unwrap()) / 10_000.0;
    let lost = share(all.iter().filter(|d| d.lost).count());
    let distinct = all.iter().map(|d| (d.olt, &d.bytes)).collect::<BTreeSet<_>>().len();
    assert!(
        (0.08..0.12).contains(&lost) && (0.06..0.12).contains(&share(count - distinct)),
        "{lost} {distinct}"
    );
    assert!(all.windows(2).all(|p| p[0].at <= p[1].at));
}
