//! How a system's lists and fields are called: a TOML file, shapes only. Two are built in; others are files.

mod file;
mod read;
mod toml;

use std::path::Path;
use std::time::Duration;

use regex_lite::Regex;

pub use file::{LoadError, MappingFile};
pub use toml::{Problem, Problems};

/// Names of the mappings that are built in.
pub const BUILT_IN: &[&str] = &["smart-api", "plain"];

/// See the module.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Its name: the `way` of records.
    pub name: String,
    /// How lists are asked for.
    pub api: Api,
    /// How to prove who we are.
    pub auth: Auth,
    /// The list of cards.
    pub cards: List,
    /// The list of measures.
    pub measures: List,
    /// The list of alarms.
    pub alarms: List,
    /// How times are written.
    pub time: TimeFormat,
    /// When a value is not to be believed.
    pub quality: QualityRules,
    /// Names of measures of the quick tier.
    pub critical: Vec<Regex>,
    /// Families without measures, in capitals.
    pub passive: Vec<String>,
    /// Words that say yes, in capitals.
    pub up: Vec<String>,
    /// Words that say no, in capitals.
    pub down: Vec<String>,
    /// Units and groups, the first that fits.
    pub units: Vec<UnitRow>,
    /// Fields of a card; those of the card that a measure or an alarm is of are called alike.
    pub card: CardFields,
    /// Fields of a measure.
    pub measure: MeasureFields,
    /// Fields of an alarm.
    pub alarm: AlarmFields,
}

/// How lists are asked for.
#[derive(Debug, Clone)]
pub struct Api {
    /// Between the base address and every path.
    pub prefix: String,
    /// Parameter of the page.
    pub page_param: String,
    /// What it counts.
    pub counts: Counts,
    /// The first one.
    pub first: u64,
    /// Parameter of the size of a page.
    pub size_param: String,
    /// Rows of a page that are asked for.
    pub size: u64,
    /// How long a request may take.
    pub timeout: Duration,
}

/// What the parameter of the page counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Pages.
    Pages,
    /// Rows before the page.
    Rows,
}

/// How to prove who we are.
#[derive(Debug, Clone)]
pub struct Auth {
    /// The word before the token in `Authorization`.
    pub scheme: String,
    /// Where user and password give a token.
    pub login: Option<LoginShape>,
}

/// The request that gives a token.
#[derive(Debug, Clone)]
pub struct LoginShape {
    /// Its path, below the prefix.
    pub path: String,
    /// Field of the user.
    pub user: String,
    /// Field of the password.
    pub password: String,
    /// Field of the token in the answer.
    pub token: String,
    /// Other fields, as they are.
    pub extra: Vec<(String, String)>,
}

/// One list.
#[derive(Debug, Clone)]
pub struct List {
    /// Its path, below the prefix.
    pub path: String,
    /// Parameters of every request.
    pub query: Option<String>,
    /// Who says how many rows there are.
    pub count: Count,
}

/// Who says how many rows a list has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// Nobody: then no read of it is ever complete.
    Nobody,
    /// A request of its own: a bare number, or a field of an object.
    Path {
        /// Its path.
        path: String,
        /// The field.
        field: Option<String>,
    },
    /// A field beside the rows.
    Field(String),
}

/// How times are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFormat {
    /// As `strptime` reads them, in the zone of the configuration.
    Local(String),
    /// With their zone.
    Rfc3339,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMillis,
}

/// When a value is not to be believed.
#[derive(Debug, Clone)]
pub struct QualityRules {
    /// A value that was updated longer ago is stale.
    pub stale_after: Duration,
    /// So is every value of a card that does not work.
    pub down_is_stale: bool,
}

/// Unit and group of measures.
#[derive(Debug, Clone)]
pub struct UnitRow {
    /// The measure's name fits this …
    pub name: Option<Regex>,
    /// … and its group, in capitals, is this.
    pub its_group: Option<String>,
    /// Unit; empty where the row of the measure says it, or nobody.
    pub unit: String,
    /// Our word of the group.
    pub group: &'static str,
    /// The least value that it can have.
    pub min: f64,
    /// The largest value that it can have.
    pub max: f64,
}

/// Words of groups.
pub const GROUPS: &[&str] = &["power", "optical", "temperature", "electrical", "other"];

/// Names of one field; the first that is there and not null is taken.
pub type Names = Vec<String>;

/// A table of fields: each a list of names.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident = $key:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $name { $($(#[$fdoc])* pub $field: Names),+ }
        impl $name {
            fn read(table: &mut toml::Table<'_, '_>) -> Self {
                Self { $($field: table.names($key)),+ }
            }
        }
    };
}

fields! {
    /// Fields of a card.
    CardFields {
        /// What makes it this card and no other.
        key = "key",
        /// Where there are several of one key: what tells them apart.
        scope = "scope",
        /// Serial number.
        serial = "serial",
        /// Part number.
        part = "part",
        /// Model.
        model = "model",
        /// Family.
        family = "family",
        /// Name.
        name = "name",
        /// Site.
        site = "site",
        /// Slot.
        slot = "slot",
        /// Whether it works.
        up = "up",
        /// When it was installed.
        installed = "installed",
        /// Firmware.
        firmware = "firmware",
        /// System that knows it.
        provider = "provider",
        /// Collector that asks it.
        collector = "collector",
        /// When its row was updated.
        updated = "updated",
    }
}

fields! {
    /// Fields of a measure.
    MeasureFields {
        /// The card; if left out, as a card's key is called.
        card_key = "card_key",
        /// Whether the card works; if left out, as a card says it.
        card_up = "card_up",
        /// Number of the measure in its card.
        key = "key",
        /// A second one.
        subkey = "subkey",
        /// What makes it this measure and no other.
        uid = "uid",
        /// Name.
        name = "name",
        /// Value.
        value = "value",
        /// Unit, where the system says it.
        unit = "unit",
        /// Group.
        group = "group",
        /// How far the system believes it.
        quality = "quality",
        /// Part of the card.
        resource = "resource",
        /// Port.
        port = "port",
        /// When it was updated.
        at = "at",
    }
}

fields! {
    /// Fields of an alarm.
    AlarmFields {
        /// The card; if left out, as a card's key is called.
        card_key = "card_key",
        /// What makes it this alarm and no other.
        key = "key",
        /// What kind it is of.
        kind = "type",
        /// What people read.
        name = "name",
        /// Part of the card.
        resource = "resource",
        /// Port.
        port = "port",
        /// Severity.
        severity = "severity",
        /// Whether it stands.
        active = "active",
        /// It has no end.
        instant = "instant",
        /// Since when.
        start = "start",
        /// Until when.
        end = "end",
        /// When somebody took note.
        ack = "ack",
        /// When its row was updated.
        updated = "updated",
    }
}

impl Mapping {
    /// A mapping that is built in.
    pub fn built_in(name: &str) -> Option<Self> {
        let text = match name {
            "smart-api" => include_str!("../../mappings/smart-api.toml"),
            "plain" => include_str!("../../mappings/plain.toml"),
            _ => return None,
        };
        Some(Self::parse(name, name, text).expect("a test reads what is built in"))
    }

    /// Reads a mapping. `file` is its name in errors.
    ///
    /// # Errors
    /// With every mistake found.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Self, Problems> {
        read::mapping(name, file, text)
    }

    /// A mapping that is built in, or else the file of this path.
    ///
    /// # Errors
    /// When there is no such file, or it is wrong.
    pub fn load(name: &str) -> Result<Self, LoadError> {
        match Self::built_in(name) {
            Some(mapping) => Ok(mapping),
            None => file::load(Path::new(name)),
        }
    }
}

#[cfg(test)]
mod tests;
