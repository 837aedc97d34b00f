//! A measure over a span: which tier answers, what is not closed yet, and no more points than a chart can show.

use model::rollup::{Summary, Window};
use model::{EntityId, Micros};
use serde::Serialize;
use store::queries::{Span, hours_of};
use store::{Store, StoreError, queries};
use utoipa::ToSchema;

use crate::time::Instant3339;

const HOUR: i64 = 3_600 * Micros::SECOND;
const DAY: i64 = 24 * HOUR;

/// How far back raw samples are read for hours that are not closed, and hours and days for what is made of them: a closed window comes
/// ten minutes after its end, unless what it is made of came late.
const OPEN_HOURS: i64 = 26 * HOUR;
const OPEN_DAYS: i64 = 3 * DAY;
const OPEN_MONTHS: i64 = 63 * DAY;

/// What a point is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Single samples.
    Raw,
    /// Windows.
    Of(Window),
}

impl Tier {
    /// The tier that is fine enough for a span and not finer: raw up to a day, hours up to 31 days, days up to a year.
    pub fn of_span(span: Span) -> Self {
        match span.to.since(span.from) {
            ..=DAY => Self::Raw,
            length if length <= 31 * DAY => Self::Of(Window::Hour),
            length if length <= 366 * DAY => Self::Of(Window::Day),
            _ => Self::Of(Window::Month),
        }
    }

    /// The word of `tier`; `None` for one that is no tier.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "raw" => Some(Self::Raw),
            word => Window::parse(word).map(Self::Of),
        }
    }

    /// The word of `tier`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Of(window) => window.as_str(),
        }
    }
}

/// A point of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Point {
    /// When it begins.
    #[schema(value_type = String)]
    at: Instant3339,
    /// Lowest value in it.
    min: f64,
    /// Highest.
    max: f64,
    /// Arithmetic mean of the values as they are: of dBm, of the decibels.
    avg: f64,
    /// The first value.
    first: f64,
    /// The last.
    last: f64,
    /// How many samples.
    n: u64,
}

impl Point {
    /// Of a window that begins then.
    pub fn of(at: Micros, sum: &Summary) -> Self {
        Self {
            at: Instant3339(at),
            min: sum.min,
            max: sum.max,
            avg: sum.mean(),
            first: sum.first,
            last: sum.last,
            n: sum.n,
        }
    }
}

/// Puts what follows each other together until there are at most `points`: neighbours of one stretch of time, so that lowest and
/// highest stay.
pub fn thin(parts: Vec<(Micros, Summary)>, span: Span, points: usize) -> Vec<(Micros, Summary)> {
    if parts.len() <= points {
        return parts;
    }
    let stretches = i64::try_from(points.max(1)).unwrap_or(i64::MAX);
    let width = (span.to.since(span.from) / stretches).max(0).saturating_add(1);
    let mut thinned: Vec<(i64, Micros, Summary)> = Vec::with_capacity(points);
    for (at, part) in parts {
        let stretch = at.since(span.from).div_euclid(width);
        match thinned.last_mut() {
            Some((known, _, sum)) if *known == stretch => sum.merge(&part),
            _ => thinned.push((stretch, at, part)),
        }
    }
    thinned.into_iter().map(|(_, at, sum)| (at, sum)).collect()
}

/// Raw samples as sums of one each, oldest first: those that are added up.
pub async fn raw(
    store: &dyn Store,
    entity: &EntityId,
    measure: &str,
    span: Span,
) -> Result<Vec<(Micros, Summary)>, StoreError> {
    let samples = queries::samples(store, entity, measure, span).await?;
    let good = samples.iter().filter(|s| model::rollup::is_added_up(&s.quality));
    Ok(good
        .map(|s| (s.observed_at, Summary::of(s.observed_at, s.value)))
        .collect())
}

/// The windows that begin in a span, oldest first; those that are not closed as far as they have come.
pub async fn windows(
    store: &dyn Store,
    entity: &EntityId,
    measure: &str,
    window: Window,
    span: Span,
    now: Micros,
) -> Result<Vec<(Micros, Summary)>, StoreError> {
    let reader = Reader {
        store,
        entity,
        measure,
        now,
    };
    match window {
        Window::Hour => reader.hours(span).await,
        Window::Day => reader.days(span).await,
        Window::Month => reader.months(span).await,
    }
}

struct Reader<'a> {
    store: &'a dyn Store,
    entity: &'a EntityId,
    measure: &'a str,
    now: Micros,
}

impl Reader<'_> {
    async fn hours(&self, span: Span) -> Result<Vec<(Micros, Summary)>, StoreError> {
        let mut hours = self.closed(Window::Hour, span).await?;
        if let Some(open) = self.open(Window::Hour, &hours, span, OPEN_HOURS) {
            let samples = queries::samples(self.store, self.entity, self.measure, open).await?;
            hours.extend(hours_of(&samples));
        }
        Ok(hours)
    }

    async fn days(&self, span: Span) -> Result<Vec<(Micros, Summary)>, StoreError> {
        let mut days = self.closed(Window::Day, span).await?;
        if let Some(open) = self.open(Window::Day, &days, span, OPEN_DAYS) {
            days.extend(together(Window::Day, self.hours(open).await?));
        }
        Ok(days)
    }

    async fn months(&self, span: Span) -> Result<Vec<(Micros, Summary)>, StoreError> {
        let mut months = self.closed(Window::Month, span).await?;
        if let Some(open) = self.open(Window::Month, &months, span, OPEN_MONTHS) {
            months.extend(together(Window::Month, self.days(open).await?));
        }
        Ok(months)
    }

    async fn closed(&self, window: Window, span: Span) -> Result<Vec<(Micros, Summary)>, StoreError> {
        // A window belongs to a chart if any of it does.
        let from = window.start(span.from);
        let rows = queries::rollups(self.store, self.entity, self.measure, window, Span { from, ..span }).await?;
        Ok(rows.into_iter().map(|row| (row.start, row.sum)).collect())
    }

    /// From where nothing is closed yet; `None` if that is not in the span.
    fn open(&self, window: Window, closed: &[(Micros, Summary)], span: Span, back: i64) -> Option<Span> {
        let told_to = closed
            .last()
            .map_or(window.start(span.from), |(start, _)| window.end(*start));
        let from = told_to.max(window.start(self.now.plus(-back)));
        (from < span.to).then_some(Span { from, to: span.to })
    }
}

/// Adds up parts of the windows they lie in.
fn together(window: Window, parts: Vec<(Micros, Summary)>) -> Vec<(Micros, Summary)> {
    let mut windows: Vec<(Micros, Summary)> = Vec::new();
    for (at, part) in parts {
        let start = window.start(at);
        match windows.last_mut() {
            Some((known, sum)) if *known == start => sum.merge(&part),
            _ => windows.push((start, part)),
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(length: i64) -> Span {
        Span {
            from: Micros(0),
            to: Micros(length),
        }
    }

    #[test]
    fn the_span_chooses_the_tier() {
        let check = |length: i64, expected: &str| assert_eq!(Tier::of_span(span(length)).as_str(), expected);
        check(HOUR, "raw");
        check(DAY, "raw");
        check(DAY + 1, "hour");
        check(31 * DAY, "hour");
        check(32 * DAY, "day");
        check(366 * DAY, "day");
        check(3 * 365 * DAY, "month");
    }

    #[test]
    fn thinned_points_keep_lowest_and_highest() {
        let parts: Vec<_> = (0..10_000_i32)
            .map(|n| {
                let at = Micros(i64::from(n) * Micros::SECOND);
                (at, Summary::of(at, if n == 7_777 { 99.0 } else { f64::from(n % 10) }))
            })
            .collect();
        let thinned = thin(parts.clone(), span(10_000 * Micros::SECOND), 1_000);
        assert!(thinned.len() <= 1_000, "{}", thinned.len());
        let all = |parts: &[(Micros, Summary)]| Summary::merged(parts.iter().map(|(_, sum)| *sum)).unwrap();
        let (before, after) = (all(&parts), all(&thinned));
        assert_eq!((after.n, after.min, after.max), (before.n, before.min, before.max));
        assert_eq!(thin(parts.clone(), span(HOUR), 10_000), parts);
    }
}
