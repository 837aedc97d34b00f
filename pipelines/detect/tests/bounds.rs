//! Nothing grows without bound: a slot with everything it can hold, an ONU that flaps a hundred times a second, more rules than there may
//! be, a rule that changes under thousands of open alarms.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use common::{ROOT, Told, rule, rule_record, said};
use model::Micros;
use pipeline_detect::{DEVICE_ALARMS_MAX, Detect, Index, MEASURES_MAX, RULES_KNOWN_MAX, Slot};
use runtime::{Chain, Input, Now, Out, StateKey, Step, StepDescription, Verdict};
use schemas::Rule;
use schemas::network::{NetworkEvent, Quality};
use testkit::Driver;
use topology::SLOT_BYTES_MAX;

const ONU: &str = "/onu/0/1/2/3";
/// In front of a slot's state; its timers follow, ten bytes each.
const HEAD_BYTES: usize = 19;

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn slot_bytes(driver: &Driver<NetworkEvent>) -> usize {
    let slots = driver.slots();
    let key = format!("{ROOT}{ONU}");
    slots.iter().find(|(k, _)| k.ends_with(key.as_bytes())).unwrap().1.len()
}

fn sample(driver: &mut Driver<NetworkEvent>, measure: &'static str, value: f64) {
    let told = Told::Sample(ONU.to_owned(), measure, value, Quality::Good, driver.now());
    driver.pipe(ROOT, told.record());
}

#[test]
fn a_slot_with_everything_in_it_is_one() {
    let mut driver = Driver::with(1, 1, common::chain);
    let measures: Vec<&'static str> = (0..MEASURES_MAX + 2).map(|n| leaked(format!("{n:064}"))).collect();
    let long = "y".repeat(300);
    for (n, measure) in measures.iter().enumerate().take(30) {
        let base = Rule {
            rule_id: format!("r-{n:062}"),
            name: "n".repeat(128),
            measure: Some((*measure).to_owned()),
            message: format!("{{value}} {long}"),
            raise_after_s: 0,
            ..rule(if n < 15 { "rate" } else { "above" })
        };
        driver.pipe(
            ROOT,
            rule_record(match n {
                0..15 => Rule {
                    high: Some(1.0),
                    window_s: Some(60),
                    ..base
                },
                _ => Rule {
                    high: Some(0.0),
                    ..base
                },
            }),
        );
    }
    let about = Some(("m".repeat(600), "s".repeat(600)));
    let status = Told::Status(ONU.to_owned(), Some(model::State::Online), driver.now(), about);
    driver.pipe(ROOT, status.record());
    for n in 0..70 {
        driver.advance(1_000);
        for measure in &measures {
            sample(&mut driver, measure, f64::from(n));
        }
    }
    for n in 0..DEVICE_ALARMS_MAX + 5 {
        let alarm = (ONU.to_owned(), format!("{n:03}{}", "t".repeat(97)));
        let listed = Told::List(false, vec![alarm], driver.now());
        driver.pipe(ROOT, listed.record());
    }
    let bytes = slot_bytes(&driver);
    eprintln!("the fullest slot has {bytes} bytes");
    assert!((40_000..SLOT_BYTES_MAX).contains(&bytes), "{bytes} bytes");
    let outcomes = driver.outcomes();
    assert!(outcomes.dead_lettered.is_empty(), "{outcomes:?}");
    for word in ["too_many_measures", "too_many_rules", "too_many_alarms"] {
        assert!(
            outcomes.filtered.get(word).is_some_and(|&n| n > 0),
            "{word}: {outcomes:?}"
        );
    }
}

/// R5 of what was asked for.
#[test]
fn an_onu_that_flaps_a_hundred_times_a_second_for_ten_minutes_says_little() {
    let mut driver = Driver::with(1, 1, common::chain);
    let mut sizes = Vec::new();
    for n in 0..120_000_u32 {
        driver.advance(5);
        let told = Told::Trap(ONU.to_owned(), "los", n % 2 == 0, driver.now(), Some(1_000 + n));
        driver.pipe(ROOT, told.record());
        if n % 10_000 == 9_999 {
            driver.commit();
            sizes.push(slot_bytes(&driver));
        }
    }
    let words: Vec<String> = said(&driver).into_iter().map(|said| said.what).collect();
    assert_eq!(words.len(), 10, "{words:?}");
    assert_eq!(words.last().unwrap(), "suppressed");
    // Numbers are written as short as they are.
    assert!(sizes.iter().all(|size| size.abs_diff(sizes[0]) <= 8), "{sizes:?}");
    driver.tick(30_000);
    for _ in 0..90 {
        driver.tick(29_000);
    }
    let words: Vec<String> = said(&driver).into_iter().skip(10).map(|said| said.what).collect();
    assert_eq!(words, ["unsuppressed", "cleared"]);
}

#[test]
fn of_more_rules_than_there_may_be_the_first_stand() {
    let mut driver = Driver::with(1, 1, common::chain);
    for n in 0..RULES_KNOWN_MAX + 3 {
        let rule = Rule {
            rule_id: format!("r-{n}"),
            high: Some(1.0),
            ..rule("above")
        };
        driver.pipe(ROOT, rule_record(rule));
    }
    let bad = Rule {
        rule_id: "r-1".into(),
        version: 2,
        ..rule("above")
    };
    driver.pipe(ROOT, rule_record(bad));
    let outcomes = driver.outcomes();
    assert_eq!(outcomes.filtered.get("too_many_rules"), Some(&3), "{outcomes:?}");
    assert_eq!(outcomes.filtered.get("bad_rule"), Some(&1), "{outcomes:?}");
    assert!(outcomes.add_up());
}

#[test]
fn a_rules_change_reaches_thousands_of_open_alarms_once_each() {
    const ONUS: usize = 2_500;
    let mut driver = Driver::with(1, 1, common::chain);
    let below = |version, low| {
        rule_record(Rule {
            low: Some(low),
            version,
            ..rule("below")
        })
    };
    driver.pipe(ROOT, below(1, -27.0));
    for onu in 0..ONUS {
        let entity = format!("/onu/0/{}/{}/{}", onu / 1_024, onu / 128 % 8, onu % 128);
        let told = Told::Sample(entity, "rx", -28.0, Quality::Good, driver.now());
        driver.pipe(ROOT, told.record());
    }
    assert_eq!(said(&driver).len(), ONUS);
    driver.pipe(ROOT, below(2, -27.5));
    let mut fresh = Vec::new();
    for _ in 0..4 {
        let before = said(&driver).len();
        driver.commit();
        driver.crash(0);
        driver.restore();
        driver.tick(1_000);
        fresh.push(said(&driver).len() - before);
    }
    assert_eq!(fresh, [1_000, 1_000, 500, 0], "so many timers a record");
    let mut each: BTreeMap<String, usize> = BTreeMap::new();
    for said in said(&driver).split_off(ONUS) {
        assert_eq!((&*said.what, &*said.version), ("changed", "2"));
        *each.entry(said.entity).or_default() += 1;
    }
    assert!(each.len() == ONUS && each.values().all(|&n| n == 1));
}

/// Numbers and times at the end of what can be: nothing panics, nothing is a dead letter.
#[test]
fn numbers_at_the_end_of_what_can_be_are_numbers() {
    let ends = [i64::MIN, i64::MIN / 2, -1, 0, 1, i64::MAX / 2, i64::MAX];
    let values = [f64::MIN, -1.0, -0.0, f64::MIN_POSITIVE, 1.0, f64::MAX];
    for kind in ["above", "below", "outside", "rate", "slope", "no_data"] {
        let mut driver = Driver::with(1, 1, common::chain);
        let limits = (Some(-0.75), Some(0.75));
        let base = Rule {
            dead_band: 0.0,
            message: "{value} {limit} {since} {unit} {state}".into(),
            ..rule(kind)
        };
        driver.pipe(
            ROOT,
            rule_record(match kind {
                "above" => Rule { high: limits.1, ..base },
                "below" => Rule { low: limits.0, ..base },
                "rate" | "slope" => Rule {
                    low: limits.0,
                    high: limits.1,
                    window_s: Some(3_600),
                    ..base
                },
                "outside" => Rule {
                    low: limits.0,
                    high: limits.1,
                    ..base
                },
                _ => base,
            }),
        );
        for _ in 0..3 {
            for at in ends {
                for value in values {
                    driver.advance(1_000);
                    let told = Told::Sample(ONU.to_owned(), "rx", value, Quality::Good, Micros(at));
                    driver.pipe(ROOT, told.record());
                    let on = value > 0.0;
                    driver.pipe(ROOT, Told::Trap(ONU.to_owned(), "los", on, Micros(at), None).record());
                    driver.pipe(
                        ROOT,
                        Told::List(on, vec![(ONU.to_owned(), "sd".into())], Micros(at)).record(),
                    );
                    let state = Some(model::State::Offline);
                    driver.pipe(ROOT, Told::Status(ONU.to_owned(), state, Micros(at), None).record());
                }
            }
        }
        let outcomes = driver.outcomes();
        assert!(
            outcomes.dead_lettered.is_empty() && outcomes.add_up(),
            "{kind}: {outcomes:?}"
        );
    }
}

/// A record fires a thousand timers. What happens to one that still waits comes after what it waits for.
#[test]
fn a_delay_that_has_passed_has_passed_though_its_timer_did_not_fire_yet() {
    const ONUS: usize = 2_500;
    let mut driver = Driver::with(1, 1, common::chain);
    driver.pipe(
        ROOT,
        rule_record(Rule {
            low: Some(-27.0),
            raise_after_s: 10,
            ..rule("below")
        }),
    );
    let entity = |onu: usize| format!("/onu/0/{}/{}/{}", onu / 1_024, onu / 128 % 8, onu % 128);
    let mut keys: Vec<String> = (0..ONUS).map(entity).collect();
    keys.sort();
    for key in &keys {
        let told = Told::Sample(key.clone(), "rx", -28.0, Quality::Good, driver.now());
        driver.pipe(ROOT, told.record());
    }
    driver.tick(10_000);
    assert_eq!(said(&driver).len(), 1_000);
    driver.advance(1_000);
    let last = keys.last().unwrap().clone();
    let told = Told::Sample(last.clone(), "rx", -20.0, Quality::Good, driver.now());
    driver.pipe(ROOT, told.record());
    let of_last: Vec<String> = said(&driver)
        .into_iter()
        .filter(|said| said.entity.ends_with(&last))
        .map(|said| said.what)
        .collect();
    assert_eq!(of_last, ["raised", "cleared"]);
    driver.tick(1_000);
    assert_eq!(said(&driver).len(), ONUS + 1);
}

/// The step, and what it knows beyond the key it decides about, in sight of the test.
struct Watched(Detect, Arc<Mutex<Index>>);

impl Step for Watched {
    type Event = NetworkEvent;
    type State = Slot;

    const REMEMBERS: bool = true;

    fn describe(&self) -> StepDescription {
        self.0.describe()
    }

    fn keys(&self, event: &NetworkEvent, keys: &mut Vec<StateKey>) {
        self.0.keys(event, keys);
    }

    fn remember(&mut self, key: &StateKey, before: Option<&Slot>, after: Option<&Slot>) {
        self.0.remember(key, before, after);
        self.1.lock().unwrap().remember(key, before, after);
    }

    fn bytes_max(&self, state: &Slot) -> Option<usize> {
        let most = self.0.bytes_max(state);
        let bytes = postcard::to_allocvec(state).unwrap().len();
        assert!(most.is_none_or(|most| bytes <= most), "{bytes} bytes, told {most:?}");
        most
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&Slot>,
        input: Input<'_, NetworkEvent>,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> Verdict<Slot> {
        self.0.apply(key, state, input, now, out)
    }
}

/// What it knows is a function of its slots: the same after a life and after a restore of what that left.
#[test]
fn the_index_is_that_of_the_slots() {
    let made: Arc<Mutex<Vec<Arc<Mutex<Index>>>>> = Arc::default();
    let chains = made.clone();
    let mut driver = Driver::with(1, 1, move || {
        let index = Arc::new(Mutex::new(Index::default()));
        chains.lock().unwrap().push(index.clone());
        Chain::outside_topology(common::decode).step(Watched(Detect::default(), index))
    });
    let mut rng = testkit::Rng::new(7);
    for n in 0..3_000 {
        let entity = format!("/onu/0/1/2/{}", rng.below(9));
        let at = driver.now();
        let record = match rng.below(12) {
            0 => rule_record(Rule {
                rule_id: format!("r-{}", rng.below(5)),
                version: i64::from(n),
                low: Some(-27.0),
                enabled: rng.chance(80),
                removed: rng.chance(20),
                ..rule("below")
            }),
            1..5 => Told::Sample(entity, "rx", [-28.0, -20.0][rng.below(2)], Quality::Good, at).record(),
            5..7 => Told::Trap(entity, "los", rng.chance(50), at, None).record(),
            7 => Told::List(rng.chance(50), vec![(entity, "los".into())], at).record(),
            8 => Told::Status(entity, [None, Some(model::State::Online)][rng.below(2)], at, None).record(),
            9 => {
                let site = Some((String::new(), format!("S{}", rng.below(2))));
                Told::Status(String::new(), Some(model::State::Reachable), at, site).record()
            }
            10 => Told::Beat.record(),
            _ => Told::Polling(u32::from(rng.chance(50)) * 3).record(),
        };
        driver.advance(1_000);
        driver.pipe(ROOT, record);
        if rng.chance(4) {
            driver.commit();
            if rng.chance(30) {
                driver.crash(0);
                driver.restore();
            }
        }
        if n % 50 == 0 {
            check_index(&driver, &made.lock().unwrap().last().unwrap().lock().unwrap());
        }
    }
    assert!(driver.outcomes().dead_lettered.is_empty());
}

fn check_index(driver: &Driver<NetworkEvent>, kept: &Index) {
    let mut index = Index::default();
    for (key, bytes) in driver.slots().iter().rev() {
        let timers = usize::from(u16::from_be_bytes([bytes[17], bytes[18]]));
        let slot: Slot = postcard::from_bytes(&bytes[HEAD_BYTES + 10 * timers..]).unwrap();
        let key = StateKey::from(std::str::from_utf8(&key[1..]).unwrap());
        index.remember(&key, None, Some(&slot));
    }
    assert_eq!(*kept, index);
}
