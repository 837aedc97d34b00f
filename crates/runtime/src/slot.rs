//! How a slot of state stands in the changelog: `[format][applied][wts][timers][state]`, under step number and state key.

use bytes::BufMut;
use model::{Micros, Offset};
use postcard::ser_flavors::Flavor;
use serde::Serialize;
use thiserror::Error;
use topology::SLOT_BYTES_MAX;

use crate::Deadline;

/// Key of the marker: no state key begins with 0, because step numbers begin at 1.
pub(crate) const MARKER_KEY: &[u8] = b"\0marker";

/// Format, applied, wts, number of timers.
const HEAD_BYTES: usize = 1 + 8 + 8 + 2;
/// Number, kind, deadline.
const TIMER_BYTES: usize = 1 + 1 + 8;

/// Why a slot of the changelog cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SlotError {
    /// Its key names no step of this chain.
    #[error("the slot belongs to step {0}, which this build does not have")]
    UnknownStep(u8),
    /// The bytes are too short, or a timer is of no known kind.
    #[error("the slot's head is damaged")]
    Head,
    /// The key is not text.
    #[error("the slot's key is not text")]
    Key,
    /// Neither this build's format nor one it can upgrade.
    #[error("the slot is of format {found}, this build reads {wanted} and cannot upgrade it")]
    Format {
        /// Format of the slot.
        found: u8,
        /// Format of the step.
        wanted: u8,
    },
    /// The state does not decode in its own format.
    #[error("the slot's state does not decode: {0}")]
    State(String),
}

/// What stands in front of a slot's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SlotHead {
    pub format: u8,
    pub applied: Offset,
    pub wts: Micros,
    pub timers: Vec<(u8, Deadline)>,
}

/// Bytes a slot will take with this state of at most so many, without making them: counted only where it might be too
/// large. `None` when its state cannot be encoded.
pub(crate) fn encoded_bytes<S: Serialize>(timers: usize, state: &S, bytes_max: Option<usize>) -> Option<usize> {
    let head = HEAD_BYTES + TIMER_BYTES * timers;
    if let Some(at_most) = bytes_max.filter(|max| head + max <= SLOT_BYTES_MAX) {
        return Some(head + at_most);
    }
    let state = postcard::serialize_with_flavor(state, postcard::ser_flavors::Size::default()).ok()?;
    Some(head + state)
}

/// Appends an encoded slot. Its size was checked when it was put.
pub(crate) fn encode<S: Serialize>(head: &SlotHead, state: &S, out: &mut Vec<u8>) {
    let begin = out.len();
    out.put_u8(head.format);
    out.put_u64(head.applied);
    out.put_i64(head.wts.0);
    out.put_u16(u16::try_from(head.timers.len()).expect("timers are numbered by a byte"));
    for &(id, deadline) in &head.timers {
        let (kind, at) = match deadline {
            Deadline::Observed(at) => (0, at),
            Deadline::LogTime(at) => (1, at),
        };
        out.extend_from_slice(&[id, kind]);
        out.put_i64(at.0);
    }
    postcard::serialize_with_flavor(state, Appending(out)).expect("its size was computed when it was put");
    debug_assert!(out.len() - begin <= SLOT_BYTES_MAX);
}

/// postcard's own flavour for a buffer takes byte after byte.
struct Appending<'a>(&'a mut Vec<u8>);

impl Flavor for Appending<'_> {
    type Output = ();

    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Splits a slot into its head and the bytes of its state.
pub(crate) fn decode_head(bytes: &[u8]) -> Result<(SlotHead, &[u8]), SlotError> {
    let mut rest = bytes;
    let [format] = take(&mut rest)?;
    let applied = Offset::from_be_bytes(take(&mut rest)?);
    let wts = Micros(i64::from_be_bytes(take(&mut rest)?));
    let count = u16::from_be_bytes(take(&mut rest)?);
    let mut timers = Vec::with_capacity(usize::from(count.min(256)));
    for _ in 0..count {
        let [id, kind] = take(&mut rest)?;
        let at = Micros(i64::from_be_bytes(take(&mut rest)?));
        timers.push((
            id,
            match kind {
                0 => Deadline::Observed(at),
                1 => Deadline::LogTime(at),
                _ => return Err(SlotError::Head),
            },
        ));
    }
    Ok((
        SlotHead {
            format,
            applied,
            wts,
            timers,
        },
        rest,
    ))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], SlotError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(SlotError::Head)?;
    *rest = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_reads_back_and_its_size_is_known_before() {
        let head = SlotHead {
            format: 3,
            applied: 1 << 40,
            wts: Micros(-5),
            timers: vec![
                (0, Deadline::Observed(Micros(7))),
                (9, Deadline::LogTime(Micros(i64::MAX))),
            ],
        };
        let state = (String::from("entity"), 300_u64, vec![1_u8; 200]);
        let mut bytes = Vec::new();
        encode(&head, &state, &mut bytes);
        assert_eq!(encoded_bytes(2, &state, None), Some(bytes.len()));
        assert_eq!(
            encoded_bytes(2, &state, Some(SLOT_BYTES_MAX)),
            Some(bytes.len()),
            "counted"
        );
        let at_most = bytes.len() + 7 - HEAD_BYTES - 2 * TIMER_BYTES;
        assert_eq!(encoded_bytes(2, &state, Some(at_most)), Some(bytes.len() + 7));
        let (read, rest) = decode_head(&bytes).unwrap();
        assert_eq!(read, head);
        assert_eq!(postcard::from_bytes::<(String, u64, Vec<u8>)>(rest).unwrap(), state);
        for cut in 0..HEAD_BYTES + 2 * TIMER_BYTES {
            assert_eq!(decode_head(&bytes[..cut]), Err(SlotError::Head), "cut at {cut}");
        }
    }
}
