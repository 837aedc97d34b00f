//! A secret that cannot be shown by accident.

use std::fmt;

/// Bytes that are never printed, logged or serialised. Comparing takes the same time wherever they differ.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Takes the bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into().into_boxed_slice())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` is the same, in a time that depends on the length of `other` alone.
    pub fn matches(&self, other: &[u8]) -> bool {
        let mut difference = u8::from(self.0.len() != other.len());
        for (i, theirs) in other.iter().enumerate() {
            // Past our end any octet does: the lengths differ already.
            let ours = self.0.get(i).copied().unwrap_or(0);
            difference |= std::hint::black_box(ours ^ theirs);
        }
        difference == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_only_the_same_bytes_and_shows_none() {
        let secret = Secret::new("public");
        assert!(secret.matches(b"public"));
        for other in [&b"publiC"[..], b"publi", b"public\0", b"", b"Public"] {
            assert!(!secret.matches(other), "{other:?}");
        }
        assert!(Secret::new("").matches(b""));
        assert!(!format!("{secret:?} {:?}", Some(&secret)).contains("public"));
    }
}
