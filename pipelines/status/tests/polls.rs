//! What readings make of the truth that traps tell, and of each other.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::reads::{boards, failed, optics, row, system, table};
use common::{Did, Network, ROOT, entity, registration, seconds};
use model::Micros;
use schemas::{DeviceRegistered, OnuRow, Phase};

const ONU: &str = "onu/0/3/5/17";
const GASP: u32 = 18;
const LOS: u32 = 12;
const LOS_CLEAR: u32 = 13;

#[derive(Debug, Clone, Copy)]
enum Said {
    /// Trap number, received at.
    Trap(u32, i64),
    /// Run state, asked for at.
    Read(&'static str, i64),
}
use Said::{Read, Trap};

fn say(network: &mut Network, said: Said, processed_s: i64) -> Did {
    match said {
        Trap(number, at) => network.trap_at(number, 17, at, processed_s),
        Read(run, at) => {
            let read = table("0/3/5", seconds(at), &[([0, 3, 5], &[row(17, run)])]);
            network.feed(read, ROOT, seconds(processed_s))
        }
    }
}

/// State, cause and the vendor's words after all of it came in this order.
fn state_after(story: &[Said]) -> String {
    let mut network = Network::default();
    for (i, &said) in story.iter().enumerate() {
        say(&mut network, said, 10_000 + i64::try_from(i).unwrap());
    }
    words(&network, ONU)
}

fn words(network: &Network, below: &str) -> String {
    let raw = network.status.get(&entity(below)).and_then(|row| row.cause_raw.clone());
    format!("{} {}", network.state(below), raw.unwrap_or_default())
        .trim()
        .to_owned()
}

#[test]
fn readings_and_traps_are_taken_in_the_order_of_the_network() {
    #[track_caller]
    fn check(story: &[Said], expected: &str) {
        assert_eq!(state_after(story), expected, "{story:?}");
        // However they come.
        let mut orders = vec![Vec::new()];
        for &said in story {
            orders = orders
                .into_iter()
                .flat_map(|order: Vec<Said>| {
                    (0..=order.len()).map(move |at| {
                        let mut longer = order.clone();
                        longer.insert(at, said);
                        longer
                    })
                })
                .collect();
        }
        for order in orders {
            assert_eq!(state_after(&order), expected, "{order:?}");
        }
    }
    check(&[Read("online", 10)], "online");
    check(&[Read("offline", 10)], "offline(unknown)");
    check(&[Read("offline dying-gasp", 10)], "offline(power) dying-gasp");
    check(&[Read("offline LOSi/LOBi", 10)], "offline(fibre) LOSi/LOBi");
    check(
        &[Read("offline ONT is reset by ONT comma", 10)],
        "offline(reset) ONT is reset by ONT comma",
    );
    check(&[Read("offline wire-down", 10)], "offline(unknown) wire-down");
    // A trap before and after a reading.
    check(&[Trap(GASP, 5), Read("online", 10)], "online");
    check(&[Trap(GASP, 15), Read("online", 10)], "offline(power) dying-gasp");
    check(
        &[Read("offline dying-gasp", 10), Trap(LOS_CLEAR, 15)],
        "offline(power) dying-gasp",
    );
    check(&[Read("offline LOSi", 10), Trap(LOS_CLEAR, 15)], "online");
    // On a tie the trap.
    check(&[Read("online", 10), Trap(LOS, 10)], "offline(fibre) LOSi");
    // A lost clear.
    check(
        &[Trap(LOS, 5), Read("online", 10), Trap(GASP, 15), Read("online", 20)],
        "online",
    );
    check(
        &[Trap(LOS, 5), Read("online", 10), Read("offline", 20)],
        "offline(unknown)",
    );
    // A lost gasp; and one that was heard says more than "no light".
    check(
        &[Trap(LOS, 5), Read("offline dying-gasp", 10)],
        "offline(power) dying-gasp",
    );
    check(
        &[Trap(LOS, 5), Trap(GASP, 6), Read("offline LOSi/LOBi", 10)],
        "offline(power) dying-gasp",
    );
    check(&[Trap(LOS, 5), Read("offline", 10)], "offline(fibre) LOSi");
    check(&[Trap(LOS, 5), Read("offline LOSi/LOBi", 10)], "offline(fibre) LOSi");
    // The cause of a reading that had one stays through one that has none.
    check(
        &[Read("offline dying-gasp", 10), Read("offline", 20)],
        "offline(power) dying-gasp",
    );
    check(
        &[Read("offline dying-gasp", 10), Read("online", 15), Read("offline", 20)],
        "offline(unknown)",
    );
}

#[test]
fn what_a_reading_repeats_costs_nothing_and_keeps_since() {
    let mut network = Network::default();
    let first = network.read_at(0, &[(17, "online"), (18, "offline dying-gasp")]);
    assert_eq!(
        first.events.iter().filter(|e| e.kind == "onu").count(),
        0,
        "what was not known did not happen now"
    );
    assert_eq!(
        (network.state(ONU), network.state("onu/0/3/5/18")),
        ("online".into(), "offline(power)".into())
    );
    let since = network.status[&entity(ONU)].since;
    for minute in 1..5 {
        let again = network.read_at(minute * 60, &[(17, "online"), (18, "offline dying-gasp")]);
        // The OLT's own row says when it was last read.
        assert_eq!((again.events.len(), again.status_rows, again.inventory_rows), (0, 1, 0));
        assert_eq!(again.slots, 1, "that of the OLT");
    }
    assert_eq!(network.status[&entity(ONU)].since, since);
    assert_eq!(network.status[&entity("pon/0/3/5")].state, "unknown");
    // A trap that waited elsewhere and is older than the last reading changes nothing, though that reading was not written.
    let late = network.trap_at(LOS, 17, 100, 300);
    assert_eq!(
        (network.state(ONU), late.events[0].detail["late"].as_str()),
        ("online".into(), "true")
    );
    // One that is newer does.
    network.trap_at(LOS, 17, 244, 301);
    assert_eq!(network.state(ONU), "offline(fibre)");
}

#[test]
fn an_edge_that_only_a_reading_shows_is_one_event() {
    let mut network = Network::default();
    network.read_at(0, &[(17, "online")]);
    let down = network.read_at(60, &[(17, "offline dying-gasp")]);
    let [event] = down.events.as_slice() else {
        panic!("{down:?}")
    };
    assert_eq!(
        (event.event.as_str(), event.source.as_deref()),
        ("state_read", Some("poll"))
    );
    assert_eq!(
        (event.state.as_deref(), event.previous.as_deref()),
        (Some("offline"), Some("online"))
    );
    assert_eq!((event.cause.as_deref(), event.at), (Some("power"), seconds(60)));
    let up = network.read_at(120, &[(17, "online")]);
    assert_eq!(up.events[0].state.as_deref(), Some("online"));
}

fn gone(did: &Did) -> Vec<&str> {
    let absent = did.events.iter().filter(|e| e.event == "absent");
    absent.map(|e| e.entity.rsplit('/').next().unwrap()).collect()
}

#[test]
fn an_onu_is_absent_only_after_a_whole_reading() {
    let mut network = Network::default();
    network.read_at(0, &[(17, "online"), (18, "online")]);
    let mut incomplete = table("0/3/5", seconds(60), &[([0, 3, 5], &[row(18, "online")])]);
    incomplete.complete = false;
    let did = network.feed(incomplete, ROOT, seconds(63));
    assert_eq!((gone(&did), network.state(ONU)), (vec![], "online".into()));
    // A row that cannot be placed could have been it.
    let doubtful = table(
        "0/3/5",
        seconds(120),
        &[([0, 3, 5], &[row(18, "online"), row(5_000, "online")])],
    );
    let did = network.feed(doubtful, ROOT, seconds(123));
    assert_eq!((gone(&did), network.state(ONU)), (vec![], "online".into()));
    let refused = network.status[ROOT].poll.as_ref().unwrap().rows_refused;
    assert_eq!(refused, 1);
    // Elsewhere.
    network.feed(table("0/4", seconds(180), &[]), ROOT, seconds(183));
    assert_eq!(network.state(ONU), "online");
    let did = network.read_at(240, &[(18, "online")]);
    assert_eq!((gone(&did), network.state(ONU)), (vec!["17"], "absent".into()));
    assert_eq!(network.status[&entity(ONU)].since, seconds(240));
    // Told once.
    for at in [300, 360, 420] {
        assert_eq!(gone(&network.read_at(at, &[(18, "online")])), Vec::<&str>::new());
    }
    // A port that is not named has no ONU.
    let did = network.feed(table("0", seconds(480), &[]), ROOT, seconds(483));
    assert_eq!(gone(&did), ["18"]);
    // Who speaks again is back.
    let did = network.read_at(540, &[(17, "online")]);
    assert_eq!((did.events.len(), network.state(ONU)), (1, "online".into()));
    network.trap_at(LOS, 18, 550, 550);
    assert_eq!(network.state("onu/0/3/5/18"), "offline(fibre)");
}

#[test]
fn a_state_that_is_neither_says_that_it_is_there() {
    let mut network = Network::default();
    network.read_at(0, &[(17, "-")]);
    assert_eq!(network.state(ONU), "unknown");
    network.read_at(60, &[(17, "online")]);
    let did = network.read_at(120, &[(17, "-")]);
    assert_eq!((did.events.len(), network.state(ONU)), (0, "online".into()));
    network.read_at(180, &[]);
    network.read_at(240, &[(17, "-")]);
    assert_eq!(network.state(ONU), "unknown");
}

#[test]
fn parts_conclude_together() {
    let part = |part: i32, at_s: i64, port: i32, onus: &[OnuRow]| {
        let mut read = table("0/3", seconds(at_s), &[([0, 3, port], onus)]);
        (read.part, read.of) = (part, 2);
        read
    };
    let mut network = Network::default();
    let mut feed = |record: schemas::OnuTableRead, at_s: i64| {
        let did = network.feed(record, ROOT, seconds(at_s));
        gone(&did).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let both = [row(17, "online"), row(18, "online")];
    assert_eq!(feed(part(0, 0, 5, &both), 3), [""; 0]);
    assert_eq!(feed(part(1, 0, 6, &[row(1, "online")]), 3), [""; 0]);
    // The first of two, and then nothing more.
    assert_eq!(feed(part(0, 60, 5, &[row(17, "online")]), 63), [""; 0]);
    // Another reading's second.
    assert_eq!(feed(part(1, 120, 6, &[]), 123), [""; 0]);
    assert_eq!(feed(part(0, 180, 5, &[row(17, "online")]), 183), [""; 0]);
    assert_eq!(feed(part(1, 180, 6, &[]), 183), ["18", "1"]);
}

#[test]
fn whoever_spoke_since_the_reading_was_asked_for_is_not_absent() {
    let mut network = Network::default();
    network.read_at(0, &[(17, "online"), (18, "online")]);
    // Taken out and put in again while the port is read: it speaks after the question, before the answer.
    network.trap_at(LOS, 17, 61, 61);
    let did = network.read_at(60, &[(18, "online")]);
    assert_eq!((gone(&did), network.state(ONU)), (vec![], "offline(fibre)".into()));
    // Then it is taken out for good: the next reading is newer than its last word.
    let did = network.read_at(120, &[(18, "online")]);
    assert_eq!((gone(&did), network.state(ONU)), (vec!["17"], "absent".into()));
}

#[test]
fn any_word_of_an_absent_onu_brings_it_back() {
    let mut network = Network::default();
    network.read_at(0, &[(17, "online")]);
    network.read_at(60, &[]);
    assert_eq!(network.state(ONU), "absent");
    // A signal degraded: no state.
    network.trap_at(4, 17, 70, 70);
    assert_eq!(network.state(ONU), "unknown");
    network.read_at(120, &[]);
    assert_eq!(network.state(ONU), "absent");
    // The word came before the reading that does not have it, and is processed after it.
    network.trap_at(4, 17, 110, 130);
    assert_eq!(network.state(ONU), "absent");
}

fn with_serial(onu: i32, run: &str, serial: &str) -> OnuRow {
    OnuRow {
        serial: Some(serial.to_owned()),
        ..row(onu, run)
    }
}

#[test]
fn a_serial_is_where_its_onu_came_up_last() {
    const SERIAL: &str = "HWTCB6113C9D";
    let mut network = Network::default();
    let mut read = |at_s: i64, port: i32, run: &str, serial: Option<&str>| {
        let rows = serial
            .map(|serial| vec![with_serial(1, run, serial)])
            .unwrap_or_default();
        let read = table(&format!("0/3/{port}"), seconds(at_s), &[([0, 3, port], &rows)]);
        let did = network.feed(read, ROOT, seconds(at_s + 3));
        let carriers = network
            .inventory
            .values()
            .filter(|e| e.serial.as_deref() == Some(SERIAL));
        let last = carriers.max_by_key(|e| e.serial_since).unwrap();
        (last.entity.rsplit('/').nth(1).unwrap().to_owned(), did.inventory_rows)
    };
    assert_eq!(read(0, 5, "online", Some(SERIAL)).0, "5");
    assert_eq!(
        read(60, 5, "online", Some(SERIAL)),
        ("5".into(), 0),
        "not a row a minute"
    );
    // It moves; the old place keeps its configuration and goes on to be listed.
    assert_eq!(read(120, 6, "online", Some(SERIAL)).0, "6");
    assert_eq!(read(125, 5, "offline LOSi", Some(SERIAL)), ("6".into(), 0));
    assert_eq!(read(180, 6, "online", Some(SERIAL)), ("6".into(), 0));
    // And back.
    assert_eq!(read(240, 6, "offline LOSi", Some(SERIAL)).0, "6");
    assert_eq!(read(245, 5, "online", Some(SERIAL)).0, "5");
    // Another one at the same place.
    let moved = with_serial(1, "online", "ZTEGC0000001");
    let did = network.feed(
        table("0/3/5", seconds(300), &[([0, 3, 5], &[moved])]),
        ROOT,
        seconds(303),
    );
    assert_eq!((did.status_rows, did.inventory_rows), (2, 1), "with the OLT's");
}

#[test]
fn a_device_does_not_correct_a_person_nor_a_cut_text_a_whole_one() {
    let described = |text: &str, is_cut: bool| OnuRow {
        description: Some(text.to_owned()),
        description_cut: is_cut,
        equipment: Some("EG8145V5".to_owned()),
        ..row(17, "online")
    };
    let mut network = Network::default();
    let mut at_s = 0;
    let mut read = |network: &mut Network, text: &str, is_cut: bool| {
        at_s += 60;
        let read = table("0/3/5", seconds(at_s), &[([0, 3, 5], &[described(text, is_cut)])]);
        network.feed(read, ROOT, seconds(at_s + 3));
        network.status[&entity(ONU)].description.clone().unwrap()
    };
    assert_eq!(
        read(&mut network, "Rua das Laranjeiras 1", true),
        "Rua das Laranjeiras 1"
    );
    assert_eq!(
        read(&mut network, "Rua das Laranjeiras 100", false),
        "Rua das Laranjeiras 100"
    );
    assert_eq!(
        read(&mut network, "Rua das Laranjeiras 1", true),
        "Rua das Laranjeiras 100"
    );
    assert_eq!(
        read(&mut network, "Rua das Laranjeiras 1", false),
        "Rua das Laranjeiras 1"
    );
    assert_eq!(read(&mut network, "Av. Atlantica", true), "Av. Atlantica");
    let said = DeviceRegistered {
        description: Some("Padaria Central".into()),
        model: Some("router".into()),
        ..registration(&entity(ONU), "onu", seconds(400))
    };
    network.feed(said, ROOT, seconds(400));
    at_s = 500;
    let read_again = table(
        "0/3/5",
        seconds(at_s),
        &[([0, 3, 5], &[described("Av. Atlantica 2", false)])],
    );
    network.feed(read_again, ROOT, seconds(at_s + 3));
    let row = &network.status[&entity(ONU)];
    assert_eq!(
        (row.description.as_deref(), row.model.as_deref()),
        (Some("Padaria Central"), Some("router"))
    );
}

#[test]
fn every_level_is_measured_and_only_what_moves_is_shown() {
    let mut network = Network::default();
    network.read_at(0, &[(17, "online")]);
    let first = network.feed(optics(seconds(10), 17, -21.90, 45.0), ROOT, seconds(13));
    assert_eq!((first.measured, first.events.len()), (3, 0));
    let shown = |network: &Network| network.status[&entity(ONU)].optics.unwrap();
    assert_eq!(
        (shown(&network).rx_dbm, shown(&network).temperature_c),
        (Some(-21.90), Some(45.0))
    );
    let noise = network.feed(optics(seconds(20), 17, -21.95, 45.5), ROOT, seconds(23));
    // When it was read last is kept, because a later reading may be older.
    assert_eq!((noise.measured, noise.status_rows, noise.slots), (3, 0, 1));
    assert_eq!(shown(&network).rx_dbm, Some(-21.90));
    let moved = network.feed(optics(seconds(30), 17, -22.00, 45.5), ROOT, seconds(33));
    assert_eq!((moved.measured, moved.status_rows), (3, 1));
    assert_eq!(
        (shown(&network).rx_dbm, shown(&network).observed_at),
        (Some(-22.00), seconds(30))
    );
    // What no module can mean is measured as bad, and not shown; what is no number is not even that.
    let bad = network.feed(optics(seconds(40), 17, -2_000.0, f64::NAN), ROOT, seconds(43));
    assert_eq!((bad.measured, shown(&network).rx_dbm), (2, Some(-22.00)));
    let last = network.measurements.iter().find(|m| m.value < -1_000.0).unwrap();
    assert_eq!(
        (last.measure.as_str(), last.unit.as_str(), last.quality.as_str()),
        ("onu_rx_power", "dBm", "bad")
    );
    // An ONU that nobody read before is there.
    network.feed(optics(seconds(50), 18, -20.0, 40.0), ROOT, seconds(53));
    assert_eq!(network.state("onu/0/3/5/18"), "unknown");
}

#[test]
fn boards_are_what_the_device_says_and_absent_when_their_slot_is_empty() {
    let mut network = Network::default();
    let read = |network: &mut Network, at_s: i64, slots: &[(i32, &str, &str)]| {
        network.feed(boards(seconds(at_s), slots), ROOT, seconds(at_s + 3))
    };
    let known = [
        (3, "H901GPHF", "Normal"),
        (4, "H901GPHF", "Failed"),
        (5, "", ""),
        (9, "H901MPLA", "Active_normal"),
    ];
    read(&mut network, 0, &known);
    let states = |network: &Network| ["3", "4", "5", "9"].map(|slot| network.state(&format!("board/0/{slot}")));
    assert_eq!(states(&network), ["normal", "failed(other)", "-", "normal"]);
    assert_eq!(network.status[&entity("board/0/3")].model.as_deref(), Some("H901GPHF"));
    let again = read(&mut network, 3_600, &known);
    assert_eq!((again.events.len(), again.status_rows), (0, 1), "the OLT's");
    let did = read(&mut network, 7_200, &[(3, "", ""), (4, "H901GPHF", "Normal")]);
    assert_eq!(states(&network), ["absent", "normal", "-", "absent"]);
    assert_eq!(did.events.len(), 3);
    let did = read(&mut network, 10_800, &known);
    assert_eq!(states(&network), ["normal", "failed(other)", "-", "normal"]);
    assert_eq!(did.events.len(), 3);
}

#[test]
fn an_olt_shows_how_reading_it_goes() {
    let mut network = Network::default();
    let did = network.feed(system(seconds(0)), ROOT, seconds(3));
    assert_eq!(did.events[0].event, "reachable");
    let row = &network.status[ROOT];
    let poll = row.poll.as_ref().unwrap();
    assert_eq!(
        (row.state.as_str(), row.model.as_deref()),
        ("reachable", Some("MA5800-X7"))
    );
    assert_eq!(poll.firmware.as_deref(), Some("MA5800V100R018C00 SPH505"));
    assert_eq!(
        (poll.legacy, poll.took_ms, poll.last_good_at),
        (true, None, Some(seconds(0)))
    );
    // Any other class than silence changes how reading goes, and nothing else.
    let did = network.feed(failed(seconds(60), "refused", 5, seconds(60)), ROOT, seconds(63));
    assert_eq!(
        (did.events[0].event.as_str(), did.events[0].phase),
        ("poll_failing", Phase::Raise)
    );
    assert_eq!(did.events[0].detail["class"], "refused");
    let row = &network.status[ROOT];
    assert_eq!(
        (row.state.as_str(), row.poll.as_ref().unwrap().class.as_deref()),
        ("reachable", Some("refused"))
    );
    let did = network.feed(system(seconds(120)), ROOT, seconds(123));
    assert_eq!(
        (did.events[0].event.as_str(), did.events[0].phase),
        ("poll_failing", Phase::Clear)
    );
    assert_eq!(network.status[ROOT].poll.as_ref().unwrap().class, None);
}

#[test]
fn an_olt_that_does_not_answer_hides_what_hangs_on_it_until_it_does() {
    let mut network = Network::default();
    network.feed(boards(seconds(0), &[(3, "H901GPHF", "Normal")]), ROOT, seconds(3));
    network.read_at(0, &[(17, "online"), (18, "offline dying-gasp")]);
    let since = network.status[&entity(ONU)].since;
    let fail = |network: &mut Network, n: i32| {
        let at = seconds(60 * i64::from(n));
        network.feed(
            failed(at, "timeout", n, seconds(60)),
            ROOT,
            at.plus(10 * Micros::SECOND),
        )
    };
    fail(&mut network, 1);
    fail(&mut network, 2);
    assert_eq!(
        (network.state("olt"), network.state(ONU)),
        ("reachable".into(), "online".into())
    );
    let did = fail(&mut network, 3);
    let [event] = did.events.as_slice() else {
        panic!("{did:?}")
    };
    assert_eq!((event.entity.as_str(), event.event.as_str()), (ROOT, "unreachable"));
    assert_eq!(
        (network.state("olt"), network.status[ROOT].since),
        ("unreachable".into(), seconds(60))
    );
    for below in [ONU, "onu/0/3/5/18", "board/0/3", "pon/0/3/5"] {
        assert_eq!(network.state(below), "unknown", "{below}");
        assert_eq!(network.status[&entity(below)].since, seconds(60), "{below}");
    }
    let again = fail(&mut network, 4);
    assert_eq!((again.events.len(), again.status_rows), (0, 1));
    // A trap: the OLT is there, and what the trap is about. The others are not seen yet.
    let did = network.trap_at(LOS_CLEAR, 18, 270, 270);
    assert_eq!(did.events[0].event, "reachable");
    assert_eq!(
        (network.state("olt"), network.state("board/0/3")),
        ("reachable".into(), "normal".into())
    );
    assert_eq!(
        (network.state("onu/0/3/5/18"), network.state(ONU)),
        ("offline(power)".into(), "unknown".into())
    );
    // Still not to be read, and reachable all the same.
    let did = fail(&mut network, 5);
    assert_eq!(
        (did.events[0].event.as_str(), network.state("olt")),
        ("poll_failing", "reachable".into())
    );
    // It answers: what is as it was has been so all the time, and nothing happened to it.
    let did = network.read_at(360, &[(17, "online"), (18, "offline dying-gasp")]);
    let words: Vec<_> = did.events.iter().map(|e| e.event.as_str()).collect();
    assert_eq!(words, ["poll_failing"]);
    assert_eq!(
        (network.state(ONU), network.status[&entity(ONU)].since),
        ("online".into(), since)
    );
}
