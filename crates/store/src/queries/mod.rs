//! Every question the product asks the store: each one partition, or a walk over a few.

mod alarms;
mod measured;

use std::ops::RangeInclusive;

use model::EntityId;

pub use self::measured::{
    Span, hours_of, latest, latest_of_group, measures_of_day, rollups, samples, samples_page, sums_of_day,
    sums_of_month,
};
use crate::rows::{
    DEVICE_EVENTS, DeviceEventRow, ENTITIES, EntityRow, GROUPS, GroupKind, GroupRow, LEDGER, LedgerEntryRow, LedgerOf,
    REFRESH_FAMILIES, RefreshFamilyRow, SERIALS, STATUS, STATUS_BY_GROUP, SerialRow, StatusRow, USERS, UserRow,
};
use crate::{Row, Scan, Store, StoreError, TableDef, Value};

pub use alarms::{alarm, alarm_events, incident, incidents};

/// Rows read at once where a whole partition is wanted.
const PAGE_ROWS: usize = 1_000;
/// Most rows a page may hold, whatever is asked for.
pub const PAGE_ROWS_MAX: usize = 10_000;
/// Most years one call walks; then it answers what it has, and where to go on.
const YEARS_MAX: i32 = 50;

/// Some rows, and an opaque cursor if there are more. A cursor belongs to one question and is valid for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The rows, in the table's order.
    pub rows: Vec<T>,
    /// Where the next page begins.
    pub next: Option<Vec<u8>>,
}

/// The status of one entity.
///
/// # Errors
/// When the store cannot answer.
pub async fn status(store: &dyn Store, entity: &EntityId) -> Result<Option<StatusRow>, StoreError> {
    let row = one(store, &STATUS, vec![text(entity.as_str())], vec![]).await?;
    row.as_ref().map(StatusRow::from_row).transpose()
}

/// What is known of one entity.
///
/// # Errors
/// When the store cannot answer.
pub async fn entity(store: &dyn Store, entity: &EntityId) -> Result<Option<EntityRow>, StoreError> {
    let row = one(store, &ENTITIES, vec![text(entity.as_str())], vec![]).await?;
    row.as_ref().map(EntityRow::from_row).transpose()
}

/// Every place where a serial was sighted, the last sighting first. `serial` is in the form of [`SerialRow::key_form`].
///
/// # Errors
/// When the store cannot answer.
pub async fn sightings(store: &dyn Store, tenant: &str, serial: &str) -> Result<Vec<SerialRow>, StoreError> {
    let rows = whole(store, &SERIALS, vec![text(tenant), text(serial)]).await?;
    let mut rows = rows.iter().map(SerialRow::from_row).collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_key(|r| std::cmp::Reverse((r.since, r.wts)));
    Ok(rows)
}

/// The entity that carries a serial now: the last sighting whose status says so too. Any written form of the serial will do.
///
/// # Errors
/// When the store cannot answer.
pub async fn entity_by_serial(store: &dyn Store, tenant: &str, serial: &str) -> Result<Option<EntityId>, StoreError> {
    let wanted = SerialRow::key_form(serial);
    for sighting in sightings(store, tenant, &wanted).await? {
        let carried = status(store, &sighting.entity).await?.and_then(|s| s.serial);
        if carried.is_some_and(|s| SerialRow::key_form(&s) == wanted) {
            return Ok(Some(sighting.entity));
        }
    }
    Ok(None)
}

/// Status of the entities of a read group, by entity id.
///
/// # Errors
/// When the cursor is not of this question, or the store cannot answer.
pub async fn status_by_group(
    store: &dyn Store,
    read_group: &str,
    limit: usize,
    cursor: Option<&[u8]>,
) -> Result<Paged<StatusRow>, StoreError> {
    let mut scan = partition(&STATUS_BY_GROUP, vec![text(read_group)], limit);
    scan.cursor = cursor.map(<[u8]>::to_vec);
    let page = store.scan(scan).await?;
    let rows = page.rows.iter().map(StatusRow::from_row).collect::<Result<_, _>>()?;
    Ok(Paged { rows, next: page.next })
}

/// Events of an entity, newest first, walking back from the last to the first of `years`. After 50 years it answers what it
/// has, be it nothing, and where to go on.
///
/// # Errors
/// When the cursor is not of this question, or the store cannot answer.
pub async fn events(
    store: &dyn Store,
    entity: &EntityId,
    years: RangeInclusive<i32>,
    limit: usize,
    cursor: Option<&[u8]>,
) -> Result<Paged<DeviceEventRow>, StoreError> {
    let scan = |year| partition(&DEVICE_EVENTS, vec![text(entity.as_str()), Value::Int(year)], 1);
    let page = walk(store, years, YEARS_MAX, limit, cursor, scan).await?;
    let rows = page
        .rows
        .iter()
        .map(DeviceEventRow::from_row)
        .collect::<Result<_, _>>()?;
    Ok(Paged { rows, next: page.next })
}

/// All groups of a kind, by id.
///
/// # Errors
/// When the store cannot answer.
pub async fn groups(store: &dyn Store, kind: GroupKind) -> Result<Vec<GroupRow>, StoreError> {
    let rows = whole(store, &GROUPS, vec![text(kind.as_str())]).await?;
    rows.iter().map(GroupRow::from_row).collect()
}

/// The listeners' ledger, every run of each; or that of the senders of one, at most so many rows of it.
///
/// # Errors
/// When the store cannot answer.
pub async fn ledger(
    store: &dyn Store,
    listener: Option<&str>,
    limit: usize,
) -> Result<Paged<LedgerEntryRow>, StoreError> {
    let group = Value::Text(LedgerOf::read_group(listener));
    let page = store
        .scan(partition(&LEDGER, vec![group], limit.min(PAGE_ROWS_MAX)))
        .await?;
    let rows = page
        .rows
        .iter()
        .map(LedgerEntryRow::from_row)
        .collect::<Result<_, _>>()?;
    Ok(Paged { rows, next: page.next })
}

/// All users, by name.
///
/// # Errors
/// When the store cannot answer.
pub async fn users(store: &dyn Store) -> Result<Vec<UserRow>, StoreError> {
    let rows = whole(store, &USERS, UserRow::partition()).await?;
    rows.iter().map(UserRow::from_row).collect()
}

/// One user.
///
/// # Errors
/// When the store cannot answer.
pub async fn user(store: &dyn Store, name: &str) -> Result<Option<UserRow>, StoreError> {
    let row = one(store, &USERS, UserRow::partition(), vec![text(name)]).await?;
    row.as_ref().map(UserRow::from_row).transpose()
}

/// Writes a user if the present one still is `expect` (`None`: if there is none). Answers whether it was written.
///
/// # Errors
/// When the store cannot answer; then it may have been written.
pub async fn put_user_if(store: &dyn Store, user: &UserRow, expect: Option<&UserRow>) -> Result<bool, StoreError> {
    store.put_if(user.to_row(), expect.map(|u| u.to_row().columns)).await
}

/// One family of refresh tokens.
///
/// # Errors
/// When the store cannot answer.
pub async fn refresh_family(
    store: &dyn Store,
    user_name: &str,
    family: &str,
) -> Result<Option<RefreshFamilyRow>, StoreError> {
    let row = one(store, &REFRESH_FAMILIES, vec![text(user_name)], vec![text(family)]).await?;
    row.as_ref().map(RefreshFamilyRow::from_row).transpose()
}

/// All living families of a user: what ends when the user is disabled.
///
/// # Errors
/// When the store cannot answer.
pub async fn refresh_families(store: &dyn Store, user_name: &str) -> Result<Vec<RefreshFamilyRow>, StoreError> {
    let rows = whole(store, &REFRESH_FAMILIES, vec![text(user_name)]).await?;
    rows.iter().map(RefreshFamilyRow::from_row).collect()
}

/// Writes a family if the present one still is `expect` (`None`: if there is none). Answers whether it was written.
///
/// # Errors
/// When the store cannot answer; then it may have been written.
pub async fn put_refresh_family_if(
    store: &dyn Store,
    family: &RefreshFamilyRow,
    expect: Option<&RefreshFamilyRow>,
) -> Result<bool, StoreError> {
    store.put_if(family.to_row(), expect.map(|f| f.to_row().columns)).await
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn partition(table: &'static TableDef, partition: Vec<Value>, limit: usize) -> Scan {
    Scan {
        table,
        partition,
        prefix: vec![],
        limit: limit.clamp(1, PAGE_ROWS_MAX),
        cursor: None,
        reverse: false,
    }
}

async fn one(
    store: &dyn Store,
    table: &'static TableDef,
    key: Vec<Value>,
    prefix: Vec<Value>,
) -> Result<Option<Row>, StoreError> {
    let mut scan = partition(table, key, 1);
    scan.prefix = prefix;
    Ok(store.scan(scan).await?.rows.into_iter().next())
}

/// A whole partition: for those that are small by design.
async fn whole(store: &dyn Store, table: &'static TableDef, key: Vec<Value>) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    let mut scan = partition(table, key, PAGE_ROWS);
    loop {
        let page = store.scan(scan.clone()).await?;
        rows.extend(page.rows);
        match page.next {
            Some(next) => scan.cursor = Some(next),
            None => return Ok(rows),
        }
    }
}

/// Walks back over partitions that each hold a span of time, from the last to the first, at most so many of them.
async fn walk(
    store: &dyn Store,
    spans: RangeInclusive<i32>,
    spans_max: i32,
    limit: usize,
    cursor: Option<&[u8]>,
    scan: impl Fn(i32) -> Scan,
) -> Result<Paged<Row>, StoreError> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let (newest, mut within) = match cursor {
        None => (*spans.end(), None),
        Some(bytes) => split(bytes, &spans)?,
    };
    let oldest = (*spans.start()).max(newest.saturating_sub(spans_max - 1));
    let mut rows: Vec<Row> = Vec::new();
    for span in (oldest..=newest).rev() {
        let mut scan = scan(span);
        (scan.limit, scan.cursor) = (limit - rows.len(), within.take());
        let page = store.scan(scan).await?;
        rows.extend(page.rows);
        let is_last = span == *spans.start();
        let next = match page.next {
            Some(within) => Some(join(span, &within)),
            None if !is_last && (rows.len() >= limit || span == oldest) => Some(join(span - 1, &[])),
            None => None,
        };
        if next.is_some() {
            return Ok(Paged { rows, next });
        }
    }
    Ok(Paged { rows, next: None })
}

/// A cursor of [`walk`]: the span, then the engine's own cursor in it, empty at the span's beginning.
fn join(span: i32, within: &[u8]) -> Vec<u8> {
    let mut bytes = span.to_be_bytes().to_vec();
    bytes.extend_from_slice(within);
    bytes
}

fn split(bytes: &[u8], spans: &RangeInclusive<i32>) -> Result<(i32, Option<Vec<u8>>), StoreError> {
    let (span, within) = bytes.split_first_chunk::<4>().ok_or(StoreError::BadCursor)?;
    let span = i32::from_be_bytes(*span);
    if !spans.contains(&span) {
        return Err(StoreError::BadCursor);
    }
    Ok((span, (!within.is_empty()).then(|| within.to_vec())))
}
