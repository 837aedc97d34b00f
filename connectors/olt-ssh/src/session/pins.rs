//! Host keys that are trusted: the first one a device shows, until a person removes it.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use thiserror::Error;

/// Bytes of a pin's file at most.
const FILE_BYTES_MAX: u64 = 1_024;
/// Bytes of a file's name, of the 255 that file systems take.
const FILE_NAME_MAX: usize = 240;
/// Base64 letters of a SHA-256 without padding.
const DIGEST_LETTERS: usize = 43;
const ALGORITHM_MAX: usize = 64;

/// A host key as it is remembered: its kind and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pin {
    algorithm: String,
    fingerprint: String,
}

impl Pin {
    /// Of a key's kind (`ssh-rsa`) and digest (`SHA256:…`), as `ssh-keygen -l` prints them; `None` if they are no such thing.
    pub fn new(algorithm: &str, fingerprint: &str) -> Option<Self> {
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'@' | b'_');
        let in_digest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let digest = fingerprint.strip_prefix("SHA256:")?;
        let named = (1..=ALGORITHM_MAX).contains(&algorithm.len()) && algorithm.bytes().all(in_name);
        let digested = digest.len() == DIGEST_LETTERS && digest.bytes().all(in_digest);
        (named && digested).then(|| Self {
            algorithm: algorithm.to_owned(),
            fingerprint: fingerprint.to_owned(),
        })
    }

    /// The kind of key, as in a `known_hosts` file.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// `SHA256:` and the digest of the public key.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm, self.fingerprint)
    }
}

/// Not a kind and a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a kind of key and its SHA-256")]
pub struct NotAPin;

impl FromStr for Pin {
    type Err = NotAPin;

    fn from_str(text: &str) -> Result<Self, NotAPin> {
        let (algorithm, fingerprint) = text.split_once(' ').ok_or(NotAPin)?;
        Self::new(algorithm, fingerprint).ok_or(NotAPin)
    }
}

/// Why a trusted key is not known, or not kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PinsError {
    /// Something else than a pin stands there: it is not trusted anew.
    #[error("{} holds no host key's fingerprint: compare the device's key with what it should be, then remove the file", .0.display())]
    Damaged(PathBuf),
    /// Not readable.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not writable.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or its folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another key is trusted already: only a person replaces it.
    #[error("another host key is trusted for {0} already")]
    Taken(String),
    /// Too long for a file.
    #[error("the device's name is too long for a file's name")]
    NameTooLong,
}

/// Remembers a host key per device.
pub trait Pins: Send + Sync {
    /// The key that is trusted, if the device was ever met.
    ///
    /// # Errors
    /// When that cannot be told: then nothing is trusted.
    fn get(&self, device: &str) -> Result<Option<Pin>, PinsError>;

    /// Trusts the first key of a device, for good: kept when this returns. The same again is nothing.
    ///
    /// # Errors
    /// When it cannot be kept, or another one is trusted already.
    fn put(&self, device: &str, pin: &Pin) -> Result<(), PinsError>;
}

/// One small file a device, under one folder. One process a folder.
#[derive(Debug)]
pub struct FilePins {
    folder: PathBuf,
    writing: Mutex<()>,
}

impl FilePins {
    /// Keeps them in `folder`, which is made at the first key.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            writing: Mutex::new(()),
        }
    }

    /// Forgets a device's key, because a person said that the next one is right. Whether there was one.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn forget(&self, device: &str) -> Result<bool, PinsError> {
        let path = self.path(device)?;
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match fs::remove_file(&path) {
            Ok(()) => {
                sync_folder(&self.folder)?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(PinsError::Write { path, source }),
        }
    }

    fn path(&self, device: &str) -> Result<PathBuf, PinsError> {
        let mut name = String::with_capacity(device.len() + 8);
        for byte in device.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
                name.push(char::from(byte));
            } else {
                name.push_str(&format!("%{byte:02X}"));
            }
        }
        name.push_str(".pin");
        if name.len() > FILE_NAME_MAX {
            return Err(PinsError::NameTooLong);
        }
        Ok(self.folder.join(name))
    }
}

impl Pins for FilePins {
    fn get(&self, device: &str) -> Result<Option<Pin>, PinsError> {
        read(&self.path(device)?)
    }

    fn put(&self, device: &str, pin: &Pin) -> Result<(), PinsError> {
        let path = self.path(device)?;
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match read(&path)? {
            Some(trusted) if trusted == *pin => return Ok(()),
            Some(_) => return Err(PinsError::Taken(device.to_owned())),
            None => {}
        }
        // Whole or not at all: a new file, synced, takes the name, and then the name is synced.
        let new = path.with_extension("new");
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| PinsError::Write { path, source }
        };
        fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        write(&new, &format!("{pin}\n")).map_err(failed(&new))?;
        fs::rename(&new, &path).map_err(failed(&path))?;
        sync_folder(&self.folder)
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> Result<(), PinsError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| PinsError::Write {
            path: folder.to_owned(),
            source,
        })
}

fn read(path: &Path) -> Result<Option<Pin>, PinsError> {
    let failed = |source| PinsError::Read {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_suffix('\n'))
        .and_then(|text| text.parse().ok())
        .map(Some)
        .ok_or_else(|| PinsError::Damaged(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA: &str = "ssh-rsa SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDQVNKoQzmYDVk+/Zs";
    const OTHER: &str = "ssh-ed25519 SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM";

    fn pin(text: &str) -> Pin {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_key_stays_until_a_person_forgets_it() {
        let folder = tempfile::tempdir().unwrap();
        let pins = FilePins::new(folder.path().join("pins"));
        assert_eq!(pins.get("acme/olt/a").unwrap(), None);
        pins.put("acme/olt/a", &pin(RSA)).unwrap();
        pins.put("acme/olt/a", &pin(RSA)).unwrap();
        assert!(matches!(pins.put("acme/olt/a", &pin(OTHER)), Err(PinsError::Taken(_))));
        // Another process, later.
        let again = FilePins::new(folder.path().join("pins"));
        assert_eq!(again.get("acme/olt/a").unwrap(), Some(pin(RSA)));
        assert_eq!(again.get("acme/olt_a").unwrap(), None, "names do not run together");
        assert!(again.forget("acme/olt/a").unwrap() && !again.forget("acme/olt/a").unwrap());
        again.put("acme/olt/a", &pin(OTHER)).unwrap();
        assert_eq!(pins.get("acme/olt/a").unwrap(), Some(pin(OTHER)));
    }

    #[test]
    fn a_damaged_file_is_never_trusted_anew() {
        let folder = tempfile::tempdir().unwrap();
        let pins = FilePins::new(folder.path());
        pins.put("olt", &pin(RSA)).unwrap();
        let path = folder.path().join("olt.pin");
        let whole = fs::read_to_string(&path).unwrap();
        let cuts = (0..whole.len()).map(|at| whole[..at].to_owned());
        let others = [
            format!("{whole}{whole}"),
            whole.replace("SHA256", "MD5"),
            "x".repeat(5_000),
            "\u{fffd}\n".to_owned(),
        ];
        for damaged in cuts.chain(others) {
            fs::write(&path, &damaged).unwrap();
            assert!(matches!(pins.get("olt"), Err(PinsError::Damaged(_))), "{damaged:?}");
            assert!(
                matches!(pins.put("olt", &pin(RSA)), Err(PinsError::Damaged(_))),
                "{damaged:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_kept_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let pins = FilePins::new(&file);
        assert!(matches!(
            pins.put("olt", &pin(RSA)),
            Err(PinsError::Read { .. } | PinsError::Write { .. })
        ));
        let pins = FilePins::new(folder.path());
        assert!(matches!(pins.get(&"é".repeat(100)), Err(PinsError::NameTooLong)));
        pins.put("../../x\0y", &pin(RSA)).unwrap();
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "no name leaves the folder"
        );
    }
}
