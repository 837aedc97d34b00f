//! What was measured: raw samples, what they add up to, and the newest of each measure.

use std::time::Duration;

use ColumnType::{Bigint, Double, Int, Text, Timestamp};
use model::rollup::{Summary, Window, year_month};
use model::{EntityId, Micros};

use super::fields::{Fields, column, instant, optional_text, text};
use super::read_group;
use crate::{Column, ColumnType, Order, Row, StoreError, TableDef, Value};

const DAY_MS: i64 = 86_400_000;

/// Raw samples are kept 30 days, hours a year, days and months three.
const RAW_KEPT: Duration = Duration::from_secs(30 * 86_400);
const HOURS_KEPT: Duration = Duration::from_secs(365 * 86_400);
const DAYS_KEPT: Duration = Duration::from_secs(3 * 365 * 86_400);

/// Raw samples of an entity and a UTC day (days since 1970). All of a sample is its key, so that a table whose rows never change
/// holds two values of one instant, in whatever order they came; the first of an instant is the one that counts. All columns descend,
/// because pages are cut between tuples.
pub static SAMPLES_RAW: TableDef = TableDef {
    name: "samples_raw",
    partition_key: &[column("entity", Text), column("day", Int)],
    clustering_key: &[
        (column("measure", Text), Order::Desc),
        (column("ts", Timestamp), Order::Desc),
        (column("quality", Int), Order::Desc),
        (column("value", Double), Order::Desc),
    ],
    columns: &[column("unit", Text)],
    retention: Some(RAW_KEPT),
    mutable: false,
};

const SUMS: &[Column] = &[
    column("unit", Text),
    column("n", Bigint),
    column("v_sum", Double),
    column("v_sumsq", Double),
    column("v_min", Double),
    column("v_max", Double),
    column("v_first", Double),
    column("first_ts", Timestamp),
    column("v_last", Double),
    column("last_ts", Timestamp),
];

const WINDOW_OF: &[Column] = &[column("entity", Text), column("bucket", Int)];
const WINDOW: &[(Column, Order)] = &[
    (column("measure", Text), Order::Desc),
    (column("ts", Timestamp), Order::Desc),
];

const fn rollup(name: &'static str, retention: Duration) -> TableDef {
    TableDef {
        name,
        partition_key: WINDOW_OF,
        clustering_key: WINDOW,
        columns: SUMS,
        retention: Some(retention),
        mutable: true,
    }
}

/// Hours of an entity and a month (yyyymm).
pub static ROLLUP_HOURLY: TableDef = rollup("rollup_hourly", HOURS_KEPT);
/// Days of an entity and a year.
pub static ROLLUP_DAILY: TableDef = rollup("rollup_daily", DAYS_KEPT);
/// Months of an entity; the bucket is 0.
pub static ROLLUP_MONTHLY: TableDef = rollup("rollup_monthly", DAYS_KEPT);

/// The newest value of each measure of the entities of a read group (see [`read_group`]).
pub static LATEST_BY_GROUP: TableDef = TableDef {
    name: "latest_by_group",
    partition_key: &[column("read_group", Text)],
    clustering_key: &[
        (column("entity", Text), Order::Asc),
        (column("measure", Text), Order::Asc),
    ],
    columns: &[
        column("value", Double),
        column("unit", Text),
        column("grp", Text),
        column("quality", Int),
        column("ts", Timestamp),
    ],
    retention: Some(RAW_KEPT),
    mutable: true,
};

/// The words of quality, best last: their place is what a row has.
const QUALITIES: [&str; 4] = ["bad", "stale", "frozen", "good"];

fn quality_value(quality: &str) -> Value {
    let place = QUALITIES.iter().position(|word| *word == quality);
    Value::Int(
        place
            .and_then(|place| i32::try_from(place).ok())
            .unwrap_or(QUALITY_UNKNOWN),
    )
}

/// A word of a newer build: it is shown as `bad`.
const QUALITY_UNKNOWN: i32 = 0;

fn quality_word(value: i32) -> &'static str {
    let word = usize::try_from(value).ok().and_then(|place| QUALITIES.get(place));
    word.copied().unwrap_or("bad")
}

/// The table that has the rows of a window.
pub fn rollup_table(window: Window) -> &'static TableDef {
    match window {
        Window::Hour => &ROLLUP_HOURLY,
        Window::Day => &ROLLUP_DAILY,
        Window::Month => &ROLLUP_MONTHLY,
    }
}

/// The bucket in which a window stands that begins then.
pub fn rollup_bucket(window: Window, start: Micros) -> i32 {
    let (year, month) = year_month(start);
    let year = i32::try_from(year.clamp(0, 9_999)).unwrap_or(0);
    match window {
        Window::Hour => year * 100 + i32::try_from(month).unwrap_or(1),
        Window::Day => year,
        Window::Month => 0,
    }
}

/// Days since 1970 of an instant: the second half of a sample's partition.
pub fn day_of(at: Micros) -> i32 {
    i32::try_from(at.millis().div_euclid(DAY_MS)).unwrap_or(i32::MAX)
}

fn ends(at: Micros, table: &TableDef) -> Option<i64> {
    let kept = table
        .retention
        .map(|kept| i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
    kept.map(|kept| at.millis().saturating_add(kept))
}

/// One row of [`SAMPLES_RAW`].
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `Measurement`, documented in its schema"
)]
pub struct SampleRow {
    pub entity: EntityId,
    pub measure: String,
    pub value: f64,
    pub unit: String,
    pub quality: String,
    pub observed_at: Micros,
}

impl SampleRow {
    /// The row of [`SAMPLES_RAW`]: written at its event time, gone a retention later, whenever it is written.
    pub fn to_row(&self) -> Row {
        let at_ms = self.observed_at.millis();
        Row {
            table: &SAMPLES_RAW,
            key: vec![
                text(self.entity.as_str()),
                Value::Int(day_of(self.observed_at)),
                text(&self.measure),
                Value::Timestamp(at_ms),
                quality_value(&self.quality),
                // −0 and 0 are one value.
                Value::Double(self.value + 0.0),
            ],
            columns: vec![Some(text(&self.unit))],
            wts_us: at_ms.saturating_mul(1_000),
            expires_at_ms: ends(self.observed_at, &SAMPLES_RAW),
        }
    }

    /// Reads a row of [`SAMPLES_RAW`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&SAMPLES_RAW])?;
        Ok(Self {
            entity: fields.entity("entity")?,
            measure: fields.text("measure")?,
            value: fields.double("value")?,
            unit: fields.text("unit")?,
            quality: quality_word(fields.int("quality")?).to_owned(),
            observed_at: fields.instant("ts")?,
        })
    }
}

/// One row of [`ROLLUP_HOURLY`], [`ROLLUP_DAILY`] or [`ROLLUP_MONTHLY`].
#[derive(Debug, Clone, PartialEq)]
pub struct RollupRow {
    /// What was measured.
    pub entity: EntityId,
    /// Which measure.
    pub measure: String,
    /// Its unit.
    pub unit: String,
    /// Which table.
    pub window: Window,
    /// When the window begins.
    pub start: Micros,
    /// What the samples in it add up to.
    pub sum: Summary,
    /// Write time: the slot's hybrid clock.
    pub wts: Micros,
}

impl RollupRow {
    /// The row of its table.
    pub fn to_row(&self) -> Row {
        let (table, sum) = (rollup_table(self.window), &self.sum);
        Row {
            table,
            key: vec![
                text(self.entity.as_str()),
                Value::Int(rollup_bucket(self.window, self.start)),
                text(&self.measure),
                instant(self.start),
            ],
            columns: vec![
                Some(text(&self.unit)),
                Some(Value::Bigint(i64::try_from(sum.n).unwrap_or(i64::MAX))),
                Some(Value::Double(sum.sum)),
                Some(Value::Double(sum.sum_squares)),
                Some(Value::Double(sum.min)),
                Some(Value::Double(sum.max)),
                Some(Value::Double(sum.first)),
                Some(instant(sum.first_at)),
                Some(Value::Double(sum.last)),
                Some(instant(sum.last_at)),
            ],
            wts_us: self.wts.0,
            expires_at_ms: ends(self.start, table),
        }
    }

    /// Reads a row of one of the three tables.
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&ROLLUP_HOURLY, &ROLLUP_DAILY, &ROLLUP_MONTHLY])?;
        let window = match row.table.name {
            name if name == ROLLUP_HOURLY.name => Window::Hour,
            name if name == ROLLUP_DAILY.name => Window::Day,
            _ => Window::Month,
        };
        Ok(Self {
            entity: fields.entity("entity")?,
            measure: fields.text("measure")?,
            unit: fields.text("unit")?,
            window,
            start: fields.instant("ts")?,
            sum: Summary {
                n: fields.bigint("n")?.unsigned_abs(),
                sum: fields.double("v_sum")?,
                sum_squares: fields.double("v_sumsq")?,
                min: fields.double("v_min")?,
                max: fields.double("v_max")?,
                first: fields.double("v_first")?,
                first_at: fields.instant("first_ts")?,
                last: fields.double("v_last")?,
                last_at: fields.instant("last_ts")?,
            },
            wts: Micros(row.wts_us),
        })
    }
}

/// One row of [`LATEST_BY_GROUP`].
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `Measurement`, documented in its schema"
)]
pub struct LatestRow {
    pub entity: EntityId,
    pub measure: String,
    pub value: f64,
    pub unit: String,
    pub group: Option<String>,
    pub quality: String,
    pub observed_at: Micros,
    pub wts: Micros,
}

impl LatestRow {
    /// The row of [`LATEST_BY_GROUP`].
    pub fn to_row(&self) -> Row {
        Row {
            table: &LATEST_BY_GROUP,
            key: vec![
                text(&read_group(&self.entity)),
                text(self.entity.as_str()),
                text(&self.measure),
            ],
            columns: vec![
                Some(Value::Double(self.value)),
                Some(text(&self.unit)),
                optional_text(self.group.as_ref()),
                Some(quality_value(&self.quality)),
                Some(instant(self.observed_at)),
            ],
            wts_us: self.wts.0,
            expires_at_ms: ends(self.observed_at, &LATEST_BY_GROUP),
        }
    }

    /// Reads a row of [`LATEST_BY_GROUP`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&LATEST_BY_GROUP])?;
        Ok(Self {
            entity: fields.entity("entity")?,
            measure: fields.text("measure")?,
            value: fields.double("value")?,
            unit: fields.text("unit")?,
            group: fields.optional_text("grp")?,
            quality: quality_word(fields.int("quality")?).to_owned(),
            observed_at: fields.instant("ts")?,
            wts: Micros(row.wts_us),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400 * Micros::SECOND;

    fn row(window: Window, start: Micros) -> RollupRow {
        RollupRow {
            entity: EntityId::parse("default/padtec/nms-1/card/C-1").unwrap(),
            measure: "input_power".into(),
            unit: "dBm".into(),
            window,
            start,
            sum: Summary::of(start, -20.5),
            wts: start.plus(7),
        }
    }

    #[test]
    fn rows_end_by_what_they_are_of_and_read_back() {
        // 2024-02-29, day 19782.
        let at = Micros(19_782 * DAY);
        let check = |window: Window, bucket: i32, days: i64| {
            let row = row(window, window.start(at));
            let written = row.to_row();
            assert_eq!(written.key[1], Value::Int(bucket), "{window}");
            let kept = written.expires_at_ms.unwrap() - row.start.millis();
            assert_eq!(kept, days * DAY_MS, "{window}");
            assert_eq!(RollupRow::from_row(&written).unwrap(), row);
            assert!(written.table.ends_by_key() && written.table.mutable);
            crate::check_row(&written).unwrap();
        };
        check(Window::Hour, 202_402, 365);
        check(Window::Day, 2024, 3 * 365);
        check(Window::Month, 0, 3 * 365);
    }

    #[test]
    fn a_sample_is_all_key_and_ends_after_thirty_days() {
        let sample = |quality: &str, value: f64| SampleRow {
            entity: EntityId::parse("default/olt/a/onu/0/1/2/3").unwrap(),
            measure: "onu_rx_power".into(),
            value,
            unit: "dBm".into(),
            quality: quality.into(),
            observed_at: Micros(19_782 * DAY + 5_000),
        };
        for quality in ["good", "frozen", "stale", "bad"] {
            let sample = sample(quality, -20.5);
            let written = sample.to_row();
            assert_eq!(written.expires_at_ms.unwrap() - 5, (19_782 + 30) * DAY_MS);
            assert_eq!(SampleRow::from_row(&written).unwrap(), sample);
            crate::check_row(&written).unwrap();
        }
        assert_eq!(sample("good", 0.0).to_row(), sample("good", -0.0).to_row());
        assert_ne!(sample("good", 1.0).to_row().key, sample("bad", 1.0).to_row().key);
        assert!(!LATEST_BY_GROUP.ends_by_key());
    }
}
