//! Sessions with a device played from both sides, with the device's bytes split everywhere.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::time::{Duration, Instant};

use connector_olt_ssh::decode::{self, Command, Screen, Settings};
use connector_olt_ssh::dialogue::{Dialogue, Failure, Limits, NotBegun, Outcome};
use proptest::prelude::*;

/// A step of a session.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The device sends.
    Device(&'static str),
    /// We begin a command; `true` if it may ask.
    Begin(&'static str, bool),
    /// We leave.
    Leave,
    /// What we must have sent since the last step of this kind.
    Sent(&'static str),
    /// Nothing comes for this long.
    Quiet(Duration),
    /// The device closes the line.
    Close,
    /// What must have come of it, all but what is sent: `ready`, `answered N` with a part of the answer, `left`, or the failure.
    Came(&'static str),
}
use Step::{Begin, Came, Close, Device, Leave, Quiet, Sent};

const SETTLE: Duration = Duration::from_secs(1);

/// How the device's bytes are cut.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Whole,
    Bytes,
    /// Every piece in two, here.
    At(usize),
}

fn pieces(text: &'static str, cut: Cut) -> Vec<&'static [u8]> {
    let bytes = text.as_bytes();
    match cut {
        Cut::Whole => vec![bytes],
        Cut::Bytes => bytes.chunks(1).collect(),
        Cut::At(at) => {
            let (left, right) = bytes.split_at(at.min(bytes.len()));
            vec![left, right]
        }
    }
}

#[derive(Default)]
struct Played {
    sent: Vec<u8>,
    came: Vec<String>,
    answer: Vec<u8>,
}

impl Played {
    fn add(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            match outcome {
                Outcome::Send(bytes) => self.sent.extend_from_slice(bytes),
                Outcome::Ready => self.came.push("ready".to_owned()),
                Outcome::Answered(bytes) => {
                    self.came.push("answered".to_owned());
                    self.answer = bytes;
                }
                Outcome::Left => self.came.push("left".to_owned()),
                Outcome::Failed(failure) => self.came.push(format!("{failure:?}")),
            }
        }
    }
}

fn play(steps: &[Step], limits: &Limits, cut: Cut) -> (Dialogue, Vec<u8>) {
    let mut now = Instant::now();
    let mut dialogue = Dialogue::new(limits.clone(), now);
    let mut played = Played::default();
    for step in steps {
        let said = format!("{step:?} of {steps:?} cut {cut:?}");
        match step {
            Device(text) => {
                for piece in pieces(text, cut) {
                    now += Duration::from_millis(1);
                    played.add(dialogue.received(piece, now));
                }
            }
            Begin(command, confirm) => played.sent.extend(dialogue.begin(command, *confirm, now).expect(&said)),
            Leave => played.sent.extend(dialogue.leave(now).expect(&said)),
            Sent(expected) => {
                assert_eq!(
                    String::from_utf8_lossy(&std::mem::take(&mut played.sent)),
                    *expected,
                    "{said}"
                );
            }
            Quiet(time) => {
                let until = now + *time;
                while let Some(deadline) = dialogue.deadline().filter(|deadline| *deadline <= until) {
                    now = now.max(deadline);
                    let outcomes = dialogue.elapsed(now);
                    assert!(!outcomes.is_empty(), "a deadline without an outcome: {said}");
                    played.add(outcomes);
                }
                now = until;
            }
            Close => played.add(dialogue.closed()),
            Came(expected) => assert_eq!(std::mem::take(&mut played.came).join(" "), *expected, "{said}"),
        }
    }
    assert!(played.came.is_empty(), "{:?} of {steps:?} cut {cut:?}", played.came);
    assert!(
        played.sent.is_empty(),
        "{:?} of {steps:?} cut {cut:?}",
        String::from_utf8_lossy(&played.sent)
    );
    (dialogue, played.answer)
}

/// Plays the steps with every cut; the last answer must be the same each time.
#[track_caller]
fn check(steps: &[Step]) -> Vec<u8> {
    let limits = Limits {
        settle: SETTLE,
        ..Limits::default()
    };
    let (_, whole) = play(steps, &limits, Cut::Whole);
    let longest = steps
        .iter()
        .map(|step| if let Device(text) = step { text.len() } else { 0 })
        .max()
        .unwrap_or(0);
    for cut in std::iter::once(Cut::Bytes).chain((1..longest).map(Cut::At)) {
        assert_eq!(play(steps, &limits, cut).1, whole, "{cut:?}");
    }
    whole
}

const GREETING: &str = "\r\n  Huawei Integrated Access Software (MA5800).\r\n  Copyright(C) Huawei Technologies Co., Ltd. 2002-2020. All rights reserved.\r\n\r\n  ----------------------------------\r\n  User last login information:\r\n  ----------------------------------\r\n  Access Type : SSH\r\n  IP-Address  : 192.0.2.7\r\n  ----------------------------------\r\n\r\nOLT-1>";

#[test]
fn the_prompt_is_learnt_and_queued_prompts_are_drained() {
    check(&[Device(GREETING), Quiet(SETTLE), Came("ready")]);
    let (dialogue, _) = play(
        &[Device(GREETING), Quiet(SETTLE), Came("ready")],
        &Limits::default(),
        Cut::Whole,
    );
    assert_eq!(dialogue.host(), Some("OLT-1"));
    // A prompt that was queued comes after the command was sent, on a line with its echo.
    check(&[
        Device(GREETING),
        Quiet(SETTLE),
        Came("ready"),
        Begin("enable", false),
        Device("\r\nOLT-1>"),
        Quiet(SETTLE),
        Device("\r\nOLT-1>enable\r\n\r\nOLT-1#"),
        Sent("enable\n"),
        Quiet(SETTLE),
        Came("answered"),
    ]);
}

#[test]
fn pager_questions_and_a_wrapped_echo_are_answered() {
    let pager = "---- More ( Press 'Q' to break ) ----";
    let residue = "\x1b[37D                                     \x1b[37D";
    let text: &'static str = Box::leak(format!("{residue}  9       H902MPLA   Active_normal\r\n  -------------------------------------------------------------------------\r\n\r\nOLT-1(config)#").into_boxed_str());
    let first: &'static str = Box::leak(format!("\r\n\r\n  Command:\r\n          display board 0\r\n  -------------------------------------------------------------------------\r\n  SlotID  BoardName  Status          SubType0 SubType1    Online/Offline\r\n  -------------------------------------------------------------------------\r\n  0\r\n{pager}").into_boxed_str());
    let answer = check(&[
        Device("OLT-1(config)#"),
        Quiet(SETTLE),
        Came("ready"),
        Begin("display board 0", false),
        Sent("display board 0\n"),
        Device("display bo\r\nard 0\r\n{ <cr>||<K> }: "),
        Sent("\n"),
        Device(first),
        Sent(" "),
        Device(text),
        Quiet(SETTLE),
        Came("answered"),
    ]);
    let text = decode::text_of(&answer);
    let screen = Screen::of(&text);
    let reading = decode::read(
        &screen,
        &Command::parse("display board 0").unwrap(),
        &Settings::default(),
    );
    assert!(reading.complete && reading.rows.len() == 2, "{:?}", reading.issues);
}

#[test]
fn an_alarm_after_a_pager_or_a_prompt_changes_nothing() {
    const ALARM: &str = "\r\n! 17[2026-02-14 22:40:04]:\r\n\r\n  ALARM 5 FAULT MINOR 0x2e11a00b SERVICE QUALITY 2026-02-14 22:40:04+08:00\r\n  ALARM NAME  : x\r\n  --- END\r\n";
    check(&[
        Device("OLT-1#"),
        Quiet(SETTLE),
        Came("ready"),
        Begin("display version", false),
        Sent("display version\n"),
        Device("display version\r\n  VERSION : x\r\n---- More ( Press 'Q' to break ) ----"),
        Device(ALARM),
        Sent(" "),
        Device("\r\n  PATCH : y\r\nOLT-1#"),
        Device(ALARM),
        Quiet(SETTLE),
        Came("answered"),
        Device(ALARM),
        Quiet(SETTLE),
    ]);
}

#[test]
fn only_a_command_that_may_ask_is_confirmed() {
    const ASKS: &str = "ont reset 1 2\r\n  Are you sure to reset the ONT(s)? (y/n)[n]:";
    for (confirm, reply) in [(true, "y\n"), (false, "n\n")] {
        check(&[
            Device("OLT-1#"),
            Quiet(SETTLE),
            Came("ready"),
            Begin("ont reset 1 2", confirm),
            Sent("ont reset 1 2\n"),
            Device(ASKS),
            Sent(reply),
            Device("y\r\n\r\nOLT-1#"),
            Quiet(SETTLE),
            Came("answered"),
        ]);
    }
}

#[test]
fn a_command_that_lacks_a_parameter_is_broken_off() {
    let (dialogue, _) = play(
        &[
            Device("OLT-1#"),
            Quiet(SETTLE),
            Came("ready"),
            Begin("display port state", false),
            Sent("display port state\n"),
            Device("display port state\r\n{ portid<U><0,7> }:"),
            Sent("\x03"),
            Device("\r\nOLT-1#"),
            Quiet(SETTLE),
            Came("Incomplete"),
        ],
        &Limits::default(),
        Cut::Whole,
    );
    assert!(dialogue.is_ready(), "the session goes on");
}

#[test]
fn refusals_end_the_session_and_say_when_to_come_back() {
    for (text, failure, again) in [
        (
            "\r\n  Reenter times have reached the upper limit.\r\n",
            Failure::TooManySessions,
            Some(60),
        ),
        ("\r\n  Username or password invalid.\r\n", Failure::Refused, None),
        (
            "\r\n  Please change it. Modify now? (YES/NO):",
            Failure::FirstLogin,
            None,
        ),
    ] {
        let said: &'static str = Box::leak(format!("{failure:?}").into_boxed_str());
        check(&[Device(text), Came(said), Quiet(SETTLE)]);
        assert_eq!(failure.retry_after(), again.map(Duration::from_secs));
    }
    check(&[
        Device("OLT-1#"),
        Quiet(SETTLE),
        Came("ready"),
        Begin("display version", false),
        Sent("display version\n"),
        Device("display version\r\n  VERSION : x\r\n"),
        Device("\r\n  Configuration console time out, please retry to log on\r\n"),
        Came("Ended"),
    ]);
    // The same words in a customer's description are a description.
    check(&[
        Device("OLT-1#"),
        Quiet(SETTLE),
        Came("ready"),
        Begin("display version", false),
        Sent("display version\n"),
        Device("display version\r\n  Description : Reenter times have reached the upper limit. YES/NO\r\nOLT-1#"),
        Quiet(SETTLE),
        Came("answered"),
    ]);
}

#[test]
fn every_wait_has_an_end() {
    let hour = Quiet(Duration::from_secs(3_600));
    check(&[hour, Came("NoPrompt")]);
    check(&[Device("  Welcome\r\n"), hour, Came("NoPrompt")]);
    let begun = [
        Device("OLT-1#"),
        Quiet(SETTLE),
        Came("ready"),
        Begin("display version", false),
        Sent("display version\n"),
    ];
    let silent = [hour, Came("Silent")];
    for hang in [
        "",
        "disp",
        "display version\r\n  VERS",
        "display version\r\n  VERSION : x\r\n",
        "display version\r\nOLT-2#",
    ] {
        check(&[&begun[..], &[Device(hang)], &silent].concat());
    }
    check(&[&begun[..], &[Device("display version\r\n"), Close, Came("Closed")]].concat());
    // Drops of an answer without end: no silence, but too slow in all.
    let mut drops = begun.to_vec();
    for _ in 0..70 {
        drops.extend([Device("  x\r\n"), Quiet(Duration::from_secs(9))]);
    }
    drops.push(Came("TooSlow"));
    play(
        &drops,
        &Limits {
            settle: SETTLE,
            ..Limits::default()
        },
        Cut::Whole,
    );
}

#[test]
fn bytes_and_questions_without_end_are_cut_off() {
    let now = Instant::now();
    let limits = Limits {
        bytes_max: 1 << 20,
        questions_max: 100,
        ..Limits::default()
    };
    let ready = || {
        let mut dialogue = Dialogue::new(limits.clone(), now);
        dialogue.received(b"OLT-1#", now);
        assert_eq!(dialogue.elapsed(now + SETTLE), [Outcome::Ready]);
        dialogue.begin("display version", false, now + SETTLE).unwrap();
        dialogue.received(b"display version\r\n", now + SETTLE);
        dialogue
    };
    let flood = |text: &str| {
        let mut dialogue = ready();
        for _ in 0..5_000_000 / text.len() {
            let outcomes = dialogue.received(text.as_bytes(), now + SETTLE);
            if let Some(Outcome::Failed(failure)) = outcomes.last() {
                assert!(dialogue.is_over() && failure.is_fatal());
                return *failure;
            }
        }
        panic!("no end");
    };
    assert_eq!(flood("x\r\n"), Failure::TooMuch);
    assert_eq!(flood(&"#>%".repeat(1_000)), Failure::TooMuch);
    assert_eq!(
        flood("---- More ( Press 'Q' to break ) ----"),
        Failure::TooManyQuestions
    );
    assert_eq!(flood("\r\n{ <cr>||<K> }:"), Failure::TooManyQuestions);
}

#[test]
fn a_session_is_left_through_every_mode() {
    check(&[
        Device("OLT-1(config-if-gpon-0/9)#"),
        Quiet(SETTLE),
        Came("ready"),
        Leave,
        Device("quit\r\n\r\nOLT-1(config)#"),
        Quiet(SETTLE),
        Device("quit\r\n\r\nOLT-1#"),
        Quiet(SETTLE),
        Sent("quit\nquit\nquit\n"),
        Device(
            "quit\r\n  Check whether system data has been changed. Please save data before logout.\r\nAre you sure to log out? (y/n)[n]:",
        ),
        Sent("y\n"),
        Close,
        Came("left"),
    ]);
}

#[test]
fn commands_that_mean_something_else_are_not_begun() {
    let now = Instant::now();
    let mut dialogue = Dialogue::new(Limits::default(), now);
    assert_eq!(dialogue.begin("display version", false, now), Err(NotBegun::NotReady));
    dialogue.received(b"OLT-1#", now);
    dialogue.elapsed(now + SETTLE);
    for bad in [
        "",
        "  ",
        "display ?",
        "display version\nreboot",
        "display\x03",
        "!x",
        "ção",
        &"x".repeat(600),
    ] {
        assert_eq!(dialogue.begin(bad, false, now), Err(NotBegun::BadCharacter), "{bad:?}");
    }
    assert_eq!(
        dialogue.begin("display version", false, now + SETTLE).unwrap(),
        b"display version\n"
    );
    assert_eq!(
        dialogue.begin("display version", false, now + SETTLE),
        Err(NotBegun::NotReady),
        "one at a time"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever comes, whenever: no panic, and a session that is over stays so and says nothing more.
    #[test]
    fn any_bytes_at_any_time_are_taken(pieces in prop::collection::vec((piece(), 0..40_000_u64), 0..60)) {
        let mut now = Instant::now();
        let mut dialogue = Dialogue::new(Limits { bytes_max: 2_000, questions_max: 20, ..Limits::default() }, now);
        for (bytes, millis) in pieces {
            let over = dialogue.is_over();
            let mut outcomes = dialogue.received(&bytes, now);
            now += Duration::from_millis(millis);
            outcomes.extend(dialogue.elapsed(now));
            prop_assert!(!over || outcomes.is_empty());
            if dialogue.is_ready() {
                prop_assert_eq!(dialogue.deadline(), None);
                prop_assert!(dialogue.begin("display version", false, now).is_ok());
            }
            prop_assert!(dialogue.is_over() || dialogue.deadline().is_some());
        }
    }
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = vec![
        "OLT-1#",
        "OLT-1>",
        "\r\n",
        "display version\r\n",
        "---- More ( Press 'Q' to break ) ----",
        "{ <cr>||<K> }:",
        "(y/n)[n]:",
        "%%",
    ];
    prop_oneof![
        4 => prop::sample::select(known).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..50),
    ]
}

/// A device that says a little now and then, and never what is waited for: the limits count from the beginning.
#[test]
fn a_dribble_holds_nothing_up() {
    let begun = Instant::now();
    let dribble = |dialogue: &mut Dialogue, limit: Duration| {
        let mut now = begun;
        loop {
            assert!(now <= begun + limit, "not ended within {limit:?}");
            let next = dialogue.deadline().unwrap().min(now + Duration::from_secs(5));
            now = next;
            let mut outcomes = dialogue.elapsed(now);
            outcomes.extend(dialogue.received(b".", now));
            if let Some(Outcome::Failed(failure)) = outcomes.first() {
                return *failure;
            }
        }
    };
    let limits = Limits::default();
    let mut dialogue = Dialogue::new(limits.clone(), begun);
    assert_eq!(dribble(&mut dialogue, limits.login), Failure::NoPrompt);
    let ready = || {
        let mut dialogue = Dialogue::new(limits.clone(), begun);
        dialogue.received(b"\r\nOLT-1>", begun);
        let settled = dialogue.elapsed(begun + limits.settle);
        assert_eq!(settled, [Outcome::Ready]);
        dialogue
    };
    let mut running = ready();
    running.begin("display version", false, begun).unwrap();
    assert_eq!(dribble(&mut running, limits.total), Failure::TooSlow);
    let mut leaving = ready();
    leaving.leave(begun).unwrap();
    assert_eq!(dribble(&mut leaving, limits.total), Failure::Silent);
}
