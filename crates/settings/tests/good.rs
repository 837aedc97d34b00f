//! What a right configuration gives, and what never shows.

use std::collections::BTreeMap;
use std::path::Path;

use std::time::Duration;

use settings::{LogBackend, OltTransport, PadtecLogin, Settings, SnmpVersion, SshProfile, StoreBackend, TrapProof};

const CANARY: &str = "canary-7f3a";

fn load(text: &str, variables: &[(&str, &str)]) -> Settings {
    let variables: BTreeMap<_, _> = variables.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    settings::load_text("a.toml", text, Path::new("."), variables).unwrap_or_else(|e| panic!("{e}"))
}

const FULL: &str = r#"
data = "/var/lib/atalaia"
[http]
listen = "127.0.0.1:8080"
[log]
backend = "embedded"
[store]
backend = "embedded"
[[snmp_traps.listener]]
bind = "0.0.0.0:162"
[[snmp_traps.credential]]
name = "noc"
version = "2c"
community = { env = "TRAP_COMMUNITY" }
sources = ["192.0.2.0/24"]
[[olt]]
name = "rjo-01"
site = "RJO"
vendor = "huawei"
address = "192.0.2.10"
ssh = { user = "noc", password = { env = "OLT_PASSWORD" }, profile = "legacy" }
[[olt]]
name = "rjo-02"
tenant = "other"
vendor = "huawei"
address = "2001:db8::1"
[olt.ssh]
user = "noc"
port = 2222
[olt.ssh.password]
env = "OLT_PASSWORD"
[[padtec]]
name = "nms-1"
base = "http://padtec.example.net:8181/nms-api"
token = { env = "PADTEC_API_TOKEN" }
zone = "America/Manaus"
mapping = "smart-api"
"#;
const VARIABLES: &[(&str, &str)] = &[
    ("TRAP_COMMUNITY", CANARY),
    ("OLT_PASSWORD", CANARY),
    ("PADTEC_API_TOKEN", CANARY),
];

fn community_of(settings: &Settings) -> (SnmpVersion, &str) {
    match &settings.snmp_traps.credentials[0].proof {
        TrapProof::Community { version, community } => (*version, community.expose()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_user_of_version_three() {
    let s = load(
        r#"
[[snmp_traps.credential]]
name = "noc-v3"
version = "3"
user = "noc"
auth = { protocol = "sha256", password = { env = "OLT_PASSWORD" } }
priv = { protocol = "aes256-reeder", password = { env = "PADTEC_API_TOKEN" } }
engine_id = ["80001f8880c0ffee01"]
sources = ["192.0.2.0/24"]

[[snmp_traps.credential]]
name = "open"
version = "3"
user = "open"
"#,
        VARIABLES,
    );
    let [noc, open] = &s.snmp_traps.credentials[..] else {
        panic!("{s:?}")
    };
    let TrapProof::User {
        user,
        auth: Some(auth),
        privacy: Some(privacy),
        engine_ids,
    } = &noc.proof
    else {
        panic!("{noc:?}")
    };
    assert_eq!(
        (user.as_str(), &engine_ids[..]),
        ("noc", &["80001f8880c0ffee01".to_owned()][..])
    );
    assert_eq!((auth.protocol.as_str(), auth.password.expose()), ("sha256", CANARY));
    assert_eq!(
        (privacy.protocol.as_str(), privacy.password.expose()),
        ("aes256-reeder", CANARY)
    );
    assert!(!format!("{s:?}").contains(CANARY));
    assert!(
        matches!(&open.proof, TrapProof::User { auth: None, privacy: None, engine_ids, .. } if engine_ids.is_empty())
    );
}

#[test]
fn the_names_people_rely_on_are_read() {
    let s = load(FULL, VARIABLES);
    assert_eq!(
        (s.tenant.as_str(), s.http.listen.port(), s.log.partitions),
        ("default", 8080, 8)
    );
    assert!(matches!(s.log.backend, LogBackend::Embedded) && matches!(s.store.backend, StoreBackend::Embedded));
    assert_eq!(s.snmp_traps.listeners[0].name, "0.0.0.0:162");
    let credential = &s.snmp_traps.credentials[0];
    assert_eq!(community_of(&s), (SnmpVersion::V2c, CANARY));
    assert!(credential.allows("192.0.2.77".parse().unwrap()) && !credential.allows("192.0.3.1".parse().unwrap()));
    let access = |i: usize| s.olts[i].access.as_ref().unwrap();
    let ssh = |i: usize| (access(i).transport, access(i).port, s.olts[i].tenant.as_str());
    assert_eq!(ssh(0), (OltTransport::Ssh(SshProfile::Legacy), 22, "default"));
    assert_eq!(ssh(1), (OltTransport::Ssh(SshProfile::Modern), 2222, "other"));
    assert!(s.olts[0].day_first);
    assert_eq!(
        (s.olt_polling.sessions_max, s.olt_polling.state, s.olt_polling.optics),
        (64, Duration::from_secs(60), Duration::from_secs(300))
    );
    assert!(matches!(&s.padtec[0].login, PadtecLogin::Token(t) if t.expose() == CANARY));
}

#[test]
fn telnet_is_chosen_by_name_and_never_beside_ssh() {
    let olt = |access: &str| {
        let text = format!(
            "[[olt]]\nname = \"a\"\nvendor = \"huawei\"\naddress = \"192.0.2.10\"\ndates = \"month-first\"\n{access}"
        );
        let variables = BTreeMap::from([("OLT_PASSWORD".to_owned(), CANARY.to_owned())]);
        settings::load_text("a.toml", &text, Path::new("."), variables)
    };
    let login = "{ user = \"noc\", password = { env = \"OLT_PASSWORD\" } }";
    let s = olt(&format!("telnet = {login}\n")).unwrap();
    let access = s.olts[0].access.as_ref().unwrap();
    assert_eq!(
        (access.transport, access.port, s.olts[0].day_first),
        (OltTransport::Telnet, 23, false)
    );
    let both = olt(&format!("ssh = {login}\ntelnet = {login}\n"))
        .unwrap_err()
        .to_string();
    assert!(both.contains("olt[0].telnet: is there beside `ssh`"), "{both}");
}

#[test]
fn no_secret_is_ever_printed() {
    let s = load(FULL, VARIABLES);
    let shown = format!("{s:?} {:#?}", s);
    assert!(!shown.contains(CANARY) && shown.contains("env TRAP_COMMUNITY"));

    // Every way to put a secret where it does not belong.
    let wrong = [
        format!("[[snmp_traps.credential]]\nname = \"a\"\nversion = \"2c\"\ncommunity = \"{CANARY}\"\n"),
        format!("[[snmp_traps.credential]]\nname = \"a\"\nversion = \"2c\"\ncommunity = {{ env = \"{CANARY}\" }}\n"),
        format!("[[snmp_traps.credential]]\nname = \"a\"\nversion = \"2c\"\ncommunity = {{ value = \"{CANARY}\" }}\n"),
        format!("[[snmp_traps.credential]]\nname = \"a\"\nversion = \"2c\"\ncommunity = [\"{CANARY}\"]\n"),
        format!("[[snmp_traps.credential]]\nname = \"a\"\nversion = \"2c\"\ncommunity = {CANARY}\n"),
        format!("[[snmp_traps.credential]]\nname = \"a\"\nversion = \"2c\"\ncommunity = \"{CANARY}\n"),
        format!("[[snmp_traps.credential]]\nname = \"a\"\nversion = \"2c\"\ncomunity = \"{CANARY}\"\n"),
        format!("[[padtec]]\nname = \"a\"\nbase = \"http://noc:{CANARY}@example.net/\"\ntoken = {{ env = \"X\" }}\n"),
        format!("[[padtec]]\nname = \"a\"\nbase = \"http://example.net/\"\npassword = \"{CANARY}\"\n"),
        format!("[[olt]]\nname = \"a\"\nvendor = \"huawei\"\naddress = \"192.0.2.1\"\nssh = \"noc {CANARY}\"\n"),
    ];
    for text in wrong {
        let errors = settings::load_text("a.toml", &text, Path::new("."), BTreeMap::new()).unwrap_err();
        let shown = format!("{errors} {errors:?}");
        assert!(!shown.contains(CANARY), "{text}\n{shown}");
    }
}

#[test]
fn a_secret_from_a_file_loses_one_line_end() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "with blank \n").unwrap();
    let config = folder.path().join("a.toml");
    let text = "[[snmp_traps.credential]]\nname = \"a\"\nversion = \"1\"\ncommunity = { file = \"secret\" }\n";
    std::fs::write(&config, text).unwrap();
    let s = settings::load(Some(&config), BTreeMap::new()).unwrap();
    assert_eq!(community_of(&s).1, "with blank ");

    std::fs::write(&config, text.replace("\"secret\"", "\"gone\"")).unwrap();
    let errors = settings::load(Some(&config), BTreeMap::new()).unwrap_err().to_string();
    assert!(
        errors.contains("file `gone` cannot be read: entity not found"),
        "{errors}"
    );
}

#[test]
fn the_environment_wins() {
    let s = load(
        "[http]\nlisten = \"127.0.0.1:1\"\n",
        &[
            ("ATALAIA__HTTP__LISTEN", "[::1]:9"),
            ("ATALAIA__DATA", "/tmp/x"),
            ("ATALAIA__LOG__PARTITIONS", "3"),
            ("ATALAIA__STORE__BACKEND", "cql"),
            ("ATALAIA__STORE__NODES", "s1:9042, s2:9042"),
        ],
    );
    assert_eq!(
        (s.http.listen.port(), s.data.to_str().unwrap(), s.log.partitions),
        (9, "/tmp/x", 3)
    );
    let StoreBackend::Cql {
        nodes,
        keyspace,
        replication,
        ..
    } = s.store.backend
    else {
        panic!("{:?}", s.store.backend)
    };
    assert_eq!(
        (nodes, keyspace.as_str(), replication),
        (vec!["s1:9042".to_owned(), "s2:9042".to_owned()], "noc", 3)
    );
}

#[test]
fn the_servers_of_the_distributed_form_are_read() {
    let text = "[http]\ntoken_key = { env = \"KEY\" }\n[log]\nbackend = \"kafka\"\nbrokers = \"k1:9092\"\nregistry = \"http://r:8081\"\n\
         security = \"tls\"\nuser = \"a\"\npassword = { env = \"PADTEC_API_TOKEN\" }\nsession_timeout_ms = 1500\n";
    let key = "0f".repeat(32);
    let mut variables = VARIABLES.to_vec();
    variables.push(("KEY", &key));
    let s = load(text, &variables);
    let LogBackend::Kafka(kafka) = &s.log.backend else {
        panic!("{:?}", s.log.backend)
    };
    assert_eq!(
        (
            kafka.brokers.as_str(),
            kafka.prefix.as_str(),
            kafka.tls,
            s.log.partitions
        ),
        ("k1:9092", "atalaia.", true, 24)
    );
    assert_eq!(
        (kafka.session_timeout.as_millis(), kafka.commit_interval.as_millis()),
        (1_500, 100)
    );
    assert!(
        kafka
            .login
            .as_ref()
            .is_some_and(|l| l.user == "a" && l.password.expose() == CANARY)
    );
    assert!(!format!("{s:?}").contains(CANARY) && !format!("{s:?}").contains(&key));

    let half = text.replace("password", "registry_password").replace("0f", "0g");
    let errors = settings::load_text(
        "a.toml",
        &half,
        Path::new("."),
        [
            ("KEY".into(), "short".into()),
            ("PADTEC_API_TOKEN".into(), CANARY.into()),
        ],
    )
    .unwrap_err()
    .to_string();
    for part in [
        "http.token_key: is not a key",
        "log.password: is missing, and `log.user` needs it",
        "log.registry_user",
    ] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
}

#[test]
fn the_example_says_the_defaults() {
    let example = settings::example();
    assert_eq!(format!("{:?}", load(&example, &[])), format!("{:?}", load("", &[])));
}

#[test]
fn the_example_uncommented_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let uncommented: String = settings::example()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let mut variables: BTreeMap<_, _> = VARIABLES.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    for name in ["KAFKA_PASSWORD", "REGISTRY_PASSWORD", "CQL_PASSWORD"] {
        variables.insert(name.to_owned(), CANARY.to_owned());
    }
    variables.insert("TOKEN_KEY".to_owned(), "0f".repeat(32));
    let s = settings::load_text("example", &uncommented, folder.path(), variables)
        .unwrap_or_else(|e| panic!("{e}\n{uncommented}"));
    assert_eq!((s.olts.len(), s.padtec.len(), s.snmp_traps.relays.len()), (1, 1, 1));
}

#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/generated/configuration.md");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == settings::reference_markdown(),
        "docs/generated/configuration.md is not up to date: cargo run -q -p settings --example reference > docs/generated/configuration.md"
    );
}

#[test]
fn no_damage_panics_or_shows_a_secret_in_clear() {
    let whole = FULL.replace("{ env = \"TRAP_COMMUNITY\" }", &format!("\"{CANARY}\""));
    let try_one = |text: &str| {
        if let Err(errors) = settings::load_text("a.toml", text, Path::new("."), BTreeMap::new()) {
            let shown = format!("{errors} {errors:?}");
            assert!(!shown.contains(CANARY), "{text}\n{shown}");
        }
    };
    for cut in 0..whole.len() {
        try_one(&whole[..cut]);
    }
    for at in 0..whole.len() {
        for letter in ["\"", "]", "\n", "=", "{", ""] {
            let mut text = whole.clone();
            text.replace_range(at..=at, letter);
            try_one(&text);
        }
    }
}

#[test]
fn variables_make_a_padtec_system_where_the_file_has_none() {
    let variables = [
        ("PADTEC_API_URL", "http://192.0.2.8:8181/nms-api"),
        ("PADTEC_API_TOKEN", CANARY),
        ("PADTEC_ZONE", "America/Manaus"),
    ];
    let s = load("", &variables);
    let [padtec] = &s.padtec[..] else {
        panic!("{:?}", s.padtec)
    };
    assert_eq!((padtec.name.as_str(), padtec.base.as_str()), ("padtec", variables[0].1));
    assert_eq!(
        (padtec.zone.as_str(), padtec.mapping.as_str()),
        ("America/Manaus", "smart-api")
    );
    assert!(matches!(&padtec.login, PadtecLogin::Token(t) if t.expose() == CANARY));
    assert!(!format!("{s:?}").contains(CANARY));
    assert!(load("", &[]).padtec.is_empty(), "no default address");
    assert!(
        load("", &variables[2..]).padtec.is_empty(),
        "a zone alone means nothing"
    );
    // What the file says stands alone.
    let file = "[[padtec]]\nname = \"a\"\nbase = \"http://192.0.2.9/\"\ntoken = { env = \"PADTEC_API_TOKEN\" }\nzone = \"UTC\"\n";
    let s = load(file, &variables);
    assert_eq!((s.padtec.len(), s.padtec[0].name.as_str()), (1, "a"));
    assert_eq!(s.padtec_polling.critical, Duration::from_secs(30));
}

#[test]
fn a_padtec_system_of_half_the_variables_is_a_mistake() {
    let wrong = |variables: &[(&str, &str)], text: &str| {
        let variables: BTreeMap<_, _> = variables.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        settings::load_text("a.toml", text, Path::new("."), variables)
            .unwrap_err()
            .to_string()
    };
    let url = ("PADTEC_API_URL", "http://192.0.2.8:8181/nms-api");
    let shown = wrong(&[url], "");
    assert!(
        shown.contains("PADTEC_API_TOKEN") && shown.contains("PADTEC_ZONE"),
        "{shown}"
    );
    let shown = wrong(
        &[
            ("PADTEC_API_URL", "nms"),
            ("PADTEC_API_TOKEN", CANARY),
            ("PADTEC_ZONE", "UTC"),
        ],
        "",
    );
    assert!(shown.contains("PADTEC_API_URL") && !shown.contains(CANARY), "{shown}");
    let zoneless = "[[padtec]]\nname = \"a\"\nbase = \"http://192.0.2.9/\"\ntoken = { env = \"T\" }\n";
    let shown = wrong(&[("T", CANARY)], zoneless);
    assert!(shown.contains("zone") && shown.contains("missing"), "{shown}");
}
