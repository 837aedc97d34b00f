//! The ids on disk: what they meant when they were first seen, which is what records of the log mean by them.
//!
//! One JSON file, replaced whole. It only grows: an id is forgotten by nobody but the operator who deletes the file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use schemas::{RecordType, RegisteredSchema};
use serde::{Deserialize, Serialize};

use crate::{RegistryError, agree};

#[derive(Serialize, Deserialize)]
struct Row {
    id: u32,
    record: String,
    schema: String,
}

#[derive(Serialize, Deserialize)]
struct Rows {
    schemas: Vec<Row>,
}

/// Without a file it remembers for the life of the process.
pub(crate) struct Cache {
    path: Option<PathBuf>,
    known: BTreeMap<u32, RegisteredSchema>,
}

impl Cache {
    pub fn open(path: Option<PathBuf>) -> Result<Self, RegistryError> {
        let mut known = BTreeMap::new();
        let rows = path.as_deref().map_or(Ok(vec![]), read)?;
        // A record of a newer build that used this folder before is not ours to read.
        let ours = rows.into_iter().filter_map(|row| {
            let record = RecordType::by_name(&row.record)?;
            let (id, json) = (row.id, row.schema);
            Some(RegisteredSchema { id, record, json })
        });
        for schema in ours {
            agree(&mut known, schema)?;
        }
        Ok(Self { path, known })
    }

    pub fn schemas(&self) -> Vec<RegisteredSchema> {
        self.known.values().cloned().collect()
    }

    /// Adds what is new, durably.
    pub fn add(&mut self, schemas: &[RegisteredSchema]) -> Result<(), RegistryError> {
        let before = self.known.len();
        for schema in schemas {
            agree(&mut self.known, schema.clone())?;
        }
        match &self.path {
            Some(path) if self.known.len() > before => {
                write(path, self.known.values()).map_err(|error| problem(path, &error))
            }
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> Result<Vec<Row>, RegistryError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice::<Rows>(&bytes)
            .map(|rows| rows.schemas)
            .map_err(|error| {
                problem(
                    path,
                    &format!("{error}; if the registry has kept its data, delete the file"),
                )
            }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(problem(path, &error)),
    }
}

fn write<'a>(path: &Path, known: impl Iterator<Item = &'a RegisteredSchema>) -> std::io::Result<()> {
    let rows = known.map(|s| Row {
        id: s.id,
        record: s.record.name().to_owned(),
        schema: s.json.clone(),
    });
    let rows = Rows {
        schemas: rows.collect(),
    };
    let bytes = serde_json::to_vec_pretty(&rows)?;
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // A name of its own: several parts may keep their ids in one folder.
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = File::create(&new)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

fn problem(path: &Path, problem: &dyn std::fmt::Display) -> RegistryError {
    RegistryError::Cache {
        path: path.to_owned(),
        problem: problem.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(id: u32) -> RegisteredSchema {
        let record = RecordType::Tick;
        let json = record.schema_json().to_owned();
        RegisteredSchema { id, record, json }
    }

    #[test]
    fn ids_come_back_and_never_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/schema-ids.json");
        let open = || Cache::open(Some(path.clone())).unwrap();
        open().add(&[tick(7)]).unwrap();
        open().add(&[tick(9)]).unwrap();
        assert_eq!(open().schemas(), [tick(7), tick(9)]);

        let other = RegisteredSchema {
            record: RecordType::DeviceEvent,
            json: RecordType::DeviceEvent.schema_json().to_owned(),
            id: 7,
        };
        let error = open().add(&[other]).unwrap_err();
        assert!(matches!(error, RegistryError::IdsChanged { id: 7, .. }), "{error}");
        assert_eq!(open().schemas(), [tick(7), tick(9)]);
    }

    #[test]
    fn a_damaged_file_is_an_error_that_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ids.json");
        fs::write(&path, "{\"schemas\": [").unwrap();
        let error = Cache::open(Some(path)).err().unwrap().to_string();
        assert!(
            error.contains("ids.json") && error.contains("delete the file"),
            "{error}"
        );
    }
}
