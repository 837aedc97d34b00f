//! A mapping in a file, read again when the file has changed.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use thiserror::Error;

use super::{Mapping, Problems};

/// Largest mapping, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// A mapping that cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read the mapping {file}: name a TOML file, or one of {}", super::BUILT_IN.join(", "))]
    Read {
        /// Its name.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is too large to be one.
    #[error("{file} has more than {BYTES_MAX} bytes: it is no mapping")]
    TooLarge {
        /// Its name.
        file: String,
    },
    /// It is wrong.
    #[error("{0}")]
    Wrong(#[from] Problems),
}

pub(super) fn load(path: &Path) -> Result<Mapping, LoadError> {
    let file = path.display().to_string();
    let mut text = String::new();
    let opened = std::fs::File::open(path);
    match opened.and_then(|opened| opened.take(BYTES_MAX + 1).read_to_string(&mut text)) {
        Err(source) => return Err(LoadError::Read { file, source }),
        Ok(bytes) if bytes as u64 > BYTES_MAX => return Err(LoadError::TooLarge { file }),
        Ok(_) => {}
    }
    let name = path
        .file_stem()
        .map_or_else(|| file.clone(), |stem| stem.to_string_lossy().into_owned());
    Ok(Mapping::parse(&name, &file, &text)?)
}

/// A mapping as it is now.
#[derive(Debug)]
pub struct MappingFile {
    current: Arc<Mapping>,
    /// The file, and when it was changed last; `None` for one that is built in.
    watched: Option<(PathBuf, Option<SystemTime>)>,
}

impl MappingFile {
    /// A mapping that is built in, or a file.
    ///
    /// # Errors
    /// As [`Mapping::load`].
    pub fn open(name: &str) -> Result<Self, LoadError> {
        let path = Mapping::built_in(name).is_none().then(|| PathBuf::from(name));
        // The time first: a change while it is read is seen the next time.
        let watched = path.map(|path| {
            let changed = changed_at(&path);
            (path, changed)
        });
        Ok(Self {
            current: Arc::new(Mapping::load(name)?),
            watched,
        })
    }

    /// The mapping.
    pub fn current(&self) -> &Arc<Mapping> {
        &self.current
    }

    /// Reads the file again if it has changed; whether it is another mapping now. A wrong one leaves the last right one in place, and
    /// is an error once.
    ///
    /// # Errors
    /// As [`Mapping::load`].
    pub fn refresh(&mut self) -> Result<bool, LoadError> {
        let Some((path, known)) = &mut self.watched else {
            return Ok(false);
        };
        let changed = changed_at(path);
        if changed == *known {
            return Ok(false);
        }
        *known = changed;
        self.current = Arc::new(load(path)?);
        Ok(true)
    }
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|data| data.modified()).ok()
}
