//! Texts from devices, bounded where they are read.

use crate::registration::{DESCRIPTION_BYTES_MAX, WORD_BYTES_MAX};

/// A name, type or version; `None` if nothing is left of it, or it is the vendor's `-`.
pub(crate) fn word(text: &str) -> Option<String> {
    kept(text, WORD_BYTES_MAX)
}

/// A sentence.
pub(crate) fn description(text: &str) -> Option<String> {
    kept(text, DESCRIPTION_BYTES_MAX)
}

/// A text of at most so many bytes.
pub(crate) fn cut(text: &str, bytes_max: usize) -> Option<String> {
    kept(text, bytes_max)
}

/// Without blanks around it, control characters as blanks, cut to so many bytes.
fn kept(text: &str, bytes_max: usize) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text == "-" {
        return None;
    }
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    Some(text[..end].chars().map(blank).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_bounded_and_inert() {
        assert_eq!(word(" MA5800-X7 \r\n").as_deref(), Some("MA5800-X7"));
        assert_eq!((word("-"), word(" "), word("\0")), (None, None, Some(" ".to_owned())));
        assert_eq!(word("a\u{7}b\u{9b}c").as_deref(), Some("a b c"));
        assert_eq!(word(&"ç".repeat(100)).unwrap().len(), 128);
        assert_eq!(word(&format!("a{}", "ç".repeat(100))).unwrap().len(), 127);
    }
}
