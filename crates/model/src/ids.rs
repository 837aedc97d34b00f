//! Ids of what the network consists of. Vendor text says ONT; here it is an ONU.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Kind;

/// Longest name of a tenant, device, site or card, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Highest ONU id the decoder believes: 10 bits of the GPON frame's ONU-ID field (ITU-T G.984.3), and ours with it.
pub const ONU_ID_MAX: u16 = 1023;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not {expected}")]
pub struct IdError {
    /// What was given, cut to 128 bytes.
    pub text: String,
    /// What would be right.
    pub expected: &'static str,
}

impl IdError {
    fn new(text: &str, expected: &'static str) -> Self {
        let cut = (0..=text.len().min(128))
            .rev()
            .find(|&i| text.is_char_boundary(i))
            .unwrap_or(0);
        Self {
            text: text[..cut].to_owned(),
            expected,
        }
    }
}

/// Whether `text` may name a tenant, device, site or card: 1 to 64 bytes of letters, digits and `._-+#:@` and blanks
/// inside, so that it is inert in a path, a log line, CQL and HTML.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= NAME_BYTES_MAX
        && text == text.trim()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '#' | ':' | '@' | ' '))
}

/// Whose network it is: the first segment of every key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// The tenant where nobody configures one.
    pub const DEFAULT: &'static str = "default";

    /// Checks a tenant's name.
    ///
    /// # Errors
    /// When the text is not a name (see [`is_name`]).
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if is_name(text) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::new(text, "a tenant's name"))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}

/// What kind of element we see others through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RootKind {
    /// An optical line terminal.
    Olt,
    /// A Padtec network management system.
    Padtec,
    /// A customer's router behind an auto-configuration server.
    Cpe,
    /// The sender of a trap that nobody configured.
    Unknown,
    /// Our own freshness probe: what carries its traps through a partition, and no element of the network.
    Probe,
}

impl RootKind {
    const ALL: [Self; 5] = [Self::Olt, Self::Padtec, Self::Cpe, Self::Unknown, Self::Probe];

    /// The segment of the key.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Olt => "olt",
            Self::Padtec => "padtec",
            Self::Cpe => "cpe",
            Self::Unknown => "unknown",
            Self::Probe => "probe",
        }
    }
}

/// The element through which we see others, and the partition key: `tenant/kind/name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Root(Arc<str>);

impl Root {
    /// Builds a root from checked parts.
    ///
    /// # Errors
    /// When `name` is not a name.
    pub fn new(tenant: &Tenant, kind: RootKind, name: &str) -> Result<Self, IdError> {
        if !is_name(name) {
            return Err(IdError::new(
                name,
                "a device's name: 1 to 64 letters, digits, `.`, `_`, `-`",
            ));
        }
        Ok(Self(format!("{}/{}/{name}", tenant.as_str(), kind.as_str()).into()))
    }

    /// Parses `tenant/kind/name`.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let mut parts = text.split('/');
        let valid = parts.next().is_some_and(is_name)
            && parts
                .next()
                .is_some_and(|k| RootKind::ALL.iter().any(|kind| kind.as_str() == k))
            && parts.next().is_some_and(is_name)
            && parts.next().is_none();
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(IdError::new(text, "a root: `tenant/olt|padtec|cpe|unknown|probe/name`"))
        }
    }

    /// `tenant/kind/name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tenant's name.
    pub fn tenant(&self) -> &str {
        self.segment(0)
    }

    /// What it is.
    pub fn kind(&self) -> RootKind {
        let segment = self.segment(1);
        RootKind::ALL
            .into_iter()
            .find(|k| k.as_str() == segment)
            .expect("checked when parsed")
    }

    /// The device's own name.
    pub fn name(&self) -> &str {
        self.segment(2)
    }

    /// `tenant/kind/name`, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// The root itself as an entity.
    pub fn entity(&self) -> EntityId {
        EntityId {
            text: self.0.clone(),
            root_bytes: root_bytes(&self.0),
            kind: self.kind().into(),
        }
    }

    /// The board at a frame and slot of this root.
    pub fn board(&self, frame: u8, slot: u8) -> EntityId {
        EntityId::below(&self.0, Kind::Board, &[frame.into(), slot.into()])
    }

    /// The PON port at a place of this root.
    pub fn pon(&self, frame: u8, slot: u8, port: u8) -> EntityId {
        EntityId::below(&self.0, Kind::Pon, &[frame.into(), slot.into(), port.into()])
    }

    /// The ONU at a place of this root.
    pub fn onu(&self, place: Place) -> EntityId {
        let Place { frame, slot, port, onu } = place;
        EntityId::below(&self.0, Kind::Onu, &[frame.into(), slot.into(), port.into(), onu])
    }

    /// The card of this name in another system.
    ///
    /// # Errors
    /// As [`Root::site`].
    pub fn card(&self, name: &str) -> Result<EntityId, IdError> {
        self.named(Kind::Card, name)
    }

    /// The site of this name in another system. What an id cannot hold is written as `+` and two hexadecimal digits for each byte, as an
    /// address has `%`; so two names are never one id.
    ///
    /// # Errors
    /// When nothing is left of the name, or what it becomes is longer than a name can be.
    pub fn site(&self, name: &str) -> Result<EntityId, IdError> {
        self.named(Kind::Site, name)
    }

    fn named(&self, kind: Kind, name: &str) -> Result<EntityId, IdError> {
        let written = written(name.trim());
        if !is_name(&written) {
            return Err(IdError::new(name, "a name: 1 to 64 letters, digits and signs"));
        }
        Ok(EntityId {
            text: format!("{}/{}/{written}", self.0, kind.as_str()).into(),
            root_bytes: root_bytes(&self.0),
            kind,
        })
    }

    fn segment(&self, index: usize) -> &str {
        self.0.split('/').nth(index).expect("a root has three segments")
    }
}

/// A name in which only signs are that an id can hold. `+` begins what stands for another sign, and so is itself one of those.
fn written(name: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c != '+' && (c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '#' | ':' | '@' | ' '));
    if name.chars().all(is_plain) {
        return Cow::Borrowed(name);
    }
    let mut out = String::new();
    for c in name.chars() {
        if is_plain(c) {
            out.push(c);
        } else if out.len() <= NAME_BYTES_MAX {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                write!(out, "+{byte:02X}").expect("a string takes what is written");
            }
        }
    }
    Cow::Owned(out)
}

/// Where an ONU hangs: frame, slot, port and ONU id. Zero is a valid value of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Frame (shelf) number.
    pub frame: u8,
    /// Slot of the board.
    pub slot: u8,
    /// PON port of the board.
    pub port: u8,
    /// ONU id on the port, at most [`ONU_ID_MAX`].
    pub onu: u16,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.frame, self.slot, self.port, self.onu)
    }
}

/// A thing with status, measures and alarms: a root, or something seen through it.
///
/// `…/olt/rjo-01`, `…/board/0/3`, `…/pon/0/3/5`, `…/onu/0/3/5/17`, `…/padtec/nms-1/site/POP-A`, `…/card/ROA1-HA#374`.
///
/// What its text says is found out once, when it is made: steps ask for it with every record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntityId {
    text: Arc<str>,
    /// Bytes of the text that are the root's.
    root_bytes: u16,
    kind: Kind,
}

impl EntityId {
    /// Parses an entity's id.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let error = || {
            IdError::new(
                text,
                "an entity: a root, and for what is behind it `/board/F/S`, `/pon/F/S/P`, `/onu/F/S/P/ID`, `/site/NAME` or `/card/NAME`",
            )
        };
        let mut ends = text.match_indices('/').map(|(i, _)| i);
        let root_end = ends.nth(2).unwrap_or(text.len());
        let root = Root::parse(&text[..root_end]).map_err(|_| error())?;
        if root_end == text.len() {
            return Ok(root.entity());
        }
        let rest = &text[root_end + 1..];
        let (kind, place) = rest.split_once('/').ok_or_else(error)?;
        let kind = [Kind::Board, Kind::Pon, Kind::Onu, Kind::Site, Kind::Card]
            .into_iter()
            .find(|k| k.as_str() == kind)
            .ok_or_else(error)?;
        let valid = match kind {
            Kind::Board => numbers::<2>(place).is_some_and(|n| n.iter().all(|&v| v <= 255)),
            Kind::Pon => numbers::<3>(place).is_some_and(|n| n.iter().all(|&v| v <= 255)),
            Kind::Onu => {
                numbers::<4>(place).is_some_and(|n| n[..3].iter().all(|&v| v <= 255) && n[3] <= u32::from(ONU_ID_MAX))
            }
            _ => is_name(place),
        };
        if !valid {
            return Err(error());
        }
        Ok(Self {
            text: text.into(),
            root_bytes: root_bytes(&text[..root_end]),
            kind,
        })
    }

    /// `ROOT/KIND/N/N…`, made without formatting: a trap names an ONU and all it hangs on.
    fn below(root: &str, kind: Kind, numbers: &[u16]) -> Self {
        let mut place = Digits::default();
        for number in numbers {
            place.push(*number);
        }
        Self::joined(root, kind, place.as_str())
    }

    /// `place` is numbers with `/` between.
    fn joined(root: &str, kind: Kind, place: &str) -> Self {
        // Made in place: the text is shared from its first moment.
        let mut buffer = [0; ID_BYTES_MAX];
        let mut used = 0;
        for part in [root, "/", kind.as_str(), "/", place] {
            buffer[used..used + part.len()].copy_from_slice(part.as_bytes());
            used += part.len();
        }
        Self {
            text: std::str::from_utf8(&buffer[..used])
                .expect("parts of text are text")
                .into(),
            root_bytes: root_bytes(root),
            kind,
        }
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The whole id, shared.
    pub fn shared(&self) -> &Arc<str> {
        &self.text
    }

    /// The root through which it is seen.
    pub fn root(&self) -> Root {
        Root(self.root_str().into())
    }

    /// The root's part of the id.
    pub fn root_str(&self) -> &str {
        &self.text[..usize::from(self.root_bytes)]
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The place of an ONU; `None` for anything else.
    pub fn place(&self) -> Option<Place> {
        let n = numbers::<4>(self.below_root()?.strip_prefix("onu/")?)?;
        Some(Place {
            frame: u8::try_from(n[0]).ok()?,
            slot: u8::try_from(n[1]).ok()?,
            port: u8::try_from(n[2]).ok()?,
            onu: u16::try_from(n[3]).ok()?,
        })
    }

    /// What it hangs on in the tree OLT → board → PON → ONU; `None` for a root.
    pub fn parent(&self) -> Option<EntityId> {
        let (_, place) = self.below_root()?.split_once('/')?;
        let above = |kind| {
            let (place, _) = place.rsplit_once('/')?;
            Some(Self::joined(self.root_str(), kind, place))
        };
        match self.kind {
            Kind::Onu => above(Kind::Pon),
            Kind::Pon => above(Kind::Board),
            _ => Some(self.root().entity()),
        }
    }

    fn below_root(&self) -> Option<&str> {
        self.text.get(usize::from(self.root_bytes) + 1..)
    }
}

impl From<RootKind> for Kind {
    fn from(kind: RootKind) -> Self {
        match kind {
            RootKind::Olt => Self::Olt,
            RootKind::Padtec => Self::Padtec,
            RootKind::Cpe => Self::Cpe,
            RootKind::Unknown => Self::Unknown,
            RootKind::Probe => Self::Probe,
        }
    }
}

fn root_bytes(root: &str) -> u16 {
    u16::try_from(root.len()).expect("two names and a kind are short")
}

/// Longest id of a board, a PON port or an ONU: two names of 64 bytes, words, and numbers.
const ID_BYTES_MAX: usize = 192;

/// Decimal numbers with `/` between, on the stack.
#[derive(Default)]
struct Digits {
    text: [u8; 24],
    used: usize,
}

impl Digits {
    fn push(&mut self, number: u16) {
        if self.used > 0 {
            self.put(b'/');
        }
        let mut unit = 10_000;
        while unit > 1 && number < unit {
            unit /= 10;
        }
        while unit > 0 {
            self.put(b'0' + (number / unit % 10) as u8);
            unit /= 10;
        }
    }

    fn put(&mut self, octet: u8) {
        self.text[self.used] = octet;
        self.used += 1;
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.used]).expect("digits are text")
    }
}

/// Exactly `N` decimal numbers separated by `/`, without signs or leading zeros.
fn numbers<const N: usize>(text: &str) -> Option<[u32; N]> {
    let mut out = [0; N];
    let mut parts = text.split('/');
    for slot in &mut out {
        let part = parts.next()?;
        let canonical = part == "0" || (!part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit()));
        *slot = if canonical { part.parse().ok()? } else { return None };
    }
    parts.next().is_none().then_some(out)
}

macro_rules! text_id {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }
    )+};
}
text_id!(Root, EntityId, Tenant);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_numbers_are() {
        let longest = format!("{0}/unknown/{0}", "x".repeat(NAME_BYTES_MAX));
        for root in ["default/olt/ação", longest.as_str()] {
            let root = Root::parse(root).unwrap();
            for n in [0, 1, 9, 10, 99, 100, 255, 999, 1_000, ONU_ID_MAX, u16::MAX] {
                let [low, _] = n.to_le_bytes();
                let place = Place {
                    frame: 255,
                    slot: low,
                    port: 255,
                    onu: n,
                };
                let onu = root.onu(place);
                assert_eq!(onu.as_str(), format!("{root}/onu/{place}"));
                assert_eq!(onu.parent(), Some(root.pon(255, low, 255)));
                assert_eq!(root.pon(255, low, 255).as_str(), format!("{root}/pon/255/{low}/255"));
                assert_eq!(root.board(low, 255).as_str(), format!("{root}/board/{low}/255"));
                assert_eq!((onu.root_str(), onu.kind()), (root.as_str(), Kind::Onu));
            }
        }
    }

    #[test]
    fn an_onu_knows_its_way_up() {
        let onu = EntityId::parse("default/olt/rjo-01/onu/0/3/5/17").unwrap();
        assert_eq!(onu.kind(), Kind::Onu);
        assert_eq!(
            onu.place(),
            Some(Place {
                frame: 0,
                slot: 3,
                port: 5,
                onu: 17
            })
        );
        let pon = onu.parent().unwrap();
        assert_eq!(pon.as_str(), "default/olt/rjo-01/pon/0/3/5");
        let board = pon.parent().unwrap();
        assert_eq!(board.as_str(), "default/olt/rjo-01/board/0/3");
        let olt = board.parent().unwrap();
        assert_eq!((olt.as_str(), olt.kind()), ("default/olt/rjo-01", Kind::Olt));
        assert_eq!(olt.parent(), None);
        assert_eq!(onu.root().name(), "rjo-01");
    }

    #[test]
    fn a_name_of_another_system_is_one_id_whatever_is_in_it() {
        let root = Root::parse("default/padtec/nms-1").unwrap();
        let check = |name: &str, expected: Option<&str>| {
            let site = root.site(name).ok().map(|site| {
                assert_eq!(EntityId::parse(site.as_str()), Ok(site.clone()));
                site.as_str()
                    .strip_prefix("default/padtec/nms-1/site/")
                    .unwrap()
                    .to_owned()
            });
            assert_eq!(site.as_deref(), expected, "{name}");
        };
        check(" 04 - POP-EXEMPLO-A ", Some("04 - POP-EXEMPLO-A"));
        check("São Paulo (Centro)", Some("São Paulo +28Centro+29"));
        check("a/b", Some("a+2Fb"));
        check("a+2Fb", Some("a+2B2Fb"));
        check("<script>", Some("+3Cscript+3E"));
        check("a\nb", Some("a+0Ab"));
        check("", None);
        check("  ", None);
        check(&"x".repeat(65), None);
        check(&"/".repeat(10_000), None);
        let card = root.card("ROA1-HA-E29001-TR#374").unwrap();
        assert_eq!(card.as_str(), "default/padtec/nms-1/card/ROA1-HA-E29001-TR#374");
        assert_eq!((card.kind(), card.parent()), (Kind::Card, Some(root.entity())));
    }

    #[test]
    fn only_canonical_ids_are_ids() {
        for good in [
            "default/olt/a",
            "default/unknown/192.0.2.7",
            "default/unknown/2001:db8::1",
            "t/padtec/nms-1/site/POP A",
            "t/padtec/n/card/ROA1-HA#374",
            "t/olt/a/onu/0/0/0/0",
        ] {
            assert_eq!(EntityId::parse(good).map(String::from), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "default",
            "default/olt",
            "default/olt/",
            "default/switch/a",
            "default/olt/a/onu/0/3/5",
            "default/olt/a/onu/0/3/5/17/1",
            "default/olt/a/onu/0/3/5/017",
            "default/olt/a/onu/0/3/5/1024",
            "default/olt/a/onu/0/300/5/1",
            "default/olt/a/onu/0/+3/5/1",
            "default/olt/a\n/onu/0/3/5/1",
            "default/olt/<b>",
            "default/olt/a/",
        ] {
            assert!(EntityId::parse(bad).is_err(), "{bad}");
        }
    }
}
