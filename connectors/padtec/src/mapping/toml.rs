//! Tables of a mapping, with the place of everything that is wrong in them.

use std::collections::BTreeSet;
use std::fmt;

use toml_edit::{Item, TableLike, Value};

use super::Names;

/// One mistake of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, or the name of a mapping that is built in.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The field, with its tables: `lists.cards.path`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub wrong: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            field,
            wrong,
        } = self;
        write!(f, "{file}:{line}:{column}: `{field}` {wrong}")
    }
}

/// Every mistake of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The text that is read, and what was found wrong in it.
pub(super) struct Source<'t> {
    pub file: &'t str,
    pub text: &'t str,
    pub problems: Vec<Problem>,
}

impl Source<'_> {
    pub fn problem(&mut self, at: usize, field: &str, wrong: impl Into<String>) {
        let before = self.text.get(..at.min(self.text.len())).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line: before.bytes().filter(|&b| b == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            field: field.to_owned(),
            wrong: wrong.into(),
        });
    }
}

/// One table. What nobody asked for in the end is a mistake.
pub(super) struct Table<'a, 't> {
    table: Option<&'a dyn TableLike>,
    path: String,
    /// Where it begins.
    at: usize,
    asked: BTreeSet<&'static str>,
    source: &'a mut Source<'t>,
}

impl<'a, 't> Table<'a, 't> {
    pub fn new(table: &'a dyn TableLike, source: &'a mut Source<'t>) -> Self {
        Self {
            table: Some(table),
            path: String::new(),
            at: 0,
            asked: BTreeSet::new(),
            source,
        }
    }

    fn item(&mut self, key: &'static str) -> Option<&'a Item> {
        self.asked.insert(key);
        self.table?.get(key)
    }

    fn full(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }

    /// Says what is wrong with a key, where it stands, or where its table begins.
    pub fn wrong(&mut self, key: &str, wrong: impl Into<String>) {
        let span = self.table.and_then(|table| {
            let (name, item) = table.get_key_value(key)?;
            item.span().or_else(|| name.span())
        });
        let at = span.map_or(self.at, |span| span.start);
        let field = self.full(key);
        self.source.problem(at, &field, wrong);
    }

    fn is_a(&mut self, key: &'static str, item: &Item, right: &str) {
        let wrong = format!("is a {}: write {right}", item.type_name());
        self.wrong(key, wrong);
    }

    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let item = self.item(key)?;
        let text = item.as_str();
        if text.is_none() {
            self.is_a(key, item, "a text in quotes");
        }
        text.map(str::to_owned)
    }

    pub fn needed_text(&mut self, key: &'static str) -> String {
        let text = self.text(key);
        if text.is_none() && self.table.is_some_and(|table| table.get(key).is_none()) {
            self.wrong(key, "is missing: write a text in quotes");
        }
        text.unwrap_or_default()
    }

    /// A whole number within these bounds.
    pub fn number(&mut self, key: &'static str, default: u64, (min, max): (u64, u64)) -> u64 {
        let Some(item) = self.item(key) else { return default };
        let number = item.as_integer().and_then(|n| u64::try_from(n).ok());
        let number = number.filter(|n| (min..=max).contains(n));
        if number.is_none() {
            self.wrong(key, format!("is not a whole number from {min} to {max}"));
        }
        number.unwrap_or(default)
    }

    pub fn decimal(&mut self, key: &'static str, default: f64) -> f64 {
        let Some(item) = self.item(key) else { return default };
        #[expect(clippy::cast_precision_loss, reason = "limits of measures are small numbers")]
        let number = item.as_float().or_else(|| item.as_integer().map(|n| n as f64));
        let number = number.filter(|n| n.is_finite());
        if number.is_none() {
            self.wrong(key, "is not a number");
        }
        number.unwrap_or(default)
    }

    /// A list of texts; one alone may stand without brackets.
    pub fn names(&mut self, key: &'static str) -> Names {
        let Some(item) = self.item(key) else {
            return Names::new();
        };
        if let Some(text) = item.as_str() {
            return vec![text.to_owned()];
        }
        let texts = item.as_array().map(|array| {
            let texts = array.iter().map(Value::as_str);
            texts.map(|text| text.map(str::to_owned)).collect::<Option<Names>>()
        });
        let texts = texts.flatten();
        if texts.is_none() {
            self.is_a(key, item, "texts in quotes: [\"one\", \"other\"]");
        }
        texts.unwrap_or_default()
    }

    /// Names and texts of a table.
    pub fn pairs(&mut self, key: &'static str) -> Vec<(String, String)> {
        let Some(item) = self.item(key) else { return Vec::new() };
        let pairs = item.as_table_like().map(|table| {
            let pairs = table.iter().map(|(name, item)| Some((name, item.as_str()?)));
            let own = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
            pairs.map(|pair| pair.map(own)).collect::<Option<Vec<_>>>()
        });
        let pairs = pairs.flatten();
        if pairs.is_none() {
            self.is_a(key, item, "names with texts in quotes: { name = \"text\" }");
        }
        pairs.unwrap_or_default()
    }

    /// Reads a table below this one. Where it is missing, what it needs is missing.
    pub fn below<R>(&mut self, key: &'static str, read: impl FnOnce(&mut Table<'_, 't>) -> R) -> R {
        let item = self.item(key);
        let table = item.and_then(Item::as_table_like);
        match item {
            Some(item) if table.is_none() => self.is_a(key, item, "a table"),
            None => self.wrong(key, "is missing: write this table"),
            Some(_) => {}
        }
        let (at, path) = (
            item.and_then(Item::span).map_or(self.at, |span| span.start),
            self.full(key),
        );
        read_table(table, path, at, self.source, read)
    }

    /// The same of a table that may be missing.
    pub fn optional<R>(&mut self, key: &'static str, read: impl FnOnce(&mut Table<'_, 't>) -> R) -> Option<R> {
        self.item(key)?;
        Some(self.below(key, read))
    }

    /// Reads every table of `[[key]]`.
    pub fn each<R>(&mut self, key: &'static str, mut read: impl FnMut(&mut Table<'_, 't>) -> R) -> Vec<R> {
        let Some(item) = self.item(key) else { return Vec::new() };
        let tables: Vec<(&dyn TableLike, usize)> = match item {
            Item::ArrayOfTables(tables) => {
                let start = |span: Option<std::ops::Range<usize>>| span.map_or(0, |span| span.start);
                tables.iter().map(|t| (t as &dyn TableLike, start(t.span()))).collect()
            }
            Item::Value(Value::Array(array)) => {
                let inline = array.iter().filter_map(|value| {
                    let table = value.as_inline_table()?;
                    Some((table as &dyn TableLike, value.span().map_or(0, |span| span.start)))
                });
                inline.collect()
            }
            item => {
                self.is_a(key, item, "tables: [[units]]");
                return Vec::new();
            }
        };
        let path = self.full(key);
        let numbered = tables.into_iter().enumerate();
        let read = |(i, (table, at))| read_table(Some(table), format!("{path}[{i}]"), at, self.source, &mut read);
        numbered.map(read).collect()
    }

    /// Says what nobody asked for.
    pub fn finish(mut self) {
        let Some(table) = self.table else { return };
        let strange = table.iter().filter(|(key, _)| !self.asked.contains(key));
        let strange: Vec<String> = strange.map(|(key, _)| key.to_owned()).collect();
        let known: Vec<&str> = self.asked.iter().copied().collect();
        let known = known.join(", ");
        for key in strange {
            self.wrong(&key, format!("means nothing here: known are {known}"));
        }
    }
}

fn read_table<'t, R>(
    table: Option<&dyn TableLike>,
    path: String,
    at: usize,
    source: &mut Source<'t>,
    read: impl FnOnce(&mut Table<'_, 't>) -> R,
) -> R {
    let mut table = Table {
        table,
        path,
        at,
        asked: BTreeSet::new(),
        source,
    };
    let result = read(&mut table);
    table.finish();
    result
}
