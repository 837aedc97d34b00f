//! What a body says of a rule, field by field, so that each that is wrong is named.

use std::collections::BTreeMap;

use model::Micros;
use schemas::{FlapPolicy, Rule, Scope};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::rules::{FlapItem, ScopeItem};
use crate::{ApiError, Code};

/// A rule to write. What the item of a rule has beside these is passed over, so that an item that was read can be sent back.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read by hand for better messages")]
pub struct RuleBody {
    /// Given: the next version of this rule; else a new one is made.
    rule_id: Option<String>,
    /// Given: refused if this is no longer the version that stands.
    version: Option<i64>,
    /// Whether it is applied; yes unless said.
    enabled: Option<bool>,
    /// Name (also `rule_name`).
    name: String,
    /// What it is for.
    description: Option<String>,
    /// critical, major, minor, warning, indeterminate, in any case.
    severity: String,
    /// above, below, outside (also `range`), rate, state, no_data, slope, in any case.
    condition: String,
    /// Measure (also `measure_key`).
    measure: Option<String>,
    /// Lower limit (also `threshold_min`).
    low: Option<f64>,
    /// Upper limit (also `threshold_max`).
    high: Option<f64>,
    /// rate, slope: seconds.
    window_s: Option<i64>,
    /// state: states.
    states: Option<Vec<String>>,
    /// state: causes.
    causes: Option<Vec<String>>,
    /// Unless said 0.5 for what has a limit (also `hysteresis`).
    dead_band: Option<f64>,
    /// Seconds; 0 unless said.
    raise_after_s: Option<i64>,
    /// Seconds; 0 unless said.
    clear_after_s: Option<i64>,
    /// Seconds; 600 unless said.
    reraise_after_s: Option<i64>,
    /// Text of its alarms; made from the rule unless said.
    message: Option<String>,
    /// What it applies to; everything unless said.
    scope: Option<ScopeItem>,
    /// When it is suppressed; null: never.
    flap: Option<FlapItem>,
}

/// What was asked for under another name (m83).
const OTHER_NAMES: [(&str, &str); 5] = [
    ("rule_name", "name"),
    ("measure_key", "measure"),
    ("threshold_min", "low"),
    ("threshold_max", "high"),
    ("hysteresis", "dead_band"),
];
/// What a server says of a version.
const SERVERS: [&str; 5] = ["type", "writer", "at", "author", "removed"];
const FIELDS: [&str; 20] = [
    "rule_id",
    "version",
    "enabled",
    "name",
    "description",
    "severity",
    "condition",
    "measure",
    "low",
    "high",
    "window_s",
    "states",
    "causes",
    "dead_band",
    "raise_after_s",
    "clear_after_s",
    "reraise_after_s",
    "message",
    "scope",
    "flap",
];
/// m83: hysteresis against flapping.
const DEAD_BAND: f64 = 0.5;
const RERAISE_AFTER_S: i64 = 600;

/// The refusal of some fields, each with what would be right.
pub fn refused<'a>(wrong: impl IntoIterator<Item = (&'a str, &'a str)>) -> ApiError {
    let mut error = ApiError::new(Code::ValidationFailed, String::new());
    for (field, message) in wrong {
        if error.message.is_empty() {
            error.message = format!("`{field}`: {message}");
        }
        // The first thing that is wrong with a field says most.
        error.details.entry(field).or_insert_with(|| message.into());
    }
    error
}

/// A rule as a body asks for it; its author, time and number are not its own yet.
pub struct Draft {
    /// The rule.
    pub rule: Rule,
    /// The version that it is a change of, if the body says so.
    pub version: Option<i64>,
}

impl Draft {
    /// Reads a body: a change of `before`, or a new rule.
    ///
    /// # Errors
    /// VALIDATION_FAILED with each field that is not of its type, or none of a rule's.
    pub fn read(body: &Map<String, Value>, before: Option<&Rule>) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        let mut rule = before.cloned().unwrap_or_else(new_rule);
        fields.flag("enabled", &mut rule.enabled);
        fields.text("name", &mut rule.name);
        fields.optional_text("description", &mut rule.description);
        fields.word("severity", &mut rule.severity);
        fields.word("condition", &mut rule.condition);
        if rule.condition == "range" {
            rule.condition = "outside".into();
        }
        fields.optional_text("measure", &mut rule.measure);
        fields.optional_number("low", &mut rule.low);
        fields.optional_number("high", &mut rule.high);
        fields.optional_whole("window_s", &mut rule.window_s);
        fields.list("states", &mut rule.states);
        fields.list("causes", &mut rule.causes);
        if before.is_none() && matches!(rule.condition.as_str(), "state" | "no_data") {
            // Nothing is compared with a limit.
            rule.dead_band = 0.0;
        }
        fields.number("dead_band", &mut rule.dead_band);
        fields.whole("raise_after_s", &mut rule.raise_after_s);
        fields.whole("clear_after_s", &mut rule.clear_after_s);
        fields.whole("reraise_after_s", &mut rule.reraise_after_s);
        if rule.message.is_empty() {
            rule.message = message(&rule.condition).to_owned();
        }
        fields.text("message", &mut rule.message);
        fields.scope(&mut rule.scope);
        fields.flap(&mut rule.flap);
        let mut version = None;
        fields.optional_whole("version", &mut version);
        fields.done()?;
        Ok(Self { rule, version })
    }
}

fn new_rule() -> Rule {
    Rule {
        rule_id: format!("rule-{:012x}", rand::random::<u64>() >> 16),
        version: 1,
        writer: "draft".into(),
        at: Micros(0),
        author: String::new(),
        removed: false,
        enabled: true,
        name: String::new(),
        description: None,
        severity: String::new(),
        condition: String::new(),
        measure: None,
        low: None,
        high: None,
        window_s: None,
        states: Vec::new(),
        causes: Vec::new(),
        dead_band: DEAD_BAND,
        raise_after_s: 0,
        clear_after_s: 0,
        reraise_after_s: RERAISE_AFTER_S,
        message: String::new(),
        scope: Scope::EVERYTHING,
        flap: None,
    }
}

/// What alarms of a rule say unless its author says otherwise.
fn message(condition: &str) -> &'static str {
    match condition {
        "state" => "{name} is {state}",
        "no_data" => "{name} has told nothing since {since}",
        _ => "{measure} of {name} is {value} {unit}, limit {limit} {unit}",
    }
}

/// A body's fields, and what is wrong with them so far.
struct Fields<'a> {
    values: BTreeMap<&'a str, &'a Value>,
    wrong: Vec<(&'static str, &'static str)>,
    unknown: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    fn new(body: &'a Map<String, Value>) -> Self {
        let mut fields = Self {
            values: BTreeMap::new(),
            wrong: Vec::new(),
            unknown: Vec::new(),
        };
        for (name, value) in body {
            let other = OTHER_NAMES.iter().find(|(other, _)| other == name);
            match other.map(|(_, ours)| *ours) {
                // Said by both names, our own counts.
                Some(ours) => drop(fields.values.entry(ours).or_insert(value)),
                None if FIELDS.contains(&name.as_str()) => drop(fields.values.insert(name, value)),
                None if SERVERS.contains(&name.as_str()) => {}
                None => fields.unknown.push(name),
            }
        }
        fields
    }

    /// A field that is given, read by `read`; `None` of that is wrong.
    fn read<T>(&mut self, name: &'static str, is: &'static str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.values.get(name)?;
        let read = read(value);
        if read.is_none() {
            self.wrong.push((name, is));
        }
        read
    }

    fn set<T>(&mut self, name: &'static str, is: &'static str, into: &mut T, read: impl Fn(&Value) -> Option<T>) {
        if let Some(value) = self.read(name, is, read) {
            *into = value;
        }
    }

    fn flag(&mut self, name: &'static str, into: &mut bool) {
        self.set(name, "true or false", into, Value::as_bool);
    }

    fn text(&mut self, name: &'static str, into: &mut String) {
        self.set(name, "a text", into, |v| v.as_str().map(str::to_owned));
    }

    /// A word of a closed set, in any case.
    fn word(&mut self, name: &'static str, into: &mut String) {
        self.set(name, "a word", into, |v| v.as_str().map(str::to_lowercase));
    }

    fn optional_text(&mut self, name: &'static str, into: &mut Option<String>) {
        self.set(
            name,
            "a text, or null",
            into,
            optional(|v| v.as_str().map(str::to_owned)),
        );
        if into.as_deref().is_some_and(|text| text.trim().is_empty()) {
            *into = None;
        }
    }

    fn number(&mut self, name: &'static str, into: &mut f64) {
        self.set(name, "a number", into, Value::as_f64);
    }

    fn optional_number(&mut self, name: &'static str, into: &mut Option<f64>) {
        self.set(name, "a number, or null", into, optional(Value::as_f64));
    }

    fn whole(&mut self, name: &'static str, into: &mut i64) {
        self.set(name, "a whole number", into, Value::as_i64);
    }

    fn optional_whole(&mut self, name: &'static str, into: &mut Option<i64>) {
        self.set(name, "a whole number, or null", into, optional(Value::as_i64));
    }

    fn list(&mut self, name: &'static str, into: &mut Vec<String>) {
        let texts = |v: &Value| match v {
            Value::Null => Some(Vec::new()),
            Value::Array(list) => list.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        self.set(name, "a list of words", into, texts);
    }

    fn scope(&mut self, into: &mut Scope) {
        let read = |v: &Value| {
            if v.is_null() {
                Some(Scope::EVERYTHING)
            } else {
                scope_of(v)
            }
        };
        let is = "an object of texts: tenant, kind, vendor, family, model, site, entity";
        self.set("scope", is, into, read);
    }

    fn flap(&mut self, into: &mut Option<FlapPolicy>) {
        let read = optional(|v| serde_json::from_value(v.clone()).ok());
        let is = "null, or the numbers penalty, half_life_s, suppress, reuse, ceiling";
        self.set("flap", is, into, read);
    }

    fn done(self) -> Result<(), ApiError> {
        if self.wrong.is_empty() && self.unknown.is_empty() {
            return Ok(());
        }
        let unknown: Vec<String> = self.unknown.iter().map(|name| crate::audit::cut(name)).collect();
        let unknown = unknown.iter().map(|name| (name.as_str(), "no field of a rule"));
        Err(refused(self.wrong.iter().copied().chain(unknown)))
    }
}

fn optional<T>(read: impl Fn(&Value) -> Option<T>) -> impl Fn(&Value) -> Option<Option<T>> {
    move |value| {
        if value.is_null() {
            Some(None)
        } else {
            read(value).map(Some)
        }
    }
}

/// A scope of known words; an empty text is as good as none.
pub fn scope_of(value: &Value) -> Option<Scope> {
    let object = value.as_object()?;
    let known = ["tenant", "kind", "vendor", "family", "model", "site", "entity"];
    if object.keys().any(|name| !known.contains(&name.as_str())) {
        return None;
    }
    let mut scope: Scope = serde_json::from_value(value.clone()).ok()?;
    let words = [
        &mut scope.tenant,
        &mut scope.kind,
        &mut scope.vendor,
        &mut scope.family,
        &mut scope.model,
        &mut scope.site,
        &mut scope.entity,
    ];
    for word in words {
        if word.as_deref().is_some_and(|text| text.trim().is_empty()) {
            *word = None;
        }
    }
    Some(scope)
}

#[cfg(test)]
mod tests {
    use schemas::rules::{CheckedRule, default_rules};
    use serde_json::json;

    use super::*;

    fn read(body: Value, before: Option<&Rule>) -> Result<Rule, ApiError> {
        Draft::read(body.as_object().unwrap(), before).map(|draft| draft.rule)
    }

    #[test]
    fn what_was_asked_for_under_other_names_is_a_rule() {
        let body = json!({
            "rule_name": "Light too weak", "measure_key": "onu_rx_power", "condition": "RANGE", "threshold_min": -27, "threshold_max": -8.0,
            "severity": "MINOR", "enabled": true
        });
        let rule = read(body, None).unwrap();
        assert_eq!((rule.condition.as_str(), rule.severity.as_str()), ("outside", "minor"));
        assert_eq!((rule.low, rule.high, rule.dead_band), (Some(-27.0), Some(-8.0), 0.5));
        let mut written = rule;
        (written.author, written.at) = ("ana".into(), Micros(1));
        assert_eq!(CheckedRule::new(&written).err(), None);
    }

    #[test]
    fn an_update_changes_what_it_names() {
        let before = default_rules().remove(0);
        let after = read(
            json!({ "enabled": false, "description": null, "scope": { "site": "RJO", "kind": "" } }),
            Some(&before),
        );
        let after = after.unwrap();
        assert_eq!(
            (after.enabled, &after.name, after.low),
            (false, &before.name, before.low)
        );
        assert_eq!(
            (after.scope.site.as_deref(), after.scope.kind, after.scope.model),
            (Some("RJO"), None, None)
        );
    }

    #[test]
    fn each_field_that_is_wrong_is_named() {
        let body = json!({ "name": 7, "low": "weak", "states": ["up", 1], "flap": { "penalty": 1 }, "colour": "red", "raise_after_s": 1.5 });
        let error = read(body, None).err().unwrap();
        let fields: Vec<_> = error.details.keys().map(String::as_str).collect();
        assert_eq!(fields, ["colour", "flap", "low", "name", "raise_after_s", "states"]);
        assert!(error.message.starts_with('`'), "{}", error.message);
    }
}
