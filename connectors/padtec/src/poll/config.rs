//! What a connector needs to know.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use model::Root;
use schemas::DeviceRegistered;

use super::plan::Intervals;
use crate::client::{Base, Login, Trust};
use crate::mapping::MappingFile;

/// One management system.
#[derive(Debug)]
pub struct System {
    /// Its root.
    pub root: Root,
    /// Where its API begins.
    pub base: Base,
    /// How to prove who we are.
    pub login: Login,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// Zone of the times it writes without one.
    pub zone: TimeZone,
    /// How its fields are called.
    pub mapping: MappingFile,
}

/// The connector's configuration.
#[derive(Debug)]
pub struct Config {
    /// Name of this instance: the beginning of its writer ids, the `connector` of its heartbeats.
    pub instance: String,
    /// Folder of the spool.
    pub data: PathBuf,
    /// Bytes that the spool may take.
    pub spool_bytes_max: u64,
    /// The systems.
    pub systems: Vec<System>,
    /// What to register of them.
    pub registered: Vec<DeviceRegistered>,
    /// How often what is read.
    pub intervals: Intervals,
}
