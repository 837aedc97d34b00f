//! Reads over a shell that answers from a script.

use std::collections::HashMap;

use model::Micros;
use schemas::{AnyRecord, OnuTableRead};

use super::plan::Task;
use super::read::{Done, Memory, NotDone, Reader, Said, Shell};
use super::records::About;
use super::ways::{Span, Ways};
use crate::decode::{Answer, PortPlace};
use crate::dialogue::Failure;
use crate::session::RunError;

const SUMMARY: &str = "\
  ------------------------------------------------------------------------------
  In port 0/5/0, the total of ONTs are: 2, online: 1
  ------------------------------------------------------------------------------
  ONT  Run     Last                Last                Last
  ID   State   UpTime              DownTime            DownCause
  ------------------------------------------------------------------------------
  0    online  2026-02-14 13:05:18 2026-02-14 05:16:56 dying-gasp
  1    offline 2026-02-14 13:05:18 2026-02-14 05:16:56 LOSi/LOBi
  ------------------------------------------------------------------------------
  ONT        SN        Type          Distance Rx/Tx power  Description
  ID                                    (m)      (dBm)
  ------------------------------------------------------------------------------
  0   48575443A1B2C3D4 EG8145X6-10      1807  -21.92/2.21  customer-0001
  1   5A544547A5B6C7D8 F670LV9.0        -     -/-          a description that is
  ------------------------------------------------------------------------------
";
const UNKNOWN: &str = "                            ^\r\n  % Unknown command, the error locates at '^'\r\n";
const PARAMETER: &str = "                            ^\r\n  % Parameter error, the error locates at '^'\r\n";
const BOARDS: &str = "\
  -------------------------------------------------------------------------
  SlotID  BoardName  Status          SubType0 SubType1    Online/Offline
  -------------------------------------------------------------------------
  0       H901MPLA   Active_normal   CPCA
  1
  2       H901GPHF   Normal
  -------------------------------------------------------------------------
";

fn list(slot: u8, online: u8) -> String {
    let state = |n| if n < online { "online " } else { "offline" };
    let rule = format!("  {}\n", "-".repeat(77));
    format!(
        "{rule}  F/S/P   ONT         SN         Control     Run      Config   Match    Protect\n          ID                     flag        state    state    state    side\n{rule}\
         \x20 0/ {slot}/8    0  48575443A1B2C3D4  active      {}  normal   match    no\n\
         \x20 0/ {slot}/8    1  48575443A1B2C3D5  active      {}  normal   match    no\n{rule}\
         \x20 F/S/P   ONT-ID   Description\n{rule}  0/ {slot}/8        0   customer zero\n  0/ {slot}/8        1   customer one\n{rule}\
         \x20 In port 0/ {slot}/8 , the total of ONTs are: 2, online: {online}\n{rule}",
        state(0),
        state(1)
    )
}

/// Answers by command; a command nobody wrote down ends the session.
#[derive(Default)]
struct Script {
    answers: HashMap<String, String>,
    asked: Vec<String>,
}

impl Script {
    fn answer(mut self, command: &str, answer: &str) -> Self {
        self.answers.insert(command.to_owned(), answer.to_owned());
        self
    }
}

impl Shell for Script {
    async fn run(&mut self, command: &str) -> Result<Said, RunError> {
        self.asked.push(command.to_owned());
        let at = i64::try_from(self.asked.len()).unwrap() * Micros::SECOND;
        let Some(answer) = self.answers.get(command) else {
            let failure = Failure::Closed;
            return Err(RunError::Over { failure, sent: true });
        };
        Ok(Said {
            bytes: format!("{command}\r\n{}\r\nOLT-1(config)#", answer.replace('\n', "\r\n")).into_bytes(),
            sent_at: Micros(at),
            answered_at: Micros(at + 500_000),
        })
    }
}

#[derive(Default)]
struct Olt {
    ways: Ways,
    memory: Memory,
}

impl Olt {
    fn read(&mut self, script: &mut Script, task: Task) -> Result<Done, NotDone> {
        let about = About {
            host: Some("OLT-1".into()),
            ..About::default()
        };
        let mut reader = Reader {
            shell: script,
            root: "default/olt/a",
            way: "ssh",
            day_first: true,
            about: &about,
            ways: &self.ways,
            memory: &mut self.memory,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(reader.read(task))
    }
}

#[track_caller]
fn tables(done: &Done) -> Vec<&OnuTableRead> {
    done.records
        .iter()
        .map(|record| match record {
            AnyRecord::OnuTableRead(read) => read,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn place(slot: u8, port: u8) -> PortPlace {
    PortPlace { frame: 0, slot, port }
}

#[test]
fn the_summary_says_everything_at_once() {
    let mut script = Script::default().answer("display ont info summary 0", SUMMARY);
    let mut one = Olt::default();
    let done = one.read(&mut script, Task::State).unwrap();
    let [read] = tables(&done)[..] else { panic!("{done:?}") };
    assert_eq!((done.rows, done.complete, read.complete, read.of), (2, true, true, 1));
    assert_eq!(
        (read.scope.as_str(), read.started_at, read.received_at),
        ("0", Micros(1_000_000), Micros(1_500_000))
    );
    let [first, second] = &read.ports[0].onus[..] else {
        panic!("{read:?}")
    };
    assert_eq!((read.ports[0].slot, read.ports[0].port), (5, 0));
    assert_eq!(
        (first.serial.as_deref(), first.run_state.as_deref()),
        (Some("HWTCA1B2C3D4"), Some("online"))
    );
    assert_eq!(
        (first.distance_m, first.rx_dbm, first.description_cut),
        (Some(1_807), Some(-21.92), false)
    );
    assert_eq!(
        (second.distance_m, second.rx_dbm, second.description_cut),
        (None, None, true)
    );
    assert_eq!(second.last_down_cause.as_deref(), Some("LOSi/LOBi"));
    assert_eq!(one.memory.live_ports, [place(5, 0)].into());
}

#[test]
fn a_version_without_a_summary_is_read_by_lists_from_then_on() {
    let mut one = Olt::default();
    one.memory.version = Some("V800R013".into());
    one.memory.pon_slots = [2, 3].into();
    let answers = || {
        Script::default()
            .answer("display ont info summary 0", UNKNOWN)
            .answer("display ont info 0 all", PARAMETER)
            .answer("display ont info 0 2 all", &list(2, 1))
            .answer("display ont info 0 3 all", &list(3, 0))
    };
    let mut script = answers();
    let done = one.read(&mut script, Task::State).unwrap();
    let scopes: Vec<_> = tables(&done)
        .iter()
        .map(|read| (read.scope.as_str(), read.complete))
        .collect();
    assert_eq!(scopes, [("0/2", true), ("0/3", true)], "{:?}", done.unread);
    assert_eq!(
        tables(&done)[0].ports[0].onus[0].description.as_deref(),
        Some("customer zero")
    );
    assert_eq!(one.memory.live_ports, [place(2, 8)].into(), "only where an ONU works");
    assert_eq!(one.ways.of("V800R013").span, Span::Board);
    let mut again = answers();
    one.read(&mut again, Task::State).unwrap();
    assert_eq!(again.asked, ["display ont info 0 2 all", "display ont info 0 3 all"]);
}

#[test]
fn lists_by_port_end_where_the_board_does() {
    let mut one = Olt::default();
    one.memory.version = Some("V800R018".into());
    one.memory.pon_slots = [2].into();
    let empty = "  There is no ONT available\r\n";
    let mut script = Script::default()
        .answer("display ont info 0 all", PARAMETER)
        .answer("display ont info 0 2 all", PARAMETER)
        .answer("display ont info 0 2 0 all", empty)
        .answer("display ont info 0 2 1 all", &list(2, 2))
        .answer("display ont info 0 2 2 all", PARAMETER);
    let done = one.read(&mut script, Task::Inventory).unwrap();
    let scopes: Vec<_> = tables(&done)
        .iter()
        .map(|read| (read.scope.as_str(), read.ports.len()))
        .collect();
    assert_eq!(scopes, [("0/2/0", 0), ("0/2/1", 1)]);
}

#[test]
fn a_cut_answer_is_told_as_incomplete_and_kept_for_people() {
    let cut: String = SUMMARY.lines().take(9).map(|line| format!("{line}\n")).collect();
    let mut script = Script::default().answer("display ont info summary 0", &cut);
    let done = Olt::default().read(&mut script, Task::State).unwrap();
    assert!(!done.complete && tables(&done).iter().all(|read| !read.complete));
    let mut strange = Script::default().answer("display board 0", "  Slot 0 holds a thing\n  password : hunter2\n");
    let done = Olt::default().read(&mut strange, Task::Boards);
    let done = done.unwrap();
    assert!(!done.complete);
    let [unread] = &done.unread[..] else { panic!("{done:?}") };
    assert!(
        unread.text.contains("holds a thing") && !unread.text.contains("hunter2"),
        "{unread:?}"
    );
}

#[test]
fn optics_are_read_inside_the_board_and_it_is_left_whatever_came() {
    let answer = "\
  -----------------------------------------------------------------------------
  ONT  Rx power  Tx power  OLT Rx ONT  Temperature  Voltage  Current  Distance
  ID   (dBm)     (dBm)     power(dBm)  (C)          (V)      (mA)     (m)
  -----------------------------------------------------------------------------
    0  -24.68    3.68      -22.68      38           3.200    6        171
  -----------------------------------------------------------------------------
";
    let shell = |answer| {
        Script::default()
            .answer("interface gpon 0/2", "")
            .answer("display ont optical-info 8 all", answer)
            .answer("quit", "")
    };
    let mut script = shell(answer);
    let done = Olt::default().read(&mut script, Task::Optics(place(2, 8))).unwrap();
    let [AnyRecord::OpticsRead(read)] = &done.records[..] else {
        panic!("{done:?}")
    };
    assert_eq!((read.scope.as_str(), read.complete), ("0/2/8", true));
    let row = &read.ports[0].onus[0];
    assert_eq!(
        (row.rx_dbm, row.olt_rx_dbm, row.distance_m),
        (Some(-24.68), Some(-22.68), Some(171))
    );
    let mut unknown = shell(UNKNOWN);
    let refused = Olt::default().read(&mut unknown, Task::Optics(place(2, 8)));
    assert!(matches!(refused, Err(NotDone::Answer(Answer::Unsupported))));
    assert_eq!(unknown.asked.last().map(String::as_str), Some("quit"));
}

#[test]
fn a_board_that_lets_nobody_in_is_not_left() {
    let mut script = Script::default().answer("interface gpon 0/2", "  Failure: The board does not exist\n");
    let refused = Olt::default().read(&mut script, Task::Optics(place(2, 8)));
    assert!(matches!(refused, Err(NotDone::Answer(Answer::Failure))), "{refused:?}");
    assert_eq!(
        script.asked,
        ["interface gpon 0/2"],
        "`quit` would leave the configuration mode"
    );
}

#[test]
fn lists_of_boards_read_first_which_boards_there_are() {
    let mut one = Olt::default();
    one.memory.version = Some("V800R013".into());
    one.ways.without_summary("V800R013");
    one.ways.without("V800R013", Span::Frame);
    let mut script = Script::default()
        .answer("display board 0", BOARDS)
        .answer("display ont info 0 2 all", &list(2, 1));
    let done = one.read(&mut script, Task::State).unwrap();
    assert_eq!(script.asked, ["display board 0", "display ont info 0 2 all"]);
    assert!(
        matches!(done.records[..], [AnyRecord::BoardsRead(_), AnyRecord::OnuTableRead(_)]),
        "{done:?}"
    );
}

#[test]
fn boards_and_version_are_remembered_and_an_error_forgets_nothing() {
    let version = "\n  VERSION : MA5800V100R018C00\n  PATCH   : SPH505\n  PRODUCT : MA5800-X7\n";
    let uptime = "  System up time: 11 day 22 hour 5 minute 17 second\n";
    let mut script = Script::default()
        .answer("display board 0", BOARDS)
        .answer("display version", version)
        .answer("display sysuptime", uptime);
    let mut one = Olt::default();
    assert_eq!(one.read(&mut script, Task::Boards).unwrap().rows, 3);
    assert_eq!(one.memory.pon_slots, [2].into());
    let done = one.read(&mut script, Task::System).unwrap();
    let [AnyRecord::SystemRead(read)] = &done.records[..] else {
        panic!("{done:?}")
    };
    assert_eq!(
        (read.product.as_deref(), read.uptime_s),
        (Some("MA5800-X7"), Some(1_029_917))
    );
    assert_eq!(one.memory.version.as_deref(), Some("MA5800V100R018C00"));
    let busy = "  Failure: Some new failure\n";
    let mut script = Script::default().answer("display board 0", busy);
    assert!(matches!(
        one.read(&mut script, Task::Boards),
        Err(NotDone::Answer(Answer::Failure))
    ));
    assert_eq!(one.memory.pon_slots, [2].into());
}
