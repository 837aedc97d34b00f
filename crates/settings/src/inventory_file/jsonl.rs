//! JSON lines: one object a line with the same names as the columns of CSV; attributes are an object of texts.

use serde_json::Value;

use super::{ATTRIBUTE_PREFIX, COLUMNS, Cell, Sink};
use crate::error::{any_of, quote};
use crate::suggest::nearest;

pub(super) fn read(text: &str, sink: &mut Sink<'_>) {
    for (index, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        if sink.full() {
            return;
        }
        let number = index + 1;
        match serde_json::from_str::<Value>(line) {
            Ok(Value::Object(object)) => row(number, line, &object, sink),
            Ok(_) => sink.problem((number, 1), "", "is not an object", "write one `{…}` a line"),
            Err(error) => {
                // The message ends in a place that counts from this line only.
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default().to_owned();
                sink.problem((number, error.column().max(1)), "", "is not JSON", message);
            }
        }
    }
}

fn row(number: usize, line: &str, object: &serde_json::Map<String, Value>, sink: &mut Sink<'_>) {
    let mistakes = sink.mistakes();
    let mut flat: Vec<(String, String, usize)> = Vec::new();
    for (key, value) in object {
        let column = column_of(line, key);
        match (key.as_str(), value) {
            (_, Value::Null) => {}
            ("attributes", Value::Object(attributes)) => {
                for (name, value) in attributes {
                    let at = (number, column_of(line, name));
                    flat.extend(scalar(value, name, at, sink).map(|t| (format!("{ATTRIBUTE_PREFIX}{name}"), t, at.1)));
                }
            }
            ("attributes", _) => sink.problem(
                (number, column),
                key,
                "is not an object",
                "write `{\"NAME\": \"text\"}`",
            ),
            (known, value) if COLUMNS.contains(&known) => {
                flat.extend(scalar(value, key, (number, column), sink).map(|t| (key.clone(), t, column)));
            }
            _ => sink.problem((number, column), &quote(key), "is not a known key", hint(key)),
        }
    }
    let cells: Vec<Cell<'_>> = flat
        .iter()
        .map(|(name, text, column)| Cell {
            name,
            text: text.trim().to_owned(),
            line: number,
            column: *column,
        })
        .collect();
    // A cell that was left out would give its row another meaning.
    if sink.mistakes() == mistakes {
        sink.row(number, &cells);
    }
}

fn scalar(value: &Value, key: &str, at: (usize, usize), sink: &mut Sink<'_>) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null => None,
        Value::Array(_) | Value::Object(_) => {
            sink.problem(at, key, "is not a text", "write a text in quotes");
            None
        }
    }
}

fn hint(key: &str) -> String {
    match nearest(key, COLUMNS.iter().copied().chain(["attributes"])) {
        Some(word) => format!("did you mean {}?", quote(word)),
        None => format!("write {}, or put it into `attributes`", any_of(COLUMNS)),
    }
}

/// Where the key stands in its line, from 1; the line's begin where it is written with escapes.
fn column_of(line: &str, key: &str) -> usize {
    line.find(&format!("\"{key}\""))
        .map_or(1, |at| line[..at].chars().count() + 1)
}
