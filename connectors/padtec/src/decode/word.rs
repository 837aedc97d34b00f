//! Names of others as words of ours.

/// Longest word, in bytes.
const BYTES_MAX: usize = 64;

/// Lower case, everything that is no letter or digit one underscore, accents left out: `TEC Curr. Laser 3` → `tec_curr_laser_3`. Empty if
/// nothing is left.
pub fn slug(name: &str) -> String {
    let mut out = String::new();
    let mut is_gap = false;
    for c in name.chars().flat_map(char::to_lowercase).filter_map(plain) {
        if !c.is_ascii_alphanumeric() {
            is_gap = true;
            continue;
        }
        if std::mem::take(&mut is_gap) && !out.is_empty() {
            out.push('_');
        }
        out.push(c);
        if out.len() >= BYTES_MAX {
            break;
        }
    }
    out.truncate(BYTES_MAX);
    out
}

/// A letter without its accent; what stands for an accent of the letter before it is nothing.
fn plain(c: char) -> Option<char> {
    Some(match c {
        'á' | 'à' | 'â' | 'ã' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        '\u{300}'..='\u{36f}' => return None,
        other => other,
    })
}
