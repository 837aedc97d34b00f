//! `ATALAIA__SECTION__KEY` overrides a single value of the file. A name that means nothing is an error, like a key.

use std::collections::BTreeMap;

use crate::error::{Place, Problem};
use crate::schema::{SECTIONS, SETTINGS, Setting, VARIABLE_PREFIX};
use crate::suggest::nearest;
use crate::value;
use crate::walk::{Checked, Found};

/// Puts every override over what the file says.
pub(crate) fn apply(variables: &BTreeMap<String, String>, found: &mut Found) {
    let known: BTreeMap<String, &Setting> = SETTINGS.iter().filter_map(|s| Some((s.variable()?, s))).collect();
    for (name, text) in variables.iter().filter(|(name, _)| name.starts_with(VARIABLE_PREFIX)) {
        let place = Place::Variable(name.chars().take(128).collect());
        let result = match known.get(name) {
            Some(setting) => value::from_variable(setting.kind, text).map(|value| (setting.path(), value)),
            None => Err(unknown(name, known.keys().map(String::as_str))),
        };
        match result {
            Ok((path, value)) => {
                found.values.insert(path, Checked { value, place });
            }
            Err((wrong, right)) => {
                let key = known.get(name).map(|s| s.path()).unwrap_or_default();
                found.problems.push(Problem {
                    place,
                    key,
                    wrong,
                    right,
                });
            }
        }
    }
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> value::Wrong {
    let bare = &name[VARIABLE_PREFIX.len()..];
    let path = bare.to_ascii_lowercase().replace("__", ".");
    let arrays = SECTIONS
        .iter()
        .filter_map(|s| s.path.split_once("[]").map(|(array, _)| array));
    let right = if arrays
        .into_iter()
        .any(|a| path.strip_prefix(a).is_some_and(|r| r.is_empty() || r.starts_with('.')))
    {
        "entries of a list are set in the file only".to_owned()
    } else {
        match nearest(bare, known.filter_map(|k| k.strip_prefix(VARIABLE_PREFIX))) {
            Some(word) => format!("did you mean `{VARIABLE_PREFIX}{word}`?"),
            None => format!("unset it; a setting `[section] key` is {VARIABLE_PREFIX}SECTION__KEY"),
        }
    };
    ("overrides nothing".to_owned(), right)
}
