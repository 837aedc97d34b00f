//! A set of ONU ids, a bit each: 16 bytes for the 128 of a GPON port, 128 at most.

use model::ONU_ID_MAX;
use serde::{Deserialize, Serialize};

/// ONU ids of one PON port. Two sets with the same ids are equal: no zero byte stands at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bits(Vec<u8>);

impl Bits {
    /// Of these ids; what no ONU can have is left out.
    pub fn of(ids: &[u16]) -> Self {
        let mut bits = Self::default();
        for &id in ids {
            bits.set(id);
        }
        bits
    }

    /// Adds one. True if it was not there.
    pub fn set(&mut self, id: u16) -> bool {
        if id > ONU_ID_MAX || self.has(id) {
            return false;
        }
        let (byte, bit) = place(id);
        if self.0.len() <= byte {
            self.0.resize(byte + 1, 0);
        }
        self.0[byte] |= bit;
        true
    }

    /// Takes one out. True if it was there.
    pub fn clear(&mut self, id: u16) -> bool {
        if !self.has(id) {
            return false;
        }
        let (byte, bit) = place(id);
        self.0[byte] &= !bit;
        let used = self.0.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
        self.0.truncate(used);
        true
    }

    /// Whether it is there.
    pub fn has(&self, id: u16) -> bool {
        let (byte, bit) = place(id);
        self.0.get(byte).is_some_and(|b| b & bit != 0)
    }

    /// How many there are.
    pub fn count(&self) -> u16 {
        let ones: u32 = self.0.iter().map(|b| b.count_ones()).sum();
        u16::try_from(ones).expect("ids are at most 1,024")
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// The ids in their order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        let bytes = (0u16..).zip(&self.0);
        bytes.flat_map(|(n, &byte)| {
            (0..8)
                .filter(move |bit| byte & (1 << bit) != 0)
                .map(move |bit| n * 8 + bit)
        })
    }

    /// The ids in their order.
    pub fn ids(&self) -> Vec<u16> {
        self.iter().collect()
    }

    /// How many are in both.
    pub fn common(&self, other: &Self) -> u16 {
        let ones: u32 = self.0.iter().zip(&other.0).map(|(a, b)| (a & b).count_ones()).sum();
        u16::try_from(ones).expect("ids are at most 1,024")
    }
}

fn place(id: u16) -> (usize, u8) {
    (usize::from(id / 8), 1 << (id % 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_its_ids_however_it_was_made() {
        let mut bits = Bits::of(&[3, 127, 0, 3, 1_023, 1_024]);
        assert_eq!(
            (bits.ids(), bits.count(), bits.bytes()),
            (vec![0, 3, 127, 1_023], 4, 128)
        );
        assert!(bits.clear(1_023) && !bits.clear(1_023) && !bits.has(1_023));
        assert_eq!((&bits, bits.bytes()), (&Bits::of(&[0, 3, 127]), 16));
        assert_eq!(bits.common(&Bits::of(&[3, 4, 127])), 2);
        bits.ids().iter().for_each(|&id| assert!(bits.clear(id)));
        assert_eq!(bits, Bits::default());
        assert!(bits.is_empty());
    }
}
