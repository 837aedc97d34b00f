//! Memory for many small byte strings: pieces of larger ones, so that a row costs no allocation of its own.

use bytes::{Bytes, BytesMut};

/// Memory taken at a time: about a hundred rows. It is given back when the last of them is gone.
const CHUNK_BYTES: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Arena {
    rest: BytesMut,
}

impl Arena {
    /// The parts, one behind the other.
    pub fn join(&mut self, parts: [&[u8]; 2]) -> Bytes {
        let needed = parts.iter().map(|part| part.len()).sum();
        if self.rest.capacity() < needed {
            self.rest = BytesMut::with_capacity(CHUNK_BYTES.max(needed));
        }
        for part in parts {
            self.rest.extend_from_slice(part);
        }
        self.rest.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_keep_what_they_were_given() {
        let mut arena = Arena::default();
        let large = vec![7; 2 * CHUNK_BYTES];
        let mut pieces = Vec::new();
        for n in 0..5_000_u32 {
            pieces.push(arena.join([b"n", &n.to_be_bytes()]));
        }
        pieces.push(arena.join([&[], &large]));
        for (n, piece) in (0..5_000_u32).zip(&pieces) {
            assert_eq!((piece[0], &piece[1..]), (b'n', &n.to_be_bytes()[..]));
        }
        assert_eq!(pieces[5_000], large);
    }
}
