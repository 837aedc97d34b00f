//! Walks a document beside the schema: what is known is checked, what is not is an error, what is missing too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml_edit::{Item, TableLike, Value as Toml};

use crate::document::{Parsed, Source, UNREADABLE};
use crate::error::{Place, Problem, quote};
use crate::schema::{self, Kind, Need, SECTIONS, Section, Setting, join};
use crate::secrets;
use crate::suggest::nearest;
use crate::value::{self, Value};

/// A value that passed, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// What the walk found, by concrete path (`olt[1].ssh.user`).
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) values: BTreeMap<String, Checked>,
    /// Sections that are there, with the place of their header.
    pub(crate) sections: BTreeMap<String, Place>,
    /// How many entries each array has, by path without the last `[]`.
    pub(crate) counts: BTreeMap<String, usize>,
    pub(crate) problems: Vec<Problem>,
}

/// Walks the whole document.
pub(crate) fn walk(parsed: &Parsed, folder: &Path, variables: &BTreeMap<String, String>, found: &mut Found) {
    if let Some(document) = &parsed.document {
        let mut walk = Walk {
            parsed,
            folder: folder.to_owned(),
            variables,
            found,
        };
        walk.table(
            document.as_table(),
            &SECTIONS[0],
            "",
            &Place::WholeFile(parsed.source.file.clone()),
        );
    }
}

struct Walk<'a> {
    parsed: &'a Parsed,
    folder: PathBuf,
    variables: &'a BTreeMap<String, String>,
    found: &'a mut Found,
}

impl Walk<'_> {
    fn source(&self) -> &Source {
        &self.parsed.source
    }

    fn problem(&mut self, place: Place, key: &str, wrong: impl Into<String>, right: impl Into<String>) {
        self.found.problems.push(Problem {
            place,
            key: key.to_owned(),
            wrong: wrong.into(),
            right: right.into(),
        });
    }

    fn table(&mut self, table: &dyn TableLike, section: &Section, path: &str, header: &Place) {
        self.found.sections.insert(path.to_owned(), header.clone());
        for (key, item) in table.iter() {
            if self.parsed.header_lost && path.is_empty() && key.starts_with(UNREADABLE) {
                continue;
            }
            let full = join(path, key);
            let key_span = table.get_key_value(key).and_then(|(k, _)| k.span());
            if let Some(setting) = schema::settings_of(section.path).find(|s| s.key == key) {
                let place = self.source().place(item.span().or(key_span));
                self.setting(setting, item, &full, place);
            } else if let Some((_, below)) = schema::sections_of(section.path).find(|(k, _)| *k == key) {
                let place = self.source().place(item.span().or(key_span));
                self.section(below, item, &full, place);
            } else {
                let place = self.source().place(key_span.or(item.span()));
                self.problem(place, &full, unknown(item), hint(section, key));
            }
        }
        self.missing(table, section, path, header);
    }

    fn section(&mut self, section: &Section, item: &Item, path: &str, place: Place) {
        let is_array = section.path.ends_with("[]");
        match (item.as_table_like(), is_array) {
            (Some(table), false) => self.table(table, section, path, &place),
            (Some(_), true) => {
                let right = format!("write `[[{path}]]`: there may be several");
                self.problem(place, path, "is a single table", right);
            }
            (None, true) => match entries(item) {
                Some(entries) => {
                    self.found.counts.insert(path.to_owned(), entries.len());
                    for (i, (table, span)) in entries.into_iter().enumerate() {
                        let header = self.source().place(span);
                        self.table(table, section, &format!("{path}[{i}]"), &header);
                    }
                }
                None => self.problem(
                    place,
                    path,
                    value::is_a(item.type_name()),
                    format!("write `[[{path}]]`"),
                ),
            },
            (None, false) => {
                let right = if section.inline {
                    "write `{ … }` with its keys".into()
                } else {
                    format!("write `[{path}]`, once")
                };
                self.problem(place, path, value::is_a(item.type_name()), right);
            }
        }
    }

    fn setting(&mut self, setting: &Setting, item: &Item, path: &str, place: Place) {
        let result = match item.as_value() {
            None if setting.kind == Kind::Secret => self.secret_table(item),
            None => Err((
                value::is_a(item.type_name()),
                format!("write {}", setting.kind.expected()),
            )),
            Some(toml) if setting.kind == Kind::Secret => self.secret(toml),
            Some(toml) => value::from_toml(setting.kind, toml),
        };
        match result {
            Ok(value) => {
                self.found.values.insert(path.to_owned(), Checked { value, place });
            }
            Err((wrong, right)) => self.problem(place, path, wrong, right),
        }
    }

    fn secret(&self, toml: &Toml) -> Result<Value, value::Wrong> {
        match toml.as_inline_table() {
            Some(table) => secrets::resolve(table, &self.folder, self.variables),
            None => Err(secrets::in_clear(toml.type_name())),
        }
    }

    fn secret_table(&self, item: &Item) -> Result<Value, value::Wrong> {
        match item.as_table_like() {
            Some(table) => secrets::resolve(table, &self.folder, self.variables),
            None => Err(secrets::in_clear(item.type_name())),
        }
    }

    fn missing(&mut self, table: &dyn TableLike, section: &Section, path: &str, header: &Place) {
        if self.parsed.header_lost {
            return;
        }
        for setting in schema::settings_of(section.path).filter(|s| s.need == Need::Required) {
            let unreadable = self.parsed.unreadable_keys.iter().any(|k| k == setting.key);
            if !table.contains_key(setting.key) && !unreadable {
                let right = format!("write `{} = {}`", setting.key, setting.example);
                self.problem(header.clone(), &join(path, setting.key), "is missing", right);
            }
        }
    }
}

type Entry<'a> = (&'a dyn TableLike, Option<std::ops::Range<usize>>);

/// The tables of `[[x]]` or of `x = [{…}]`.
fn entries(item: &Item) -> Option<Vec<Entry<'_>>> {
    if let Some(tables) = item.as_array_of_tables() {
        return Some(tables.iter().map(|t| (t as &dyn TableLike, t.span())).collect());
    }
    let inline = |v: &'_ Toml| -> Option<()> { v.as_inline_table().map(|_| ()) };
    let array = item.as_array()?;
    array.iter().all(|v| inline(v).is_some()).then_some(())?;
    Some(
        array
            .iter()
            .filter_map(|v| v.as_inline_table().map(|t| (t as &dyn TableLike, v.span())))
            .collect(),
    )
}

fn unknown(item: &Item) -> &'static str {
    if item.is_table() || item.is_array_of_tables() {
        "is not a known table"
    } else {
        "is not a known key"
    }
}

/// The nearest word here, or the sections in which the word is known, or all that is known here.
fn hint(section: &Section, key: &str) -> String {
    let here: Vec<&str> = schema::settings_of(section.path)
        .map(|s| s.key)
        .chain(schema::sections_of(section.path).map(|(k, _)| k))
        .collect();
    if let Some(word) = nearest(key, here.iter().copied()) {
        return format!("did you mean {}?", quote(word));
    }
    let elsewhere: Vec<String> = schema::SETTINGS
        .iter()
        .filter(|s| s.key == key && !s.section.is_empty())
        .map(|s| header_of(s.section))
        .collect();
    if !elsewhere.is_empty() {
        return format!("it belongs in {}", elsewhere.join(" or "));
    }
    format!("here may stand {}", crate::error::any_of(&here))
}

/// `[http]`, `[[olt]]`, or `olt.ssh` for what is written inline.
pub(crate) fn header_of(section: &str) -> String {
    match section.strip_suffix("[]") {
        Some(array) => format!("`[[{array}]]`"),
        None if section.contains("[]") => format!("`{}`", section.replace("[]", "")),
        None => format!("`[{section}]`"),
    }
}
