use super::*;

fn errors(file: &str, text: &str) -> String {
    parse(file, text).err().map(|e| e.to_string()).unwrap_or_default()
}

#[track_caller]
fn check_errors(file: &str, text: &str, expected: &[&str]) {
    let got = errors(file, text);
    assert_eq!(got.lines().collect::<Vec<_>>(), expected, "\n{got}\n");
}

/// Rows as `entity serial name site removed attributes`.
#[track_caller]
fn check(file: &str, text: &str, expected: &[&str]) {
    let rows = parse(file, text).unwrap_or_else(|e| panic!("{e}"));
    let shown: Vec<String> = rows
        .iter()
        .map(|r| {
            let serial = r.serial.map_or("-".to_owned(), |s| s.to_string());
            let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".to_owned());
            let entity = r.entity(&Tenant::default()).unwrap();
            format!(
                "{entity} {serial} {} {} {} {:?}",
                text(&r.name),
                text(&r.site),
                r.removed,
                r.attributes
            )
        })
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn csv_as_people_write_it() {
    let expected = [
        "default/olt/rjo-01 - - RJO false {}",
        "default/olt/rjo-01/board/0/3 - - - false {}",
        "default/olt/rjo-01/pon/0/3/5 - - - false {}",
        "default/olt/rjo-01/onu/0/3/5/17 HWTC1234ABCD Maria, a \"da esquina\" RJO false {\"plan\": \"500M\"}",
        "acme/olt/rjo-01/onu/0/3/5/18 - - - true {}",
    ];
    let comma = "kind,olt,place,serial,name,site,attribute.plan,tenant,removed\n\
        olt,rjo-01,,,,RJO,,,\n\
        board,rjo-01,0/3,,,,,,\n\
        ,rjo-01,0/3/5,,,,,,no\n\
        \n\
        onu,rjo-01,0/ 3/5/17,hwtc-1234abcd,\"Maria, a \"\"da esquina\"\"\",RJO,500M,,false\n\
        ONU,rjo-01,0/3/5/18,,,,,acme,sim\n";
    check("a.csv", comma, &expected);
    check("a.csv", &format!("\u{feff}{}", comma.replace('\n', "\r\n")), &expected);
    check(
        "-",
        "olt;place;name\nrjo-01;0/1/2/3;a, b\n",
        &["default/olt/rjo-01/onu/0/1/2/3 - a, b - false {}"],
    );
}

#[test]
fn json_lines() {
    check(
        "a.jsonl",
        "{\"olt\":\"rjo-01\",\"place\":\"0/3/5/17\",\"serial\":\"485754431234ABCD\",\"name\":\"Ana\",\"site\":null,\"attributes\":{\"vlan\":100}}\n\n{\"kind\":\"olt\",\"olt\":\"rjo-01\"}\n",
        &[
            "default/olt/rjo-01/onu/0/3/5/17 HWTC1234ABCD Ana - false {\"vlan\": \"100\"}",
            "default/olt/rjo-01 - - - false {}",
        ],
    );
}

#[test]
fn every_mistake_of_a_csv_is_told_with_its_place() {
    check_errors(
        "a.csv",
        "kind,olt,place,serial,nmae\n\
         onu,rjo-01,0/3/5,,\n\
         onu,,0/3/5/1,HWTC1234ABCD,\n\
         onu,rjo-01,0/3/5/1024,XX,\n\
         onu,rjo-01,0/3/5/2\n\
         onu,rjo-01,0/3/5/3,HWTC00000001,\n\
         onu,rjo-01,0/3/5/3,HWTC00000001,\n\
         router,rjo-01,0/3/5/4,,\n\
         pon,rjo-01,0/3/6,HWTC00000002,\n",
        &[
            "a.csv:1:23: `nmae`: is not a known column; did you mean `name`?",
            "a.csv:2:1: kind: is `onu`, but the place is of kind `pon`; write frame/slot/port/ONU id as its place",
            "a.csv:3:1: olt: is missing; write the name of its OLT, as in `[[olt]]`",
            "a.csv:4:12: place: `0/3/5/1024` is wrong; write frame/slot, frame/slot/port or frame/slot/port/ONU id",
            "a.csv:4:23: serial: `XX` is wrong; write 16 hexadecimal digits, or 4 letters and 8 digits",
            "a.csv:5:1: has 3 cells; write 5, as the header has, and put a text with separators in it in quotes",
            "a.csv:7:1: is registered on line 6 already; keep one of the two",
            "a.csv:7:20: serial: `HWTC00000001` stands on line 6 already; an ONU is in one place: keep one of the two",
            "a.csv:8:1: kind: `router` is not known; write olt, board, pon or onu",
            "a.csv:9:18: serial: stands at kind `pon`; only kind `onu` has one: leave it empty",
        ],
    );
    check_errors(
        "a.csv",
        "",
        &[
            "a.csv:1:1: is empty; begin with a line of column names: kind,tenant,olt,place,serial,name,site,description,vendor,model,address,removed",
        ],
    );
    check_errors(
        "a.csv",
        "olt,name\na,\"b\n",
        &["a.csv:2:3: opens a quote that never closes; close it with `\"`"],
    );
}

#[test]
fn every_mistake_of_json_lines_is_told_with_its_place() {
    check_errors(
        "a.jsonl",
        "{\"olt\":\"a\",\"colour\":1}\n{\"olt\":\n[]\n{\"olt\":\"a\",\"place\":[1]}\n",
        &[
            "a.jsonl:1:12: `colour`: is not a known key; write `kind`, `tenant`, `olt`, `place`, `serial`, `name`, `site`, `description`, `vendor`, `model`, `address` or `removed`, or put it into `attributes`",
            "a.jsonl:2:7: is not JSON; EOF while parsing a value",
            "a.jsonl:3:1: is not an object; write one `{…}` a line",
            "a.jsonl:4:12: place: is not a text; write a text in quotes",
        ],
    );
}

#[test]
fn a_hundred_mistakes_are_enough() {
    let text = format!("olt\n{}", "/\n".repeat(5_000));
    let got = errors("a.csv", &text);
    assert_eq!(got.lines().count(), 101);
    assert!(got.ends_with("there are more mistakes; put these right first"), "{got}");
}

#[test]
fn the_examples_of_the_documentation_are_right() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/inventory-import.md");
    let text = std::fs::read_to_string(path).unwrap();
    for (language, file, rows) in [("```csv\n", "a.csv", 4), ("```json\n", "a.jsonl", 1)] {
        let block = text
            .split(language)
            .nth(1)
            .and_then(|rest| rest.split("```").next())
            .unwrap();
        assert_eq!(parse(file, block).unwrap_or_else(|e| panic!("{e}")).len(), rows);
    }
    for column in COLUMNS {
        assert!(text.contains(&format!("`{column}`")), "{column} is not documented");
    }
}

#[test]
fn no_damage_panics() {
    let csv = "kind,olt,place,serial,name\nonu,rjo-01,0/3/5/17,HWTC1234ABCD,\"Zé, o \"\"tal\"\"\"\n";
    let json = "{\"olt\":\"rjo-01\",\"place\":\"0/3/5/17\",\"attributes\":{\"a\":\"é\"}}\n";
    for (file, whole) in [("a.csv", csv), ("a.jsonl", json)] {
        for at in (0..whole.len()).filter(|&at| whole.is_char_boundary(at)) {
            for insert in ["", "\"", ",", "\n", "}", "\u{1F4A9}", "/"] {
                // Either outcome is right; a panic is not.
                drop(parse(file, &format!("{}{insert}{}", &whole[..at], &whole[at..])));
                drop(parse(file, &format!("{}{insert}", &whole[..at])));
            }
        }
    }
}
