//! From a folder to a running log.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use fjall::{Database, Keyspace, PersistMode};
use model::{Micros, Offset, Partition};
use schemas::{Codec, RecordType, RegisteredSchema};
use topology::{Group, Topic};

use super::beacon;
use super::config::EmbeddedConfig;
use super::encoding::{decode_head, place_of};
use super::last::LastValues;
use super::lock::FolderLock;
use super::meta::{self, LogRow, SegmentRow};
use super::shared::Shared;
use super::store::{self, Segment, Store};
use super::writer::Writer;
use crate::LogError;

pub(super) struct Opened {
    pub(super) shared: Arc<Shared>,
    pub(super) codec: Arc<Codec>,
    pub(super) generation: u32,
    pub(super) writer: JoinHandle<Result<(), LogError>>,
}

pub(super) fn open(config: EmbeddedConfig) -> Result<Opened, LogError> {
    if config.partitions == 0 {
        return Err(LogError::Unusable("a log needs at least one partition".to_owned()));
    }
    std::fs::create_dir_all(&config.folder)
        .map_err(|e| LogError::backend(format!("creating {}", config.folder.display()), e))?;
    let lock = FolderLock::take(&config.folder)?;
    let db = store::open_database(&config.folder)?;
    let meta_rows = store::keyspace(&db, "meta")?;
    let log_row = read_or_create(&db, &meta_rows, &config)?;
    let codec = Arc::new(register_schemas(&db, &meta_rows)?);
    let positions = read_positions(&meta_rows)?;
    let mut segments = read_segments(&db, &meta_rows, config.partitions)?;
    delete_orphans(&db, &segments)?;

    let (gone_sender, gone) = crossbeam_channel::bounded(0);
    let shelves = store::shelves(|topic| segments.remove(&topic).unwrap_or_default());
    let store = Arc::new(Store {
        meta: meta_rows,
        shelves,
        db,
        _lock: lock,
        _gone: gone_sender,
    });
    let last = read_last_values(&store)?;
    let shared = Arc::new(Shared::new(config, store.clone(), gone, positions));
    let not_before = set_ends(&shared, &store).max(log_row.created_at);
    beacon::check(&shared.config.folder, |topic, partition| {
        shared.tips.end(topic, partition)
    })?;
    let writer = Writer::start(shared.clone(), store, last, not_before)?;
    Ok(Opened {
        shared,
        codec,
        generation: log_row.generation,
        writer,
    })
}

fn read_or_create(db: &Database, rows: &Keyspace, config: &EmbeddedConfig) -> Result<LogRow, LogError> {
    let folder = config.folder.display();
    if let Some(bytes) = get(rows, meta::LOG_KEY)? {
        let row = LogRow::decode(&bytes).ok_or_else(|| damaged_row(meta::LOG_KEY))?;
        if row.format != meta::FORMAT {
            return Err(LogError::Unusable(format!(
                "the log in {folder} has format {}, this build reads format {}: use the build that wrote it, or another folder",
                row.format,
                meta::FORMAT
            )));
        }
        if row.partitions != config.partitions {
            return Err(LogError::Unusable(format!(
                "the log in {folder} has {} partitions, the configuration says {}: set `[log] partitions = {}`, or use another \
                 folder",
                row.partitions, config.partitions, row.partitions
            )));
        }
        return Ok(row);
    }
    let row = LogRow {
        format: meta::FORMAT,
        partitions: config.partitions,
        generation: 1,
        created_at: config.clock.now(),
    };
    let mut batch = db.batch().durability(Some(PersistMode::SyncAll));
    batch.insert(rows, meta::LOG_KEY, meta::seal(meta::LOG_KEY, &row.encode()));
    batch
        .commit()
        .map_err(|e| LogError::backend(format!("creating the log in {folder}"), e))?;
    Ok(row)
}

/// Gives every schema of this build its id: the one its text already has, or the next free one.
fn register_schemas(db: &Database, rows: &Keyspace) -> Result<Codec, LogError> {
    let mut known = Vec::new();
    for (key, value) in scan(rows, meta::SCHEMA_PREFIX)? {
        known.push(meta::decode_schema(&key, &value).ok_or_else(|| damaged_row(&key))?);
    }
    let mut next_id = known.iter().map(|(id, _, _)| *id).max().unwrap_or(0) + 1;
    let mut batch = db.batch().durability(Some(PersistMode::SyncAll));
    for record in RecordType::ALL {
        let (name, json) = (record.name(), record.schema_json());
        if known.iter().any(|(_, n, j)| n == name && j == json) {
            continue;
        }
        let key = meta::schema_key(next_id);
        batch.insert(rows, key.clone(), meta::seal(&key, &meta::encode_schema(name, json)));
        known.push((next_id, name.to_owned(), json.to_owned()));
        next_id += 1;
    }
    batch
        .commit()
        .map_err(|e| LogError::backend("registering schemas", e))?;
    let registered: Vec<_> = known
        .into_iter()
        .filter_map(|(id, name, json)| match RecordType::by_name(&name) {
            Some(record) => Some(RegisteredSchema { id, record, json }),
            None => {
                tracing::warn!(id, record = %name, "the log has a schema of a record this build does not know");
                None
            }
        })
        .collect();
    Ok(Codec::new(&registered))
}

fn read_positions(rows: &Keyspace) -> Result<HashMap<(Group, Topic, Partition), Offset>, LogError> {
    let mut positions = HashMap::new();
    for (key, value) in scan(rows, meta::GROUP_PREFIX)? {
        let offset = meta::decode_offset(&value).ok_or_else(|| damaged_row(&key))?;
        if let Some(place) = meta::decode_position_key(&key) {
            positions.insert(place, offset);
        }
    }
    Ok(positions)
}

type Segments = HashMap<Topic, Vec<Arc<Segment>>>;

fn read_segments(db: &Database, rows: &Keyspace, partitions: u32) -> Result<Segments, LogError> {
    let mut segments = Segments::new();
    // In key order: a topic's segments come in the order of their numbers.
    for (key, value) in scan(rows, meta::SEGMENT_PREFIX)? {
        let Some((topic, number)) = meta::decode_segment_key(&key) else {
            tracing::warn!(key = %key.escape_ascii(), "the log has a segment of a topic this build does not know");
            continue;
        };
        let row = SegmentRow::decode(&value, partitions).ok_or_else(|| damaged_row(&key))?;
        let name = store::segment_name(topic, number);
        if !db.keyspace_exists(&name) {
            return Err(LogError::Unusable(format!(
                "segment {number} of {topic} is missing from the log: restore it from a backup"
            )));
        }
        let segment = Segment::new(number, store::keyspace(db, &name)?, row);
        segments.entry(topic).or_default().push(Arc::new(segment));
    }
    Ok(segments)
}

/// Keyspaces whose row was never written, or is already gone: a crash fell in between.
fn delete_orphans(db: &Database, segments: &Segments) -> Result<(), LogError> {
    for name in db.list_keyspace_names() {
        let Some(rest) = name.strip_prefix("seg-") else {
            continue;
        };
        let Some((topic, number)) = rest.rsplit_once('-') else {
            continue;
        };
        // Those of an unknown topic belong to a later build.
        let (Some(topic), Ok(number)) = (Topic::by_name(topic), number.parse::<u64>()) else {
            continue;
        };
        if segments
            .get(&topic)
            .is_some_and(|all| all.iter().any(|s| s.number == number))
        {
            continue;
        }
        let orphan = store::keyspace(db, &name)?;
        db.delete_keyspace(orphan)
            .map_err(|e| LogError::backend(format!("deleting {name:?}"), e))?;
    }
    Ok(())
}

/// Reads all compacted topics, to know where each key was last written.
fn read_last_values(store: &Store) -> Result<LastValues, LogError> {
    let mut last = LastValues::default();
    for shelf in &store.shelves {
        let topic = shelf.topic();
        if !topic.is_compacted() {
            continue;
        }
        let Some(segment) = shelf.active() else { continue };
        for item in segment.keyspace.iter() {
            let (key, value) = item
                .into_inner()
                .map_err(|e| LogError::backend(format!("reading {topic}"), e))?;
            let Some((partition, offset)) = place_of(&key) else {
                continue;
            };
            match decode_head(partition, offset, &value) {
                Ok(head) => last.note(
                    (topic, partition, offset),
                    head.key,
                    head.is_tombstone,
                    head.appended_at,
                ),
                // Its readers get the error; it stays where it is.
                Err(damage) => tracing::error!(%topic, partition, offset, %damage, "a record of the log is damaged"),
            }
        }
    }
    last.sort_tombstones();
    Ok(last)
}

/// Shows readers what is durable, and answers the latest append time.
fn set_ends(shared: &Shared, store: &Store) -> Micros {
    let mut latest = Micros(i64::MIN);
    for shelf in &store.shelves {
        let Some(active) = shelf.active() else { continue };
        let row = active.row();
        latest = latest.max(row.last_at);
        for (partition, end) in (0..).zip(&row.ends) {
            shared.tips.set_end(shelf.topic(), partition, *end);
        }
    }
    latest
}

fn get(rows: &Keyspace, key: &[u8]) -> Result<Option<Bytes>, LogError> {
    let Some(sealed) = rows
        .get(key)
        .map_err(|e| LogError::backend("reading the log's own rows", e))?
    else {
        return Ok(None);
    };
    meta::unseal(key, &sealed)
        .map(|value| Some(Bytes::copy_from_slice(value)))
        .ok_or_else(|| damaged_row(key))
}

/// A row's key and its value behind the checksum.
type Row = (Vec<u8>, Vec<u8>);

fn scan(rows: &Keyspace, prefix: &str) -> Result<Vec<Row>, LogError> {
    let mut found = Vec::new();
    for item in rows.prefix(prefix) {
        let (key, sealed) = item
            .into_inner()
            .map_err(|e| LogError::backend("reading the log's own rows", e))?;
        let value = meta::unseal(&key, &sealed).ok_or_else(|| damaged_row(&key))?;
        found.push((key.to_vec(), value.to_vec()));
    }
    Ok(found)
}

fn damaged_row(key: &[u8]) -> LogError {
    LogError::Unusable(format!(
        "the log's own row `{}` is damaged: restore the log from a backup",
        key.escape_ascii()
    ))
}
