//! `ATALAIA__SECTION__KEY` overrides a single value of the file. A name that means nothing is an error, like a key.

use std::collections::BTreeMap;

use model::{Secret, Tenant};

use crate::error::{Place, Problem};
use crate::schema::{Kind, SECTIONS, SETTINGS, Setting, VARIABLE_PREFIX};
use crate::suggest::nearest;
use crate::typed::{Padtec, PadtecLogin};
use crate::value::{self, Value};
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

/// Variables that make a Padtec system where the file has none: address, token, time zone.
const PADTEC: [&str; 3] = ["PADTEC_API_URL", "PADTEC_API_TOKEN", "PADTEC_ZONE"];
/// What it is called.
const PADTEC_NAME: &str = "padtec";

/// The Padtec system that the variables make; `None` if there is no address, or something is wrong with one.
pub(crate) fn padtec(variables: &BTreeMap<String, String>, tenant: &Tenant, found: &mut Found) -> Option<Padtec> {
    let said = PADTEC.map(|name| variables.get(name).filter(|text| !text.trim().is_empty()));
    // The others may be there for what the file refers to.
    let url = said[0]?;
    let mut problem = |name: &str, (wrong, right): value::Wrong| {
        found.problems.push(Problem {
            place: Place::Variable(name.to_owned()),
            key: "padtec".to_owned(),
            wrong,
            right,
        });
    };
    for (name, text) in PADTEC.iter().zip(said) {
        if text.is_none() {
            let right = format!("set all of {}, or none of them", PADTEC.join(", "));
            problem(name, ("is missing".to_owned(), right));
        }
    }
    let base = match value::from_variable(Kind::Url, url) {
        Ok(Value::Text(base)) => base,
        Ok(_) => url.clone(),
        Err(wrong) => {
            problem(PADTEC[0], wrong);
            return None;
        }
    };
    let (token, zone) = (said[1]?, said[2]?);
    Some(Padtec {
        name: PADTEC_NAME.to_owned(),
        tenant: tenant.clone(),
        site: None,
        base,
        login: PadtecLogin::Token(Secret::new(token.trim(), "env PADTEC_API_TOKEN")),
        zone: zone.trim().to_owned(),
        mapping: "smart-api".to_owned(),
        ca: None,
    })
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
