//! How far a spool is drained, on disk: two places written in turn, so that one is always whole.
//!
//! It is not synced: an older place only makes the drain repeat what the log has already, under the same writer ids.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::Place;
use super::format::checksum;

const NAME: &str = "drained";
const PLACE_BYTES: usize = 24;

pub(super) struct Cursor {
    file: File,
    next: u64,
}

impl Cursor {
    /// Opens the folder's cursor, and reads the further of its two places.
    pub fn open(folder: &Path) -> io::Result<(Self, Place)> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(NAME))?;
        let places = [0, 1].map(|i| read(&file, i));
        let further = places.iter().flatten().max().copied().unwrap_or_default();
        let next = u64::from(places[0] == Some(further));
        Ok((Self { file, next }, further))
    }

    pub fn write(&mut self, place: Place) -> io::Result<()> {
        let mut bytes = [0; PLACE_BYTES];
        bytes[..8].copy_from_slice(&place.segment.to_le_bytes());
        bytes[8..16].copy_from_slice(&place.offset.to_le_bytes());
        let sum = checksum(&[&bytes[..16]]);
        bytes[16..].copy_from_slice(&sum.to_le_bytes());
        self.file.write_all_at(&bytes, self.next * PLACE_BYTES as u64)?;
        self.next = 1 - self.next;
        Ok(())
    }
}

fn read(file: &File, index: u64) -> Option<Place> {
    let mut bytes = [0; PLACE_BYTES];
    file.read_exact_at(&mut bytes, index * PLACE_BYTES as u64).ok()?;
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    (number(16) == checksum(&[&bytes[..16]])).then(|| Place {
        segment: number(0),
        offset: number(8),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_further_whole_place_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let place = |segment, offset| Place { segment, offset };
        let (mut cursor, at) = Cursor::open(folder.path()).unwrap();
        assert_eq!(at, Place::default());
        for n in 1..6 {
            cursor.write(place(n, n * 100)).unwrap();
            assert_eq!(Cursor::open(folder.path()).unwrap().1, place(n, n * 100));
        }
        // A torn write of the next one leaves the last.
        cursor
            .file
            .write_all_at(&[0xAA; 9], cursor.next * PLACE_BYTES as u64)
            .unwrap();
        let (mut again, at) = Cursor::open(folder.path()).unwrap();
        assert_eq!(at, place(5, 500));
        again.write(place(6, 1)).unwrap();
        assert_eq!(Cursor::open(folder.path()).unwrap().1, place(6, 1));
    }
}
