//! Hours, days and months again from what they are made of: raw samples for hours and days, days for months. Where everything went
//! well this changes nothing; where it did not (more late windows at one time than a slot notes, a store that lost rows) it mends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use log::{Log, Start};
use model::rollup::{SAMPLE_KEPT, Summary, Window};
use model::{EntityId, Micros};
use schemas::AnyRecord;
use store::queries::{self, Span};
use store::rows::RollupRow;
use store::{Store, StoreError};
use tokio::runtime::Handle;
use topology::Topic;

use crate::PersistError;

/// A window is left alone until so long after its end: until then the processor has not told it yet.
const CLOSED_AFTER: i64 = 3_600 * Micros::SECOND;
/// A day whose first samples end this soon is left alone too. Microseconds.
const KEPT_MARGIN: i64 = 2 * 3_600 * Micros::SECOND;
/// Records of one read of the log.
const READ_RECORDS: usize = 5_000;
const READ_WAIT: Duration = Duration::from_millis(200);
/// Series between two words about progress.
const PROGRESS_SERIES: usize = 1_000;

/// What a recomputation found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecomputeCounts {
    /// Series: one measure of one entity.
    pub series: u64,
    /// Windows compared.
    pub windows: u64,
    /// Of these, rows that were missing or other, and are now as they should be.
    pub different: u64,
    /// Rows of which nothing raw is left: they stay as they are.
    pub without_raw: u64,
}

/// Recomputes every series that was told in the span, from and to whole days, and writes what differs. Blocks. `now` is the present;
/// days that begin before raw samples are kept are left alone, and windows that may not be closed yet.
///
/// # Errors
/// When log or store fail, or `say` does.
pub fn recompute(
    log: &Arc<dyn Log>,
    store: &Arc<dyn Store>,
    runtime: &Handle,
    span: Span,
    now: Micros,
    say: &mut dyn FnMut(&str) -> std::io::Result<()>,
) -> Result<RecomputeCounts, PersistError> {
    let span = Span {
        from: Window::Day
            .start(span.from)
            .max(Window::Day.end(Window::Day.start(now.plus(KEPT_MARGIN - SAMPLE_KEPT)))),
        to: span.to.min(now),
    };
    let series = series_in(&**log, span)?;
    say(&format!("{} series to compare", series.len())).map_err(PersistError::Say)?;
    let mut counts = RecomputeCounts::default();
    for (entity, measure) in &series {
        let one = One {
            store: &**store,
            entity,
            measure,
            now,
        };
        runtime.block_on(one.compare(span, &mut counts))?;
        counts.series += 1;
        if usize::try_from(counts.series).is_ok_and(|n| n % PROGRESS_SERIES == 0) {
            say(&format!("{} of {} series", counts.series, series.len())).map_err(PersistError::Say)?;
        }
    }
    Ok(counts)
}

/// Series of which an hour of the span was told, as far back as the topic reaches.
fn series_in(log: &dyn Log, span: Span) -> Result<BTreeSet<(EntityId, String)>, PersistError> {
    let mut series = BTreeSet::new();
    let ends = log.ends(Topic::RollupsHour)?;
    let mut tail = log.tail(&[(Topic::RollupsHour, Start::Beginning)])?;
    loop {
        let records = tail.poll(READ_RECORDS, READ_WAIT)?;
        for stored in &records {
            let Some(value) = &stored.record.value else { continue };
            // What cannot be read is in the dead letters already.
            let Ok(AnyRecord::Rollup(row)) = log.codec().decode(value) else {
                continue;
            };
            let is_in = row.start >= span.from && row.start < span.to;
            if let (true, Ok(entity)) = (is_in, EntityId::parse(&row.entity)) {
                series.insert((entity, row.measure));
            }
        }
        let is_read = (0..)
            .zip(&ends)
            .all(|(p, end)| tail.position(Topic::RollupsHour, p) >= *end);
        if is_read || records.is_empty() {
            return Ok(series);
        }
    }
}

struct One<'a> {
    store: &'a dyn Store,
    entity: &'a EntityId,
    measure: &'a str,
    now: Micros,
}

impl One<'_> {
    async fn compare(&self, span: Span, counts: &mut RecomputeCounts) -> Result<(), StoreError> {
        let mut months = BTreeSet::new();
        let mut day = span.from;
        while day < span.to {
            let end = Window::Day.end(day);
            let (mut hours, unit) = queries::sums_of_day(self.store, self.entity, self.measure, day).await?;
            let is_whole = self.is_closed(end);
            hours.retain(|(start, _)| self.is_closed(Window::Hour.end(*start)));
            let of_day = Span { from: day, to: end };
            self.mend(Window::Hour, &unit, of_day, &hours, counts).await?;
            if is_whole {
                let sum = Summary::merged(hours.into_iter().map(|(_, sum)| sum));
                let days: Vec<_> = sum.map(|sum| (day, sum)).into_iter().collect();
                self.mend(Window::Day, &unit, of_day, &days, counts).await?;
                months.insert(Window::Month.start(day));
            }
            day = end;
        }
        for month in months {
            let end = Window::Month.end(month);
            if !self.is_closed(end) {
                continue;
            }
            let (days, unit) = queries::sums_of_month(self.store, self.entity, self.measure, month).await?;
            let sum = Summary::merged(days.into_iter().map(|(_, sum)| sum));
            let sums: Vec<_> = sum.map(|sum| (month, sum)).into_iter().collect();
            let of_month = Span { from: month, to: end };
            self.mend(Window::Month, &unit, of_month, &sums, counts).await?;
        }
        Ok(())
    }

    fn is_closed(&self, end: Micros) -> bool {
        end.plus(CLOSED_AFTER) <= self.now
    }

    /// Writes the rows of a span that are missing or other than they should be.
    async fn mend(
        &self,
        window: Window,
        unit: &str,
        span: Span,
        sums: &[(Micros, Summary)],
        counts: &mut RecomputeCounts,
    ) -> Result<(), StoreError> {
        let known = queries::rollups(self.store, self.entity, self.measure, window, span).await?;
        let mut rows = Vec::new();
        for (start, sum) in sums {
            counts.windows += 1;
            let row = known.iter().find(|row| row.start == *start);
            if row.is_some_and(|row| bits(&row.sum) == bits(sum)) {
                continue;
            }
            counts.different += 1;
            let mended = RollupRow {
                entity: self.entity.clone(),
                measure: self.measure.to_owned(),
                unit: unit.to_owned(),
                window,
                start: *start,
                sum: *sum,
                // Above what is there, and below what the processor may yet tell: it does that later than the window's end.
                wts: row.map_or(window.end(*start), |row| row.wts.plus(1)),
            };
            rows.push(mended.to_row());
        }
        let bare = known
            .iter()
            .filter(|row| !sums.iter().any(|(start, _)| *start == row.start));
        let bare = bare.filter(|row| self.is_closed(window.end(row.start))).count();
        counts.without_raw += u64::try_from(bare).unwrap_or(u64::MAX);
        if !rows.is_empty() {
            self.store.upsert(rows).await?;
        }
        Ok(())
    }
}

/// What tells two sums apart, bit by bit.
fn bits(sum: &Summary) -> ([u64; 6], u64, Micros, Micros) {
    let values = [sum.sum, sum.sum_squares, sum.min, sum.max, sum.first, sum.last];
    (values.map(f64::to_bits), sum.n, sum.first_at, sum.last_at)
}
