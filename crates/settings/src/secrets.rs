//! Secrets stand outside the configuration: it names an environment variable or a file. No error here holds a value.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use toml_edit::TableLike;

use crate::error::quote;
use crate::schema::Kind;
use crate::value::{Value, Wrong};
use model::Secret;

/// Longest secret believed, in bytes.
const SECRET_BYTES_MAX: u64 = 4096;

/// A secret was written into the file itself.
pub(crate) fn in_clear(type_name: &str) -> Wrong {
    let wrong = match type_name {
        "string" => "holds a secret in clear".to_owned(),
        other => crate::value::is_a(other),
    };
    (
        wrong,
        format!(
            "write {}, and change the secret if others could read this file",
            Kind::Secret.expected()
        ),
    )
}

/// Reads `{ env = "NAME" }` or `{ file = "PATH" }`. A relative path starts at the folder of the configuration.
pub(crate) fn resolve(
    table: &dyn TableLike,
    folder: &Path,
    variables: &BTreeMap<String, String>,
) -> Result<Value, Wrong> {
    let write = || format!("write {}", Kind::Secret.expected());
    let entries: Vec<_> = table.iter().collect();
    let [(key, item)] = entries.as_slice() else {
        return Err(("must name exactly one source".to_owned(), write()));
    };
    let Some(name) = item.as_str().filter(|n| !n.is_empty()) else {
        return Err(("does not name its source as a text".to_owned(), write()));
    };
    match *key {
        "env" => from_variable(name, variables),
        "file" => from_file(name, folder),
        other => Err((format!("has {}, which is not a source", quote(other)), write())),
    }
}

fn from_variable(name: &str, variables: &BTreeMap<String, String>) -> Result<Value, Wrong> {
    // A value pasted in place of a name would be shown: only what looks like a name is.
    let shown = if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && name.len() <= 64 {
        quote(name)
    } else {
        "named here".to_owned()
    };
    match variables.get(name).map(String::as_str) {
        None => Err((
            format!("environment variable {shown} is not set"),
            "set it for this process, or correct the name".to_owned(),
        )),
        Some("") => Err((
            format!("environment variable {shown} is empty"),
            "put the secret into it".to_owned(),
        )),
        Some(value) if value.len() as u64 > SECRET_BYTES_MAX => Err((
            format!("environment variable {shown} is too long"),
            format!("a secret has at most {SECRET_BYTES_MAX} bytes"),
        )),
        Some(value) => Ok(Value::Secret(Secret::new(value, &format!("env {name}")))),
    }
}

fn from_file(name: &str, folder: &Path) -> Result<Value, Wrong> {
    let shown = quote(name);
    let mut text = String::new();
    let read = std::fs::File::open(folder.join(name))
        .and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text));
    if let Err(error) = read {
        return Err((
            format!("file {shown} cannot be read: {}", error.kind()),
            "put the secret into it as text, readable for this process".to_owned(),
        ));
    }
    // One line end belongs to the editor, not to the secret.
    let secret = text
        .strip_suffix('\n')
        .map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
    if secret.is_empty() {
        return Err((format!("file {shown} is empty"), "put the secret into it".to_owned()));
    }
    if secret.len() as u64 > SECRET_BYTES_MAX {
        return Err((
            format!("file {shown} is too long"),
            format!("a secret has at most {SECRET_BYTES_MAX} bytes"),
        ));
    }
    Ok(Value::Secret(Secret::new(secret, &format!("file {name}"))))
}
