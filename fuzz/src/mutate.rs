//! Changes inputs at random, from a seed: what a fuzzer without guidance can do.

/// Numbers that live at the edges of lengths, tags and ranges.
const EDGES: &[u8] = &[
    0x00, 0x01, 0x02, 0x1F, 0x30, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xA7, 0xFE, 0xFF,
];

/// A stream of changed inputs.
#[derive(Debug)]
pub struct Mutator {
    /// xorshift64*
    state: u64,
}

impl Mutator {
    /// The same seed gives the same stream.
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let random = self.next() >> 11;
        usize::try_from(random)
            .unwrap_or_default()
            .checked_rem(end)
            .unwrap_or_default()
    }

    /// One to eight changes to `input`; `other` lends parts.
    pub fn change(&mut self, input: &[u8], other: &[u8], bytes_max: usize) -> Vec<u8> {
        let mut out = input.to_vec();
        for _ in 0..=self.below(8) {
            self.once(&mut out, other);
        }
        out.truncate(bytes_max);
        out
    }

    fn once(&mut self, out: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(out.len());
        let length = 1 + self.below(16);
        let end = (at + length).min(out.len());
        let byte = self.next().to_le_bytes()[0];
        match self.below(9) {
            0 if !out.is_empty() => out[at] ^= 1 << self.below(8),
            1 if !out.is_empty() => out[at] = byte,
            2 if !out.is_empty() => out[at] = EDGES[self.below(EDGES.len())],
            3 if !out.is_empty() => out[at] = out[at].wrapping_add(if byte < 128 { 1 } else { 255 }),
            4 => drop(out.drain(at..end)),
            5 => {
                let more: Vec<u8> = (0..length).map(|_| self.next().to_le_bytes()[0]).collect();
                drop(out.splice(at..at, more));
            }
            6 => {
                let copy = out[at..end].to_vec();
                let to = self.below(out.len() + 1);
                drop(out.splice(to..to, copy));
            }
            7 if !other.is_empty() => {
                let from = self.below(other.len());
                let part = &other[from..(from + length * 4).min(other.len())];
                drop(out.splice(at..end, part.iter().copied()));
            }
            _ => out.truncate(at),
        }
    }
}
