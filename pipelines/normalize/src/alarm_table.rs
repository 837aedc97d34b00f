//! The alarms that an OLT shows as standing, under the words that its traps have.
//!
//! The ids and what they mean are data, `catalogue/alarms.csv`: `capture` was seen in a recording, `list` is what others write of it. An id
//! that is not there keeps its number: `huawei.alarm.0x2e313060`. What is no standing fault (a recovery, an event) is not taken.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use model::{EntityId, Micros, ONU_ID_MAX, Place, Root, Severity};
use schemas::network::{AlarmSlot, ListedAlarm};
use schemas::{AlarmRow, AlarmTableRead};

use crate::reads::NUMBER_MAX;
use crate::text;

const ALARMS_CSV: &str = include_str!("../catalogue/alarms.csv");

/// One id of an OLT's list.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    /// Our word, a trap's; `None`: there is no trap of it.
    event: Option<&'static str>,
    /// It is about a port that is none of a PON.
    is_uplink: bool,
}

static KNOWN: LazyLock<BTreeMap<u32, Known>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let mut cells = line.split(',');
        let id = cells.next().and_then(id_of)?;
        let event = cells.next().filter(|event| !event.is_empty());
        let is_uplink = cells.next() == Some("uplink");
        Some((id, Known { event, is_uplink }))
    };
    ALARMS_CSV.lines().skip(1).filter_map(row).collect()
});

/// `0x2e11a001` as a number.
fn id_of(text: &str) -> Option<u32> {
    let digits = text
        .trim()
        .strip_prefix("0x")
        .or_else(|| text.trim().strip_prefix("0X"))?;
    u32::from_str_radix(digits, 16).ok()
}

/// The standing alarms of a list, and how many rows cannot be placed.
pub(crate) fn standing(root: &Root, read: &AlarmTableRead) -> (Vec<ListedAlarm>, usize) {
    let mut alarms = Vec::new();
    let mut refused = 0;
    for row in &read.alarms {
        let is_fault = row
            .kind
            .as_deref()
            .is_none_or(|kind| kind.eq_ignore_ascii_case("fault"));
        if !is_fault {
            continue;
        }
        match alarm(root, row) {
            Some(alarm) => alarms.push(alarm),
            None => refused += 1,
        }
    }
    alarms.sort_by(|a, b| a.slot.cmp(&b.slot));
    (alarms, refused)
}

fn alarm(root: &Root, row: &AlarmRow) -> Option<ListedAlarm> {
    let id = row.alarm_id.as_deref().and_then(id_of);
    let known = id.and_then(|id| KNOWN.get(&id));
    let (entity, qualifier) = placed(root, row, known.is_some_and(|known| known.is_uplink))?;
    let name = row.name.as_deref().and_then(text::description);
    let alarm_type: Arc<str> = match (known.and_then(|known| known.event), id) {
        (Some(event), _) => event.into(),
        (None, Some(id)) => format!("huawei.alarm.0x{id:08x}").into(),
        // Without an id its text is all there is to know it by.
        (None, None) => format!("huawei.alarm.{}", name.as_deref()?).into(),
    };
    let word = row.severity.as_deref().unwrap_or_default().to_ascii_lowercase();
    Some(ListedAlarm {
        text: name.unwrap_or_else(|| alarm_type.to_string()),
        slot: AlarmSlot {
            entity,
            alarm_type,
            qualifier,
        },
        severity: word.parse().unwrap_or(Severity::Indeterminate),
        since: row.device_time.as_deref().and_then(instant),
    })
}

/// What an alarm is about, and what of its place that does not name. Without a frame it is 0: these devices have one.
fn placed(root: &Root, row: &AlarmRow, is_uplink: bool) -> Option<(EntityId, Arc<str>)> {
    let number = |number: Option<i32>| -> Result<Option<u8>, ()> {
        let fits = |n: i32| u8::try_from(n).ok().filter(|&n| n <= NUMBER_MAX).ok_or(());
        number.map(fits).transpose()
    };
    let frame = number(row.frame).ok()?.unwrap_or(0);
    let (slot, port) = (number(row.slot).ok()?, number(row.port).ok()?);
    let onu = row
        .onu
        .map(|onu| u16::try_from(onu).ok().filter(|&onu| onu <= ONU_ID_MAX));
    let none = Arc::from("");
    Some(match (slot, port, onu) {
        (_, _, Some(None)) => return None,
        (Some(slot), Some(port), Some(Some(onu))) => {
            let place = Place { frame, slot, port, onu };
            (root.onu(place), none)
        }
        (Some(slot), Some(port), None) if is_uplink => (root.board(frame, slot), format!("port={port}").into()),
        (Some(slot), Some(port), None) => (root.pon(frame, slot, port), none),
        (Some(slot), None, _) => (root.board(frame, slot), none),
        (None, _, _) => (root.entity(), none),
    })
}

/// `2026-02-14T22:40:04+08:00` as an instant; a time without its zone is none.
fn instant(text: &str) -> Option<Micros> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok().map(i64::from);
    let mark = |at: usize| text.as_bytes().get(at).copied();
    if text.len() != 25 || (mark(10), mark(13), mark(22)) != (Some(b'T'), Some(b':'), Some(b':')) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let east = match mark(19)? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let offset = east * (number(20, 22)? * 3_600 + number(23, 25)? * 60);
    let is_one = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    // Years begin in March, so that leap days end them.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
            - 719_469;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    is_one.then_some(Micros(seconds * Micros::SECOND))
}

#[cfg(test)]
mod tests {
    use schemas::network::OLT_TABLE_TYPES;

    use super::*;
    use crate::{Catalogue, Scope};

    fn row(id: &str, place: [Option<i32>; 4]) -> AlarmRow {
        let [frame, slot, port, onu] = place;
        AlarmRow {
            sequence: Some(1),
            kind: Some("FAULT".into()),
            severity: Some("MINOR".into()),
            alarm_id: Some(id.into()),
            name: Some("The dying-gasp of GPON ONTi (DGi) is generated".into()),
            device_time: Some("2026-02-14T22:40:04+08:00".into()),
            frame,
            slot,
            port,
            onu,
            parameters: None,
        }
    }

    #[test]
    fn every_word_is_a_traps_and_of_its_scope() {
        let catalogue = Catalogue::builtin();
        assert_eq!(
            KNOWN.len(),
            ALARMS_CSV.lines().count() - 1,
            "each id once, and readable"
        );
        for line in ALARMS_CSV.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let [_, event, scope, evidence] = *cells.as_slice() else {
                panic!("{line}")
            };
            assert!(["capture", "list"].contains(&evidence), "{line}");
            if event.is_empty() {
                continue;
            }
            let trap = catalogue
                .traps()
                .iter()
                .find(|trap| &*trap.event == event && trap.phase == schemas::Phase::Raise)
                .unwrap_or_else(|| panic!("{line}: no trap raises it"));
            let expected = if scope == "ont" { Scope::Ont } else { Scope::Port };
            assert_eq!(trap.scope, expected, "{line}");
            // What ends when a list no longer shows it was seen in one.
            assert_eq!(OLT_TABLE_TYPES.contains(&event), evidence == "capture", "{line}");
        }
    }

    #[test]
    fn a_row_is_an_alarm_of_what_it_is_about() {
        #[track_caller]
        fn check(id: &str, place: [Option<i32>; 4], expected: &str) {
            let root = Root::parse("default/olt/a").unwrap();
            let found = alarm(&root, &row(id, place)).map_or("-".to_owned(), |alarm| {
                let slot = alarm.slot;
                let below = slot.entity.as_str().strip_prefix("default/olt/a").unwrap();
                format!("{below} {} {}", slot.alarm_type, slot.qualifier)
                    .trim()
                    .to_owned()
            });
            assert_eq!(found, expected);
        }
        let some = [Some(0), Some(6), Some(6), Some(67)];
        check("0x2e11a00b", some, "/onu/0/6/6/67 dying_gasp");
        check("0x2E11A00B", some, "/onu/0/6/6/67 dying_gasp");
        check("0x2e11a001", [Some(0), Some(4), Some(14), None], "/pon/0/4/14 pon_los");
        check(
            "0x02310000",
            [None, Some(4), None, None],
            "/board/0/4 huawei.alarm.0x02310000",
        );
        check(
            "0x0a310021",
            [Some(0), Some(9), Some(1), None],
            "/board/0/9 huawei.alarm.0x0a310021 port=1",
        );
        check("0x2e313060", some, "/onu/0/6/6/67 huawei.alarm.0x2e313060");
        check("0x1", [None; 4], "huawei.alarm.0x00000001");
        check("0x2e11a00b", [Some(0), Some(6), Some(6), Some(2_000)], "-");
        check("0x2e11a00b", [Some(0), Some(-1), Some(6), Some(1)], "-");
    }

    #[test]
    fn a_time_is_one_with_its_zone() {
        let check = |text: &str, expected: Option<i64>| {
            assert_eq!(instant(text), expected.map(|s| Micros(s * Micros::SECOND)), "{text}");
        };
        check("2026-02-14T22:40:04+08:00", Some(1_771_080_004));
        check("1970-01-01T00:00:00+00:00", Some(0));
        check("2024-02-29T12:00:00-03:00", Some(1_709_218_800));
        check("2026-02-14T22:40:04", None);
        check("2026-13-14T22:40:04+08:00", None);
        check("2026-02-14", None);
    }

    #[test]
    fn only_what_stands_is_taken() {
        let root = Root::parse("default/olt/a").unwrap();
        let place = [Some(0), Some(6), Some(6), Some(67)];
        let mut read = AlarmTableRead {
            root: root.as_str().to_owned(),
            read_id: "1".into(),
            part: 0,
            of: 1,
            scope: "0".into(),
            complete: true,
            way: "ssh".into(),
            started_at: Micros(0),
            received_at: Micros(1),
            alarms: vec![row("0x2e112007", place), row("0x2e11a00b", place)],
        };
        read.alarms[0].kind = Some("RECOVERY".into());
        read.alarms.push(row("0x2e112007", [Some(0), Some(99), None, None]));
        let (alarms, refused) = standing(&root, &read);
        assert_eq!((alarms.len(), refused), (1, 1));
        assert_eq!(alarms[0].severity, Severity::Minor);
        assert_eq!(alarms[0].since, Some(Micros(1_771_080_004 * Micros::SECOND)));
    }
}
