//! Questions about measurements.

use model::rollup::{Summary, Window, instant, is_added_up};
use model::{EntityId, Micros};

use super::{PAGE_ROWS, PAGE_ROWS_MAX, Paged, partition, text};
use crate::rows::{
    LATEST_BY_GROUP, LatestRow, RollupRow, SAMPLES_RAW, SampleRow, day_of, read_group, rollup_bucket, rollup_table,
};
use crate::{Row, Store, StoreError, TableDef, Value};

const DAY: i64 = 86_400 * Micros::SECOND;

/// From an instant to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first instant in it.
    pub from: Micros,
    /// The first instant after it.
    pub to: Micros,
}

impl Span {
    fn has(self, at: Micros) -> bool {
        self.from <= at && at < self.to
    }
}

/// Raw samples of one measure, oldest first: one partition for each day of the span. Of several at one instant, the one that counts
/// comes first.
///
/// # Errors
/// When the store cannot answer.
pub async fn samples(
    store: &dyn Store,
    entity: &EntityId,
    measure: &str,
    span: Span,
) -> Result<Vec<SampleRow>, StoreError> {
    let mut samples = Vec::new();
    for day in days_of(span) {
        let key = vec![text(entity.as_str()), Value::Int(day)];
        let rows = slice(store, &SAMPLES_RAW, key, vec![text(measure)]).await?;
        let mut of_day = rows.iter().map(SampleRow::from_row).collect::<Result<Vec<_>, _>>()?;
        of_day.retain(|sample| span.has(sample.observed_at));
        // The table has the newest first, and of one instant the best first.
        of_day.sort_by_key(|sample| sample.observed_at);
        samples.extend(of_day);
    }
    Ok(samples)
}

/// A page of raw samples of one measure, newest first, walking back day by day.
///
/// # Errors
/// When the cursor is not of this question, or the store cannot answer.
pub async fn samples_page(
    store: &dyn Store,
    entity: &EntityId,
    measure: &str,
    span: Span,
    limit: usize,
    cursor: Option<&[u8]>,
) -> Result<Paged<SampleRow>, StoreError> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let days = days_of(span);
    let (mut day, mut within) = match cursor {
        None => (*days.end(), None),
        Some(bytes) => {
            let (day, within) = bytes.split_first_chunk::<4>().ok_or(StoreError::BadCursor)?;
            (i32::from_be_bytes(*day), (!within.is_empty()).then(|| within.to_vec()))
        }
    };
    if !days.is_empty() && !days.contains(&day) {
        return Err(StoreError::BadCursor);
    }
    let mut rows = Vec::new();
    while days.contains(&day) {
        let key = vec![text(entity.as_str()), Value::Int(day)];
        let mut scan = partition(&SAMPLES_RAW, key, limit - rows.len());
        scan.prefix = vec![text(measure)];
        scan.cursor = within.take();
        let page = store.scan(scan).await?;
        for row in &page.rows {
            let sample = SampleRow::from_row(row)?;
            if span.has(sample.observed_at) {
                rows.push(sample);
            }
        }
        let next = |day: i32, within: &[u8]| [&day.to_be_bytes()[..], within].concat();
        match page.next {
            Some(within) if rows.len() >= limit => {
                return Ok(Paged {
                    rows,
                    next: Some(next(day, &within)),
                });
            }
            Some(more) => within = Some(more),
            None => {
                day -= 1;
                if rows.len() >= limit && days.contains(&day) {
                    return Ok(Paged {
                        rows,
                        next: Some(next(day, &[])),
                    });
                }
            }
        }
    }
    Ok(Paged { rows, next: None })
}

/// Measures of which an entity has raw samples on a day, each with its newest one.
///
/// # Errors
/// When the store cannot answer.
pub async fn measures_of_day(store: &dyn Store, entity: &EntityId, day: i32) -> Result<Vec<SampleRow>, StoreError> {
    let key = vec![text(entity.as_str()), Value::Int(day)];
    let rows = slice(store, &SAMPLES_RAW, key, vec![]).await?;
    let mut newest: Vec<SampleRow> = Vec::new();
    for row in &rows {
        let sample = SampleRow::from_row(row)?;
        if newest.last().is_none_or(|last| last.measure != sample.measure) {
            newest.push(sample);
        }
    }
    Ok(newest)
}

/// Rows of the windows of one measure that begin in a span, oldest first: one partition for each bucket.
///
/// # Errors
/// When the store cannot answer.
pub async fn rollups(
    store: &dyn Store,
    entity: &EntityId,
    measure: &str,
    window: Window,
    span: Span,
) -> Result<Vec<RollupRow>, StoreError> {
    let mut found = Vec::new();
    for bucket in buckets_of(window, span) {
        let key = vec![text(entity.as_str()), Value::Int(bucket)];
        let rows = slice(store, rollup_table(window), key, vec![text(measure)]).await?;
        for row in rows.iter().rev() {
            let row = RollupRow::from_row(row)?;
            if span.has(row.start) {
                found.push(row);
            }
        }
    }
    Ok(found)
}

/// The newest value of every measure of an entity.
///
/// # Errors
/// When the store cannot answer.
pub async fn latest(store: &dyn Store, entity: &EntityId) -> Result<Vec<LatestRow>, StoreError> {
    let key = vec![Value::Text(read_group(entity))];
    let rows = slice(store, &LATEST_BY_GROUP, key, vec![text(entity.as_str())]).await?;
    rows.iter().map(LatestRow::from_row).collect()
}

/// The newest values of a read group, by entity and measure.
///
/// # Errors
/// When the cursor is not of this question, or the store cannot answer.
pub async fn latest_of_group(
    store: &dyn Store,
    read_group: &str,
    limit: usize,
    cursor: Option<&[u8]>,
) -> Result<Paged<LatestRow>, StoreError> {
    let mut scan = partition(&LATEST_BY_GROUP, vec![text(read_group)], limit);
    scan.cursor = cursor.map(<[u8]>::to_vec);
    let page = store.scan(scan).await?;
    let rows = page.rows.iter().map(LatestRow::from_row).collect::<Result<_, _>>()?;
    Ok(Paged { rows, next: page.next })
}

/// The hours of a day as its raw samples add up to, in order; and the unit of its newest sample.
///
/// # Errors
/// When the store cannot answer.
pub async fn sums_of_day(
    store: &dyn Store,
    entity: &EntityId,
    measure: &str,
    day: Micros,
) -> Result<(Vec<(Micros, Summary)>, String), StoreError> {
    let span = Span {
        from: day,
        to: Window::Day.end(day),
    };
    let samples = samples(store, entity, measure, span).await?;
    let unit = samples.last().map(|sample| sample.unit.clone()).unwrap_or_default();
    Ok((hours_of(&samples), unit))
}

/// What samples add up to hour by hour; they come oldest first.
pub fn hours_of(samples: &[SampleRow]) -> Vec<(Micros, Summary)> {
    // Of one instant the highest counts.
    let mut instants: Vec<(Micros, f64)> = Vec::with_capacity(samples.len());
    for sample in samples.iter().filter(|sample| is_added_up(&sample.quality)) {
        let at = instant(sample.observed_at);
        match instants.last_mut() {
            Some((last, value)) if *last == at => *value = value.max(sample.value),
            _ => instants.push((at, sample.value)),
        }
    }
    let mut hours: Vec<(Micros, Summary)> = Vec::new();
    for (at, value) in instants {
        let hour = Window::Hour.start(at);
        match hours.last_mut() {
            Some((start, sum)) if *start == hour => sum.add(at, value),
            _ => hours.push((hour, Summary::of(at, value))),
        }
    }
    hours
}

/// The days of a month as their rows have them, in order; and the unit of the last.
///
/// # Errors
/// When the store cannot answer.
pub async fn sums_of_month(
    store: &dyn Store,
    entity: &EntityId,
    measure: &str,
    month: Micros,
) -> Result<(Vec<(Micros, Summary)>, String), StoreError> {
    let span = Span {
        from: month,
        to: Window::Month.end(month),
    };
    let rows = rollups(store, entity, measure, Window::Day, span).await?;
    let unit = rows.last().map(|row| row.unit.clone()).unwrap_or_default();
    Ok((rows.into_iter().map(|row| (row.start, row.sum)).collect(), unit))
}

/// Days of a span, since 1970.
fn days_of(span: Span) -> std::ops::RangeInclusive<i32> {
    let last = Micros(span.to.0.saturating_sub(1).max(span.from.0.saturating_sub(DAY)));
    if span.to <= span.from {
        #[allow(clippy::reversed_empty_ranges, reason = "an empty one is meant")]
        return 1..=0;
    }
    day_of(span.from)..=day_of(last)
}

/// Buckets of the windows that begin in a span, in order.
fn buckets_of(window: Window, span: Span) -> Vec<i32> {
    if span.to <= span.from {
        return Vec::new();
    }
    let last = rollup_bucket(window, Micros(span.to.0.saturating_sub(1)));
    let mut buckets = vec![rollup_bucket(window, span.from)];
    while let Some(&bucket) = buckets.last()
        && bucket < last
    {
        // Of hours, a bucket is a month.
        let is_year_over = window == Window::Hour && bucket % 100 == 12;
        buckets.push(if is_year_over { bucket + 89 } else { bucket + 1 });
    }
    buckets
}

/// All rows of a partition that begin with these values.
async fn slice(
    store: &dyn Store,
    table: &'static TableDef,
    key: Vec<Value>,
    prefix: Vec<Value>,
) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    let mut scan = partition(table, key, PAGE_ROWS);
    scan.prefix = prefix;
    loop {
        let page = store.scan(scan.clone()).await?;
        rows.extend(page.rows);
        match page.next {
            Some(next) => scan.cursor = Some(next),
            None => return Ok(rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_names_its_days_and_buckets() {
        let day = |n: i64| Micros(n * DAY);
        let span = |from, to| Span { from, to };
        assert_eq!(days_of(span(day(3), day(4))), 3..=3);
        assert_eq!(days_of(span(day(3), day(4).plus(1))), 3..=4);
        assert_eq!(days_of(span(day(3), day(3))).count(), 0);
        // 2025-12-31 is day 20453.
        let turn = span(day(20_453), day(20_455));
        assert_eq!(buckets_of(Window::Hour, turn), [202_512, 202_601]);
        assert_eq!(buckets_of(Window::Day, turn), [2025, 2026]);
        assert_eq!(buckets_of(Window::Month, turn), [0]);
    }
}
