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
