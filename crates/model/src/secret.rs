//! A secret that cannot slip into a log line, a metric or an error.

use std::fmt;
use std::sync::Arc;

/// A password, token or community. It prints as the reference it came from; only [`Secret::expose`] gives the value.
#[derive(Clone)]
pub struct Secret {
    value: Arc<str>,
    reference: Arc<str>,
}

impl Secret {
    /// A secret that came from a named place, such as `env TRAP_COMMUNITY`. The reference is shown, the value never.
    pub fn new(value: &str, reference: &str) -> Self {
        Self {
            value: value.into(),
            reference: reference.into(),
        }
    }

    /// The value itself: for the one line that hands it to a protocol.
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    /// Whether `other` is the same, in a time that depends on the length of `other` alone.
    pub fn matches(&self, other: &[u8]) -> bool {
        let ours = self.value.as_bytes();
        let mut difference = u8::from(ours.len() != other.len());
        for (i, theirs) in other.iter().enumerate() {
            // Past our end any octet does: the lengths differ already.
            let ours = ours.get(i).copied().unwrap_or(0);
            difference |= std::hint::black_box(ours ^ theirs);
        }
        difference == 0
    }

    /// Where it came from.
    pub fn reference(&self) -> &str {
        &self.reference
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.reference)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_only_the_same_bytes_and_shows_none() {
        let secret = Secret::new("public", "env COMMUNITY");
        assert!(secret.matches(b"public"));
        for other in [&b"publiC"[..], b"publi", b"public\0", b"", b"Public"] {
            assert!(!secret.matches(other), "{other:?}");
        }
        assert!(Secret::new("", "test").matches(b""));
        assert_eq!(
            format!("{secret:?} {secret} {:?}", Some(&secret)),
            "Secret(env COMMUNITY) [env COMMUNITY] Some(Secret(env COMMUNITY))"
        );
    }
}
