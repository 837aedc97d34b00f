//! An index that a step keeps over its own slots is, at any time, the one that its slots make: after changes, deletions, records that are
//! taken back, commits, crashes and restores. Here and not beside the engine, because it needs the driver.
#![allow(clippy::unwrap_used, reason = "a test: a failure is its result")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use model::Micros;
use runtime::{Chain, Change, DeadReason, Deadline, Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::{AnyRecord, SourceHeartbeat};
use testkit::{CrashAt, Driver, Rng};

const ROOT: &str = "default/olt/a";
/// In front of a slot's state; the step's timers follow, ten bytes each.
const HEAD_BYTES: usize = 19;

/// Which keys have a value: what the step cannot know from the one key it decides about.
type Index = BTreeMap<u64, BTreeSet<String>>;

/// `put KEY VALUE`, `delete KEY`, `raise VALUE` (every key with a value gets the next one), `dead KEY VALUE` (puts it, and is then refused by
/// the last key), `later KEY` (a timer deletes it).
struct Keeper {
    index: Arc<Mutex<Index>>,
}

struct Words(Vec<String>);

fn decode(record: AnyRecord, _root: &str) -> Result<Words, DeadReason> {
    match record {
        AnyRecord::SourceHeartbeat(said) => Ok(Words(said.connector.split(' ').map(str::to_owned).collect())),
        AnyRecord::Tick(_) => Ok(Words(vec!["tick".to_owned()])),
        _ => Err("unexpected_record".into()),
    }
}

impl Step for Keeper {
    type Event = Words;
    type State = u64;

    const REMEMBERS: bool = true;

    fn describe(&self) -> StepDescription {
        StepDescription {
            number: 1,
            name: "keeper",
            reads: "words",
            writes: &[],
            key: "word",
            state: "a number",
            time: "a second",
            guarantee: "total",
            format: 1,
        }
    }

    fn keys(&self, event: &Words, keys: &mut Vec<StateKey>) {
        match event.0.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["put" | "delete" | "later", key, ..] => keys.push(key.into()),
            ["dead", key, ..] => keys.extend([key.into(), "zzz".into()]),
            ["raise", value] => {
                let index = self.index.lock().unwrap();
                let of = index.get(&value.parse().unwrap());
                keys.extend(of.into_iter().flatten().map(|key| StateKey::from(key.as_str())));
            }
            _ => {}
        }
    }

    fn remember(&mut self, key: &StateKey, before: Option<&u64>, after: Option<&u64>) {
        let mut index = self.index.lock().unwrap();
        if let Some(value) = before {
            let keys = index.get_mut(value).expect("what is taken away was there");
            assert!(keys.remove(&**key), "what is taken away was there");
            if keys.is_empty() {
                index.remove(value);
            }
        }
        if let Some(value) = after {
            let fresh = index.entry(*value).or_default().insert(key.to_string());
            assert!(fresh, "what comes was not there");
        }
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&u64>,
        input: Input<'_, Words>,
        now: &Now,
        out: &mut Out<Words>,
    ) -> Verdict<u64> {
        let delete = Verdict {
            change: Change::Delete,
            reason: Reason::Did("deleted"),
        };
        let Input::Event(words) = input else { return delete };
        match words.0.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["put", _, value] => Verdict::put(value.parse().unwrap(), Reason::Did("put")),
            ["dead", to, value] if to == &**key => Verdict::put(value.parse().unwrap(), Reason::Did("put")),
            ["dead", ..] => Verdict::keep(Reason::Dead("refused")),
            ["raise", _] => Verdict::put(state.map_or(0, |value| value + 1), Reason::Did("raised")),
            ["later", _] => {
                out.set_timer(0, Deadline::Observed(now.observed.plus(Micros::SECOND)));
                Verdict::keep(Reason::Absorbed("later"))
            }
            _ => delete,
        }
    }
}

/// The index of each chain that was made, the last one last.
type Made = Arc<Mutex<Vec<Arc<Mutex<Index>>>>>;

fn driver(made: &Made) -> Driver<Words> {
    let made = made.clone();
    Driver::with(1, 1, move || {
        let index = Arc::new(Mutex::new(Index::new()));
        made.lock().unwrap().push(index.clone());
        Chain::outside_topology(decode).step(Keeper { index })
    })
}

fn say(driver: &mut Driver<Words>, words: &str) {
    let record = SourceHeartbeat {
        root: ROOT.to_owned(),
        connector: words.to_owned(),
        sent_at: Micros(0),
    };
    driver.pipe(ROOT, record);
}

/// The index that the slots make.
fn of_slots(driver: &Driver<Words>) -> Index {
    let mut index = Index::new();
    for (key, slot) in driver.slots() {
        let timers = usize::from(u16::from_be_bytes([slot[17], slot[18]]));
        let value: u64 = postcard::from_bytes(&slot[HEAD_BYTES + 10 * timers..]).unwrap();
        let key = String::from_utf8(key[1..].to_vec()).unwrap();
        index.entry(value).or_default().insert(key);
    }
    index
}

#[track_caller]
fn check(driver: &Driver<Words>, made: &Made, after: &str) {
    let kept = made.lock().unwrap().last().unwrap().lock().unwrap().clone();
    assert_eq!(kept, of_slots(driver), "after {after}");
}

#[test]
fn each_thing_that_happens_to_a_slot_is_remembered() {
    let made = Made::default();
    let mut d = driver(&made);
    for words in [
        "put a 1", "put b 1", "put c 2", "put a 2", "delete c", "raise 1", "later a",
    ] {
        say(&mut d, words);
        check(&d, &made, words);
    }
    assert_eq!(
        of_slots(&d),
        Index::from([(2, ["a".to_owned(), "b".to_owned()].into())])
    );
    say(&mut d, "dead a 9");
    check(&d, &made, "a record that was taken back");
    assert!(!of_slots(&d).contains_key(&9));
    assert_eq!(d.outcomes().dead_lettered["refused"], 1);
    d.tick(2_000);
    check(&d, &made, "a timer that deletes");
    assert_eq!(of_slots(&d), Index::from([(2, ["b".to_owned()].into())]));
    assert!(d.commit());
    say(&mut d, "put x 7");
    d.crash(0);
    d.restore();
    check(&d, &made, "a restore");
    say(&mut d, "raise 7");
    check(&d, &made, "a decision by a restored index");
    assert!(of_slots(&d).contains_key(&8));
}

#[test]
fn after_any_history_the_index_is_the_one_of_the_slots() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let made = Made::default();
        let mut d = driver(&made);
        for n in 0..80 {
            if rng.chance(10) {
                d.crash_at(0, CrashAt::ALL[rng.below(CrashAt::ALL.len())]);
            }
            let (key, value) = (rng.below(6), rng.below(4));
            match rng.below(8) {
                0..3 => say(&mut d, &format!("put {key} {value}")),
                3 => say(&mut d, &format!("delete {key}")),
                4 => say(&mut d, &format!("raise {value}")),
                5 => say(&mut d, &format!("dead {key} {value}")),
                6 => say(&mut d, &format!("later {key}")),
                _ => d.tick(700),
            }
            if rng.chance(20) {
                d.commit();
            }
            if !d.is_alive(0) {
                d.restore();
            }
            if d.is_alive(0) {
                check(&d, &made, &format!("record {n} of SEED={seed}"));
            }
        }
    }
}
