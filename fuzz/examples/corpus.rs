//! Writes the seeds of every target into `FOLDER/TARGET/`, and prints each target's name and longest input.
#![allow(clippy::print_stdout, reason = "a command line tool")]

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .unwrap_or_else(|| "target/fuzz/seeds".to_owned()),
    );
    for target in fuzz::TARGETS {
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:03}")), seed)?;
        }
        println!("{} {}", target.name, target.bytes_max);
    }
    Ok(())
}
