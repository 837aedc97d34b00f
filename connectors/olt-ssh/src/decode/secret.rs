//! What must never be in a row, an issue or a dead letter: passwords, communities, keys. Decided by the label, and where a
//! damaged label hides it, by the value's form.

use std::borrow::Cow;

/// Parts of labels and column heads whose value is secret. LOID check codes are the passwords of LOIDs.
const SECRET_PARTS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "community",
    "checkcode",
    "check code",
    "secret",
    "passphrase",
    "pre-shared",
    "psk",
    "wep key",
    "wpa key",
    "auth key",
    "priv key",
    "securityname",
    "security name",
];

/// Whether the value of this label is secret.
pub fn is_secret(label: &str) -> bool {
    secret_word_end(label).is_some()
}

/// Whether a text looks like a secret whatever stands before it: the form in which a device prints ONU passwords
/// (`0x31323334353637380000(12345678)`), or a secret label in the middle, where a line end was lost.
pub fn looks_secret(text: &str) -> bool {
    let hex = |at: usize| {
        text[at + 2..]
            .bytes()
            .take_while(u8::is_ascii_hexdigit)
            .take(16)
            .count()
            == 16
    };
    text.rsplit_once(':')
        .is_some_and(|(before, _)| secret_word_end(before).is_some())
        || text.find("0x").is_some_and(hex)
}

/// Whether a secret is set: not null and not a zero of any length.
pub fn is_set(value: &str) -> bool {
    let digits = value.trim_ascii();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    digits.bytes().any(|byte| !matches!(byte, b'0' | b'-' | b' '))
}

fn scrub(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut value_column = None;
    let mut in_table = false;
    for line in text.split_inclusive('\n') {
        let shown = line.trim_ascii_end();
        let indent = shown.len() - shown.trim_ascii_start().len();
        if value_column.is_some_and(|column| indent >= column && !shown.is_empty()) {
            out.push_str("***\n");
            continue;
        }
        value_column = None;
        if let Some(end) = secret_word_end(shown) {
            value_column = shown.find(':').filter(|colon| *colon >= end || indent > 0);
            in_table |= !shown.contains(':');
            out.push_str(&shown[..end]);
            out.push_str(" ***\n");
        } else if looks_secret(shown) || in_table && shown.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
            out.push_str("***\n");
        } else {
            out.push_str(line);
        }
    }
    out
}

/// Where the first secret word of a line ends.
fn secret_word_end(line: &str) -> Option<usize> {
    // Small letters of ASCII leave every byte where it is.
    let small = line.to_ascii_lowercase();
    SECRET_PARTS
        .iter()
        .filter_map(|part| small.find(part).map(|at| at + part.len()))
        .min()
}

/// The text without its secrets, for a dead letter: what follows a secret word is `***`, up to the end of the line and of the
/// lines that go on with it; below a line that has such a word and no colon, the head of a table perhaps, everything is.
pub fn scrubbed(text: &str) -> Cow<'_, str> {
    if text
        .lines()
        .any(|line| secret_word_end(line).is_some() || looks_secret(line))
    {
        Cow::Owned(scrub(text))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_secrets_are_known() {
        for label in [
            "Password",
            "Ont password",
            "PPPoE Password",
            "Checkcode",
            "Community name",
            "WPA PSK",
        ] {
            assert!(is_secret(label), "{label}");
        }
        for label in ["Loid", "SN", "Description", "Authentic type", "Switch"] {
            assert!(!is_secret(label), "{label}");
        }
        assert!(looks_secret("0x31323334353637380000(12345678)"));
        assert!(looks_secret("Passw0rd : 0x31323334353637380000(12345678)"));
        assert!(!looks_secret("0x6321") && !looks_secret("48575443A1B2C3D4"));
    }

    #[test]
    fn set_is_not_zero() {
        for unset in ["", "-", "0x00000000000000000000", " "] {
            assert!(!is_set(unset), "{unset:?}");
        }
        assert!(is_set("0x31323334353637380000(12345678)") && is_set("12345678"));
    }

    #[test]
    fn a_dead_letter_has_no_secret() {
        let text = "   Number : 1\n   Password            : 0x4341(CANARY)\n                         CANARY\n   Loid : abc\n  ----\n";
        let scrubbed = scrubbed(text);
        assert!(!scrubbed.contains("CANARY"), "{scrubbed}");
        assert!(scrubbed.contains("Number : 1") && scrubbed.contains("Loid : abc"));
        let table = "  ----------------------\n  User  Password\n  ----------------------\n  root  CANARY\n  ----------------------\n";
        assert!(!super::scrubbed(table).contains("CANARY"));
    }
}
