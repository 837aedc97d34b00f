//! Avro's binary form, as far as our schemas use it: what the generated code is made of.
//!
//! Reading is total and bounded: a length is compared with what is left before anything is taken, nothing is reserved by a
//! length that came from outside, and there is no recursion (a schema that refers to itself is refused by the generator).
//! Stricter than apache-avro in three points, none of which any writer we know makes use of: a number must not have more
//! digits than it needs, nor bits beyond the 64th; the size that may stand in front of a block must not exceed what is left.

use std::collections::BTreeMap;

use model::Micros;
use serde_bytes::ByteBuf;
use thiserror::Error;

use crate::records::RecordType;

/// Longest text or byte string that is read: four times the largest record, and what apache-avro is limited to.
pub(crate) const FIELD_BYTES_MAX: usize = 1 << 20;

/// Digits of a number: ten times seven bits hold 64.
const DIGITS_MAX: usize = 10;

/// A record, or a view of one: what can be written.
pub trait Body {
    /// Which record it is.
    const RECORD: RecordType;

    /// Appends its Avro body. The bytes depend on the fields alone.
    fn encode(&self, out: &mut Vec<u8>);
}

impl<B: Body> Body for &B {
    const RECORD: RecordType = B::RECORD;

    fn encode(&self, out: &mut Vec<u8>) {
        (**self).encode(out);
    }
}

/// A view that is read from a body without memory of its own.
pub trait View<'a>: Body + Sized {
    /// Reads its fields.
    ///
    /// # Errors
    /// When the bytes do not fit the schema.
    fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed>;
}

/// Why a body does not fit its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// A field goes on behind the end.
    #[error("it ends inside a field")]
    Truncated,
    /// Not the shortest form of a number of 64 bits.
    #[error("a number is not in its shortest form, or has more than 64 bits")]
    Number,
    /// An `int` beyond 32 bits.
    #[error("a number does not fit into 32 bits")]
    Int,
    /// Below zero, or beyond what a field may be.
    #[error("a length is negative, or larger than any field")]
    Length,
    /// The size in front of a block is negative, or beyond what is left.
    #[error("a block's size is negative, or larger than what is left")]
    Block,
    /// Not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// Neither 0 nor 1.
    #[error("a truth value is neither 0 nor 1")]
    Boolean,
    /// An enum's symbol, or a union's branch, that the schema does not have.
    #[error("a choice that the schema does not have")]
    Choice,
}

/// The rest of a body.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    /// Bytes that were not read.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) fn long(&mut self) -> Result<i64, Malformed> {
        match self.rest {
            [digit, rest @ ..] if *digit < 0x80 => {
                self.rest = rest;
                Ok(unzigzag(u64::from(*digit)))
            }
            _ => self.long_of_many(),
        }
    }

    fn long_of_many(&mut self) -> Result<i64, Malformed> {
        let mut value = 0_u64;
        for (i, &digit) in self.rest.iter().take(DIGITS_MAX).enumerate() {
            value |= u64::from(digit & 0x7F) << (7 * i);
            if digit < 0x80 {
                let superfluous = digit == 0 && i > 0;
                let beyond = i == DIGITS_MAX - 1 && digit > 1;
                if superfluous || beyond {
                    return Err(Malformed::Number);
                }
                self.rest = &self.rest[i + 1..];
                return Ok(unzigzag(value));
            }
        }
        Err(if self.rest.len() < DIGITS_MAX {
            Malformed::Truncated
        } else {
            Malformed::Number
        })
    }

    #[inline]
    pub(crate) fn int(&mut self) -> Result<i32, Malformed> {
        i32::try_from(self.long()?).map_err(|_| Malformed::Int)
    }

    #[inline]
    pub(crate) fn micros(&mut self) -> Result<Micros, Malformed> {
        self.long().map(Micros)
    }

    /// Eight bytes, the lowest first: any of them, as Avro has it. Whether it is a number is for whoever reads it to ask.
    #[inline]
    pub(crate) fn double(&mut self) -> Result<f64, Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(f64::from_le_bytes(*bytes))
    }

    #[inline]
    pub(crate) fn boolean(&mut self) -> Result<bool, Malformed> {
        let (&byte, rest) = self.rest.split_first().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        match byte {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed::Boolean),
        }
    }

    #[inline]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.long()?).map_err(|_| Malformed::Length)?;
        if length > FIELD_BYTES_MAX {
            return Err(Malformed::Length);
        }
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed::Text)
    }

    pub(crate) fn byte_vec(&mut self) -> Result<Vec<u8>, Malformed> {
        self.bytes().map(<[u8]>::to_vec)
    }

    pub(crate) fn byte_buf(&mut self) -> Result<ByteBuf, Malformed> {
        self.byte_vec().map(ByteBuf::from)
    }

    pub(crate) fn string(&mut self) -> Result<String, Malformed> {
        self.text().map(str::to_owned)
    }

    /// A union of null and something else.
    #[inline]
    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match self.long()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Malformed::Choice),
        }
    }

    pub(crate) fn map<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<BTreeMap<String, T>, Malformed> {
        let mut map = BTreeMap::new();
        self.blocks(|r| {
            let key = r.string()?;
            map.insert(key, read(r)?);
            Ok(())
        })?;
        Ok(map)
    }

    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let mut list = Vec::new();
        self.blocks(|r| {
            list.push(read(r)?);
            Ok(())
        })?;
        Ok(list)
    }

    /// Blocks of items until an empty one. A negative count has the block's size behind it, for those who skip.
    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                let size = usize::try_from(self.long()?).map_err(|_| Malformed::Block)?;
                if size > self.rest.len() {
                    return Err(Malformed::Block);
                }
            }
            // No item takes less than a byte, so a hostile count ends with the bytes.
            for _ in 0..count.unsigned_abs() {
                item(self)?;
            }
        }
    }
}

fn unzigzag(n: u64) -> i64 {
    (n >> 1).cast_signed() ^ -((n & 1).cast_signed())
}

/// Zigzag, seven bits at a time, the lowest first.
#[inline]
pub(crate) fn put_long(out: &mut Vec<u8>, n: i64) {
    let zigzag = ((n << 1) ^ (n >> 63)).cast_unsigned();
    if zigzag < 0x80 {
        out.push(zigzag as u8);
    } else {
        put_many(out, zigzag);
    }
}

fn put_many(out: &mut Vec<u8>, mut rest: u64) {
    let mut digits = [0; DIGITS_MAX];
    let mut used = 0;
    while rest >= 0x80 {
        digits[used] = (rest & 0x7F) as u8 | 0x80;
        used += 1;
        rest >>= 7;
    }
    digits[used] = rest as u8;
    // All ten and then less: a copy of a fixed size is two stores, not a call.
    let end = out.len() + used + 1;
    out.extend_from_slice(&digits);
    out.truncate(end);
}

#[inline]
pub(crate) fn put_int(out: &mut Vec<u8>, n: i32) {
    put_long(out, i64::from(n));
}

#[inline]
pub(crate) fn put_micros(out: &mut Vec<u8>, at: Micros) {
    put_long(out, at.0);
}

#[inline]
pub(crate) fn put_double(out: &mut Vec<u8>, number: f64) {
    out.extend_from_slice(&number.to_le_bytes());
}

#[inline]
pub(crate) fn put_boolean(out: &mut Vec<u8>, truth: bool) {
    out.push(u8::from(truth));
}

#[inline]
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

#[inline]
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

/// A union of null and something else.
#[inline]
pub(crate) fn put_optional<T>(out: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(2);
            put(out, value);
        }
    }
}

/// One block with everything in it, in the order of the keys.
pub(crate) fn put_map<T>(out: &mut Vec<u8>, map: &BTreeMap<String, T>, put: impl Fn(&mut Vec<u8>, &T)) {
    if !map.is_empty() {
        put_count(out, map.len());
        for (key, value) in map {
            put_text(out, key);
            put(out, value);
        }
    }
    out.push(0);
}

pub(crate) fn put_list<T>(out: &mut Vec<u8>, list: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    if !list.is_empty() {
        put_count(out, list.len());
        for item in list {
            put(out, item);
        }
    }
    out.push(0);
}

#[inline]
fn put_count(out: &mut Vec<u8>, count: usize) {
    put_long(out, i64::try_from(count).expect("no collection holds 2^63 items"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_and_have_one_form() {
        let mut out = Vec::new();
        for n in [
            0,
            1,
            -1,
            63,
            -64,
            64,
            -65,
            8_191,
            8_192,
            i64::from(i32::MAX),
            i64::MAX,
            i64::MIN,
        ] {
            out.clear();
            put_long(&mut out, n);
            let mut reader = Reader::new(&out);
            assert_eq!((reader.long(), reader.left()), (Ok(n), 0));
            // The same number with a digit too many.
            if let Some(last) = out.last_mut() {
                *last |= 0x80;
            }
            out.push(0);
            assert_eq!(Reader::new(&out).long(), Err(Malformed::Number), "{n}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let check =
            |bytes: &[u8], expected: Malformed| assert_eq!(Reader::new(bytes).long(), Err(expected), "{bytes:x?}");
        check(&[], Malformed::Truncated);
        check(&[0x80], Malformed::Truncated);
        check(&[0xFF; 9], Malformed::Truncated);
        check(&[0xFF; 10], Malformed::Number);
        check(
            &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2],
            Malformed::Number,
        );
        assert_eq!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x10]).int(), Err(Malformed::Int));
    }

    /// What is no number stays what it is: one bad value of a table must not take the table with it.
    #[test]
    fn a_double_is_its_eight_bytes_whatever_they_are() {
        for number in [
            0.0,
            -0.0,
            -24.68,
            f64::MIN_POSITIVE / 2.0,
            f64::MAX,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            f64::from_bits(0xFFF4_0000_0000_0001),
        ] {
            let mut out = Vec::new();
            put_double(&mut out, number);
            assert_eq!(out, number.to_bits().to_le_bytes());
            let mut reader = Reader::new(&out);
            assert_eq!(reader.double().map(f64::to_bits), Ok(number.to_bits()));
            assert_eq!(reader.left(), 0);
        }
        assert_eq!(Reader::new(&[0; 7]).double(), Err(Malformed::Truncated));
    }

    #[test]
    fn a_length_from_outside_takes_nothing_that_is_not_there() {
        let mut out = Vec::new();
        for length in [i64::MAX, i64::MIN, -1, (1 << 20) + 1, 1 << 20, 4] {
            out.clear();
            put_long(&mut out, length);
            out.extend_from_slice(b"abc");
            assert!(Reader::new(&out).bytes().is_err(), "{length}");
            assert!(Reader::new(&out).list(Reader::string).is_err(), "{length}");
            assert!(Reader::new(&out).map(Reader::long).is_err(), "{length}");
        }
    }

    #[test]
    fn blocks_may_be_several_and_sized() {
        // Two items in a block with its size (4), one without, the end.
        let bytes = [3, 8, 2, b'a', 2, b'b', 2, 2, b'c', 0];
        assert_eq!(
            Reader::new(&bytes).list(Reader::string),
            Ok(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()])
        );
        let too_large = [3, 100, 2, b'a', 2, b'b', 0];
        assert_eq!(Reader::new(&too_large).list(Reader::string), Err(Malformed::Block));
        let negative = [3, 7, 2, b'a', 2, b'b', 0];
        assert_eq!(Reader::new(&negative).list(Reader::string), Err(Malformed::Block));
    }
}
