//! A configuration file: wrong ones are said with their place, and no secret of the environment is shown.

use std::path::Path;

use crate::Target;

/// See the module.
pub const TARGET: Target = Target {
    name: "configuration",
    run,
    seeds,
    bytes_max: 1_000,
};

/// Nothing of it may be seen.
const SECRET: &str = "canary-3b9d77";

fn run(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    // A file would be read for what it names: the folder is one that is not there.
    let folder = Path::new("/nonexistent/fuzz");
    let environment = [
        ("TRAP_COMMUNITY".to_owned(), SECRET.to_owned()),
        ("OLT_PASSWORD".to_owned(), SECRET.to_owned()),
        ("ATALAIA__HTTP__LISTEN".to_owned(), "127.0.0.1:1".to_owned()),
    ];
    if text.contains(SECRET) || text.contains("\"/") {
        return;
    }
    let shown = match settings::load_text("fuzz.toml", text, folder, environment) {
        Ok(settings) => format!("{settings:?}"),
        Err(errors) => format!("{errors} {errors:?}"),
    };
    assert!(!shown.contains(SECRET), "{shown}");
}

fn seeds() -> Vec<Vec<u8>> {
    let small = "[http]\nlisten = \"127.0.0.1:8080\"\n[[snmp_traps.listener]]\nbind = \"0.0.0.0:162\"\n[[snmp_traps.credential]]\n\
        name = \"noc\"\nversion = \"2c\"\ncommunity = { env = \"TRAP_COMMUNITY\" }\nsources = [\"192.0.2.0/24\"]\n[[olt]]\nname = \"rjo-01\"\n\
        vendor = \"huawei\"\naddress = \"192.0.2.10\"\nssh = { user = \"noc\", password = { env = \"OLT_PASSWORD\" } }\n";
    // The example by paragraphs, its comments left out: short inputs are changed where it matters.
    let example = settings::example().replace("\"/", "\"");
    let lines = |paragraph: &str| -> String {
        let said = paragraph.lines().map(|line| line.trim_start_matches("# "));
        said.filter(|line| line.starts_with('[') || line.contains(" = "))
            .flat_map(|line| [line, "\n"])
            .collect()
    };
    let paragraphs = example
        .split("\n\n")
        .map(lines)
        .filter(|p| !p.is_empty() && p.len() < TARGET.bytes_max);
    paragraphs.map(String::into_bytes).chain([small.into()]).collect()
}
