//! Registrations: checked once here, so that no later step meets a bad word.

use model::{EntityId, Kind, Root, RootKind, Serial};
use schemas::DeviceRegistered;
use schemas::network::{Registration, Seen, Source};

/// Longest name, site, vendor, model, address or serial number, in bytes.
pub const WORD_BYTES_MAX: usize = 128;
/// Longest description, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 512;
/// Most attributes.
pub const ATTRIBUTES_MAX: usize = 64;
/// Longest name, and longest value, of an attribute, in bytes.
pub const ATTRIBUTE_BYTES_MAX: usize = 256;

/// Why a registration is refused. A closed set: counted by these words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Not an entity's id, or of another root, or of our own probe.
    Entity,
    /// The kind is another than the entity's id says.
    Kind,
    /// Not a serial number.
    Serial,
    /// Too long, too many, or with control characters.
    Text,
}

impl Refused {
    /// The word that is counted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entity => "registration_entity",
            Self::Kind => "registration_kind",
            Self::Serial => "registration_serial",
            Self::Text => "registration_text",
        }
    }
}

/// Checks a registration.
///
/// # Errors
/// See [`Refused`].
pub fn check(root: &Root, record: &DeviceRegistered) -> Result<Registration, Refused> {
    let entity = EntityId::parse(&record.entity).map_err(|_| Refused::Entity)?;
    if entity.root_str() != root.as_str() || root.kind() == RootKind::Probe {
        return Err(Refused::Entity);
    }
    if record.kind != entity.kind().as_str() {
        return Err(Refused::Kind);
    }
    let serial = match record.serial.as_deref() {
        Some(text) if entity.kind() == Kind::Onu && !text.is_empty() => {
            Some(Serial::parse(text).map_err(|_| Refused::Serial)?.to_string())
        }
        other => word(other)?,
    };
    let attributes_fit = record.attributes.len() <= ATTRIBUTES_MAX
        && record
            .attributes
            .iter()
            .all(|(k, v)| is_text(k, ATTRIBUTE_BYTES_MAX) && is_text(v, ATTRIBUTE_BYTES_MAX));
    if !attributes_fit || !is_text(&record.origin, WORD_BYTES_MAX) {
        return Err(Refused::Text);
    }
    Ok(Registration {
        entity,
        seen: Seen {
            observed_at: record.observed_at,
            received_at: record.received_at,
            uptime: None,
            source: match record.origin.as_str() {
                "config" => Source::Config,
                "import" => Source::Import,
                _ => Source::Api,
            },
        },
        origin: record.origin.clone(),
        removed: record.removed,
        serial,
        name: word(record.name.as_deref())?,
        site: word(record.site.as_deref())?,
        description: limited(record.description.as_deref(), DESCRIPTION_BYTES_MAX)?,
        vendor: word(record.vendor.as_deref())?,
        model: word(record.model.as_deref())?,
        address: word(record.address.as_deref())?,
        attributes: record.attributes.clone(),
    })
}

fn word(text: Option<&str>) -> Result<Option<String>, Refused> {
    limited(text, WORD_BYTES_MAX)
}

fn limited(text: Option<&str>, bytes_max: usize) -> Result<Option<String>, Refused> {
    match text.map(str::trim) {
        None => Ok(None),
        Some(text) if is_text(text, bytes_max) => Ok(Some(text.to_owned())),
        Some(_) => Err(Refused::Text),
    }
}

fn is_text(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::Micros;

    use super::*;

    fn onu() -> DeviceRegistered {
        DeviceRegistered {
            entity: "default/olt/a/onu/0/3/5/17".into(),
            kind: "onu".into(),
            serial: Some("hwtc-b6113c9d".into()),
            name: Some(" customer 17 ".into()),
            site: None,
            description: Some(String::new()),
            vendor: None,
            model: None,
            address: None,
            attributes: BTreeMap::new(),
            origin: "import".into(),
            removed: false,
            observed_at: Micros(1),
            received_at: Micros(2),
        }
    }

    fn check_with(change: impl FnOnce(&mut DeviceRegistered)) -> Result<Registration, Refused> {
        let mut record = onu();
        change(&mut record);
        check(&Root::parse("default/olt/a").unwrap(), &record)
    }

    #[test]
    fn a_good_one_is_put_into_one_form() {
        let registration = check_with(|_| ()).unwrap();
        assert_eq!(registration.serial.as_deref(), Some("HWTCB6113C9D"));
        assert_eq!(registration.name.as_deref(), Some("customer 17"));
        assert_eq!(
            (registration.site, registration.description.as_deref()),
            (None, Some(""))
        );
        assert_eq!(registration.seen.source, Source::Import);
        // A board's serial number has no form of its own.
        let board = check_with(|r| {
            r.entity = "default/olt/a/board/0/3".into();
            r.kind = "board".into();
            r.serial = Some("021".into());
        });
        assert_eq!(board.unwrap().serial.as_deref(), Some("021"));
    }

    #[test]
    fn a_bad_one_is_refused_with_its_reason() {
        #[track_caller]
        fn refused(reason: Refused, change: impl FnOnce(&mut DeviceRegistered)) {
            assert_eq!(check_with(change).map(|r| r.entity), Err(reason));
        }
        refused(Refused::Entity, |r| r.entity = "default/olt/a/onu/0/3/5/1024".into());
        refused(Refused::Entity, |r| r.entity = "default/olt/b/onu/0/3/5/17".into());
        refused(Refused::Kind, |r| r.kind = "pon".into());
        refused(Refused::Serial, |r| r.serial = Some("HWTC".into()));
        refused(Refused::Text, |r| r.name = Some("a\nb".into()));
        refused(Refused::Text, |r| r.description = Some("x".repeat(513)));
        refused(Refused::Text, |r| {
            r.attributes = (0..65).map(|i| (i.to_string(), String::new())).collect()
        });
        refused(Refused::Text, |r| {
            r.attributes = BTreeMap::from([("k".into(), "x".repeat(257))])
        });
        refused(Refused::Text, |r| r.origin = "\0".into());
    }
}
