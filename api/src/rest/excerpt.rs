//! Of a reading with thousands of rows those about one entity.

use model::EntityId;
use serde_json::{Map, Value};

/// Rows of a list shown at most.
const ROWS_MAX: usize = 20;
/// Bytes of a text or of hexadecimal shown at most.
const TEXT_BYTES_MAX: usize = 4_096;

/// What tells a row of a reading.
#[derive(Default)]
struct Place {
    numbers: Vec<(&'static str, i64)>,
    serial: Option<String>,
}

/// A record's fields, lists in it cut to what is about `entity`, and to 20 rows. `NAME_rows_left_out` beside a list says how many others
/// it has.
pub fn excerpt(record: Value, entity: Option<&EntityId>) -> Value {
    let place = entity.map(Place::of).unwrap_or_default();
    place.cut(record)
}

impl Place {
    /// Frame, slot, port and number of what hangs on an OLT; the serial of a card.
    fn of(entity: &EntityId) -> Self {
        let mut parts = entity.as_str().split('/').skip(3);
        let kind = parts.next().unwrap_or_default();
        let rest: Vec<&str> = parts.collect();
        let names: &[&'static str] = match kind {
            "onu" => &["frame", "slot", "port", "onu"],
            "pon" => &["frame", "slot", "port"],
            "board" => &["frame", "slot"],
            _ => &[],
        };
        let numbers = names
            .iter()
            .zip(&rest)
            .filter_map(|(name, text)| Some((*name, text.parse().ok()?)));
        Self {
            numbers: numbers.collect(),
            serial: (kind == "card").then(|| rest.join("/")),
        }
    }

    /// Whether a row says nothing that is another one's place.
    fn is_of(&self, row: &Value) -> bool {
        let Some(row) = row.as_object() else { return true };
        let same = |(name, number): &(&str, i64)| row.get(*name).and_then(Value::as_i64).is_none_or(|n| n == *number);
        let serial = row.get("serial").and_then(Value::as_str);
        let of_card = self.serial.as_deref().zip(serial).is_none_or(|(ours, its)| ours == its);
        self.numbers.iter().all(same) && of_card
    }

    fn cut(&self, value: Value) -> Value {
        match value {
            Value::Object(fields) => Value::Object(self.fields(fields)),
            Value::Array(rows) => Value::Array(rows.into_iter().map(|row| self.cut(row)).collect()),
            Value::String(text) if text.len() > TEXT_BYTES_MAX => {
                let end = text.floor_char_boundary(TEXT_BYTES_MAX);
                format!("{}… ({} bytes)", &text[..end], text.len()).into()
            }
            value => value,
        }
    }

    fn fields(&self, fields: Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::new();
        for (name, value) in fields {
            let value = match value {
                Value::Array(rows) => {
                    let all = rows.len();
                    let kept: Vec<_> = rows.into_iter().filter(|row| self.is_of(row)).take(ROWS_MAX).collect();
                    if kept.len() < all {
                        out.insert(format!("{name}_rows_left_out"), (all - kept.len()).into());
                    }
                    Value::Array(kept)
                }
                value => value,
            };
            out.insert(name, self.cut(value));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reading_is_cut_to_its_entity() {
        let check = |entity: &str, record: Value, expected: Value| {
            let entity = EntityId::parse(entity).unwrap();
            assert_eq!(excerpt(record, Some(&entity)), expected);
        };
        let ports = json!({ "root": "r", "ports": [
            { "frame": 0, "slot": 1, "port": 2, "onus": [{ "onu": 3, "rx": -20.5 }, { "onu": 4, "rx": -30.0 }] },
            { "frame": 0, "slot": 1, "port": 3, "onus": [{ "onu": 3, "rx": -21.0 }] },
        ]});
        check(
            "default/olt/a/onu/0/1/2/3",
            ports.clone(),
            json!({ "root": "r", "ports_rows_left_out": 1, "ports": [
                { "frame": 0, "slot": 1, "port": 2, "onus_rows_left_out": 1, "onus": [{ "onu": 3, "rx": -20.5 }] }
            ]}),
        );
        check("default/olt/a", ports.clone(), ports);
        check(
            "default/padtec/n/card/ROA1-HA#374",
            json!({ "measures": [{ "serial": "X", "value": 1 }, { "serial": "ROA1-HA#374", "value": 2 }] }),
            json!({ "measures_rows_left_out": 1, "measures": [{ "serial": "ROA1-HA#374", "value": 2 }] }),
        );
    }

    #[test]
    fn lists_and_texts_are_bounded() {
        let record = json!({ "rows": (0..100).collect::<Vec<_>>(), "pdu": "00".repeat(10_000) });
        let cut = excerpt(record, None);
        assert_eq!(cut["rows"].as_array().unwrap().len(), 20);
        assert_eq!(cut["rows_rows_left_out"], 80);
        assert!(cut["pdu"].as_str().unwrap().len() < 5_000);
    }
}
