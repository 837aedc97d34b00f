//! A file `ends` beside the database: how far each partition was durable a while ago.
//!
//! The database cuts its journal off at the first thing it cannot read, which is right for a torn last batch, and would
//! silently lose acknowledged records if the middle were damaged. A log that ends before where it once ended says so.

use std::fs;
use std::path::{Path, PathBuf};

use model::{Offset, Partition};
use topology::{TOPICS, Topic};
use xxhash_rust::xxh3::xxh3_64;

use crate::LogError;

fn path(folder: &Path) -> PathBuf {
    folder.join("ends")
}

/// Writes what `end` answers for each partition. Not synced: an older file serves as well, only later.
pub(super) fn write(
    folder: &Path,
    partitions: Partition,
    end: impl Fn(Topic, Partition) -> Offset,
) -> Result<(), LogError> {
    let mut text = String::new();
    for spec in TOPICS {
        for partition in 0..partitions {
            text.push_str(&format!("{} {partition} {}\n", spec.name, end(spec.topic, partition)));
        }
    }
    let sealed = format!("{:016x}\n{text}", xxh3_64(text.as_bytes()));
    let (new, path) = (folder.join("ends.new"), path(folder));
    fs::write(&new, sealed)
        .and_then(|()| fs::rename(&new, &path))
        .map_err(|e| LogError::backend(format!("writing {}", path.display()), e))
}

/// Compares with what is there now. A file that is missing or was not written to its end proves nothing.
pub(super) fn check(folder: &Path, end: impl Fn(Topic, Partition) -> Offset) -> Result<(), LogError> {
    let path = path(folder);
    let Ok(sealed) = fs::read_to_string(&path) else {
        return Ok(());
    };
    let Some((sum, text)) = sealed.split_once('\n') else {
        return Ok(());
    };
    if sum != format!("{:016x}", xxh3_64(text.as_bytes())) {
        return Ok(());
    }
    for (topic, partition, ended) in text.lines().filter_map(parse) {
        let ends = end(topic, partition);
        if ends < ended {
            return Err(LogError::Unusable(format!(
                "{topic}/{partition} ends at offset {ends} and once ended at {ended}: acknowledged records are lost. Restore \
                 the log from a backup, or delete {} to go on without them",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Topics that this build does not know are left out.
fn parse(line: &str) -> Option<(Topic, Partition, Offset)> {
    let mut words = line.split(' ');
    Some((
        Topic::by_name(words.next()?)?,
        words.next()?.parse().ok()?,
        words.next()?.parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_ends_earlier_than_it_did_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let check = |ended: Offset, ends: Offset, is_whole: bool| {
            write(folder.path(), 2, |_, _| ended).unwrap();
            assert_eq!(
                super::check(folder.path(), |_, p| if p == 1 { ends } else { ended }).is_ok(),
                is_whole
            );
        };
        check(5, 5, true);
        check(5, 6, true);
        check(5, 4, false);
    }

    #[test]
    fn a_file_that_is_not_whole_proves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let none = |_, _| 0;
        assert!(check(folder.path(), none).is_ok());
        write(folder.path(), 1, |_, _| 5).unwrap();
        let whole = fs::read(path(folder.path())).unwrap();
        for cut in 0..whole.len() {
            fs::write(path(folder.path()), &whole[..cut]).unwrap();
            assert!(check(folder.path(), none).is_ok(), "cut at {cut}");
        }
        fs::write(path(folder.path()), whole).unwrap();
        assert!(check(folder.path(), none).is_err());
    }
}
