//! Between files of bytes, which libFuzzer wants, and the lines of hexadecimal digits that are kept.
//!
//! - `corpus unpack FOLDER` writes seeds and kept inputs of each target into `FOLDER/TARGET/`, and prints its name and longest input;
//! - `corpus pack KIND TARGET FOLDER` makes the files of a folder the lines of `KIND/TARGET.txt` (`findings`: adds them).
#![allow(clippy::print_stdout, reason = "a command line tool")]

use std::collections::BTreeSet;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use fuzz::Target;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["unpack", folder] => unpack(Path::new(folder)),
        ["pack", kind @ ("corpus" | "findings"), target, folder] => pack(kind, target, Path::new(folder)),
        _ => Err(Error::new(
            ErrorKind::InvalidInput,
            "usage: corpus unpack FOLDER | corpus pack corpus|findings TARGET FOLDER",
        )),
    }
}

fn unpack(folder: &Path) -> Result<()> {
    for target in fuzz::TARGETS {
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder)?;
        let kept = target.kept()?.into_iter().map(|(_, input)| input);
        for (number, input) in (target.seeds)().into_iter().chain(kept).enumerate() {
            std::fs::write(folder.join(format!("{number:05}")), input)?;
        }
        println!("{} {}", target.name, target.bytes_max);
    }
    Ok(())
}

fn pack(kind: &str, target: &str, folder: &Path) -> Result<()> {
    let unknown = || Error::new(ErrorKind::InvalidInput, format!("no target is called `{target}`"));
    let target = Target::by_name(target).ok_or_else(unknown)?;
    let file = fuzz::folder(kind).join(format!("{}.txt", target.name));
    let mut lines = BTreeSet::new();
    if kind == "findings" && file.exists() {
        lines.extend(std::fs::read_to_string(&file)?.lines().map(str::to_owned));
    }
    for entry in std::fs::read_dir(folder)? {
        lines.insert(fuzz::hex(&std::fs::read(entry?.path())?));
    }
    if lines.is_empty() {
        return Ok(());
    }
    // Short ones first, so that a change adds lines and moves few.
    let mut lines: Vec<String> = lines.into_iter().collect();
    lines.sort_by_key(|line| (line.len(), line.clone()));
    std::fs::create_dir_all(fuzz::folder(kind))?;
    std::fs::write(file, lines.join("\n") + "\n")
}
