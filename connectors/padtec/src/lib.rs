//! Connector `padtec`: sites, cards, measures and alarms of an optical network, asked of its management system over HTTP.
//!
//! [`client`] asks, with a deadline on everything; [`decode`]: bytes of an answer in, rows and issues out, by a [`mapping`], which
//! is data; [`poll`]: when what is asked, whether a list is whole, and the records made of it. The second and the third are pure:
//! no network, no clock, no secret in anything they return.

pub mod client;
pub mod decode;
pub mod mapping;
pub mod poll;

use jiff::tz::TimeZone;
use thiserror::Error;

/// A text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no time zone: write one of the IANA database, such as America/Manaus")]
pub struct ZoneError(String);

/// The time zone of this name in the IANA database. An older form, such as `-4`, is none: it knows no summer time.
///
/// # Errors
/// When there is no such zone.
pub fn zone(name: &str) -> Result<TimeZone, ZoneError> {
    TimeZone::get(name).map_err(|_| ZoneError(name.chars().take(64).collect()))
}
