//! What the codec knows of schema ids: those it began with, those it has learned since, and those it was asked for in vain.
//!
//! Invariant: an id never changes its meaning. A registry that says otherwise has lost its memory, and whoever believed it
//! would read records as something they are not.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError, RwLock};

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use thiserror::Error;

use super::{DecodeError, RegisteredSchema};
use crate::records::RecordType;

/// Ids that may be wanted at one time: a partition waits for one, more come from damaged bytes only.
pub const WANTED_MAX: usize = 256;
/// Ids that may be learned in a life: a schema stays in memory for good.
pub const LEARNED_MAX: usize = 4_096;

/// Why a schema was not learned.
#[derive(Debug, Error)]
pub enum LearnError {
    /// The registry does not give the ids that it gave before.
    #[error(
        "schema id {id} is a {known} here and a {other} in the registry: the registry has lost its ids, restore it"
    )]
    Conflict {
        /// The id.
        id: u32,
        /// What it is, and stays.
        known: String,
        /// What it is said to be.
        other: String,
    },
    /// Not a schema of that record.
    #[error("schema id {id} is not a valid schema of {record}: {reason}")]
    Invalid {
        /// The id.
        id: u32,
        /// Whose schema it should be.
        record: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// More ids than any real registry has of us.
    #[error("{LEARNED_MAX} schema ids are learned already: restart this part, and find out who registers so many")]
    TooMany,
}

/// A schema that bytes can be read with.
pub(super) struct Known {
    pub record: RecordType,
    /// How to read what was written with another version than the committed one; `None` for that one.
    pub resolving: Option<GenericDatumReader<'static>>,
    json: Box<str>,
    /// What decides how bytes are read: names, fields and types, nothing else.
    canonical: String,
}

/// Canonical forms of the committed schemas, in the order of [`RecordType::ALL`]: bytes of an equal one are read by
/// generated code.
static COMMITTED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let canonical = |t: &RecordType| Schema::parse_str(t.schema_json()).map(|s| s.canonical_form());
    let all = RecordType::ALL.iter().map(canonical);
    all.collect::<Result<_, _>>().expect("committed schemas are valid Avro")
});

#[derive(Clone, Copy)]
enum Meaning {
    Ours(&'static Known),
    Foreign,
}

/// Ids known from the start are read without a lock; a learned one costs an uncontended read lock (about 20 ns).
pub(super) struct Ids {
    first: HashMap<u32, &'static Known>,
    learned: RwLock<HashMap<u32, Meaning>>,
    wanted: Mutex<BTreeSet<u32>>,
}

impl Ids {
    /// # Panics
    /// When a schema is not valid, or an id has two meanings.
    pub fn new(registered: &[RegisteredSchema]) -> Self {
        let ids = Self {
            first: HashMap::new(),
            learned: RwLock::default(),
            wanted: Mutex::default(),
        };
        for schema in registered {
            let learned = ids.learn(schema);
            learned.unwrap_or_else(|error| panic!("a codec cannot begin with a wrong table: {error}"));
        }
        let learned = ids.learned.into_inner().unwrap_or_else(PoisonError::into_inner);
        let first = learned.into_iter().filter_map(|(id, meaning)| match meaning {
            Meaning::Ours(known) => Some((id, known)),
            Meaning::Foreign => None,
        });
        Self {
            first: first.collect(),
            learned: RwLock::default(),
            wanted: ids.wanted,
        }
    }

    #[inline]
    pub fn get(&self, id: u32) -> Result<&'static Known, DecodeError> {
        match self.first.get(&id) {
            Some(known) => Ok(known),
            None => self.get_learned(id),
        }
    }

    #[inline(never)]
    fn get_learned(&self, id: u32) -> Result<&'static Known, DecodeError> {
        match self.meaning(id) {
            Some(Meaning::Ours(known)) => Ok(known),
            Some(Meaning::Foreign) => Err(DecodeError::ForeignSchema(id)),
            None => {
                let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
                if wanted.len() < WANTED_MAX {
                    wanted.insert(id);
                }
                Err(DecodeError::UnknownSchema(id))
            }
        }
    }

    pub fn knows(&self, id: u32) -> bool {
        self.meaning(id).is_some()
    }

    pub fn wanted(&self) -> Vec<u32> {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.iter().copied().collect()
    }

    /// Adds a schema; `false` if it was known already.
    pub fn learn(&self, schema: &RegisteredSchema) -> Result<bool, LearnError> {
        let parsed = parse(schema)?;
        let canonical = parsed.canonical_form();
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        let before = self.first.get(&schema.id).map(|k| Meaning::Ours(k));
        match before.or_else(|| learned.get(&schema.id).copied()) {
            Some(Meaning::Ours(before)) if before.canonical == canonical => return Ok(false),
            Some(before) => return Err(conflict(schema.id, before, schema.record.name())),
            None if learned.len() >= LEARNED_MAX => return Err(LearnError::TooMany),
            None => {}
        }
        let known = Known::new(schema, parsed, canonical)?;
        learned.insert(schema.id, Meaning::Ours(Box::leak(Box::new(known))));
        drop(learned);
        self.no_longer_wanted(schema.id);
        Ok(true)
    }

    /// Notes that an id is somebody else's; `false` if that was known already.
    pub fn learn_foreign(&self, id: u32, name: &str) -> Result<bool, LearnError> {
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        let before = self.first.get(&id).map(|k| Meaning::Ours(k));
        match before.or_else(|| learned.get(&id).copied()) {
            Some(Meaning::Foreign) => return Ok(false),
            Some(before) => return Err(conflict(id, before, name)),
            None if learned.len() >= LEARNED_MAX => return Err(LearnError::TooMany),
            None => {}
        }
        learned.insert(id, Meaning::Foreign);
        drop(learned);
        self.no_longer_wanted(id);
        Ok(true)
    }

    /// Every schema of ours, in the order of the ids.
    pub fn registered(&self) -> Vec<RegisteredSchema> {
        let learned = self.learned.read().unwrap_or_else(PoisonError::into_inner);
        let ours = learned.iter().filter_map(|(&id, meaning)| match meaning {
            Meaning::Ours(known) => Some((id, *known)),
            Meaning::Foreign => None,
        });
        let all = self.first.iter().map(|(&id, &known)| (id, known)).chain(ours);
        let mut list: Vec<_> = all.map(|(id, known)| known.registered(id)).collect();
        list.sort_by_key(|s| s.id);
        list
    }

    fn meaning(&self, id: u32) -> Option<Meaning> {
        if let Some(known) = self.first.get(&id) {
            return Some(Meaning::Ours(known));
        }
        let learned = self.learned.read().unwrap_or_else(PoisonError::into_inner);
        learned.get(&id).copied()
    }

    fn no_longer_wanted(&self, id: u32) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

fn parse(schema: &RegisteredSchema) -> Result<Schema, LearnError> {
    let parsed = Schema::parse_str(&schema.json).map_err(|e| invalid(schema, e.to_string()))?;
    let name = parsed.name().map(|name| name.fullname(None));
    if name.is_some_and(|name| name == schema.record.full_name()) {
        Ok(parsed)
    } else {
        Err(invalid(schema, format!("it is not of {}", schema.record.full_name())))
    }
}

fn invalid(schema: &RegisteredSchema, reason: String) -> LearnError {
    LearnError::Invalid {
        id: schema.id,
        record: schema.record.name(),
        reason,
    }
}

impl Known {
    /// Stays for the life of the process, since readers borrow their schema; there are few.
    fn new(schema: &RegisteredSchema, parsed: Schema, canonical: String) -> Result<Self, LearnError> {
        let committed = COMMITTED[schema.record as usize] == canonical;
        let resolving = (!committed)
            .then(|| {
                GenericDatumReader::builder(Box::leak(Box::new(parsed)))
                    .human_readable(false)
                    .build()
            })
            .transpose()
            .map_err(|e| invalid(schema, e.to_string()))?;
        Ok(Self {
            record: schema.record,
            resolving,
            json: schema.json.as_str().into(),
            canonical,
        })
    }

    fn registered(&self, id: u32) -> RegisteredSchema {
        RegisteredSchema {
            id,
            record: self.record,
            json: self.json.to_string(),
        }
    }
}

fn conflict(id: u32, known: Meaning, other: &str) -> LearnError {
    let known = match known {
        Meaning::Ours(known) => known.record.name().to_owned(),
        Meaning::Foreign => "record of somebody else".to_owned(),
    };
    let other = if known == other {
        format!("different {other}")
    } else {
        other.to_owned()
    };
    LearnError::Conflict { id, known, other }
}

/// Whose schema a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaOwner {
    /// One of our records, in some version.
    Ours(RecordType),
    /// A record of our name space that this build does not have: a newer build writes it.
    Newer(String),
    /// Somebody else's, or not an Avro record at all: its name, or what it is instead.
    Foreign(String),
}

/// Whose schema this is, by its name. Total: any text has an answer.
pub fn schema_owner(json: &str) -> SchemaOwner {
    let name = match Schema::parse_str(json) {
        Ok(Schema::Record(record)) => record.name.fullname(None),
        Ok(_) => return SchemaOwner::Foreign("not a record".into()),
        Err(_) => return SchemaOwner::Foreign("not an Avro schema".into()),
    };
    match name
        .strip_prefix(crate::records::NAMESPACE)
        .and_then(|n| n.strip_prefix('.'))
    {
        None => SchemaOwner::Foreign(name),
        Some(bare) => match RecordType::by_name(bare) {
            Some(record) => SchemaOwner::Ours(record),
            None => SchemaOwner::Newer(name),
        },
    }
}

/// Whether two schemas read bytes alike: names, fields and types are the same; texts, defaults and order of attributes may
/// differ (a registry may print a schema its own way). Texts that are no schemas are like nothing.
pub fn reads_alike(a: &str, b: &str) -> bool {
    let canonical = |json| Schema::parse_str(json).map(|s| s.canonical_form());
    matches!((canonical(a), canonical(b)), (Ok(a), Ok(b)) if a == b)
}
