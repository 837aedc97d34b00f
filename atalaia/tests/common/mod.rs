//! Shared by the tests that run the product as a process.
#![allow(dead_code, reason = "each test uses a part")]

pub mod checker;
pub mod sender;
pub mod views;

use std::path::Path;
use std::sync::Arc;

use log::Log;

/// The binary under test.
pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_atalaia"))
}

/// Opens the log of a folder whose process is dead.
pub fn open_log(data: &Path) -> Arc<dyn Log> {
    atalaia::open_log(&data.join("log"), topology::PARTITIONS_EMBEDDED).unwrap()
}
