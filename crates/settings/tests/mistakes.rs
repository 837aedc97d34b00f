//! Mistakes in, error texts out: all at once, each with file, line, column, key and what would be right.

use std::collections::BTreeMap;
use std::path::Path;

fn errors(text: &str, variables: &[(&str, &str)]) -> String {
    let variables: BTreeMap<_, _> = variables.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    match settings::load_text("a.toml", text, Path::new("/nowhere"), variables) {
        Ok(_) => String::new(),
        Err(errors) => errors.to_string(),
    }
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    check_with(text, &[], expected);
}

#[track_caller]
fn check_with(text: &str, variables: &[(&str, &str)], expected: &[&str]) {
    let got = errors(text, variables);
    let got: Vec<&str> = got.lines().collect();
    assert_eq!(got, expected, "\n{}\n", got.join("\n"));
}

#[test]
fn five_different_mistakes_give_five_errors() {
    let text = r#"data = "/tmp/a"

[http]
listn = "127.0.0.1:8080"

[log]
partitions = "eight"

[[snmp_traps.listener]]
bind = "0.0.0.0"

[[snmp_traps.credential]]
name = "noc"
version = "2c"
community = "public"

[[olt]]
name = "rjo-01"
vendor = "hauwei"
address = "192.0.2.10"
"#;
    check(
        text,
        &[
            "a.toml:4:1: http.listn: is not a known key; did you mean `listen`?",
            "a.toml:7:14: log.partitions: is a text; write a whole number from 1 to 1024",
            "a.toml:10:8: snmp_traps.listener[0].bind: `0.0.0.0` is not an address and a port; write an address and a port in quotes, such as \"127.0.0.1:8080\"",
            "a.toml:15:13: snmp_traps.credential[0].community: holds a secret in clear; write a reference: { env = \"NAME\" } or { file = \"PATH\" }, and change the secret if others could read this file",
            "a.toml:19:10: olt[0].vendor: `hauwei` is not known; did you mean `huawei`? write `huawei`",
        ],
    );
}

#[test]
fn a_syntax_error_does_not_hide_the_others() {
    let got = errors(
        "data = /tmp\n[http\nlisten = 8080\n[log]\npartitions = 0\nbackend = \"kafak\"\n[log]\n",
        &[],
    );
    let lines: Vec<&str> = got.lines().collect();
    assert_eq!(lines.len(), 5, "{got}");
    for (line, begin) in lines.iter().zip([
        "a.toml:1:",
        "a.toml:2:",
        "a.toml:5:14: log.partitions: 0 is out of range; write a whole number from 1 to 1024",
        "a.toml:6:11: log.backend: `kafak` is not known; did you mean `kafka`? write `embedded` or `kafka`",
        "a.toml:7:",
    ]) {
        assert!(line.starts_with(begin), "{line}\n{got}");
    }
}

#[test]
fn what_never_ends_is_one_error() {
    for text in [
        "data = \"\"\"\nabc\n",
        "data = [1,\n",
        "data = \"a",
        "[[olt]",
        "\u{feff}= 3",
        "a.b.c.=",
        "]]]]",
    ] {
        assert!(!errors(text, &[]).is_empty(), "{text}");
    }
}

#[test]
fn what_is_missing_is_named_where_it_should_stand() {
    check(
        "[[olt]]\nname = \"a\"\nvendor = \"huawei\"\n\n[log]\nbackend = \"kafka\"\n[store]\nbackend = \"cql\"\n",
        &[
            "a.toml:1:1: olt[0].address: is missing; write `address = \"192.0.2.10\"`",
            "a.toml:5:1: log.brokers: is missing, and `backend = \"kafka\"` needs it; write `brokers = \"k1:9092,k2:9092\"`",
            "a.toml:5:1: log.registry: is missing, and `backend = \"kafka\"` needs it; write `registry = \"http://registry.example.net:8081\"`",
            "a.toml:7:1: store.nodes: is missing, and `backend = \"cql\"` needs it; write `nodes = [\"s1:9042\", \"s2:9042\"]`",
        ],
    );
}

#[test]
fn what_must_be_unique_is() {
    check(
        r#"[[olt]]
name = "a"
vendor = "huawei"
address = "192.0.2.1"
[[olt]]
name = "A"
vendor = "huawei"
address = "192.0.2.1"
[[olt]]
name = "a"
tenant = "other"
vendor = "huawei"
address = "192.0.2.2"
[[snmp_traps.relay]]
address = "192.0.2.2"
"#,
        &[
            "a.toml:6:8: olt[1].name: `A` is there already, at a.toml:2:8; give each `[[olt]]` its own name",
            "a.toml:8:11: olt[1].address: `192.0.2.1` is there already, at a.toml:4:11; give each `[[olt]]` its own address",
            "a.toml:15:11: snmp_traps.relay[0].address: is also the address of an OLT, at a.toml:13:11; a sender is either a device or a relay: remove one of the two",
        ],
    );
}

#[test]
fn tables_in_the_wrong_shape() {
    check(
        "olt = 3\nhttp = \"x\"\n[snmp_traps.listener]\nbind = \"0.0.0.0:162\"\n[[log]]\n[nosuch]\nlisten = 1\n",
        &[
            "a.toml:1:7: olt: is an integer; write `[[olt]]`",
            "a.toml:2:8: http: is a text; write `[http]`, once",
            "a.toml:3:1: snmp_traps.listener: is a single table; write `[[snmp_traps.listener]]`: there may be several",
            "a.toml:5:1: log: is an array of tables (`[[…]]`); write `[log]`, once",
            "a.toml:6:2: nosuch: is not a known table; here may stand `data`, `tenant`, `http`, `log`, `store`, `snmp_traps`, `olt_polling`, `olt`, `padtec_polling` or `padtec`",
        ],
    );
}

#[test]
fn a_key_in_the_wrong_place_is_sent_home() {
    check(
        "listen = \"127.0.0.1:1\"\n",
        &["a.toml:1:1: listen: is not a known key; it belongs in `[http]`"],
    );
}

#[test]
fn users_of_version_three() {
    check(
        r#"[[snmp_traps.credential]]
name = "a"
version = "3"
[[snmp_traps.credential]]
name = "b"
version = "3"
user = "b"
priv = { protocol = "aes", password = { env = "CANARY" } }
[[snmp_traps.credential]]
name = "c"
version = "2c"
user = "b"
auth = { protocol = "sha1", passwort = { env = "CANARY" } }
[[snmp_traps.credential]]
name = "d"
version = "3"
user = "d"
auth = { protocol = "sha1", password = "in clear" }
engine_id = ["80"]
"#,
        &[
            r#"a.toml:1:1: snmp_traps.credential[0].user: is missing, and `version = "3"` needs it; write `user = "noc"`"#,
            r#"a.toml:8:21: snmp_traps.credential[1].priv.protocol: `aes` is not known; did you mean `des`? write `des`, `aes128`, `aes192`, `aes256`, `aes192-reeder` or `aes256-reeder`"#,
            r#"a.toml:8:39: snmp_traps.credential[1].priv.password: environment variable `CANARY` is not set; set it for this process, or correct the name"#,
            r#"a.toml:9:1: snmp_traps.credential[2].community: is missing, and `version = "2c"` needs it; write `community = { env = "TRAP_COMMUNITY" }`"#,
            r#"a.toml:12:8: snmp_traps.credential[2].user: belongs to `version = "3"`; remove it, or change the version"#,
            r#"a.toml:12:8: snmp_traps.credential[2].user: `b` is there already, at a.toml:7:8; give each `[[snmp_traps.credential]]` its own user"#,
            r#"a.toml:13:8: snmp_traps.credential[2].auth.password: is missing; write `password = { env = "TRAP_AUTH" }`"#,
            r#"a.toml:13:8: snmp_traps.credential[2].auth: belongs to `version = "3"`; remove it, or change the version"#,
            r#"a.toml:13:29: snmp_traps.credential[2].auth.passwort: is not a known key; did you mean `password`?"#,
            r#"a.toml:18:40: snmp_traps.credential[3].auth.password: holds a secret in clear; write a reference: { env = "NAME" } or { file = "PATH" }, and change the secret if others could read this file"#,
            r#"a.toml:19:13: snmp_traps.credential[3].engine_id: `80` is not an engine id; write a list of engine ids of 10 to 64 hexadecimal digits, such as ["80001f8880c0ffee01"]"#,
        ],
    );
    check_with(
        r#"[[snmp_traps.credential]]
name = "e"
version = "3"
user = "a name of more than thirty-two bytes"
auth = { protocol = "sha1", password = { env = "CANARY" } }
[[snmp_traps.credential]]
name = "f"
version = "3"
user = "f"
community = { env = "CANARY" }
priv = { protocol = "des", password = { env = "LONGER" } }
"#,
        &[("CANARY", "7bytes!"), ("LONGER", "long enough")],
        &[
            "a.toml:4:8: snmp_traps.credential[0].user: is too long; write the user's name of at most 32 bytes",
            "a.toml:5:40: snmp_traps.credential[0].auth.password: is too short for SNMP version 3; use a password of at least 8 bytes, on the devices too",
            "a.toml:10:13: snmp_traps.credential[1].community: belongs to `version = \"1\"` or `\"2c\"`; remove it, or change the version",
            "a.toml:11:21: snmp_traps.credential[1].priv.protocol: stands without `auth`; write `auth = { protocol = …, password = … }` too, or leave `priv` out",
        ],
    );
}

#[test]
fn traps_version_three_and_ports() {
    check(
        r#"[[snmp_traps.listener]]
bind = "0.0.0.0:0"
[[snmp_traps.credential]]
name = "v3"
version = "3"
user = "noc"
community = { env = "NOT_SET" }
sources = ["192.0.2.1/24"]
"#,
        &[
            "a.toml:2:8: snmp_traps.listener[0].bind: port 0 is chosen anew at each start, and no OLT would know it; write the port the OLTs send to, usually 162",
            "a.toml:7:13: snmp_traps.credential[0].community: environment variable `NOT_SET` is not set; set it for this process, or correct the name",
            "a.toml:8:11: snmp_traps.credential[0].sources: `192.0.2.1/24` has bits behind its prefix; did you mean `192.0.2.0/24`?",
        ],
    );
    check(
        "[[snmp_traps.listener]]\nbind = \"0.0.0.0:162\"\n",
        &[
            "a.toml:2:8: snmp_traps.listener[0].bind: hears traps, but no credential accepts any; write a `[[snmp_traps.credential]]` with name, version and community or user",
        ],
    );
}

#[test]
fn the_environment_makes_mistakes_too() {
    check_with(
        "",
        &[
            ("ATALAIA__HTTP__LISTN", "127.0.0.1:1"),
            ("ATALAIA__HTTP__LISTEN", "8080"),
            ("ATALAIA__LOG__PARTITIONS", "0"),
            ("ATALAIA__OLT__NAME", "a"),
            ("ATALAIA_RECORDINGS", "not ours to judge"),
        ],
        &[
            "environment variable ATALAIA__HTTP__LISTEN: http.listen: `8080` is not an address and a port; write an address and a port in quotes, such as \"127.0.0.1:8080\"",
            "environment variable ATALAIA__HTTP__LISTN: overrides nothing; did you mean `ATALAIA__HTTP__LISTEN`?",
            "environment variable ATALAIA__LOG__PARTITIONS: log.partitions: 0 is out of range; write a whole number from 1 to 1024",
            "environment variable ATALAIA__OLT__NAME: overrides nothing; entries of a list are set in the file only",
        ],
    );
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let error = settings::load(Some(Path::new("/nowhere/a.toml")), BTreeMap::new())
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("/nowhere/a.toml: cannot be read: "), "{error}");
}
