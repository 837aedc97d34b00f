//! Who we are to senders of v3 informs: an engine id that outlives restarts, and boots that were counted up and are on the
//! disk before the first answer (RFC 3414 §2.2.2). In `snmp-engine.json` of the data folder.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use snmp_usm::{BOOTS_MAX, EngineId};
use thiserror::Error;

const FILE: &str = "snmp-engine.json";

/// The engine's file cannot be read or written.
#[derive(Debug, Error)]
#[error("cannot keep the SNMP engine in {}: it must be readable and writable, or `[[snmp_traps.credential]]` of version 3 be left out", path.display())]
pub struct EngineError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    engine_id: String,
    boots: u32,
}

/// The next boot of the engine kept in `folder`; a new engine where there is none, where its file is damaged, or where its
/// boots are used up: to senders that is another engine, and they ask who it is.
pub(crate) fn next_boot(folder: &Path) -> Result<(EngineId, u32), EngineError> {
    let path = folder.join(FILE);
    let error = |source| EngineError {
        path: path.clone(),
        source,
    };
    let kept = match fs::read(&path) {
        Ok(bytes) => {
            let kept = read(&bytes);
            if kept.is_none() {
                tracing::warn!(path = %path.display(), "the SNMP engine's file is damaged or used up: this is a new engine, senders of v3 informs will ask for it");
            }
            kept
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(error(e)),
    };
    let (engine_id, boots) = kept.map_or_else(|| (EngineId::ours(rand::random()), 1), |(id, boots)| (id, boots + 1));
    write(folder, &path, engine_id, boots).map_err(error)?;
    Ok((engine_id, boots))
}

/// The engine and its boots, if there may be one more.
fn read(bytes: &[u8]) -> Option<(EngineId, u32)> {
    let kept: Kept = serde_json::from_slice(bytes).ok()?;
    let engine_id = kept.engine_id.parse().ok()?;
    (kept.boots < BOOTS_MAX - 1).then_some((engine_id, kept.boots))
}

/// Whole or not at all.
fn write(folder: &Path, path: &Path, engine_id: EngineId, boots: u32) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let kept = Kept {
        engine_id: engine_id.to_string(),
        boots,
    };
    let unfinished = folder.join(format!("{FILE}.new"));
    let mut file = File::create(&unfinished)?;
    file.write_all(&serde_json::to_vec(&kept)?)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boots_rise_and_the_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        // A process that was killed while it wrote.
        fs::write(folder.path().join("snmp-engine.json.new"), b"{").unwrap();
        let (id, boots) = next_boot(folder.path()).unwrap();
        assert_eq!(boots, 1);
        assert_eq!(next_boot(folder.path()).unwrap(), (id, 2));
        assert_eq!(next_boot(folder.path()).unwrap(), (id, 3));
    }

    #[test]
    fn a_damaged_or_used_up_one_is_another_engine() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let (first, _) = next_boot(folder.path()).unwrap();
        for bad in [
            String::new(),
            "{}".to_owned(),
            format!(r#"{{"engine_id":"{first}","boots":-1}}"#),
            format!(r#"{{"engine_id":"{first}","boots":2147483646}}"#),
            r#"{"engine_id":"80","boots":4}"#.to_owned(),
        ] {
            fs::write(&path, &bad).unwrap();
            let (id, boots) = next_boot(folder.path()).unwrap();
            assert!(id != first && boots == 1, "{bad}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(FILE)).unwrap();
        let error = next_boot(folder.path()).unwrap_err();
        assert!(error.to_string().contains("snmp-engine.json"), "{error}");
    }
}
