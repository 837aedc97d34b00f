//! The wall clock, read at the edge only: processors never see it.

use std::time::{SystemTime, UNIX_EPOCH};

use model::Micros;

/// Now, by this machine's clock. A clock before 1970 reads as 1970.
pub fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
