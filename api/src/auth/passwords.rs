//! Passwords: argon2id, and the same time for a user that does not exist.

use std::sync::OnceLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// Longest password taken: a longer one only costs time.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Shortest password a person may set.
pub const PASSWORD_CHARS_MIN: usize = 10;

/// Hashes a password (argon2id, 19 MiB, 2 passes: the library's and OWASP's defaults). Takes tens of milliseconds.
pub fn hash(password: &str) -> String {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.expect("default parameters and a random salt are valid")
        .to_string()
}

/// Whether the password is the one that was hashed. `None` (no such user) costs the same time and is never right.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    static NOBODY: OnceLock<String> = OnceLock::new();
    let nobody = || NOBODY.get_or_init(|| hash("a password that nobody has")).as_str();
    let known = stored.is_some();
    let Ok(parsed) = PasswordHash::new(stored.unwrap_or_else(nobody)) else {
        return false;
    };
    let right = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    right && known
}

/// A password a person can read and type: five groups of four from letters and digits that cannot be confused (about 98
/// bits).
pub fn generate() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";
    let bytes: [u8; 20] = rand::random();
    let letters: Vec<char> = bytes
        .iter()
        .map(|b| char::from(ALPHABET[usize::from(b % 32)]))
        .collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_of_a_known_user_is_right() {
        let stored = hash("correct horse");
        assert!(stored.starts_with("$argon2id$"));
        assert!(verify("correct horse", Some(&stored)));
        assert!(!verify("correct horse ", Some(&stored)));
        assert!(!verify("a password that nobody has", None));
        assert!(!verify("x", Some("not a hash")));
    }

    #[test]
    fn generated_passwords_differ_and_are_long() {
        let (a, b) = (generate(), generate());
        assert_ne!(a, b);
        assert_eq!(a.len(), 24);
    }
}
