//! What is fuzzed: functions of bytes that panic when a promise is broken, each with seeds to begin from.
//!
//! `tests/short.rs` runs each for two seconds on mutations of seeds and corpus (a minute with `ATALAIA_SOAK=1`), on any compiler and
//! without guidance; `guided/` runs the same targets under libFuzzer (`make fuzz`), which keeps what reaches new code in `corpus/`. A
//! finding is a line in `findings/`, and from then on a case of the short form.
#![allow(clippy::missing_panics_doc, reason = "a target that panics has found something")]

mod mutate;
mod targets;

use std::io::ErrorKind;
use std::path::PathBuf;

pub use mutate::Mutator;

/// Something that reads bytes of others.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its files.
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

    /// Its kept inputs, corpus and findings: a line of hexadecimal digits each in `corpus/NAME.txt` and `findings/NAME.txt`.
    ///
    /// # Errors
    /// When a file that is there cannot be read, or a line is not hexadecimal.
    pub fn kept(&self) -> std::io::Result<Vec<(String, Vec<u8>)>> {
        let mut kept = Vec::new();
        for kind in ["corpus", "findings"] {
            let file = folder(kind).join(format!("{}.txt", self.name));
            let text = match std::fs::read_to_string(&file) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for (number, line) in (1..).zip(text.lines()) {
                let place = format!("{}:{number}", file.display());
                let input = unhex(line).ok_or_else(|| std::io::Error::new(ErrorKind::InvalidData, place.clone()))?;
                kept.push((place, input));
            }
        }
        Ok(kept)
    }
}

/// `corpus` or `findings`, beside this crate's manifest.
pub fn folder(kind: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(kind)
}

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits
        .chunks(2)
        .map(|pair| (pair.len() == 2).then(|| byte(pair))?)
        .collect()
}
