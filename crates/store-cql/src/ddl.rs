//! The text of the tables, made from the same definitions as everything else. Migrations are fixed texts; a test compares
//! the two.

use std::fmt::Write;
use std::time::Duration;

use store::{ColumnType, Order, TableDef};

/// Column with a row's write time, microseconds since 1970.
pub(crate) const WTS: &str = "wts";
/// Column with a row's end; null if it has none.
pub(crate) const ENDS_AT: &str = "ends_at";

/// How many windows a table's retention is cut into at most. ScyllaDB refuses more than 50 (`twcs_max_window_count`).
const WINDOWS_MAX: u64 = 40;
/// How long deletions are remembered: ten days, both servers' default; a repair has to come round in that time.
const GC_GRACE: Duration = Duration::from_secs(10 * 86_400);
/// The same where nothing is deleted, only ends: three hours, for hints that come late.
const GC_GRACE_OF_SERIES: Duration = Duration::from_secs(3 * 3_600);

/// The statement that makes a table.
///
/// A table whose rows end by their key is a time series: compacted in windows, so that a window whose rows have all ended is
/// dropped whole. No default TTL: each row brings its own. Compression is both servers' default, LZ4.
pub fn create_table(table: &TableDef) -> String {
    let mut text = format!("CREATE TABLE IF NOT EXISTS {} (\n", table.name);
    let clustering = table.clustering_key.iter().map(|(column, _)| column);
    for column in table.partition_key.iter().chain(clustering).chain(table.columns) {
        line(&mut text, format_args!("  {} {},\n", column.name, type_of(column.kind)));
    }
    line(&mut text, format_args!("  {WTS} bigint,\n  {ENDS_AT} timestamp,\n"));
    let partition: Vec<_> = table.partition_key.iter().map(|c| c.name).collect();
    line(&mut text, format_args!("  PRIMARY KEY (({})", partition.join(", ")));
    for (column, _) in table.clustering_key {
        line(&mut text, format_args!(", {}", column.name));
    }
    text.push_str(")\n) WITH ");
    if !table.clustering_key.is_empty() {
        let order = |order| match order {
            Order::Asc => "ASC",
            Order::Desc => "DESC",
        };
        let columns: Vec<_> = table
            .clustering_key
            .iter()
            .map(|(column, o)| format!("{} {}", column.name, order(*o)))
            .collect();
        line(
            &mut text,
            format_args!("CLUSTERING ORDER BY ({})\n  AND ", columns.join(", ")),
        );
    }
    let (compaction, gc_grace) = match table.retention {
        Some(retention) if table.ends_by_key() => (
            format!(
                "'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': '{}'",
                window_days(retention)
            ),
            GC_GRACE_OF_SERIES,
        ),
        _ => ("'class': 'SizeTieredCompactionStrategy'".to_owned(), GC_GRACE),
    };
    line(
        &mut text,
        format_args!(
            "compaction = {{{compaction}}}\n  AND gc_grace_seconds = {}",
            gc_grace.as_secs()
        ),
    );
    text
}

fn line(text: &mut String, part: std::fmt::Arguments<'_>) {
    text.write_fmt(part).expect("writing to a string cannot fail");
}

fn window_days(retention: Duration) -> u64 {
    let days = retention.as_secs().div_ceil(86_400);
    days.div_ceil(WINDOWS_MAX).max(1)
}

fn type_of(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "text",
        ColumnType::Int => "int",
        ColumnType::Bigint => "bigint",
        ColumnType::Double => "double",
        ColumnType::Boolean => "boolean",
        ColumnType::Timestamp => "timestamp",
        ColumnType::Blob => "blob",
        // Frozen: one cell, written and replaced whole.
        ColumnType::Map => "frozen<map<text, text>>",
    }
}

#[cfg(test)]
mod tests {
    use store::rows::TABLES;

    use super::*;

    #[test]
    fn windows_are_few_enough() {
        let check = |days: u64, expected: u64| assert_eq!(window_days(Duration::from_secs(days * 86_400)), expected);
        check(0, 1);
        check(1, 1);
        check(30, 1);
        check(365, 10);
        check(3 * 365, 28);
    }

    #[test]
    fn no_table_has_columns_of_our_names() {
        for table in TABLES {
            assert!(
                table.columns.iter().all(|c| c.name != WTS && c.name != ENDS_AT),
                "{}",
                table.name
            );
        }
    }
}
