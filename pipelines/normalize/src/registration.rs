//! Registrations: checked once here, so that no later step meets a bad word.

use model::{EntityId, Kind, Root, Serial};
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
    /// Not an entity's id, or of another root.
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
    if entity.root_str() != root.as_str() {
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
