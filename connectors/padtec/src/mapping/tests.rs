use super::*;

const SMART: &str = include_str!("../../mappings/smart-api.toml");

#[test]
fn what_is_built_in_is_right() {
    for name in BUILT_IN {
        let mapping = Mapping::built_in(name).unwrap();
        assert_eq!(mapping.name, *name);
        assert!(mapping.cards.count != Count::Nobody, "only what is counted is complete");
    }
    let plain = Mapping::built_in("plain").unwrap();
    assert_eq!((plain.api.counts, plain.auth.scheme.as_str()), (Counts::Rows, "Bearer"));
    assert_eq!(plain.alarms.query.as_deref(), Some("status=ACTIVE"));
}

/// Reads the mapping with one text in place of another.
#[track_caller]
fn check(text: &str, instead: &str, expected: &[&str]) {
    assert!(SMART.contains(text), "{text}");
    let changed = SMART.replacen(text, instead, 1);
    let problems = Mapping::parse("a", "a.toml", &changed).map(|m| m.name).unwrap_err();
    let shown = problems.to_string();
    for part in expected {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    let line = SMART[..SMART.find(text).unwrap()]
        .bytes()
        .filter(|b| *b == b'\n')
        .count()
        + 1;
    assert!(shown.contains(&format!("a.toml:{line}:")), "line {line}:\n{shown}");
}

#[test]
fn a_mistake_has_file_line_and_field() {
    check("rows = 100", "rows = 0", &["`api.size.rows`", "from 1 to 10000"]);
    check("counts = \"pages\"", "counts = \"leaves\"", &["`api.page.counts`"]);
    check("scheme = \"Token\"", "scheme = 5", &["`auth.scheme`", "is a integer"]);
    check(
        "path = \"/measures/state\"",
        "path = \"measures\"",
        &["`lists.measures.path`", "begin it with /"],
    );
    check(
        "stale_after_s",
        "stale_after",
        &["`quality.stale_after`", "means nothing here"],
    );
    check("'(?i)\\bber\\b'", "'(?i)\\bber('", &["`units[7].name`", "pattern"]);
    check(
        "\"%Y-%m-%d %H:%M:%S\"",
        "\"%Y-%m-%d\"",
        &["`time.format`", "to the second"],
    );
    check("passive = [\"MUX_DEMUX\"]", "passive = [1]", &["`passive`", "texts"]);
    check(
        "value = [\"measureValue\"]\n",
        "valeu = [\"measureValue\"]\n",
        &["`fields.measure.valeu`"],
    );
    check("[auth]", "[auth", &["is not TOML"]);
}

#[test]
fn a_file_is_read_again_when_it_changes_and_a_wrong_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let write = |text: &str, at_s: u64| {
        std::fs::write(&path, text).unwrap();
        let at = std::time::UNIX_EPOCH + Duration::from_secs(at_s);
        std::fs::File::open(&path).unwrap().set_modified(at).unwrap();
    };
    write(SMART, 1_000);
    let mut file = MappingFile::open(path.to_str().unwrap()).unwrap();
    assert_eq!(file.current().name, "mine");
    assert!(!file.refresh().unwrap(), "it has not changed");
    write(&SMART.replace("rows = 100", "rows = 50"), 2_000);
    assert!(file.refresh().unwrap());
    assert_eq!(file.current().api.size, 50);
    write("nothing", 3_000);
    assert!(matches!(file.refresh(), Err(LoadError::Wrong(_))));
    assert!(!file.refresh().unwrap(), "said once");
    assert_eq!(file.current().api.size, 50);
    assert!(matches!(
        MappingFile::open("no-such-mapping"),
        Err(LoadError::Read { .. })
    ));
}
