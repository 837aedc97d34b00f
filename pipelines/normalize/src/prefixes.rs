//! Which of a fixed set of byte strings a longer one begins with, found in one pass over it: a trap has many varbinds, and the
//! catalogue hundreds of names that differ in their last octets only.

/// A set of which no member begins another, so that at most one fits.
#[derive(Debug)]
pub struct Prefixes {
    members: Vec<Vec<u8>>,
    /// Places of members by hash, one behind the other where they collide; at most a quarter is taken.
    table: Vec<Option<u16>>,
    /// `is_length[n]`: some member has `n` octets.
    is_length: Vec<bool>,
}

impl Prefixes {
    /// From its members, at most 65,536.
    pub fn new(members: Vec<Vec<u8>>) -> Self {
        let longest = members.iter().map(Vec::len).max().unwrap_or(0);
        let mut set = Self {
            table: vec![None; (members.len() * 4).next_power_of_two()],
            is_length: vec![false; longest + 1],
            members: Vec::new(),
        };
        for (place, member) in (0..=u16::MAX).zip(members) {
            let hash = member.iter().fold(HASH_BEGIN, hash_step);
            let mut at = set.slot(hash);
            while set.table[at].is_some() {
                at = (at + 1) % set.table.len();
            }
            set.table[at] = Some(place);
            set.is_length[member.len()] = true;
            set.members.push(member);
        }
        set
    }

    /// The place of the member that the octets begin with, and what follows it.
    pub fn find<'o>(&self, octets: &'o [u8]) -> Option<(usize, &'o [u8])> {
        let mut hash = HASH_BEGIN;
        for (octet, end) in octets.iter().zip(1..) {
            hash = hash_step(hash, octet);
            match self.is_length.get(end) {
                Some(true) => {}
                Some(false) => continue,
                None => return None,
            }
            let (member, rest) = octets.split_at(end);
            let mut at = self.slot(hash);
            while let Some(place) = self.table[at].map(usize::from) {
                if self.members[place] == member {
                    return Some((place, rest));
                }
                at = (at + 1) % self.table.len();
            }
        }
        None
    }

    fn slot(&self, hash: u32) -> usize {
        // The upper bits are the mixed ones.
        (hash >> 8) as usize % self.table.len()
    }
}

/// FNV-1a, 32 bits.
const HASH_BEGIN: u32 = 0x811c_9dc5;

fn hash_step(hash: u32, octet: &u8) -> u32 {
    (hash ^ u32::from(*octet)).wrapping_mul(0x0100_0193)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_a_member_is_found_with_its_rest() {
        let members: Vec<Vec<u8>> = (0..=255_u8)
            .map(|n| vec![1, 3, n, 6])
            .chain((0..200).map(|n| vec![2, n, n]))
            .collect();
        let set = Prefixes::new(members.clone());
        for (place, member) in members.iter().enumerate() {
            for rest in [&[][..], &[0], &[7, 8, 9]] {
                let octets = [member.as_slice(), rest].concat();
                assert_eq!(set.find(&octets), Some((place, rest)), "{octets:?}");
            }
            assert_eq!(set.find(&member[..member.len() - 1]), None);
        }
        assert_eq!(set.find(&[]), None);
        assert_eq!(set.find(&[3; 20]), None);
        assert_eq!(Prefixes::new(Vec::new()).find(&[1]), None);
    }
}
