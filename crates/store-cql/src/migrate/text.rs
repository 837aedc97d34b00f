//! A migration's text, cut into statements.

use store::kit;

/// The statements of a text, in order. Comments (`--` to the line's end) and blank lines are no part of them.
pub(super) fn statements(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut current = String::new();
    for line in text.lines() {
        let line = line.split("--").next().unwrap_or_default().trim_end();
        if line.is_empty() {
            continue;
        }
        let (part, is_end) = match line.strip_suffix(';') {
            Some(part) => (part, true),
            None => (line, false),
        };
        if !current.is_empty() {
            current.push('\n');
        }
        current.push_str(part);
        if is_end {
            statements.push(std::mem::take(&mut current));
        }
    }
    if !current.is_empty() {
        statements.push(current);
    }
    statements
}

/// The checksum of a statement, however it is broken into lines.
pub(super) fn checksum(statement: &str) -> String {
    let words: Vec<_> = statement.split_whitespace().collect();
    kit::checksum(&words.join(" "))
}

/// Table and column of an `ALTER TABLE t ADD column type`, the one statement that has no `IF NOT EXISTS` on both servers.
pub(super) fn added_column(statement: &str) -> Option<(&str, &str)> {
    let words: Vec<_> = statement.split_whitespace().collect();
    match words.as_slice() {
        [alter, table, name, add, column, _, ..]
            if alter.eq_ignore_ascii_case("alter")
                && table.eq_ignore_ascii_case("table")
                && add.eq_ignore_ascii_case("add") =>
        {
            Some((name, column))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use store::rows::TABLES;

    use super::*;
    use crate::create_table;
    use crate::migrate::MIGRATIONS;

    #[test]
    fn a_text_is_its_statements() {
        let check = |text: &str, expected: &[&str]| assert_eq!(statements(text), expected);
        check("", &[]);
        check("-- nothing\n\n", &[]);
        check("A;\n-- b\nB -- c\n  c;\n", &["A", "B\n  c"]);
        check("A", &["A"]);
    }

    #[test]
    fn a_checksum_is_of_words() {
        assert_eq!(checksum("A  b\n c"), checksum("A b c"));
        assert_ne!(checksum("A b c"), checksum("A bc"));
    }

    #[test]
    fn an_added_column_is_recognised() {
        let check = |text: &str, expected| assert_eq!(added_column(text), expected, "{text}");
        check("ALTER TABLE status ADD zone text", Some(("status", "zone")));
        check("alter table status\n  add zone text", Some(("status", "zone")));
        check("CREATE TABLE status (a int)", None);
        check("ALTER TABLE status DROP zone", None);
    }

    /// The texts are fixed, the definitions are what the code works with: they have to say the same.
    #[test]
    fn the_migrations_make_the_tables_of_the_code() {
        let mut texts: Vec<String> = Vec::new();
        for statement in MIGRATIONS.iter().flat_map(|m| statements(m.text)) {
            let Some((table, column)) = added_column(&statement) else {
                texts.push(statement);
                continue;
            };
            // As if the table had been made with it, behind its other columns.
            let made = format!("CREATE TABLE IF NOT EXISTS {table} (");
            let text = texts.iter_mut().find(|text| text.starts_with(&made)).unwrap();
            let kind = statement.split_once(column).unwrap().1.trim();
            *text = text.replacen("  wts bigint,", &format!("  {column} {kind},\n  wts bigint,"), 1);
        }
        let expected: Vec<_> = TABLES.iter().map(|table| create_table(table)).collect();
        assert_eq!(texts, expected, "a changed table is a new migration");
        for (i, migration) in (1..).zip(MIGRATIONS) {
            assert_eq!(migration.version, i);
            assert!(migration.compatible_from <= i);
        }
    }
}
