//! `atalaia check FILE`: every mistake of a configuration, with file, line, key and what would be right.

use std::path::Path;

use anyhow::{Result, bail};

use super::out;

/// Checks a file, or prints the complete example.
///
/// # Errors
/// When the configuration has mistakes: all of them are in the text.
pub fn run(file: Option<&Path>, example: bool) -> Result<()> {
    if example {
        return out::until_read(out::line(&settings::example().trim_end()));
    }
    let Some(file) = file else {
        bail!("name a file, or ask for --example")
    };
    match settings::load(Some(file), settings::process_environment()) {
        Ok(_) => out::until_read(out::line(&format!("{}: right", file.display()))),
        Err(errors) => bail!("{}", errors_text(&errors)),
    }
}

/// All mistakes, one a line.
pub fn errors_text(errors: &settings::Errors) -> String {
    format!("the configuration has mistakes:\n{errors}")
}
