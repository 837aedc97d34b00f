//! The one configuration and secrets module: a TOML file and the environment in, checked [`Settings`] out.
//!
//! Every setting is a row of [`schema::SETTINGS`]; checks, error texts, overrides, [`example`] and
//! [`reference_markdown`] are made from it. Not here: what the parts do with their settings, and command-line flags.
//!
//! Invariants:
//! - all mistakes are reported at once, each with file, line, column, key and what would be right;
//! - no secret stands in the file, and none is ever printed: not by `Debug`, not by `Display`, not in an error.

mod build;
mod document;
mod environment;
mod error;
pub mod inventory_file;
mod reference;
pub mod schema;
mod secrets;
mod suggest;
mod trap_credential;
mod typed;
mod unique;
mod value;
mod walk;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

pub use error::{Errors, Place, Problem};
pub use reference::{example, reference_markdown};
pub use schema::{AUTH_PROTOCOLS, OLT_VENDORS, PRIV_PROTOCOLS};
pub use typed::{
    Http, Kafka, Log, LogBackend, Login, Olt, OltAccess, OltPolling, OltTransport, Padtec, PadtecLogin, PadtecPolling,
    Settings, SnmpTraps, SnmpVersion, SshProfile, Store, StoreBackend, TrapCredential, TrapKey, TrapListener,
    TrapProof,
};

/// Largest configuration read, in bytes: some 20,000 OLTs.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// The variables of this process. Those that are not UTF-8 are read as well as can be.
pub fn process_environment() -> BTreeMap<String, String> {
    let text = |s: std::ffi::OsString| s.to_string_lossy().into_owned();
    std::env::vars_os()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// Reads the configuration: the file if one is named, else the defaults; then the overrides among `variables`, which
/// are also where `{ env = "NAME" }` looks.
///
/// # Errors
/// With every mistake found.
pub fn load(path: Option<&Path>, variables: impl IntoIterator<Item = (String, String)>) -> Result<Settings, Errors> {
    let Some(path) = path else {
        return load_text("defaults", "", Path::new("."), variables);
    };
    let file = path.display().to_string();
    let text = read(path).map_err(|(wrong, right)| {
        let problem = Problem {
            place: Place::WholeFile(file.clone()),
            key: String::new(),
            wrong,
            right,
        };
        Errors::from_problems(vec![problem]).expect("one problem is one problem")
    })?;
    load_text(&file, &text, path.parent().unwrap_or(Path::new(".")), variables)
}

/// Like [`load`], with the text in hand. `file` is its name in errors; relative paths of secrets start at `folder`.
///
/// # Errors
/// With every mistake found.
pub fn load_text(
    file: &str,
    text: &str,
    folder: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings, Errors> {
    let variables: BTreeMap<String, String> = variables.into_iter().collect();
    let mut found = walk::Found::default();
    let parsed = document::parse(file, text, &mut found.problems);
    walk::walk(&parsed, folder, &variables, &mut found);
    environment::apply(&variables, &mut found);
    let mut settings = build::build(&mut found);
    if let Some(settings) = &mut settings
        && found.counts.get("padtec").is_none_or(|&entries| entries == 0)
    {
        settings
            .padtec
            .extend(environment::padtec(&variables, &settings.tenant, &mut found));
    }
    match (Errors::from_problems(found.problems), settings) {
        (None, Some(settings)) => Ok(settings),
        (Some(errors), _) => Err(errors),
        (None, None) => unreachable!("a value that is missing or wrong left a problem, and the rest has defaults"),
    }
}

fn read(path: &Path) -> Result<String, value::Wrong> {
    let unreadable = |error: std::io::Error| {
        (
            format!("cannot be read: {error}"),
            "name a readable TOML file".to_owned(),
        )
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err((
            "is too large".to_owned(),
            format!("a configuration has at most {FILE_BYTES_MAX} bytes"),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|&&b| b == b'\n')
            .count()
            + 1;
        (
            format!("is not UTF-8 text at line {line}"),
            "save it as UTF-8".to_owned(),
        )
    })
}
