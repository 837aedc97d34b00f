//! Alarms and incidents that are over, and what happened to them.

use std::ops::RangeInclusive;

use super::{Paged, one, partition, text, walk};
use crate::rows::{
    ALARM_EVENTS, ALARMS, AlarmEventRow, AlarmRow, AlarmScope, INCIDENTS, INCIDENTS_BY_MONTH, IncidentMark, IncidentRow,
};
use crate::{Store, StoreError, Value};

/// Most spans of time that one call walks; then it answers what it has, and where to go on.
const SPANS_MAX: i32 = 62;

/// One alarm.
///
/// # Errors
/// When the store cannot answer.
pub async fn alarm(store: &dyn Store, alarm_id: &str) -> Result<Option<AlarmRow>, StoreError> {
    if alarm_id.is_empty() {
        return Ok(None);
    }
    let row = one(store, &ALARMS, vec![text(alarm_id)], vec![]).await?;
    row.as_ref().map(AlarmRow::from_row).transpose()
}

/// What happened to the alarms of a scope between two instants (milliseconds since 1970), newest first. It walks at most 62
/// spans of the scope's time; then it answers what it has, be it nothing, and where to go on.
///
/// # Errors
/// When the cursor is not of this question, or the store cannot answer.
pub async fn alarm_events(
    store: &dyn Store,
    scope: &AlarmScope,
    between_ms: RangeInclusive<i64>,
    limit: usize,
    cursor: Option<&[u8]>,
) -> Result<Paged<AlarmEventRow>, StoreError> {
    let spans = scope.bucket(*between_ms.start())..=scope.bucket(*between_ms.end());
    let name = scope.name();
    let scan = |span| partition(&ALARM_EVENTS, vec![text(&name), Value::Int(span)], 1);
    let page = walk(store, spans, SPANS_MAX, limit, cursor, scan).await?;
    let mut rows = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        let row = AlarmEventRow::from_row(row)?;
        if between_ms.contains(&row.at.millis()) {
            rows.push(row);
        }
    }
    Ok(Paged { rows, next: page.next })
}

/// One incident.
///
/// # Errors
/// When the store cannot answer.
pub async fn incident(store: &dyn Store, incident_id: &str) -> Result<Option<IncidentRow>, StoreError> {
    if incident_id.is_empty() {
        return Ok(None);
    }
    let row = one(store, &INCIDENTS, vec![text(incident_id)], vec![]).await?;
    row.as_ref().map(IncidentRow::from_row).transpose()
}

/// Incidents of a tenant that began between two instants (milliseconds since 1970), newest first. After 62 months it answers
/// what it has, be it nothing, and where to go on.
///
/// # Errors
/// When the cursor is not of this question, or the store cannot answer.
pub async fn incidents(
    store: &dyn Store,
    tenant: &str,
    between_ms: RangeInclusive<i64>,
    limit: usize,
    cursor: Option<&[u8]>,
) -> Result<Paged<IncidentMark>, StoreError> {
    let months = IncidentRow::month(*between_ms.start())..=IncidentRow::month(*between_ms.end());
    let scan = |month| partition(&INCIDENTS_BY_MONTH, vec![text(tenant), Value::Int(month)], 1);
    let page = walk(store, months, SPANS_MAX, limit, cursor, scan).await?;
    let mut rows = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        let row = IncidentMark::from_row(row)?;
        if between_ms.contains(&row.began_at.millis()) {
            rows.push(row);
        }
    }
    Ok(Paged { rows, next: page.next })
}
