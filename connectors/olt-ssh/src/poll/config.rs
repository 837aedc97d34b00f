//! What a connector needs to know.

use std::path::PathBuf;

use model::Root;
use schemas::DeviceRegistered;

use super::plan::Intervals;
use crate::session::{GateLimits, SessionLimits, Target};

/// One OLT that may be logged in to.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its root.
    pub root: Root,
    /// Where it is and how to log in.
    pub target: Target,
    /// Whether `1/2/2026` on it is the first of February.
    pub day_first: bool,
}

/// The connector's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of this instance: the beginning of its writer ids, the `connector` of its heartbeats.
    pub instance: String,
    /// Folder of the pinned host keys and of the spool.
    pub data: PathBuf,
    /// Bytes that the spool may take.
    pub spool_bytes_max: u64,
    /// The OLTs.
    pub devices: Vec<Device>,
    /// What to register of them; empty where another connector of the process does.
    pub registered: Vec<DeviceRegistered>,
    /// How often what is read.
    pub intervals: Intervals,
    /// Sessions open at once; at least 1.
    pub sessions_max: usize,
    /// How long each part of a session may take.
    pub limits: SessionLimits,
    /// Pauses between logins.
    pub gate: GateLimits,
}
