//! FNV-1a; written here because its values must be the same in every build: they are in ids and in state.

use model::Position;
use schemas::network::AlarmSlot;

const OFFSET_64: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME_64: u64 = 0x0000_0100_0000_01b3;
const OFFSET_128: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME_128: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// Of parts, each ended by a byte that no text has.
pub(crate) fn hash_64(parts: &[&[u8]]) -> u64 {
    bytes_of(parts).fold(OFFSET_64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME_64))
}

fn hash_128(parts: &[&[u8]]) -> u128 {
    bytes_of(parts).fold(OFFSET_128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME_128)
    })
}

fn bytes_of<'a>(parts: &'a [&'a [u8]]) -> impl Iterator<Item = u8> + 'a {
    parts.iter().flat_map(|part| part.iter().copied().chain([0xFF]))
}

/// The id of the alarm of a slot that was raised by an input: `a-` and 128 bits in hexadecimal digits.
pub(crate) fn alarm_id(slot: &AlarmSlot, raise: Position) -> String {
    let hash = hash_128(&[
        slot.entity.as_str().as_bytes(),
        slot.alarm_type.as_bytes(),
        slot.qualifier.as_bytes(),
        &raise.generation.to_be_bytes(),
        &raise.partition.to_be_bytes(),
        &raise.offset.to_be_bytes(),
    ]);
    format!("a-{hash:032x}")
}

#[cfg(test)]
mod tests {
    use model::EntityId;

    use super::*;

    #[test]
    fn ids_are_of_the_slot_and_its_raise() {
        let slot = |alarm_type: &str, qualifier: &str| AlarmSlot {
            entity: EntityId::parse("default/olt/a").unwrap(),
            alarm_type: alarm_type.into(),
            qualifier: qualifier.into(),
        };
        let at = |generation, offset| Position {
            generation,
            partition: 3,
            offset,
        };
        let id = alarm_id(&slot("los", ""), at(1, 7));
        assert_eq!(id.len(), 34);
        assert_eq!(id, "a-88870d4612ef49770a801906560867c9", "the same in every build");
        for other in [
            alarm_id(&slot("los", ""), at(1, 8)),
            alarm_id(&slot("los", ""), at(2, 7)),
            alarm_id(&slot("lo", "s"), at(1, 7)),
            alarm_id(&slot("lof", ""), at(1, 7)),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn it_is_fnv_1a() {
        let plain = |text: &str| {
            text.bytes()
                .fold(OFFSET_64, |h, b| (h ^ u64::from(b)).wrapping_mul(PRIME_64))
        };
        assert_eq!(plain("foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(hash_64(&[]), OFFSET_64);
    }
}
