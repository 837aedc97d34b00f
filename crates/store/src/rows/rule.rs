//! Every version of the alarm rules and of the silences. A version never changes.

use std::collections::BTreeMap;

use ColumnType::{Bigint, Boolean, Double, Map, Text, Timestamp};
use model::Micros;

use super::fields::{Fields, Out, column, get, instant, lines, optional_text, text};
use crate::{ColumnType, Order, Row, StoreError, TableDef, Value};

/// The tenant of what belongs to none alone.
const EVERYBODY: &str = "*";

/// Versions of rules, a partition a rule.
pub static ALERT_RULES: TableDef = TableDef {
    name: "alert_rules",
    partition_key: &[column("tenant", Text), column("rule_id", Text)],
    clustering_key: &[
        (column("version", Bigint), Order::Asc),
        (column("writer", Text), Order::Asc),
    ],
    columns: &[
        column("at", Timestamp),
        column("author", Text),
        column("removed", Boolean),
        column("enabled", Boolean),
        column("name", Text),
        column("description", Text),
        column("severity", Text),
        column("condition", Text),
        column("measure", Text),
        column("low", Double),
        column("high", Double),
        column("window_s", Bigint),
        column("states", Text),
        column("causes", Text),
        column("dead_band", Double),
        column("raise_after_s", Bigint),
        column("clear_after_s", Bigint),
        column("reraise_after_s", Bigint),
        column("message", Text),
        column("applies_to", Map),
        column("flap", Map),
    ],
    retention: None,
    mutable: false,
};

/// Versions of silences, a partition a silence.
pub static SILENCES: TableDef = TableDef {
    name: "silences",
    partition_key: &[column("tenant", Text), column("silence_id", Text)],
    clustering_key: &[
        (column("version", Bigint), Order::Asc),
        (column("writer", Text), Order::Asc),
    ],
    columns: &[
        column("at", Timestamp),
        column("author", Text),
        column("removed", Boolean),
        column("applies_to", Map),
        column("alarm_type", Text),
        column("until", Timestamp),
        column("reason", Text),
    ],
    retention: None,
    mutable: false,
};

/// What a rule or a silence applies to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `Scope`, documented in the schema of `Rule`"
)]
pub struct ScopeRow {
    pub tenant: Option<String>,
    pub kind: Option<String>,
    pub vendor: Option<String>,
    pub family: Option<String>,
    pub model: Option<String>,
    pub site: Option<String>,
    pub entity: Option<String>,
}

/// When an alarm that comes and goes is suppressed.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `FlapPolicy`, documented in the schema of `Rule`"
)]
pub struct FlapRow {
    pub penalty: f64,
    pub half_life_s: i64,
    pub suppress: f64,
    pub reuse: f64,
    pub ceiling: f64,
}

/// One row of [`ALERT_RULES`].
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record `Rule`, documented in its schema")]
pub struct RuleRow {
    pub rule_id: String,
    pub version: i64,
    pub writer: String,
    pub at: Micros,
    pub author: String,
    pub removed: bool,
    pub enabled: bool,
    pub name: String,
    pub description: Option<String>,
    pub severity: String,
    pub condition: String,
    pub measure: Option<String>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub window_s: Option<i64>,
    pub states: Vec<String>,
    pub causes: Vec<String>,
    pub dead_band: f64,
    pub raise_after_s: i64,
    pub clear_after_s: i64,
    pub reraise_after_s: i64,
    pub message: String,
    pub scope: ScopeRow,
    pub flap: Option<FlapRow>,
}

/// One row of [`SILENCES`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record `Silence`, documented in its schema")]
pub struct SilenceRow {
    pub silence_id: String,
    pub version: i64,
    pub writer: String,
    pub at: Micros,
    pub author: String,
    pub removed: bool,
    pub scope: ScopeRow,
    pub alarm_type: Option<String>,
    pub until: Micros,
    pub reason: String,
}

impl RuleRow {
    /// The row of [`ALERT_RULES`].
    pub fn to_row(&self) -> Row {
        Row {
            table: &ALERT_RULES,
            key: vec![
                self.scope.owner(),
                text(&self.rule_id),
                Value::Bigint(self.version),
                text(&self.writer),
            ],
            columns: vec![
                Some(instant(self.at)),
                Some(text(&self.author)),
                Some(Value::Boolean(self.removed)),
                Some(Value::Boolean(self.enabled)),
                Some(text(&self.name)),
                optional_text(self.description.as_ref()),
                Some(text(&self.severity)),
                Some(text(&self.condition)),
                optional_text(self.measure.as_ref()),
                self.low.map(Value::Double),
                self.high.map(Value::Double),
                self.window_s.map(Value::Bigint),
                lines(&self.states),
                lines(&self.causes),
                Some(Value::Double(self.dead_band)),
                Some(Value::Bigint(self.raise_after_s)),
                Some(Value::Bigint(self.clear_after_s)),
                Some(Value::Bigint(self.reraise_after_s)),
                Some(text(&self.message)),
                self.scope.to_value(),
                self.flap.map(FlapRow::to_value),
            ],
            wts_us: self.at.0,
            expires_at_ms: None,
        }
    }

    /// Reads a row of [`ALERT_RULES`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&ALERT_RULES])?;
        Ok(Self {
            rule_id: fields.text("rule_id")?,
            version: fields.bigint("version")?,
            writer: fields.text("writer")?,
            at: fields.instant("at")?,
            author: fields.text("author")?,
            removed: fields.boolean("removed")?,
            enabled: fields.boolean("enabled")?,
            name: fields.text("name")?,
            description: fields.optional_text("description")?,
            severity: fields.text("severity")?,
            condition: fields.text("condition")?,
            measure: fields.optional_text("measure")?,
            low: fields.optional_double("low")?,
            high: fields.optional_double("high")?,
            window_s: fields.optional_bigint("window_s")?,
            states: fields.lines("states")?,
            causes: fields.lines("causes")?,
            dead_band: fields.double("dead_band")?,
            raise_after_s: fields.bigint("raise_after_s")?,
            clear_after_s: fields.bigint("clear_after_s")?,
            reraise_after_s: fields.bigint("reraise_after_s")?,
            message: fields.text("message")?,
            scope: fields.part("applies_to", ScopeRow::from_map)?.unwrap_or_default(),
            flap: fields.part("flap", FlapRow::from_map)?,
        })
    }
}

impl SilenceRow {
    /// The row of [`SILENCES`].
    pub fn to_row(&self) -> Row {
        Row {
            table: &SILENCES,
            key: vec![
                self.scope.owner(),
                text(&self.silence_id),
                Value::Bigint(self.version),
                text(&self.writer),
            ],
            columns: vec![
                Some(instant(self.at)),
                Some(text(&self.author)),
                Some(Value::Boolean(self.removed)),
                self.scope.to_value(),
                optional_text(self.alarm_type.as_ref()),
                Some(instant(self.until)),
                Some(text(&self.reason)),
            ],
            wts_us: self.at.0,
            expires_at_ms: None,
        }
    }

    /// Reads a row of [`SILENCES`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&SILENCES])?;
        Ok(Self {
            silence_id: fields.text("silence_id")?,
            version: fields.bigint("version")?,
            writer: fields.text("writer")?,
            at: fields.instant("at")?,
            author: fields.text("author")?,
            removed: fields.boolean("removed")?,
            scope: fields.part("applies_to", ScopeRow::from_map)?.unwrap_or_default(),
            alarm_type: fields.optional_text("alarm_type")?,
            until: fields.instant("until")?,
            reason: fields.text("reason")?,
        })
    }
}

impl ScopeRow {
    /// Whose it is: first half of the partition key.
    fn owner(&self) -> Value {
        text(self.tenant.as_deref().filter(|t| !t.is_empty()).unwrap_or(EVERYBODY))
    }

    fn to_value(&self) -> Option<Value> {
        let mut out = Out::default();
        out.put("tenant", self.tenant.as_ref());
        out.put("kind", self.kind.as_ref());
        out.put("vendor", self.vendor.as_ref());
        out.put("family", self.family.as_ref());
        out.put("model", self.model.as_ref());
        out.put("site", self.site.as_ref());
        out.put("entity", self.entity.as_ref());
        (!out.0.is_empty()).then_some(Value::Map(out.0))
    }

    fn from_map(map: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            tenant: get(map, "tenant")?,
            kind: get(map, "kind")?,
            vendor: get(map, "vendor")?,
            family: get(map, "family")?,
            model: get(map, "model")?,
            site: get(map, "site")?,
            entity: get(map, "entity")?,
        })
    }
}

impl FlapRow {
    fn to_value(self) -> Value {
        let mut out = Out::default();
        out.put("penalty", Some(self.penalty));
        out.put("half_life_s", Some(self.half_life_s));
        out.put("suppress", Some(self.suppress));
        out.put("reuse", Some(self.reuse));
        out.put("ceiling", Some(self.ceiling));
        Value::Map(out.0)
    }

    fn from_map(map: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            penalty: get(map, "penalty")??,
            half_life_s: get(map, "half_life_s")??,
            suppress: get(map, "suppress")??,
            reuse: get(map, "reuse")??,
            ceiling: get(map, "ceiling")??,
        })
    }
}
