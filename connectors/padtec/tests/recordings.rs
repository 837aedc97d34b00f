//! What a production system answered, and every shape of the manual, read. Found by `ATALAIA_RECORDINGS`.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector_padtec::decode::{self, Decoder, Page};
use connector_padtec::mapping::Mapping;
use model::Micros;
use serde_json::Value;

fn recording(name: &str) -> Option<Value> {
    let folder = std::env::var_os("ATALAIA_RECORDINGS").map(|folder| PathBuf::from(folder).join("upstreams/padtec"));
    let Some(path) = folder.map(|folder| folder.join(Path::new(name))) else {
        eprintln!("skipped: ATALAIA_RECORDINGS does not name the folder of recordings");
        return None;
    };
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn decoder() -> Decoder {
    let mapping = Mapping::built_in("smart-api").unwrap();
    Decoder::new(Arc::new(mapping), connector_padtec::zone("America/Manaus").unwrap())
}

#[test]
fn the_recorded_page() {
    let Some(recorded) = recording("measures-state.recorded.json") else {
        return;
    };
    let text = recorded.to_string();
    let page = Page::parse(text.as_bytes(), None).unwrap();
    let decoded = decoder().measures(&page, Micros(1_764_902_168 * Micros::SECOND));
    assert_eq!(decoded.issues, []);
    let read: Vec<_> = decoded
        .rows
        .iter()
        .map(|row| (row.measure.as_str(), row.value, row.unit.as_str(), row.group))
        .collect();
    let expected = [
        ("pump_power", 26.549, "dBm", "power"),
        ("power_signal", 10.32, "dBm", "power"),
        ("laser_current_1", 570.068, "mA", "electrical"),
        ("laser_current_2", 541.992, "mA", "electrical"),
        ("laser_current_3", 539.551, "mA", "electrical"),
        ("board_temperature", 35.0, "Cel", "temperature"),
        ("power_laser_3", 199.858, "mW", "power"),
        ("tec_voltage_laser_3", -0.02, "V", "electrical"),
        ("tec_curr_laser_3", 209.961, "mA", "electrical"),
        ("power_laser_2", 200.02, "mW", "power"),
    ];
    assert_eq!(read, expected);
    for row in &decoded.rows {
        assert_eq!(
            (row.card.key.as_str(), row.card.up),
            ("ROA1-HA-E29001-TR#374", Some(false))
        );
        assert_eq!(
            (row.quality, row.updated_at.0),
            ("stale", 1_764_902_138_000_000),
            "of a card that is down"
        );
        assert!(row.known);
    }
}

#[test]
fn every_shape_of_the_manual() {
    let Some(manual) = recording("shapes-from-manual.json") else {
        return;
    };
    let now = Micros(1_739_500_000 * Micros::SECOND);
    let mut seen = Vec::new();
    for (name, shape) in manual.as_object().unwrap() {
        // Some have the prefix of an older build, and a note behind.
        let path = name.split_once("/v1/").map_or(name.as_str(), |(_, path)| path);
        let path = path.split(' ').next().unwrap_or(path);
        let text = shape.to_string();
        let page = || Page::parse(text.as_bytes(), None).unwrap();
        seen.push(path.to_owned());
        match path {
            "note" => {}
            "admin/login" => {
                let answer = shape["200"].to_string();
                assert_eq!(decode::token(answer.as_bytes(), "token").unwrap(), "Token <jwt>");
            }
            "inventory/state" => {
                let decoded = decoder().cards(&page(), now);
                let cards: Vec<_> = decoded
                    .rows
                    .iter()
                    .map(|card| (card.key.as_str(), card.serial.as_deref()))
                    .collect();
                assert_eq!(cards, [("TM1200G-SA#951", Some("951")), ("TM2400G-NK#11", Some("11"))]);
                assert_eq!(decoded.rows[1].firmware.as_deref(), Some("20240722-3"));
            }
            "alarm/state" => {
                let alarms = decoder().alarms(&page(), now).rows;
                assert_eq!(
                    (alarms[0].severity, alarms[0].alarm_type.as_str()),
                    ("major", "LASER OFF")
                );
            }
            "alarm/count" => assert_eq!(decode::count(text.as_bytes(), Some("TOTAL")), Ok(672)),
            path if path.ends_with("/count") => assert!(decode::count(text.as_bytes(), None).is_ok(), "{path}"),
            path if path.starts_with("measures/state") => {
                let decoded = decoder().measures(&page(), now);
                assert_eq!(decoded.issues, [], "{path}");
                assert_eq!(decoded.rows.len(), shape.as_array().unwrap().len());
            }
            // What a model can have is of no use to us, and reads like a list all the same.
            path => assert!(
                path.contains("/capability") || path.contains("summary"),
                "nobody reads {path}"
            ),
        }
    }
    assert!(seen.iter().any(|path| path.starts_with("measures/state")), "{seen:?}");
}
