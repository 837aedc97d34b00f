//! What devices do that a plain reader would stumble over, one by one.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use connector_olt_ssh::decode::{self, Command, Screen, Settings};
use serde_json::{Value, json};

const RULE: &str = "  ------------------------------------------------------------------------------";

/// Rows of an answer whose prompt was seen, and whether it is complete.
fn read(command: &str, text: &str, settings: Settings) -> (Vec<Value>, bool) {
    let screen = Screen::of(text);
    let reading = decode::read(
        &screen,
        &Command::parse(command).unwrap(),
        &Settings {
            whole: true,
            ..settings
        },
    );
    (
        reading
            .rows
            .iter()
            .map(|row| serde_json::to_value(row).unwrap())
            .collect(),
        reading.complete,
    )
}

/// The value at a pointer of the only row.
#[track_caller]
fn check(command: &str, text: &str, pointer: &str, expected: Value) {
    let (rows, complete) = read(command, text, Settings::default());
    assert!(complete && rows.len() == 1, "{rows:?}");
    assert_eq!(
        rows[0].pointer(pointer).unwrap_or(&Value::Null),
        &expected,
        "{pointer} of {}",
        rows[0]
    );
}

/// One ONU by labels.
fn one(lines: &str) -> String {
    format!("{RULE}\n  F/S/P                   : 0/ 2/8\n  ONT-ID                  : 3\n{lines}\n{RULE}\n")
}

/// A port's summary of these second rows.
fn summary(states: &[&str], details: &[&str]) -> String {
    format!(
        "{RULE}\n  In port 0/5/0, the total of ONTs are: {}, online: 0\n{RULE}\n  ONT  Run     Last                Last                Last\n  \
         ID   State   UpTime              DownTime            DownCause\n{RULE}\n{}\n{RULE}\n  \
         ONT        SN        Type          Distance Rx/Tx power  Description\n  ID                                    (m)      (dBm)\n{RULE}\n{}\n{RULE}\n",
        states.len(),
        states.join("\n"),
        details.join("\n")
    )
}

const STATE: &str = "  0    offline -                   -                   -";
const DETAIL: &str = "  0   48575443A1B2C3D4 EG8145X6-10      1807  -21.92/2.21  customer-0001";

#[test]
fn descriptions_wrap_at_thirty_two_letters() {
    let wrapped = one(
        "  Description             : Condominio Parque das Aguas, blo\n                            co B: apto 1204\n  VS name                 : admin",
    );
    check(
        "display ont info 0 2 8 3",
        &wrapped,
        "/description",
        json!("Condominio Parque das Aguas, bloco B: apto 1204"),
    );
    check("display ont info 0 2 8 3", &wrapped, "/raw/VS name", json!("admin"));
}

#[test]
fn types_hold_blanks() {
    let row = "  0   48575443A1B2C3D4 ONU AB12 Compact 1807  -21.92/2.21  a b";
    check(
        "display ont info summary 0",
        &summary(&[STATE], &[row]),
        "/equipment_type",
        json!("ONU AB12 Compact"),
    );
    // A type one letter too long moves the columns: then the pattern finds them.
    let row = "  0   48575443A1B2C3D4 ONU AB12 Compact2 1807  -21.92/2.21  a b";
    check(
        "display ont info summary 0",
        &summary(&[STATE], &[row]),
        "/equipment_type",
        json!("ONU AB12 Compact2"),
    );
    check(
        "display ont info summary 0",
        &summary(&[STATE], &[row]),
        "/description",
        json!("a b"),
    );
}

#[test]
fn dates_are_day_first_unless_the_device_is_set_otherwise() {
    let text = one("  Last up time            : 02/01/2026 08:44:35+08:00");
    check(
        "display ont info 0 2 8 3",
        &text,
        "/last_up_time",
        json!("2026-01-02T08:44:35+08:00"),
    );
    let (rows, _) = read(
        "display ont info 0 2 8 3",
        &text,
        Settings {
            day_first: false,
            ..Settings::default()
        },
    );
    assert_eq!(rows[0]["last_up_time"], "2026-02-01T08:44:35+08:00");
    // What cannot be a date under the setting is kept as text, never turned round.
    let text = one("  Last up time            : 25/01/2026 08:44:35+08:00");
    let (rows, complete) = read(
        "display ont info 0 2 8 3",
        &text,
        Settings {
            day_first: false,
            ..Settings::default()
        },
    );
    assert!(complete && rows[0]["last_up_time"].is_null(), "{rows:?}");
    assert_eq!(rows[0]["raw"]["Last up time"], "25/01/2026 08:44:35+08:00");
}

#[test]
fn slots_are_padded_with_blanks() {
    check("display ont info 0 2 8 3", &one(""), "/slot", json!(2));
    let flow = "   INDEX VLAN VLAN     PORT F/ S/ P VPI  VCI   FLOW  FLOW       RX   TX   STATE\n         ID   ATTR     TYPE                    TYPE  PARA";
    let text = format!(
        "{RULE}\n{flow}\n{RULE}\n    5827 2    common   gpon 0/1 /0  0    1     vlan  2          -    -    up\n{RULE}\n   Total : 1  (Up/Down :    1/0)\n"
    );
    check("display service-port all", &text, "/slot", json!(1));
}

#[test]
fn units_come_and_go() {
    for (text, expected) in [("48%", 48.0), ("44", 44.0)] {
        check(
            "display ont info 0 2 8 3",
            &one(&format!("  Memory occupation       : {text}")),
            "/memory_percent",
            json!(expected),
        );
    }
    for (text, expected) in [("52(C)", 52.0), ("57", 57.0)] {
        check(
            "display ont info 0 2 8 3",
            &one(&format!("  Temperature             : {text}")),
            "/temperature_celsius",
            json!(expected),
        );
    }
}

#[test]
fn dashes_are_null_everywhere() {
    let row = "  0   48575443A1B2C3D4 -                -     -/-          -";
    for field in [
        "/equipment_type",
        "/distance_m",
        "/rx_power_dbm",
        "/tx_power_dbm",
        "/description",
        "/last_up_time",
    ] {
        check(
            "display ont info summary 0",
            &summary(&[STATE], &[row]),
            field,
            Value::Null,
        );
    }
    let half = "  0   48575443A1B2C3D4 -                -     -/2.21       -";
    check(
        "display ont info summary 0",
        &summary(&[STATE], &[half]),
        "/tx_power_dbm",
        json!(2.21),
    );
    check(
        "display ont info summary 0",
        &summary(&[STATE], &[half]),
        "/rx_power_dbm",
        Value::Null,
    );
}

#[test]
fn a_level_out_of_range_is_a_level_and_a_remark() {
    let text =
        format!("{RULE}\n  OLT Rx ONT optical power(dBm)          : -14.02, out of range[-35.00, -15.00]\n{RULE}\n");
    check(
        "display ont optical-info 2 0",
        &text,
        "/olt_rx_power_dbm",
        json!(-14.02),
    );
    check(
        "display ont optical-info 2 0",
        &text,
        "/olt_rx_power_remark",
        json!("out of range[-35.00, -15.00]"),
    );
}

#[test]
fn a_row_after_the_pager_is_a_row() {
    let blanks = " ".repeat(37);
    let pager = "---- More ( Press 'Q' to break ) ----";
    let plain = read(
        "display ont info summary 0",
        &summary(&[STATE], &[DETAIL]),
        Settings::default(),
    );
    assert!(plain.1 && plain.0.len() == 1);
    for residue in [
        format!("{pager}\x1b[37D{blanks}\x1b[37D"),
        format!("{pager}\r{blanks}\r"),
        // Recordings whose escapes were stripped: the row begins at column 40.
        blanks.clone(),
    ] {
        for (state, detail) in [
            (format!("{residue}{STATE}"), DETAIL.to_owned()),
            (STATE.to_owned(), format!("{residue}{DETAIL}")),
        ] {
            let shifted = summary(&[&state], &[&detail]);
            assert_eq!(
                read("display ont info summary 0", &shifted, Settings::default()),
                plain,
                "{shifted:?}"
            );
        }
    }
}

#[test]
fn an_onu_in_neither_count_is_counted_in_the_total() {
    let text = format!(
        "{RULE}\n  F/S/P   ONT         SN         Control     Run      Config   Match    Protect\n          ID                     flag        state    state    state    side\n{RULE}\n  \
         0/ 2/8    0  48575443A1B2C3D4  active      -        initial  initial  no\n{RULE}\n  F/S/P   ONT-ID   Description\n{RULE}\n  0/ 2/8       0   x\n{RULE}\n  \
         In port 0/ 2/8 , the total of ONTs are: 1, online: 0\n{RULE}\n"
    );
    check("display ont info 0 2 8 all", &text, "/run_state", Value::Null);
    let lost = text.replace("are: 1", "are: 2");
    assert!(!read("display ont info 0 2 8 all", &lost, Settings::default()).1);
}

#[test]
fn both_footers_are_counted() {
    let text = |footer: &str| {
        format!(
            "{RULE}\n  F/S/P   ONT         SN         Control     Run      Config   Match    Protect\n          ID                     flag        state    state    state    side\n{RULE}\n  \
             0/ 2/8    0  48575443A1B2C3D4  active      online   normal   match    no\n{RULE}\n  F/S/P   ONT-ID   Description\n{RULE}\n  0/ 2/8       0   x\n{RULE}\n  {footer}\n{RULE}\n"
        )
    };
    for footer in [
        "In port 0/ 2/8 , the total of ONTs are: 1, online: 1",
        "In port 0/ 2/8, the total of ONTs are: 1, online: 1",
        "In port 0/2/8, the total number of ONTs is: 1, online: 1, offline: 0",
        "the total number of ONTs are: 1, online: 1, offline: 0",
    ] {
        assert!(
            read("display ont info 0 2 8 all", &text(footer), Settings::default()).1,
            "{footer}"
        );
        let more = footer.replace(": 1, online", ": 3, online");
        assert!(
            !read("display ont info 0 2 8 all", &text(&more), Settings::default()).1,
            "{more}"
        );
    }
    assert!(!read("display ont info 0 2 8 all", &text("x"), Settings::default()).1);
}

#[test]
fn a_summary_that_lost_a_row_of_either_table_is_incomplete() {
    let second = "  1    online  2026-02-14 13:05:18 -                   -";
    let full = summary(
        &[STATE, second],
        &[DETAIL, "  1   48575443A1B2C3D5 EG8145X6-10      1     -7.92/2.21   x"],
    );
    assert!(read("display ont info summary 0", &full, Settings::default()).1);
    for (states, details) in [
        (vec![STATE], vec![DETAIL]),
        (vec![STATE, second], vec![DETAIL]),
        (vec![STATE, STATE], vec![DETAIL, DETAIL]),
    ] {
        let text = summary(&states, &details).replace("are: 1,", "are: 2,");
        assert!(
            !read("display ont info summary 0", &text, Settings::default()).1,
            "{text}"
        );
    }
}
