//! What is fuzzed: functions of bytes that panic when a promise is broken, each with seeds to begin from.
//!
//! `tests/short.rs` runs each for two seconds on mutations of seeds and corpus (a minute with `ATALAIA_SOAK=1`), on any compiler and
//! without guidance; `guided/` runs the same targets under libFuzzer (`make fuzz`), which keeps what reaches new code in `corpus/`. A
//! finding is a file in `findings/`, and from then on a case of the short form.
#![allow(clippy::missing_panics_doc, reason = "a target that panics has found something")]

mod mutate;
mod targets;

use std::path::PathBuf;

pub use mutate::Mutator;

/// Something that reads bytes of others.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in `corpus/`.
    pub name: &'static str,
    /// Runs it once; panics when a promise is broken.
    pub run: fn(&[u8]),
    /// Good inputs, to begin from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Longest input that makes sense, in bytes.
    pub bytes_max: usize,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    targets::snmp::TARGET,
    targets::event::TARGET,
    targets::avro::TARGET,
    targets::configuration::TARGET,
    targets::usm::TARGET,
];

impl Target {
    /// The target of this name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|t| t.name == name)
    }

    /// Its kept inputs: the corpus and the findings, in the order of their names.
    ///
    /// # Errors
    /// When a file that is there cannot be read.
    pub fn kept(&self) -> std::io::Result<Vec<(PathBuf, Vec<u8>)>> {
        let mut files = Vec::new();
        for kind in ["corpus", "findings"] {
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(kind).join(self.name);
            if !folder.exists() {
                continue;
            }
            for entry in std::fs::read_dir(folder)? {
                files.push(entry?.path());
            }
        }
        files.sort();
        files
            .into_iter()
            .map(|path| Ok((path.clone(), std::fs::read(path)?)))
            .collect()
    }
}
