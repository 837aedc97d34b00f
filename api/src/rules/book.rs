//! Every version of the rules and silences.

use std::collections::BTreeMap;

use schemas::{AnyRecord, Rule, Silence};

/// What has versions, each of which never changes.
pub trait Versioned: Clone + Into<AnyRecord> {
    /// What all its versions are of.
    fn id(&self) -> &str;
    /// Its number.
    fn number(&self) -> i64;
    /// Who wrote it.
    fn writer(&self) -> &str;
    /// Gives it its number and its writer.
    fn stamp(&mut self, number: i64, writer: &str);
    /// All versions of one, the oldest first.
    fn versions<'a>(book: &'a Book, id: &str) -> &'a [Self];
    /// Adds a version.
    fn learn(book: &mut Book, version: Self);

    /// Key of its record: no two versions have the same, so compaction keeps all of them.
    fn key(&self) -> String {
        format!("{}#{}#{}", self.id(), self.number(), self.writer())
    }
}

/// All that is known.
#[derive(Debug, Default)]
pub struct Book {
    rules: BTreeMap<String, Vec<Rule>>,
    silences: BTreeMap<String, Vec<Silence>>,
}

impl Book {
    /// The version of a rule that stands, if it is not removed.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)?.last().filter(|rule| !rule.removed)
    }

    /// The version of a silence that stands, if it is not removed.
    pub fn silence(&self, id: &str) -> Option<&Silence> {
        self.silences.get(id)?.last().filter(|silence| !silence.removed)
    }

    /// The version of each rule that stands, removed ones too, by id.
    pub fn current_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values().filter_map(|versions| versions.last())
    }

    /// The version of each silence that stands, removed ones too, by id.
    pub fn current_silences(&self) -> impl Iterator<Item = &Silence> {
        self.silences.values().filter_map(|versions| versions.last())
    }

    /// One version of a rule; of two with one number the one that stands.
    pub fn rule_version(&self, id: &str, number: i64) -> Option<&Rule> {
        self.rules.get(id)?.iter().rfind(|rule| rule.version == number)
    }
}

/// Puts a version where it belongs; one that is known already changes nothing.
fn insert<T: Versioned>(versions: &mut Vec<T>, version: T) {
    let place =
        versions.binary_search_by(|known| (known.number(), known.writer()).cmp(&(version.number(), version.writer())));
    if let Err(place) = place {
        versions.insert(place, version);
    }
}

impl Versioned for Rule {
    fn id(&self) -> &str {
        &self.rule_id
    }

    fn number(&self) -> i64 {
        self.version
    }

    fn writer(&self) -> &str {
        &self.writer
    }

    fn stamp(&mut self, number: i64, writer: &str) {
        (self.version, self.writer) = (number, writer.to_owned());
    }

    fn versions<'a>(book: &'a Book, id: &str) -> &'a [Self] {
        book.rules.get(id).map_or(&[], Vec::as_slice)
    }

    fn learn(book: &mut Book, version: Self) {
        insert(book.rules.entry(version.rule_id.clone()).or_default(), version);
    }
}

impl Versioned for Silence {
    fn id(&self) -> &str {
        &self.silence_id
    }

    fn number(&self) -> i64 {
        self.version
    }

    fn writer(&self) -> &str {
        &self.writer
    }

    fn stamp(&mut self, number: i64, writer: &str) {
        (self.version, self.writer) = (number, writer.to_owned());
    }

    fn versions<'a>(book: &'a Book, id: &str) -> &'a [Self] {
        book.silences.get(id).map_or(&[], Vec::as_slice)
    }

    fn learn(book: &mut Book, version: Self) {
        insert(book.silences.entry(version.silence_id.clone()).or_default(), version);
    }
}

#[cfg(test)]
mod tests {
    use schemas::rules::default_rules;

    use super::*;

    fn version(number: i64, writer: &str) -> Rule {
        let mut rule = default_rules().remove(0);
        rule.stamp(number, writer);
        rule
    }

    #[test]
    fn the_highest_version_stands_in_whatever_order_they_come() {
        let all = [
            version(1, "a"),
            version(2, "b"),
            version(2, "a"),
            version(3, "a"),
            version(1, "b"),
        ];
        let id = all[0].rule_id.clone();
        for turn in 0..all.len() {
            let mut book = Book::default();
            for n in 0..2 * all.len() {
                Rule::learn(&mut book, all[(n * 2 + turn) % all.len()].clone());
            }
            let known: Vec<_> = Rule::versions(&book, &id)
                .iter()
                .map(|r| (r.version, &*r.writer))
                .collect();
            assert_eq!(known, [(1, "a"), (1, "b"), (2, "a"), (2, "b"), (3, "a")]);
            assert_eq!(book.rule(&id).map(|r| r.version), Some(3));
            assert_eq!(book.rule_version(&id, 2).map(|r| &*r.writer), Some("b"));
        }
    }

    #[test]
    fn a_removed_rule_is_none_and_still_current() {
        let mut book = Book::default();
        let mut removed = version(2, "a");
        removed.removed = true;
        Rule::learn(&mut book, version(1, "a"));
        Rule::learn(&mut book, removed.clone());
        assert_eq!(book.rule(&removed.rule_id), None);
        assert_eq!(book.current_rules().collect::<Vec<_>>(), [&removed]);
    }
}
