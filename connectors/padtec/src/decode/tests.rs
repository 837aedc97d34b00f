//! One test for each pitfall that such systems are known for.

use super::*;

/// When the rows below were read: half a minute after the newest of them.
const NOW: Micros = Micros(1_764_902_168 * Micros::SECOND);

fn decoder(mapping: &str, zone: &str) -> Decoder {
    let mapping = Mapping::built_in(mapping).unwrap();
    Decoder::new(Arc::new(mapping), crate::zone(zone).unwrap())
}

fn measures_at(mapping: &str, zone: &str, text: &str, now: Micros) -> Decoded<Measure> {
    let page = Page::parse(text.as_bytes(), None).unwrap();
    decoder(mapping, zone).measures(&page, now)
}

/// The one measure of a row of the vendor's shape, with these fields instead of the usual ones.
#[track_caller]
fn measure(change: &str) -> Measure {
    let row = row(change);
    let mut decoded = measures_at("smart-api", "America/Manaus", &row, NOW);
    assert_eq!(decoded.issues, [], "{row}");
    decoded.rows.remove(0)
}

/// A page of one row; `change` is more fields, which win.
fn row(change: &str) -> String {
    let usual = r#"{"cardPart":2633,"cardSerial":374,"measureUid":"ROA1-HA-E29001-TR#374-7260-0","locationDataprovider":"192.0.2.21",
        "locationSite":"04 - POP-EXEMPLO-A","cardUid":"ROA1-HA-E29001-TR#374","cardModel":"ROA1-HA-E29001-TR","cardFamily":"AMPLIFIER",
        "cardIsUp":true,"measureName":"Pump Power","measureResource":null,"measureGroup":"POWER","measureValue":"26.549","port":"Pump",
        "updatedAt":"2025-12-04 22:35:38","measureKey":7260,"measureSubKey":0}"#;
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(usual).unwrap();
    let more: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&format!("{{{change}}}")).unwrap();
    fields.extend(more);
    format!("[{}]", serde_json::Value::from(fields))
}

#[test]
fn numbers_come_as_texts_and_as_numbers() {
    let texts = r#""cardPart":"2633","cardSerial":"374","measureKey":"7260","measureSubKey":"0","measureValue":26.549"#;
    assert_eq!(measure(texts), measure(""));
    let read = measure("");
    assert_eq!(
        (read.card.serial.as_deref(), read.card.part.as_deref()),
        (Some("374"), Some("2633"))
    );
    assert_eq!((read.value, read.key.as_deref()), (26.549, Some("7260")));
    assert_eq!(
        measure(r#""measureValue":"-9,70""#).value,
        -9.7,
        "as people write it there"
    );
}

#[test]
fn a_value_that_is_no_number_is_a_letter_and_not_the_end_of_the_page() {
    for word in [
        "\"N/A\"",
        "\"\"",
        "\"nan\"",
        "\"inf\"",
        "null",
        "[]",
        "\"1.234,5\"",
        "true",
    ] {
        let page = row(&format!("\"measureValue\":{word}"));
        let both = format!(
            "{},{}",
            page.trim_end_matches(']'),
            &row(r#""measureUid":"other""#)[1..]
        );
        let decoded = measures_at("smart-api", "America/Manaus", &both, NOW);
        assert_eq!((decoded.rows.len(), decoded.issues.len()), (1, 1), "{word}");
        let (issue, raw) = &decoded.issues[0];
        assert_eq!(issue.problem, Trouble::NotANumber);
        assert!(issue.problem.is_identified() && raw.contains("measureName"));
        assert_eq!(
            issue.to_string(),
            "1:2: ROA1-HA-E29001-TR#374: Pump Power has a value that is no number"
        );
    }
}

#[test]
fn a_card_is_known_by_its_uid_because_serial_numbers_repeat() {
    let one = measure("").card;
    let other = measure(r#""cardUid":"TM800G-LT#374","cardModel":"TM800G-LT","cardPart":2608"#).card;
    assert_eq!(one.serial, other.serial);
    assert_ne!(one.key, other.key);
}

#[test]
fn there_are_no_units_so_the_name_and_the_group_say_them() {
    #[track_caller]
    fn check(name: &str, group: &str, value: &str, expected: (&str, &str, &str)) {
        let group = if group.is_empty() {
            "null".to_owned()
        } else {
            format!("\"{group}\"")
        };
        let change = format!("\"measureName\":\"{name}\",\"measureGroup\":{group},\"measureValue\":\"{value}\"");
        let read = measure(&change);
        assert_eq!((read.unit.as_str(), read.group, read.quality), expected, "{name}");
    }
    check("Pump Power", "POWER", "26.549", ("dBm", "power", "good"));
    check("Power Laser 2", "POWER", "200.020", ("mW", "power", "good"));
    check("Power Signal", "POWER", "10.320", ("dBm", "power", "good"));
    check("TEC Curr. Laser 3", "CURRENT", "209.961", ("mA", "electrical", "good"));
    check("TEC Voltage Laser 3", "VOLTS", "-0.020", ("V", "electrical", "good"));
    check("Target Gain (Stage 1)", "GAIN", "20", ("dB", "optical", "good"));
    check("Board Temperature", "", "35.000", ("Cel", "temperature", "good"));
    check("OSNR", "", "22.5", ("dB", "optical", "good"));
    check("Pre-FEC BER", "", "0.001", ("1", "optical", "good"));
    // Nobody knows it: a metric counts these.
    check("Fan Speed", "", "4000", ("", "other", "good"));
    assert!(!measure(r#""measureName":"Fan Speed","measureGroup":null"#).known);
    // What it cannot be.
    check("Pump Power", "POWER", "2654.9", ("dBm", "power", "bad"));
    check("Board Temperature", "", "-273.1", ("Cel", "temperature", "bad"));
}

#[test]
fn old_builds_call_it_otherwise() {
    let old = r#""updatedAt":null,"update":"2025-12-04 22:35:38","cardFamily":"amplifier","measureKey":null,"measureSubKey":null"#;
    assert_eq!(measure(old), measure(""));
}

#[test]
fn times_are_local_in_the_zone_of_the_configuration() {
    let at = |zone: &str, text: &str, now: i64| {
        let page = row(&format!("\"updatedAt\":\"{text}\""));
        let now = Micros(now * Micros::SECOND);
        measures_at("smart-api", zone, &page, now).rows[0].updated_at.0 / Micros::SECOND
    };
    assert_eq!(at("America/Manaus", "2025-12-04 22:35:38", 0), 1_764_902_138);
    assert_eq!(at("UTC", "2025-12-04 22:35:38", 0), 1_764_887_738);
    // With summer time: it was +1 in July and is 0 in December.
    assert_eq!(at("Europe/Lisbon", "2025-07-01 12:00:00", 0), 1_751_367_600);
    assert_eq!(at("Europe/Lisbon", "2025-12-01 12:00:00", 0), 1_764_590_400);
    // The hour that comes twice is the one nearer to now: 01:30 on 2025-10-26 was at 00:30 and at 01:30 UTC.
    let (first, second) = (1_761_438_600, 1_761_442_200);
    assert_eq!(at("Europe/Lisbon", "2025-10-26 01:30:00", first + 20), first);
    assert_eq!(at("Europe/Lisbon", "2025-10-26 01:30:00", second + 20), second);
    // The hour that does not come is an hour later.
    assert_eq!(at("Europe/Lisbon", "2025-03-30 01:30:00", 0), 1_743_298_200);
    assert!(crate::zone("-04").is_err() && crate::zone("").is_err() && crate::zone("America/Nowhere").is_err());
    let bad = measures_at("smart-api", "UTC", &row(r#""updatedAt":"yesterday""#), NOW);
    assert_eq!((bad.rows.len(), bad.issues[0].0.problem), (0, Trouble::NoTime));
}

#[test]
fn what_was_updated_long_ago_or_is_of_a_card_that_is_down_is_stale() {
    assert_eq!(measure("").quality, "good");
    assert_eq!(measure(r#""updatedAt":"2025-12-04 22:34:00""#).quality, "stale");
    let down = measure(r#""cardIsUp":false"#);
    assert_eq!((down.quality, down.card.up), ("stale", Some(false)));
}

#[test]
fn a_mux_has_no_measures_and_families_are_in_capitals() {
    let text = r#"[{"cardUid":"MDDC21401ST2#7","cardFamily":"mux_demux","cardPart":2140,"cardSerial":7},{"cardUid":"TM800G-LT#374"}]"#;
    let page = Page::parse(text.as_bytes(), None).unwrap();
    let cards = decoder("smart-api", "UTC").cards(&page, NOW).rows;
    assert_eq!(
        (cards[0].family.as_deref(), cards[0].passive, cards[0].up),
        (Some("MUX_DEMUX"), true, None)
    );
    assert_eq!((cards[1].family.as_deref(), cards[1].passive), (None, false));
}

#[test]
fn alarms_have_an_id_or_get_one_and_what_has_no_end_does_not_stand() {
    let alarm = |change: &str| {
        let usual = r#"{"locationDataprovider":"192.0.2.8","locationSite":"POLARIS","cardUid":"TCX200G-9A#68","alarmOid":753114,
            "alarmName":"Laser desligado (Line 2)","alarmGroup":"LASER OFF","alarmResource":"","alarmSeverity":"MAJOR","alarmIsActive":true,
            "alarmIsInstant":false,"alarmStartDate":"2025-02-10 11:28:57","alarmEndDate":null,"port":null}"#;
        let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(usual).unwrap();
        let more: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&format!("{{{change}}}")).unwrap();
        fields.extend(more);
        let text = format!("[{}]", serde_json::Value::from(fields));
        let page = Page::parse(text.as_bytes(), None).unwrap();
        decoder("smart-api", "America/Manaus").alarms(&page, NOW).rows.remove(0)
    };
    let usual = alarm("");
    assert_eq!(
        (usual.id.as_str(), usual.card.as_deref()),
        ("192.0.2.8/753114", Some("TCX200G-9A#68"))
    );
    assert_eq!(
        (usual.alarm_type.as_str(), usual.severity, usual.active),
        ("LASER OFF", "major", true)
    );
    assert_eq!(usual.raised_at, Some(Micros(1_739_201_337 * Micros::SECOND)));
    // The same group, whatever the language of the name.
    assert_eq!(
        alarm(r#""alarmName":"Laser off (Line 2)""#).alarm_type,
        usual.alarm_type
    );
    // Without a number: one that is the same each time, and another for another alarm.
    let hashed = alarm(r#""alarmOid":null"#);
    assert_eq!(
        hashed.id,
        alarm(r#""alarmOid":null,"updatedAt":"2025-02-13 16:56:59""#).id
    );
    assert_ne!(hashed.id, alarm(r#""alarmOid":null,"port":"Line 2""#).id);
    assert_ne!(
        hashed.id,
        alarm(r#""alarmOid":null,"alarmStartDate":"2025-02-10 11:28:58""#).id
    );
    assert!(!alarm(r#""alarmIsInstant":true"#).active);
    assert!(!alarm(r#""alarmSeverity":"CLEARED""#).active);
    assert!(!alarm(r#""alarmIsActive":null,"alarmEndDate":"2025-02-10 12:28:57""#).active);
    assert_eq!(alarm(r#""alarmSeverity":"UNKNOWN""#).severity, "indeterminate");
    assert_eq!(
        alarm(r#""alarmResource":"PORT 5""#).text,
        "Laser desligado (Line 2) · PORT 5"
    );
}

#[test]
fn rows_that_say_nothing_of_what_they_are_have_a_place() {
    let text = "[\n  {\"cardUid\":\"a#1\"},\n  7, {\"cardUid\":null},\n  {\"cardUid\":\"LONG\"}]"
        .replace("LONG", &"x".repeat(65));
    let page = Page::parse(text.as_bytes(), None).unwrap();
    let decoded = decoder("smart-api", "UTC").cards(&page, NOW);
    assert_eq!(decoded.rows.len(), 1);
    let issues: Vec<_> = decoded
        .issues
        .iter()
        .map(|(issue, _)| (issue.line, issue.column, issue.problem))
        .collect();
    let expected = [
        (3, 3, Trouble::NotAnObject),
        (3, 6, Trouble::NoKey),
        (4, 3, Trouble::LongKey),
    ];
    assert_eq!(issues, expected);
    assert!(issues.iter().all(|(_, _, problem)| !problem.is_identified()));
}

#[test]
fn an_envelope_is_an_array_or_an_object_with_one() {
    let rows = |text: &str| Page::parse(text.as_bytes(), Some("totalCount")).map(|page| (page.rows.len(), page.total));
    assert_eq!(rows("[{},{}]"), Ok((2, None)));
    assert_eq!(rows(r#"{"data":[{}],"totalCount":250}"#), Ok((1, Some(250))));
    assert_eq!(rows(r#"{"page":{"n":1},"content":[]}"#), Ok((0, None)));
    assert_eq!(rows(r#"{"data":7}"#), Err(PageError::NotAList));
    assert_eq!(rows("7"), Err(PageError::NotAList));
    assert_eq!(rows("[{},\n{]"), Err(PageError::NotJson { line: 2, column: 2 }));
    assert_eq!(rows("<html>"), Err(PageError::NotJson { line: 1, column: 1 }));
    assert_eq!(count(b"2205", None), Ok(2_205));
    assert_eq!(count(br#"{"TOTAL":672,"CRITICAL":550}"#, Some("TOTAL")), Ok(672));
    assert_eq!(count(b"-1", None), Err(PageError::NotACount));
}

#[test]
fn words_of_ours_are_made_of_names() {
    for (name, word) in [
        ("Pump Power", "pump_power"),
        ("TEC Curr. Laser 3", "tec_curr_laser_3"),
        ("  Potência de saída (dBm) ", "potencia_de_saida_dbm"),
        ("Target Gain (Stage 1)", "target_gain_stage_1"),
        ("日本", ""),
    ] {
        assert_eq!(slug(name), word);
    }
    assert_eq!(measure(r#""measureName":"日本""#).measure, "measure_7260");
    assert_eq!(measure(r#""measureSubKey":2"#).measure, "pump_power_2");
    assert_eq!(measure(r#""measureResource":"Line 2""#).measure, "pump_power_line_2");
    assert!(measure("").critical && !measure(r#""measureName":"Power Signal""#).critical);
}

#[test]
fn hostile_answers_never_panic() {
    let deep = format!("[{}]", "[".repeat(100_000));
    let nested = format!("[{{\"cardUid\":{}1{}}}]", "[".repeat(1_000), "]".repeat(1_000));
    let texts = [
        "",
        "[",
        "{}",
        "[null]",
        "[[]]",
        "\u{0}",
        deep.as_str(),
        nested.as_str(),
        "[\"\\ud800\"]",
        "[{\"cardUid\":\"\\u0000\"}]",
    ];
    for text in texts {
        for mapping in crate::mapping::BUILT_IN {
            if let Ok(page) = Page::parse(text.as_bytes(), Some("totalCount")) {
                let mut decoder = decoder(mapping, "UTC");
                let read = decoder.cards(&page, NOW).rows.len() + decoder.measures(&page, NOW).rows.len();
                assert!(read + decoder.alarms(&page, NOW).rows.len() <= 3, "{text:.40}");
            }
        }
    }
    assert!(Page::parse(b"[\xff]", None).is_err());
}
