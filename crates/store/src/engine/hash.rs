//! FNV-1a with 128 bits: the same in every build, so hashes may be compared and cursors kept. Not against adversaries.

pub(super) struct Fnv128(u128);

impl Default for Fnv128 {
    fn default() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Fnv128 {
    /// Takes some bytes and their length, so that parts do not run into each other.
    pub(super) fn write_framed(&mut self, bytes: &[u8]) {
        let length = u64::try_from(bytes.len()).expect("a length");
        self.write(&length.to_be_bytes());
        self.write(bytes);
    }

    pub(super) fn finish(&self) -> u128 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        for &byte in bytes {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(PRIME);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_vectors() {
        let check = |text: &[u8], expected: u128| {
            let mut hasher = Fnv128::default();
            hasher.write(text);
            assert_eq!(hasher.finish(), expected);
        };
        check(b"", 0x6c62272e07bb014262b821756295c58d);
        check(b"a", 0xd228cb696f1a8caf78912b704e4a8964);
    }
}
