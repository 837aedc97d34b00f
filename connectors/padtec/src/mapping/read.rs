//! From the text of a mapping to a checked one.

use std::time::Duration;

use jiff::civil::DateTime;
use regex_lite::Regex;
use toml_edit::Document;

use super::toml::{Problems, Source, Table};
use super::{
    AlarmFields, Api, Auth, CardFields, Count, Counts, GROUPS, List, LoginShape, Mapping, MeasureFields, QualityRules,
    TimeFormat, UnitRow,
};

/// Rows of a page that may be asked for.
const SIZE_MAX: u64 = 10_000;

pub(super) fn mapping(name: &str, file: &str, text: &str) -> Result<Mapping, Problems> {
    let mut source = Source {
        file,
        text,
        problems: Vec::new(),
    };
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let message = error.message().replace('\n', ", ");
            source.problem(at, "", format!("is not TOML: {message}"));
            return Err(Problems(source.problems));
        }
    };
    let mut top = Table::new(document.as_table(), &mut source);
    let (cards, measures, alarms) = top.below("lists", |lists| {
        (
            lists.below("cards", list),
            lists.below("measures", list),
            lists.below("alarms", list),
        )
    });
    let (up, down) = top.below("words", |words| {
        (capitals(words.names("up")), capitals(words.names("down")))
    });
    let (card, measure, alarm) = top.below("fields", |fields| {
        (
            fields.below("card", card),
            fields.below("measure", measure),
            fields.below("alarm", alarm),
        )
    });
    let mapping = Mapping {
        name: name.to_owned(),
        api: top.below("api", api),
        auth: top.below("auth", auth),
        cards,
        measures,
        alarms,
        time: top.below("time", time),
        quality: top.below("quality", quality),
        critical: top.patterns("critical"),
        passive: capitals(top.names("passive")),
        up,
        down,
        units: top.each("units", unit),
        card,
        measure,
        alarm,
    };
    top.finish();
    if source.problems.is_empty() {
        Ok(mapping)
    } else {
        Err(Problems(source.problems))
    }
}

fn api(table: &mut Table<'_, '_>) -> Api {
    let prefix = table.text("prefix").unwrap_or_default();
    if !is_path(&prefix) && !prefix.is_empty() {
        table.wrong("prefix", "is not a path: begin it with / and write no ? or #");
    }
    let (page_param, counts, first) = table.below("page", |page| {
        let counts = match page.needed_text("counts").as_str() {
            "pages" => Counts::Pages,
            "rows" => Counts::Rows,
            _ => {
                page.wrong("counts", "is neither \"pages\" nor \"rows\"");
                Counts::Pages
            }
        };
        (param(page), counts, page.number("first", 0, (0, 1)))
    });
    let (size_param, size) = table.below("size", |size| (param(size), size.number("rows", 100, (1, SIZE_MAX))));
    Api {
        prefix,
        page_param,
        counts,
        first,
        size_param,
        size,
        timeout: Duration::from_secs(table.number("timeout_s", 15, (1, 300))),
    }
}

/// A parameter's name: it goes into an address as it is.
fn param(table: &mut Table<'_, '_>) -> String {
    let name = table.needed_text("param");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.is_empty() && !name.chars().all(is_plain) {
        table.wrong("param", "is not a parameter's name: letters, digits, `_`, `-`, `.`");
    }
    name
}

fn auth(table: &mut Table<'_, '_>) -> Auth {
    let scheme = table.needed_text("scheme");
    if !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        table.wrong("scheme", "is not one word");
    }
    let login = table.optional("login", |login| LoginShape {
        path: path(login, "path"),
        user: login.needed_text("user"),
        password: login.needed_text("password"),
        token: login.needed_text("token"),
        extra: login.pairs("extra"),
    });
    Auth { scheme, login }
}

fn list(table: &mut Table<'_, '_>) -> List {
    let query = table.text("query");
    let is_query = |text: &String| text.bytes().all(|b| b.is_ascii_graphic() && b != b'#' && b != b'?');
    if query.as_ref().is_some_and(|query| !is_query(query)) {
        table.wrong("query", "is not a query: write name=value&name=value, encoded");
    }
    let counted = table.optional("count", |count| Count::Path {
        path: path(count, "path"),
        field: count.text("field"),
    });
    let total = table.text("total").map(Count::Field);
    if counted.is_some() && total.is_some() {
        table.wrong("total", "is there beside `count`: keep one of the two");
    }
    List {
        path: path(table, "path"),
        query,
        count: counted.or(total).unwrap_or(Count::Nobody),
    }
}

fn path(table: &mut Table<'_, '_>, key: &'static str) -> String {
    let path = table.needed_text(key);
    if !path.is_empty() && !is_path(&path) {
        table.wrong(key, "is not a path: begin it with / and write no ? or #");
    }
    path
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic() && b != b'?' && b != b'#')
}

fn time(table: &mut Table<'_, '_>) -> TimeFormat {
    let format = table.needed_text("format");
    match format.as_str() {
        "rfc3339" => TimeFormat::Rfc3339,
        "epoch_s" => TimeFormat::EpochSeconds,
        "epoch_ms" => TimeFormat::EpochMillis,
        _ => {
            let sample = DateTime::constant(2026, 11, 21, 23, 56, 14, 0);
            let written = jiff::fmt::strtime::format(&format, sample);
            let back = written.ok().and_then(|text| DateTime::strptime(&format, text).ok());
            if back != Some(sample) {
                let right = "\"%Y-%m-%d %H:%M:%S\" or alike, \"rfc3339\", \"epoch_s\", \"epoch_ms\"";
                table.wrong(
                    "format",
                    format!("does not tell date and time to the second: write {right}"),
                );
            }
            TimeFormat::Local(format)
        }
    }
}

fn quality(table: &mut Table<'_, '_>) -> QualityRules {
    let card_down = table.text("card_down").unwrap_or_else(|| "stale".to_owned());
    if !matches!(card_down.as_str(), "stale" | "good") {
        table.wrong("card_down", "is neither \"stale\" nor \"good\"");
    }
    QualityRules {
        stale_after: Duration::from_secs(table.number("stale_after_s", 90, (1, 86_400))),
        down_is_stale: card_down == "stale",
    }
}

fn unit(table: &mut Table<'_, '_>) -> UnitRow {
    let group = table.needed_text("group");
    let known = GROUPS.iter().find(|known| **known == group);
    if known.is_none() {
        table.wrong("group", format!("is none of {}", GROUPS.join(", ")));
    }
    let name = table.pattern("name");
    let its_group = table.text("its_group").map(|group| group.to_uppercase());
    if name.is_none() && its_group.is_none() {
        table.wrong("name", "is missing, and `its_group` too: say which measures are meant");
    }
    let (min, max) = (table.decimal("min", f64::MIN), table.decimal("max", f64::MAX));
    if min > max {
        table.wrong("min", "is larger than `max`");
    }
    UnitRow {
        name,
        its_group,
        unit: table.text("unit").unwrap_or_default(),
        group: known.unwrap_or(&"other"),
        min,
        max,
    }
}

fn card(table: &mut Table<'_, '_>) -> CardFields {
    let fields = CardFields::read(table);
    needed(table, &[("key", &fields.key)]);
    fields
}

fn measure(table: &mut Table<'_, '_>) -> MeasureFields {
    let fields = MeasureFields::read(table);
    needed(
        table,
        &[("name", &fields.name), ("value", &fields.value), ("at", &fields.at)],
    );
    fields
}

fn alarm(table: &mut Table<'_, '_>) -> AlarmFields {
    let fields = AlarmFields::read(table);
    needed(table, &[("type", &fields.kind), ("severity", &fields.severity)]);
    fields
}

fn needed(table: &mut Table<'_, '_>, fields: &[(&str, &super::Names)]) {
    for (key, names) in fields {
        if names.is_empty() {
            table.wrong(key, "is missing: write the names of the field");
        }
    }
}

impl Table<'_, '_> {
    fn pattern(&mut self, key: &'static str) -> Option<Regex> {
        let text = self.text(key)?;
        self.compiled(key, &text)
    }

    fn patterns(&mut self, key: &'static str) -> Vec<Regex> {
        let texts = self.names(key);
        texts.iter().filter_map(|text| self.compiled(key, text)).collect()
    }

    fn compiled(&mut self, key: &'static str, text: &str) -> Option<Regex> {
        match Regex::new(text) {
            Ok(regex) => Some(regex),
            Err(error) => {
                self.wrong(key, format!("has a pattern that is none, `{text}`: {error}"));
                None
            }
        }
    }
}

fn capitals(words: Vec<String>) -> Vec<String> {
    words.into_iter().map(|word| word.to_uppercase()).collect()
}
