//! The example file and the reference page, made from the list of settings.

use std::fmt::Write;

use crate::schema::{Kind, Need, SECTIONS, Section, Setting, sections_of, settings_of};
use crate::walk::header_of;

/// A complete commented configuration. As it stands it says the defaults; a line that begins with `#` and no blank is
/// a setting to uncomment.
pub fn example() -> String {
    let mut out = String::from(
        "# Configuration of Atalaia. Every value below is the default; remove the `#` of a line to set it.\n\
         # A single value can also be set from the environment: [http] listen is ATALAIA__HTTP__LISTEN.\n\
         # Secrets never stand here: write { env = \"NAME\" } or { file = \"PATH\" }.\n",
    );
    for section in SECTIONS.iter().filter(|s| !s.inline) {
        example_section(&mut out, section);
    }
    out
}

fn example_section(out: &mut String, section: &Section) {
    let array = section.path.ends_with("[]");
    let mut line = |text: String| writeln!(out, "{text}").expect("writing to a string cannot fail");
    line(String::new());
    line(format!("# {}", section.doc));
    if !section.path.is_empty() {
        let header = header_of(section.path);
        line(format!("{}{}", if array { "#" } else { "" }, header.trim_matches('`')));
    }
    for setting in settings_of(section.path) {
        line(format!("# {}", setting.doc));
        let (comment, value) = match setting.need {
            Need::Default(value) if !array => ("", value),
            _ => ("#", setting.example),
        };
        // What excludes another setting of the example stands as text.
        let comment = if is_alternative(setting.section, setting.key) {
            "# "
        } else {
            comment
        };
        line(format!("{comment}{} = {value}", setting.key));
    }
    for (_, inner) in sections_of(section.path).filter(|(_, s)| s.inline) {
        let pairs: Vec<String> = settings_of(inner.path)
            .map(|s| format!("{} = {}", s.key, s.example))
            .collect();
        let key = inner.path.rsplit('.').next().unwrap_or_default();
        line(format!("# {}", inner.doc));
        for setting in settings_of(inner.path) {
            line(format!("#   {}: {}", setting.key, setting.doc));
        }
        let comment = if is_alternative(section.path, key) { "# " } else { "#" };
        line(format!("{comment}{key} = {{ {} }}", pairs.join(", ")));
    }
}

/// What stands in place of another key of the example, and not beside it.
fn is_alternative(section: &str, key: &str) -> bool {
    match section {
        "padtec[]" => matches!(key, "user" | "password"),
        "olt[]" => key == "telnet",
        "snmp_traps.credential[]" => matches!(key, "user" | "engine_id" | "auth" | "priv"),
        _ => false,
    }
}

/// The reference page, `docs/generated/configuration.md`.
pub fn reference_markdown() -> String {
    let mut out = String::from(
        "# Configuration\n\n\
         Generated from `crates/settings/src/schema.rs`; regenerate with\n\
         `cargo run -q -p settings --example reference > docs/generated/configuration.md`.\n\n\
         One TOML file; unknown keys are refused. A complete commented file: `atalaia check --example`.\n\
         Secrets stand outside the file: `{ env = \"NAME\" }` or `{ file = \"PATH\" }`. A variable set in the environment\n\
         wins over the file; lists are separated by commas there, and entries of `[[…]]` are set in the file only.\n",
    );
    for section in SECTIONS {
        let title = if section.path.is_empty() {
            "Top of the file".to_owned()
        } else {
            header_of(section.path)
        };
        write!(out, "\n## {title}\n\n{}\n", section.doc).expect("writing to a string cannot fail");
        let mut rows = settings_of(section.path).peekable();
        if rows.peek().is_some() {
            out.push_str("\n| key | what | value | if left out | environment |\n|---|---|---|---|---|\n");
        }
        for setting in rows {
            out.push_str(&markdown_row(setting));
        }
    }
    out
}

fn markdown_row(setting: &Setting) -> String {
    let absent = match setting.need {
        Need::Default(value) => format!("`{value}`"),
        Need::Required => "**required**".to_owned(),
        Need::Optional => "none".to_owned(),
    };
    let variable = setting.variable().map_or(String::new(), |v| format!("`{v}`"));
    let expected = match setting.kind {
        Kind::Secret => "a reference to a secret".to_owned(),
        kind => kind.expected(),
    };
    format!(
        "| `{}` | {} | {expected}, e.g. `{}` | {absent} | {variable} |\n",
        setting.key, setting.doc, setting.example
    )
}

/// Every default and example must pass its own check: the builder relies on it.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SETTINGS;

    #[test]
    fn every_default_and_example_passes_its_own_check() {
        for setting in SETTINGS.iter().filter(|s| s.kind != Kind::Secret) {
            let default = match setting.need {
                Need::Default(value) => value,
                _ => setting.example,
            };
            for text in [default, setting.example] {
                let toml: toml_edit::Value = text.parse().unwrap();
                crate::value::from_toml(setting.kind, &toml).unwrap();
            }
        }
    }
}
