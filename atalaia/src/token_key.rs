//! The key that signs tokens: made once, readable for its owner only. Deleting it logs everybody out.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context, Result};
use rand::RngExt as _;
use settings::Settings;

/// The configured key, or else the data folder's, which is made if there is none.
///
/// # Errors
/// When it cannot be read or kept, or is not one.
pub fn of(settings: &Settings) -> Result<[u8; 32]> {
    match &settings.http.token_key {
        Some(key) => from_hex(key.expose()).context("http.token_key is not 64 hexadecimal digits"),
        None => of_folder(&settings.data),
    }
}

fn from_hex(digits: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    for (i, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    (digits.len() == 64).then_some(key)
}

fn of_folder(folder: &Path) -> Result<[u8; 32]> {
    let path = folder.join("jwt.key");
    match std::fs::read(&path) {
        Ok(bytes) => bytes
            .try_into()
            .map_err(|_| anyhow::anyhow!("{} is damaged: delete it, everybody logs in again", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            make(folder, &path).with_context(|| format!("cannot keep {}", path.display()))
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Whole or not at all, whenever the process is killed: the folder is locked, so nobody else makes one.
fn make(folder: &Path, path: &Path) -> std::io::Result<[u8; 32]> {
    let key: [u8; 32] = rand::rng().random();
    let unfinished = folder.join("jwt.key.new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(&key)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    std::fs::File::open(folder)?.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_a_damaged_one_is_said() {
        let folder = tempfile::tempdir().unwrap();
        // A process that was killed while it made one.
        std::fs::write(folder.path().join("jwt.key.new"), [1; 5]).unwrap();
        let first = of_folder(folder.path()).unwrap();
        assert_eq!(of_folder(folder.path()).unwrap(), first);
        std::fs::write(folder.path().join("jwt.key"), [1; 5]).unwrap();
        assert!(of_folder(folder.path()).unwrap_err().to_string().contains("delete it"));
    }
}
