//! Shared by the tests that run the product as a process.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses a part, and fails by panicking"
)]

pub mod checker;
pub mod gate;
pub mod sender;
pub mod views;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use load_tests::client::wait_ready;
use load_tests::product::{FirstStart, Running, Setup};
use log::Log;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The binary under test.
pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_atalaia"))
}

/// A new installation, started for the first time and ready.
pub struct FirstLife {
    pub folder: TempDir,
    pub setup: Setup,
    pub runtime: Runtime,
    pub product: Running,
    pub first: FirstStart,
}

impl FirstLife {
    /// Behind so many OLTs.
    pub fn start(olts: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::new(binary(), folder.path(), olts).unwrap();
        let runtime = Runtime::new().unwrap();
        let mut product = setup.spawn(&[]).unwrap();
        let first = product
            .wait_board(Duration::from_secs(20))
            .unwrap()
            .expect("a first start prints a password");
        runtime
            .block_on(wait_ready(setup.http(), Duration::from_secs(20)))
            .unwrap();
        Self {
            folder,
            setup,
            runtime,
            product,
            first,
        }
    }
}

/// Opens the log of a folder whose process is dead.
pub fn open_log(data: &Path) -> Arc<dyn Log> {
    atalaia::open_log(&data.join("log"), topology::PARTITIONS_EMBEDDED).unwrap()
}
