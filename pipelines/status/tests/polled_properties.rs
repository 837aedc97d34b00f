//! What must hold for any sequence of traps and readings, and for readings that no device would give.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::reads::{TAKES, boards, failed, optics, row, system, table};
use common::{Network, ROOT, huawei, onu_trap, seconds, trap};
use proptest::prelude::*;
use schemas::{AnyRecord, OnuRow};

/// ONUs of the port; every reading names all of them.
const ONUS: i32 = 3;
const RUNS: &[&str] = &[
    "online",
    "offline",
    "offline dying-gasp",
    "offline LOSi/LOBi",
    "offline deactivated",
    "-",
];
/// Last number of a trap under `…12.2.2.0`: gasp, LOS, LOF, and the clear of each.
const TRAPS: &[u32] = &[18, 12, 10, 19, 13, 11];

#[derive(Debug, Clone)]
enum Said {
    Trap {
        onu: u16,
        number: u32,
    },
    Read {
        runs: [usize; ONUS as usize],
        has_cause: bool,
    },
}

/// At tenths of a second since the test's second 0, all different.
type Story = Vec<(u32, Said)>;

fn record(at: u32, said: &Said) -> AnyRecord {
    let seen_at = seconds(0).plus(i64::from(at) * 100_000);
    match said {
        Said::Trap { onu, number } => {
            let oid = huawei(&format!("6.128.1.1.12.2.2.0.{number}"));
            let pdu = onu_trap(oid, [0, 3, 5], *onu, i32::try_from(at).unwrap(), 50_000_000 + at * 10);
            trap(ROOT, pdu, seen_at).into()
        }
        Said::Read { runs, has_cause } => {
            let rows: Vec<OnuRow> = (0..ONUS)
                .zip(runs)
                .map(|(onu, run)| {
                    let mut row = row(onu, RUNS[*run]);
                    row.last_down_cause = row.last_down_cause.filter(|_| *has_cause);
                    row
                })
                .collect();
            table("0/3/5", seen_at, &[([0, 3, 5], &rows)]).into()
        }
    }
}

fn run(story: &[(u32, Said)]) -> Network {
    let mut network = Network::default();
    for (n, (at, said)) in story.iter().enumerate() {
        network.feed(record(*at, said), ROOT, seconds(1_000 + i64::try_from(n).unwrap()));
    }
    network
}

/// State, cause and the vendor's words of each ONU.
fn told(network: &Network) -> Vec<String> {
    let onus = network.status.values().filter(|row| row.kind == "onu");
    onus.map(|row| format!("{} {} {:?} {:?}", row.entity, row.state, row.cause, row.cause_raw))
        .collect()
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        (0..ONUS as u16, 0..TRAPS.len()).prop_map(|(onu, trap)| Said::Trap {
            onu,
            number: TRAPS[trap]
        }),
        // The same again is what mostly comes.
        (
            proptest::array::uniform3(prop_oneof![3 => Just(0_usize), 2 => 0..RUNS.len()]),
            any::<bool>()
        )
            .prop_map(|(runs, has_cause)| Said::Read { runs, has_cause }),
    ]
}

fn stories() -> impl Strategy<Value = Story> {
    proptest::collection::btree_map(0_u32..1_000, said(), 1..12).prop_map(|story| story.into_iter().collect())
}

/// The story, and the same as it is processed by somebody to whom traps come late: within 5 minutes one boot is recognised.
fn stories_with_late_traps() -> impl Strategy<Value = (Story, Story)> {
    stories().prop_flat_map(|story| {
        let late = proptest::collection::vec(0_u32..400, story.len());
        (Just(story), late).prop_map(|(story, late)| {
            let mut arrival: Vec<_> = story
                .iter()
                .zip(late)
                .map(|(one, late)| match one.1 {
                    Said::Trap { .. } => (one.0 + late, one.clone()),
                    // One session reads an OLT: its readings come in order.
                    Said::Read { .. } => (one.0, one.clone()),
                })
                .collect();
            arrival.sort_by_key(|(at, _)| *at);
            (story, arrival.into_iter().map(|(_, one)| one).collect())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn traps_that_come_late_find_their_place((story, arrival) in stories_with_late_traps()) {
        prop_assert_eq!(told(&run(&arrival)), told(&run(&story)));
    }

    /// Every reading written or only its time moved on: the truth is the same.
    #[test]
    fn a_reading_twice_changes_nothing(story in stories()) {
        let once = run(&story);
        let doubled: Story = story
            .iter()
            .flat_map(|one| match one.1 {
                Said::Trap { .. } => vec![one.clone()],
                Said::Read { .. } => vec![one.clone(), one.clone()],
            })
            .collect();
        prop_assert_eq!(told(&run(&doubled)), told(&once));
    }

    #[test]
    fn the_last_reading_is_what_an_onu_is_if_nothing_came_since(story in stories(), runs in proptest::array::uniform3(0..2_usize)) {
        let mut network = run(&story);
        network.feed(record(2_000, &Said::Read { runs, has_cause: false }), ROOT, seconds(3_000));
        for (onu, run) in (0..ONUS).zip(runs) {
            let state = &network.status[&common::entity(&format!("onu/0/3/5/{onu}"))].state;
            prop_assert_eq!(state, ["online", "offline"][run]);
        }
    }

    #[test]
    fn one_edge_is_one_event_and_a_row_says_what_was_told(story in stories()) {
        let network = run(&story);
        for row in network.status.values().filter(|row| row.kind == "onu") {
            let mut events = network.events.iter().rev();
            let Some(last) = events.find(|e| e.entity == row.entity && e.state.is_some()) else { continue };
            prop_assert_eq!(last.state.as_ref(), Some(&row.state));
        }
    }

    /// Whatever a record says, nothing panics, nothing grows beyond its slot, and no row is for what no device has.
    #[test]
    fn readings_that_no_device_would_give_do_no_harm(
        numbers in proptest::collection::vec(prop_oneof![any::<i32>(), -2..300_i32], 8),
        level in any::<f64>(),
        text in "\\PC{0,40}|[\\x00-\\xff]{0,700}",
        scope in "[0-9/]{0,8}",
        times in proptest::array::uniform2(any::<i64>()),
    ) {
        let [started_at, since] = times.map(model::Micros);
        let odd = OnuRow {
            run_state: Some(text.clone()),
            serial: Some(text.clone()),
            description: Some(text.clone()),
            equipment: Some(text.clone()),
            last_down_cause: Some(text.clone()),
            distance_m: Some(numbers[0]),
            rx_dbm: Some(level),
            ..row(numbers[1], "online")
        };
        let down = OnuRow { last_down_cause: Some(text.clone()), ..row(numbers[1], "offline") };
        let mut reads: Vec<AnyRecord> = Vec::new();
        for rows in [&odd, &down] {
            let mut read = table(&scope, started_at, &[([numbers[2], numbers[3], numbers[4]], std::slice::from_ref(rows))]);
            (read.part, read.of, read.read_id) = (numbers[5], numbers[6], text.clone());
            reads.push(read.into());
        }
        let mut levels = optics(started_at, numbers[1], level, -level);
        levels.ports[0].frame = numbers[2];
        reads.push(levels.into());
        reads.push(boards(started_at, &[(numbers[3], &text, &text)]).into());
        let mut failure = failed(started_at, &text, numbers[7], since);
        failure.detail = text.clone();
        reads.push(failure.into());
        reads.push(failed(started_at, "timeout", numbers[7], since).into());
        let mut own = system(started_at);
        own.product = Some(text.clone());
        own.version = Some(text);
        reads.push(own.into());
        let mut network = run(&[(0, Said::Read { runs: [0; 3], has_cause: true })]);
        for _ in 0..2 {
            for read in &reads {
                network.feed(read.clone(), ROOT, seconds(2_000).plus(TAKES));
            }
        }
        prop_assert!(network.status.len() < 16);
        prop_assert!(network.measurements.iter().all(|m| m.value.is_finite()));
        for row in network.status.values() {
            prop_assert!(model::EntityId::parse(&row.entity).is_ok(), "{}", row.entity);
            prop_assert!(!serde_json::to_string(row).unwrap().contains("\\u00"), "control characters");
        }
    }
}
