//! Every recording of real devices, read to its expected values field by field: one row an item, no field left out. The names of
//! the fields are in `recordings.fields`; the recordings are found by `ATALAIA_RECORDINGS`.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use connector_olt_ssh::decode::{self, Command, Screen, Settings};
use serde_json::Value;

const FIELDS: &str = include_str!("recordings.fields");

fn recordings() -> Option<PathBuf> {
    let folder = std::env::var_os("ATALAIA_RECORDINGS").map(|folder| Path::new(&folder).join("huawei"));
    if folder.is_none() {
        eprintln!("skipped: ATALAIA_RECORDINGS does not name the folder of recordings");
    }
    folder
}

/// Rows as JSON, whether complete, and the issues.
fn read(path: &Path, command: &str, whole: bool) -> (Vec<Value>, bool, Vec<String>) {
    let bytes = std::fs::read(path).unwrap();
    let text = decode::text_of(&bytes);
    let screen = Screen::of(&text);
    let settings = Settings {
        whole,
        ..Settings::default()
    };
    let reading = decode::read(&screen, &Command::parse(command).unwrap(), &settings);
    let rows = reading
        .rows
        .iter()
        .map(|row| serde_json::to_value(row).unwrap())
        .collect();
    (
        rows,
        reading.complete,
        reading.issues.iter().map(ToString::to_string).collect(),
    )
}

/// The fields of a folder: name there, where here.
struct Case {
    folder: &'static str,
    command: &'static str,
    each: Option<&'static str>,
    fields: Vec<(&'static str, &'static str)>,
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in FIELDS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(head) = line.strip_prefix("= ") {
            let (folder, command) = head.split_once(" | ").unwrap();
            cases.push(Case {
                folder,
                command,
                each: None,
                fields: Vec::new(),
            });
            continue;
        }
        let (name, place) = line.split_once(' ').unwrap();
        let place = place.trim();
        match name {
            "like" => {
                let fields = cases.iter().find(|case| case.folder == place).unwrap().fields.clone();
                cases.last_mut().unwrap().fields = fields;
            }
            "each" => cases.last_mut().unwrap().each = Some(place),
            _ => cases.last_mut().unwrap().fields.push((name, place)),
        }
    }
    cases
}

#[derive(Debug, Clone, PartialEq)]
enum Expected {
    Text(String),
    List(Vec<String>),
}

/// The little of YAML these files use: items of `name: "text"`, and lists of `- "text"`.
fn items(yml: &str) -> Vec<BTreeMap<String, Expected>> {
    let mut items: Vec<BTreeMap<String, Expected>> = Vec::new();
    let mut list = None;
    let text = |quoted: &str| quoted.trim().trim_matches('"').replace("\\\"", "\"");
    for line in yml
        .lines()
        .filter(|line| !matches!(line.trim(), "" | "---" | "parsed_sample:"))
    {
        if let Some(element) = line.strip_prefix("      - ") {
            let name: &String = list.as_ref().unwrap();
            let Expected::List(elements) = items.last_mut().unwrap().get_mut(name).unwrap() else {
                panic!("{line}")
            };
            elements.push(text(element));
            continue;
        }
        let field = line.strip_prefix("  - ").inspect(|_| items.push(BTreeMap::new()));
        let field = field
            .or_else(|| line.strip_prefix("    "))
            .unwrap_or_else(|| panic!("not read: {line}"));
        let (name, value) = field.split_once(':').unwrap();
        let expected = if value.trim().is_empty() {
            Expected::List(Vec::new())
        } else {
            Expected::Text(text(value))
        };
        list = Some(name.to_owned());
        items.last_mut().unwrap().insert(name.to_owned(), expected);
    }
    items
}

/// Whether a value of ours is the expected text: null for nothing, numbers by value.
fn is_same(ours: &Value, expected: &str) -> bool {
    match ours {
        Value::Null => matches!(expected, "" | "-"),
        Value::String(text) => text == expected.trim(),
        Value::Number(number) => expected
            .parse::<f64>()
            .is_ok_and(|expected| number.as_f64() == Some(expected)),
        _ => false,
    }
}

const UNITS: [u64; 4] = [86_400, 3_600, 60, 1];

/// Whether our row says at this place what is expected.
fn agrees(row: &Value, parent: &Value, place: &str, expected: &Expected) -> bool {
    let at = |pointer: &str| match pointer.strip_prefix('^') {
        Some(pointer) => parent.pointer(pointer).cloned().unwrap_or(Value::Null),
        None => row.pointer(pointer).cloned().unwrap_or(Value::Null),
    };
    let (how, rest) = place.split_once(' ').unwrap_or((place, ""));
    let Expected::Text(text) = expected else {
        let (Expected::List(elements), Some((list, element))) = (expected, rest.split_once(' ')) else {
            return false;
        };
        let ours = at(list);
        let ours = ours.as_array().map(Vec::as_slice).unwrap_or_default();
        let same = |(ours, expected): (&Value, &String)| is_same(&ours[element], expected);
        return how == "list" && ours.len() == elements.len() && ours.iter().zip(elements).all(same);
    };
    match how {
        "place" => {
            let ours = ["/frame", "/slot", "/port"].map(|part| at(part).to_string());
            ours.join("/") == text.replace(' ', "")
        }
        "time" => match at(rest) {
            Value::Null => matches!(text.as_str(), "" | "-"),
            ours => ours.as_str() == Some(&text.replacen(' ', "T", 1)),
        },
        "seconds" => {
            let numbers = text
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|number| number.parse::<u64>().ok());
            at(rest).as_u64() == Some(numbers.zip(UNITS).map(|(number, unit)| number * unit).sum())
        }
        "part" => {
            let (part, pointer) = rest.split_once(' ').unwrap();
            let part: usize = part.parse().unwrap();
            let above = if part == 0 { u64::MAX } else { UNITS[part - 1] };
            at(pointer).as_u64().map(|seconds| seconds % above / UNITS[part]) == text.parse().ok()
        }
        "set" => at(rest) == Value::Bool(text.bytes().any(|byte| !matches!(byte, b'0' | b'x' | b'-'))),
        "port" => {
            let ports = at("/service_profile/tables/0");
            let ports = ports.as_array().map(Vec::as_slice).unwrap_or_default();
            let port = ports.iter().find(|port| port["Port-type"] == rest);
            port.is_some_and(|port| is_same(&port["Port-number"], text))
        }
        "nowhere" => true,
        pointer => is_same(&at(if rest.is_empty() { pointer } else { place }), text),
    }
}

#[test]
fn every_recording_of_ntc_templates_is_read_field_by_field() {
    let Some(folder) = recordings().map(|folder| folder.join("cli/ntc-templates")) else {
        return;
    };
    let cases = cases();
    let (mut files, mut fields, mut wrong) = (0, 0, Vec::new());
    let mut folders: Vec<String> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    for name in folders {
        let case = cases.iter().find(|case| case.folder == name);
        let case = case.unwrap_or_else(|| panic!("recordings.fields has no section `{name}`"));
        let raws = folder
            .join(&name)
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().path());
        for raw in raws.filter(|path| path.extension().is_some_and(|extension| extension == "raw")) {
            files += 1;
            fields += compare(case, &raw, &mut wrong);
        }
    }
    eprintln!("{files} recordings, {fields} fields");
    assert!(files >= 29, "{files} recordings");
    assert!(wrong.is_empty(), "{} of {fields}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Compares one recording; how many fields.
fn compare(case: &Case, raw: &Path, wrong: &mut Vec<String>) -> usize {
    let name = raw.file_name().unwrap().display();
    // These recordings were cut out without their prompts.
    let (rows, complete, issues) = read(raw, case.command, true);
    let expected = items(&std::fs::read_to_string(raw.with_extension("yml")).unwrap());
    let whole: Vec<(Value, Value)> = match case.each {
        None => rows.iter().map(|row| (row.clone(), row.clone())).collect(),
        Some(each) => {
            let parts = |row: &Value| row.pointer(each).unwrap().as_array().unwrap().clone();
            rows.iter()
                .flat_map(|row| parts(row).into_iter().map(|part| (part, row.clone())))
                .collect()
        }
    };
    if whole.len() != expected.len() {
        wrong.push(format!(
            "{name}: {} items expected, {} rows: {issues:?}",
            expected.len(),
            whole.len()
        ));
    }
    if !complete {
        wrong.push(format!("{name}: incomplete: {issues:?}"));
    }
    let mut fields = 0;
    for (number, (item, (row, parent))) in expected.iter().zip(&whole).enumerate() {
        for (field, expected) in item {
            fields += 1;
            let Some((_, place)) = case.fields.iter().find(|(name, _)| name == field) else {
                wrong.push(format!("{name}: recordings.fields does not say where `{field}` is"));
                continue;
            };
            if !agrees(row, parent, place, expected) {
                wrong.push(format!(
                    "{name}, item {number}: {field} is {expected:?}, not at {place} in {row}"
                ));
            }
        }
    }
    fields
}

fn expected_json(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("expected").join(name)).unwrap()).unwrap()
}

#[test]
fn the_sessions_of_oltcore_are_read_field_by_field() {
    let Some(folder) = recordings() else { return };
    let session = |name: &str, command: &str| {
        let (rows, complete, issues) = read(&folder.join("cli/oltcore").join(name), command, false);
        assert!(complete, "{name}: {issues:?}");
        rows
    };
    let boards = session("display_board.txt", "display board 0");
    let expected = expected_json(&folder, "oltcore_board.json");
    let names = [
        ("slot", "slot"),
        ("board", "board"),
        ("status", "status"),
        ("subtype0", "sub_type_0"),
        ("subtype1", "sub_type_1"),
        ("online_offline", "online_offline"),
    ];
    assert_eq!(boards.len(), expected["rows"].as_array().unwrap().len());
    for (row, expected) in boards.iter().zip(expected["rows"].as_array().unwrap()) {
        for (theirs, ours) in names {
            assert_eq!(row[ours], expected[theirs], "{theirs} of {expected}");
        }
    }

    let alarms = session("display_alarm_active_all_list.txt", "display alarm active all list");
    let expected = expected_json(&folder, "oltcore_alarm_active_list.json");
    assert_eq!(alarms.len(), expected["alarms"].as_array().unwrap().len());
    for (row, expected) in alarms.iter().zip(expected["alarms"].as_array().unwrap()) {
        assert_eq!(row["sequence"], expected["alarm_sn"]);
        assert_eq!(
            row["device_time"].as_str().unwrap(),
            expected["time"].as_str().unwrap().replacen(' ', "T", 1)
        );
        let text = [&row["name"], &row["parameters"]]
            .map(|part| part.as_str().unwrap_or_default())
            .join(" ");
        assert_eq!(text.trim(), expected["text_whitespace_collapsed"].as_str().unwrap());
        for (theirs, ours) in [("frame", "frame"), ("slot", "slot"), ("port", "port"), ("ont", "onu")] {
            assert_eq!(row[ours], expected[theirs], "{theirs} of {expected}");
        }
    }
}

#[test]
fn found_onus_and_an_optical_module_of_oltcore_are_read_field_by_field() {
    let Some(folder) = recordings() else { return };
    let path = folder.join("cli/oltcore/ont_autofind.txt");
    let (found, complete, issues) = read(&path, "display ont autofind all", false);
    assert!(complete, "{issues:?}");
    let expected = expected_json(&folder, "oltcore_autofind.json");
    let expected = expected["entries_as_printed"].as_array().unwrap();
    assert_eq!(found.len(), expected.len());
    let places = [
        ("Number", "/number"),
        ("F/S/P", "place"),
        ("Ont SN", "/serial_text"),
        ("Password", "set /password_present"),
        ("Loid", "/loid"),
        ("Checkcode", "set /checkcode_present"),
        ("VendorID", "/vendor_id"),
        ("Ont Version", "/version"),
        ("Ont SoftwareVersion", "/software_version"),
        ("Ont EquipmentID", "/equipment_id"),
        ("Ont Customized Info", "/customized_info"),
        ("Ont autofind time", "time /found_time"),
    ];
    for (row, expected) in found.iter().zip(expected) {
        let fields = expected.as_object().unwrap();
        assert_eq!(fields.len(), places.len());
        for (name, place) in places {
            let text = Expected::Text(fields[name].as_str().unwrap().to_owned());
            assert!(agrees(row, row, place, &text), "{name}: {text:?} in {row}");
        }
        assert!(row["serial"].is_string(), "{row}");
        assert!(!row.to_string().contains("12345678"), "a password in {row}");
    }

    let path = folder.join("cli/oltcore/optical_info.txt");
    let (modules, complete, issues) = read(&path, "display ont optical-info 2 0", false);
    assert!(complete && modules.len() == 1, "{issues:?}");
    let expected = expected_json(&folder, "oltcore_optical_single.json");
    let typed = [
        ("Rx optical power(dBm)", "/rx_power_dbm"),
        ("Tx optical power(dBm)", "/tx_power_dbm"),
        ("OLT Rx ONT optical power(dBm)", "/olt_rx_power_dbm"),
        ("CATV Rx optical power(dBm)", "/catv_rx_power_dbm"),
        ("Laser bias current(mA)", "/current_ma"),
        ("Temperature(C)", "/temperature_celsius"),
        ("Voltage(V)", "/voltage_v"),
        ("Vendor name", "/vendor_name"),
        ("Vendor PN", "/vendor_part_number"),
        ("Vendor SN", "/vendor_serial"),
        ("Module sub-type", "/module_sub_type"),
    ];
    for (label, value) in expected["fields_as_printed"].as_object().unwrap() {
        let raw = format!("/raw/{}", label.replace('/', "~1"));
        let place = typed
            .iter()
            .find(|(name, _)| name == label)
            .map_or(raw.as_str(), |(_, place)| place);
        let text = Expected::Text(value.as_str().unwrap().to_owned());
        assert!(
            agrees(&modules[0], &modules[0], place, &text),
            "{label}: {text:?} in {}",
            modules[0]
        );
    }
}

#[test]
fn the_detailed_alarms_of_oltcore_are_read() {
    let Some(folder) = recordings() else { return };
    let path = folder.join("cli/oltcore/display_alarm_active_all_detail.excerpt.txt");
    // The excerpt was cut: it has no prompt.
    let (alarms, complete, issues) = read(&path, "display alarm active all detail", true);
    assert!(complete && alarms.len() == 8, "{issues:?}");
    let third = &alarms[2];
    for (field, expected) in [
        ("/sequence", "2431653"),
        ("/kind", "FAULT"),
        ("/severity", "MINOR"),
        ("/alarm_id", "0x2e11a00b"),
        ("/class", "SERVICE QUALITY"),
        ("/device_time", "2026-02-14T22:40:04+08:00"),
        ("/name", "The dying-gasp of GPON ONTi (DGi) is generated"),
        ("/service_effect", "SA"),
        ("/slot", "6"),
        ("/port", "6"),
        ("/onu", "67"),
        ("/equipment_id", "XX230v"),
        ("/description", "The ONT is power off"),
    ] {
        assert!(
            agrees(third, third, field, &Expected::Text(expected.to_owned())),
            "{field} in {third}"
        );
    }
    assert_eq!(
        alarms[0]["cause"],
        "(1) The quality of the optical path is poor\n(2) The ONT is faulty"
    );
}

#[test]
fn a_session_cut_off_after_any_line_is_incomplete() {
    let Some(folder) = recordings() else { return };
    for (name, command) in [
        ("display_board.txt", "display board 0"),
        ("ont_autofind.txt", "display ont autofind all"),
        ("optical_info.txt", "display ont optical-info 2 0"),
        ("display_alarm_active_all_list.txt", "display alarm active all list"),
    ] {
        let bytes = std::fs::read(folder.join("cli/oltcore").join(name)).unwrap();
        let text = decode::text_of(&bytes);
        let command = Command::parse(command).unwrap();
        let end = text.trim_end().len();
        for (cut, _) in text.match_indices('\n').filter(|(cut, _)| *cut < end) {
            let screen = Screen::of(&text[..cut]);
            assert!(
                !decode::read(&screen, &command, &Settings::default()).complete,
                "{name} after {cut} bytes"
            );
        }
    }
}
