//! The text a search looks into, and what it looks for: people type without accents, in any case, and paste what they see.

use model::Serial;

/// Lower case, without the accents of Latin letters: `imaginario` finds `Imaginário`.
pub fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}'))
        .map(plain)
        .collect()
}

/// The letter under the accent, as far as names in Portuguese, Spanish, French and German go.
fn plain(letter: char) -> char {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}

/// The words of a query, all of which are to be found: a serial in any written form counts as it is shown.
pub fn wanted(query: &str) -> Vec<String> {
    let word = |word: &str| Serial::parse(word).map_or_else(|_| fold(word), |serial| fold(&serial.to_string()));
    query.split_whitespace().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_case_do_not_matter() {
        for written in ["Imaginário", "IMAGINÁRIO", "imagina\u{301}rio", "imaginario"] {
            assert_eq!(fold(written), "imaginario", "{written}");
        }
        assert_eq!(fold("Conceição Muñoz 漢"), "conceicao munoz 漢");
    }

    #[test]
    fn a_serial_is_wanted_as_it_is_shown() {
        for written in ["HWTC1234ABCD", "hwtc-1234abcd", "485754431234ABCD"] {
            assert_eq!(wanted(written), ["hwtc1234abcd"], "{written}");
        }
        assert_eq!(wanted("  rjo-01  0/3/5/17 "), ["rjo-01", "0/3/5/17"]);
        assert!(wanted(" ").is_empty());
    }
}
