//! Between a row's values and a type's fields.

use std::collections::BTreeMap;
use std::str::FromStr;

use model::{EntityId, Micros, Position};

use crate::{Column, ColumnType, Row, StoreError, TableDef, Value};

/// A column definition.
pub(super) const fn column(name: &'static str, kind: ColumnType) -> Column {
    Column { name, kind }
}

/// An instant, as the store keeps it.
pub(super) fn instant(at: Micros) -> Value {
    Value::Timestamp(at.millis())
}

/// A text.
pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A text that may be absent.
pub(super) fn optional_text(value: Option<&String>) -> Option<Value> {
    value.map(|t| text(t))
}

/// Counts by word, as texts: the one kind of map there is.
pub(super) fn counts(counts: &BTreeMap<String, i64>) -> Option<Value> {
    let texts = counts.iter().map(|(word, n)| (word.clone(), n.to_string()));
    (!counts.is_empty()).then(|| Value::Map(texts.collect()))
}

/// Words and ids, none of which has a line's end in it, in one text.
pub(super) fn lines(list: &[String]) -> Option<Value> {
    (!list.is_empty()).then(|| Value::Text(list.join("\n")))
}

/// The three audit columns: the input that made the row.
pub(super) fn audit(position: Position) -> [Option<Value>; 3] {
    [
        Some(Value::Int(i32::try_from(position.generation).unwrap_or(i32::MAX))),
        Some(Value::Int(i32::try_from(position.partition).unwrap_or(i32::MAX))),
        Some(Value::Bigint(i64::try_from(position.offset).unwrap_or(i64::MAX))),
    ]
}

/// A part of a row as a map by the names of its fields: what is not said costs nothing.
#[derive(Default)]
pub(super) struct Out(pub(super) BTreeMap<String, String>);

impl Out {
    pub(super) fn put(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.to_string());
        }
    }
}

/// A field of such a map that may be missing; outer `None` if it is there and not of its type.
pub(super) fn get<T: FromStr>(map: &BTreeMap<String, String>, name: &str) -> Option<Option<T>> {
    match map.get(name) {
        None => Some(None),
        Some(text) => text.parse().ok().map(Some),
    }
}

/// Reads a row of one of `tables` by the names of its columns, key columns included.
pub(super) struct Fields<'a> {
    row: &'a Row,
}

impl<'a> Fields<'a> {
    pub(super) fn of(row: &'a Row, tables: &[&TableDef]) -> Result<Self, StoreError> {
        if tables.iter().any(|t| t.name == row.table.name) {
            Ok(Self { row })
        } else {
            let expected: Vec<_> = tables.iter().map(|t| t.name).collect();
            Err(invalid(row.table, format!("not a row of {}", expected.join(" or "))))
        }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        let table = self.row.table;
        let keys = table
            .partition_key
            .iter()
            .chain(table.clustering_key.iter().map(|(column, _)| column));
        if let Some(i) = keys.clone().position(|c| c.name == name) {
            return self.row.key.get(i);
        }
        let i = table.columns.iter().position(|c| c.name == name)?;
        self.row.columns.get(i)?.as_ref()
    }

    pub(super) fn wrong(&self, name: &str) -> StoreError {
        invalid(self.row.table, format!("column {name} is missing or of another type"))
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<String>, StoreError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(name)),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<String, StoreError> {
        self.optional_text(name)?.ok_or_else(|| self.wrong(name))
    }

    pub(super) fn entity(&self, name: &str) -> Result<EntityId, StoreError> {
        EntityId::parse(&self.text(name)?).map_err(|error| invalid(self.row.table, error.to_string()))
    }

    pub(super) fn optional_instant(&self, name: &str) -> Result<Option<Micros>, StoreError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Timestamp(ms)) => Ok(Some(Micros(ms.saturating_mul(1_000)))),
            Some(_) => Err(self.wrong(name)),
        }
    }

    pub(super) fn instant(&self, name: &str) -> Result<Micros, StoreError> {
        self.optional_instant(name)?.ok_or_else(|| self.wrong(name))
    }

    pub(super) fn boolean(&self, name: &str) -> Result<bool, StoreError> {
        match self.get(name) {
            Some(Value::Boolean(b)) => Ok(*b),
            _ => Err(self.wrong(name)),
        }
    }

    pub(super) fn blob(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        match self.get(name) {
            Some(Value::Blob(bytes)) => Ok(bytes.clone()),
            _ => Err(self.wrong(name)),
        }
    }

    /// An absent map is an empty one, as in CQL.
    pub(super) fn map(&self, name: &str) -> Result<BTreeMap<String, String>, StoreError> {
        match self.get(name) {
            None => Ok(BTreeMap::new()),
            Some(Value::Map(map)) => Ok(map.clone()),
            Some(_) => Err(self.wrong(name)),
        }
    }

    /// A map that stands for a part of a row; absent, or empty as in CQL, it is none.
    pub(super) fn part<T>(
        &self,
        name: &str,
        read: impl FnOnce(&BTreeMap<String, String>) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let map = self.map(name)?;
        if map.is_empty() {
            return Ok(None);
        }
        read(&map).map(Some).ok_or_else(|| self.wrong(name))
    }

    pub(super) fn bigint(&self, name: &str) -> Result<i64, StoreError> {
        match self.get(name) {
            Some(Value::Bigint(n)) => Ok(*n),
            _ => Err(self.wrong(name)),
        }
    }

    pub(super) fn optional_bigint(&self, name: &str) -> Result<Option<i64>, StoreError> {
        self.get(name).map(|_| self.bigint(name)).transpose()
    }

    pub(super) fn int(&self, name: &str) -> Result<i32, StoreError> {
        match self.get(name) {
            Some(Value::Int(n)) => Ok(*n),
            _ => Err(self.wrong(name)),
        }
    }

    pub(super) fn double(&self, name: &str) -> Result<f64, StoreError> {
        match self.get(name) {
            Some(Value::Double(n)) => Ok(*n),
            _ => Err(self.wrong(name)),
        }
    }

    pub(super) fn optional_double(&self, name: &str) -> Result<Option<f64>, StoreError> {
        self.get(name).map(|_| self.double(name)).transpose()
    }

    /// A list kept in one text, as [`lines`] writes it.
    pub(super) fn lines(&self, name: &str) -> Result<Vec<String>, StoreError> {
        Ok(match self.optional_text(name)? {
            None => Vec::new(),
            Some(text) => text.lines().map(str::to_owned).collect(),
        })
    }

    pub(super) fn counts(&self, name: &str) -> Result<BTreeMap<String, i64>, StoreError> {
        let number = |(word, text): (String, String)| text.parse().map(|n| (word, n)).map_err(|_| self.wrong(name));
        self.map(name)?.into_iter().map(number).collect()
    }

    pub(super) fn position(&self) -> Result<Position, StoreError> {
        self.position_in(["src_gen", "src_part", "src_offset"])
    }

    pub(super) fn position_in(&self, names: [&str; 3]) -> Result<Position, StoreError> {
        let [generation, partition, offset] = names.map(|name| self.get(name));
        let (Some(Value::Int(generation)), Some(Value::Int(partition)), Some(Value::Bigint(offset))) =
            (generation, partition, offset)
        else {
            return Err(self.wrong(&names.join(", ")));
        };
        Ok(Position {
            generation: u32::try_from(*generation).unwrap_or(0),
            partition: u32::try_from(*partition).unwrap_or(0),
            offset: u64::try_from(*offset).unwrap_or(0),
        })
    }
}

fn invalid(table: &TableDef, problem: String) -> StoreError {
    StoreError::Invalid {
        table: table.name,
        problem,
    }
}
