//! What is known of an entity beside its state: what `inventory` says of it.

use std::collections::BTreeMap;

use model::{Micros, Serial};
use schemas::network::{About, Description, Polled, Registration, Seen, Source};
use serde::{Deserialize, Serialize};

/// A text with who said it and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The text; empty if it was taken away.
    pub text: String,
    /// When it was said.
    pub at: Micros,
    /// By whom.
    pub by: Source,
}

impl Told {
    /// A device does not correct it.
    fn is_of_a_person(&self) -> bool {
        !matches!(self.by, Source::Trap | Source::Poll) && !self.text.is_empty()
    }
}

/// What a reading says that is new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    serial: Option<String>,
    model: Option<String>,
    description: Option<String>,
}

/// Everything of an entity that people and inventories say, each with its time: the newer wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Who said first, or registered last.
    pub origin: String,
    /// When it was registered first; `None` if it never was.
    pub installed_at: Option<Micros>,
    /// When it was registered last.
    pub registered_at: Option<Micros>,
    /// When it was last sighted or registered, as of the last change.
    pub seen_at: Micros,
    /// Serial number.
    pub serial: Option<Told>,
    /// When this serial was sighted here last: of several places the one of the last sighting has it.
    pub serial_since: Option<Micros>,
    /// Name.
    pub name: Option<Told>,
    /// Site.
    pub site: Option<Told>,
    /// Description.
    pub description: Option<Told>,
    /// Vendor.
    pub vendor: Option<Told>,
    /// Model.
    pub model: Option<Told>,
    /// Management address.
    pub address: Option<Told>,
    /// Anything else.
    pub attributes: BTreeMap<String, String>,
    /// When the attributes were said.
    pub attributes_at: Option<Micros>,
}

/// Attribute that holds the family of a card.
pub const FAMILY: &str = "family";

impl Facts {
    /// Nothing but that it was seen.
    pub fn seen(seen: &Seen) -> Self {
        Self {
            origin: seen.source.as_str().to_owned(),
            installed_at: None,
            registered_at: None,
            seen_at: seen.observed_at,
            serial: None,
            serial_since: None,
            name: None,
            site: None,
            description: None,
            vendor: None,
            model: None,
            address: None,
            attributes: BTreeMap::new(),
            attributes_at: None,
        }
    }

    /// Takes a registration, field by field: what it does not say stays.
    pub fn register(&mut self, said: &Registration) {
        let at = said.seen.observed_at;
        let newest = self.registered_at.is_none_or(|known| at >= known);
        if newest {
            self.origin.clone_from(&said.origin);
            self.registered_at = Some(at);
        }
        self.installed_at = Some(self.installed_at.map_or(at, |first| first.min(at)));
        self.seen_at = self.seen_at.max(at);
        let by = said.seen.source;
        // What another system lists does not correct a person either.
        let tell = |known: &mut Option<Told>, said: Option<&str>, at: Micros, by: Source| {
            if by != Source::Poll || !known.as_ref().is_some_and(Told::is_of_a_person) {
                tell(known, said, at, by);
            }
        };
        tell(&mut self.name, said.name.as_deref(), at, by);
        tell(&mut self.site, said.site.as_deref(), at, by);
        tell(&mut self.description, said.description.as_deref(), at, by);
        tell(&mut self.vendor, said.vendor.as_deref(), at, by);
        tell(&mut self.model, said.model.as_deref(), at, by);
        tell(&mut self.address, said.address.as_deref(), at, by);
        if let Some(serial) = said.serial.as_deref() {
            self.sight(serial, at, by);
        }
        if !said.attributes.is_empty() && self.attributes_at.is_none_or(|known| at >= known) {
            self.attributes.clone_from(&said.attributes);
            self.attributes_at = Some(at);
        }
    }

    /// Takes a trap's sighting of serial and model. A model that a person gave is not replaced by it.
    pub fn sighted(&mut self, serial: Option<Serial>, model: Option<&str>, seen: &Seen) {
        if let Some(serial) = serial {
            self.sight(&serial.to_string(), seen.observed_at, seen.source);
        }
        let Some(model) = model else { return };
        if !self
            .model
            .as_ref()
            .is_some_and(|known| known.is_of_a_person() || known.text == model)
        {
            tell(&mut self.model, Some(model), seen.observed_at, seen.source);
        }
    }

    /// What a row of a reading says that is new; `None` if there is nothing. A serial that was known counts as sighted again when its
    /// ONU has come up, so that of two places the one where it came up last has it; not with each reading.
    pub fn news(&self, polled: &Polled, came_up: bool) -> Option<News> {
        let at = polled.seen.observed_at;
        // What the last reading said held until then.
        let known_at = |known: &Told| match (known.by, polled.read_at) {
            (Source::Poll, Some(read_at)) => known.at.max(read_at),
            _ => known.at,
        };
        let is_newer = |known: &Option<Told>| known.as_ref().is_none_or(|known| at >= known_at(known));
        let says = |known: &Option<Told>, new: &str| known.as_ref().is_some_and(|known| known.text == new);
        let device_may_say =
            |known: &Option<Told>| !known.as_ref().is_some_and(Told::is_of_a_person) && is_newer(known);
        let serial = polled.serial.filter(|_| is_newer(&self.serial)).map(|s| s.to_string());
        let serial = serial.filter(|serial| came_up || !says(&self.serial, serial));
        let model = polled.model.as_ref().filter(|_| device_may_say(&self.model));
        let model = model.filter(|model| !says(&self.model, model));
        let description = polled
            .description
            .as_ref()
            .filter(|_| device_may_say(&self.description));
        let description = description.filter(|new| !self.has_all_of(new)).map(|new| &new.text);
        let news = News {
            serial,
            model: model.cloned(),
            description: description.cloned(),
        };
        (news != News::default()).then_some(news)
    }

    /// What a root's product says that is new.
    pub fn product_news(&self, product: &str, seen: &Seen) -> Option<News> {
        let stays = |known: &Told| known.is_of_a_person() || known.text == product || known.at > seen.observed_at;
        (!self.model.as_ref().is_some_and(stays)).then(|| News {
            model: Some(product.to_owned()),
            ..News::default()
        })
    }

    /// Whether it is another device than was here.
    pub fn is_another(&self, news: &News) -> bool {
        let new = news.serial.as_deref();
        new.is_some_and(|new| text(&self.serial).is_some_and(|known| known != new))
    }

    /// Takes what is new.
    pub fn take_news(&mut self, news: News, seen: &Seen) {
        let (at, by) = (seen.observed_at, seen.source);
        if let Some(serial) = &news.serial {
            self.sight(serial, at, by);
        }
        tell(&mut self.model, news.model.as_deref(), at, by);
        tell(&mut self.description, news.description.as_deref(), at, by);
    }

    /// The known description is the same, or a longer one that begins like one that was cut.
    fn has_all_of(&self, new: &Description) -> bool {
        text(&self.description)
            .is_some_and(|known| known == new.text || (new.is_cut && known.starts_with(new.text.as_str())))
    }

    /// The last sighting of a serial wins.
    fn sight(&mut self, serial: &str, at: Micros, by: Source) {
        tell(&mut self.serial, Some(serial), at, by);
        self.serial_since = self.serial.as_ref().filter(|s| !s.text.is_empty()).map(|s| s.at);
    }

    /// At least the bytes it takes in the changelog: a number has at most ten, an enum one.
    pub(crate) fn bytes_max(&self) -> usize {
        const NUMBER: usize = 10;
        let told = |told: &Option<Told>| 1 + told.as_ref().map_or(0, |t| NUMBER + t.text.len() + NUMBER + 1);
        let texts = [
            &self.serial,
            &self.name,
            &self.site,
            &self.description,
            &self.vendor,
            &self.model,
            &self.address,
        ];
        let attributes = self.attributes.iter().map(|(k, v)| 2 * NUMBER + k.len() + v.len());
        let times = 4 * (1 + NUMBER) + NUMBER;
        let origin = NUMBER + self.origin.len();
        texts.into_iter().map(told).sum::<usize>() + attributes.sum::<usize>() + NUMBER + times + origin
    }

    /// Whether the two make the same row of `inventory`: they read alike, and the serial was sighted at the same time.
    pub fn same_entry(&self, other: &Self) -> bool {
        self.serial_since == other.serial_since && self.reads_like(other)
    }

    /// What scopes of rules and texts of alarms need.
    pub fn about(&self) -> About {
        let owned = |told: &Option<Told>| text(told).map(str::to_owned);
        About {
            vendor: owned(&self.vendor),
            family: self.attributes.get(FAMILY).cloned(),
            model: owned(&self.model),
            site: owned(&self.site),
            name: owned(&self.name),
            serial: owned(&self.serial),
        }
    }

    /// Whether a person who reads `inventory` could tell the two apart; the times alone are not told.
    pub fn reads_like(&self, other: &Self) -> bool {
        fn texts(facts: &Facts) -> [Option<&str>; 7] {
            [
                text(&facts.serial),
                text(&facts.name),
                text(&facts.site),
                text(&facts.description),
                text(&facts.vendor),
                text(&facts.model),
                text(&facts.address),
            ]
        }
        std::ptr::eq(self, other)
            || (self.origin == other.origin
                && self.installed_at == other.installed_at
                && self.attributes == other.attributes
                && texts(self) == texts(other))
    }
}

/// The text, if there is one.
pub fn text(told: &Option<Told>) -> Option<&str> {
    told.as_ref().map(|t| t.text.as_str()).filter(|t| !t.is_empty())
}

fn tell(known: &mut Option<Told>, said: Option<&str>, at: Micros, by: Source) {
    let Some(said) = said else { return };
    if known.as_ref().is_none_or(|known| at >= known.at) {
        *known = Some(Told {
            text: said.to_owned(),
            at,
            by,
        });
    }
}

#[cfg(test)]
mod tests {
    use model::EntityId;

    use super::*;

    fn seen(at: i64, source: Source) -> Seen {
        Seen {
            observed_at: Micros(at),
            received_at: Micros(at),
            uptime: None,
            source,
        }
    }

    fn registration(at: i64) -> Registration {
        Registration {
            entity: EntityId::parse("default/olt/a/onu/0/3/5/17").unwrap(),
            seen: seen(at, Source::Import),
            origin: "import".into(),
            removed: false,
            serial: None,
            name: None,
            site: None,
            description: None,
            vendor: None,
            model: None,
            address: None,
            attributes: BTreeMap::new(),
        }
    }

    fn named(at: i64, name: &str) -> Registration {
        Registration {
            name: Some(name.into()),
            ..registration(at)
        }
    }

    #[test]
    fn of_each_field_the_newer_wins_whatever_the_order() {
        let later = Registration {
            serial: Some("HWTC00000002".into()),
            ..named(20, "new")
        };
        let earlier = Registration {
            site: Some("RJO".into()),
            serial: Some("HWTC00000001".into()),
            ..named(10, "old")
        };
        for order in [[&earlier, &later], [&later, &earlier]] {
            let mut facts = Facts::seen(&seen(5, Source::Trap));
            order.into_iter().for_each(|said| facts.register(said));
            assert_eq!((text(&facts.name), text(&facts.site)), (Some("new"), Some("RJO")));
            assert_eq!(
                (text(&facts.serial), facts.serial_since),
                (Some("HWTC00000002"), Some(Micros(20)))
            );
            assert_eq!(
                (facts.installed_at, facts.registered_at),
                (Some(Micros(10)), Some(Micros(20)))
            );
            assert_eq!(facts.origin, "import");
        }
    }

    #[test]
    fn what_is_not_said_stays_and_what_is_empty_goes() {
        let mut facts = Facts::seen(&seen(5, Source::Trap));
        facts.register(&named(10, "a"));
        facts.register(&registration(11));
        assert_eq!(text(&facts.name), Some("a"));
        facts.register(&named(12, ""));
        assert_eq!(text(&facts.name), None);
    }

    #[test]
    fn a_trap_gives_a_model_but_does_not_correct_a_person() {
        let mut facts = Facts::seen(&seen(5, Source::Trap));
        facts.sighted(None, Some("EG8145V5"), &seen(10, Source::Trap));
        facts.sighted(None, Some("HG8546M"), &seen(11, Source::Trap));
        assert_eq!(text(&facts.model), Some("HG8546M"));
        facts.register(&Registration {
            model: Some("router".into()),
            ..registration(12)
        });
        facts.sighted(None, Some("EG8145V5"), &seen(13, Source::Trap));
        assert_eq!(text(&facts.model), Some("router"));
    }

    #[test]
    fn the_last_sighting_of_a_serial_wins() {
        let serial = |text: &str| Some(Serial::parse(text).unwrap());
        let mut facts = Facts::seen(&seen(5, Source::Trap));
        facts.sighted(serial("HWTC00000001"), None, &seen(10, Source::Trap));
        facts.sighted(serial("HWTC00000001"), None, &seen(20, Source::Trap));
        assert_eq!(facts.serial_since, Some(Micros(20)));
        facts.sighted(serial("HWTC00000002"), None, &seen(15, Source::Trap));
        assert_eq!(text(&facts.serial), Some("HWTC00000001"));
        facts.sighted(serial("HWTC00000002"), None, &seen(30, Source::Trap));
        assert_eq!(
            (text(&facts.serial), facts.serial_since),
            (Some("HWTC00000002"), Some(Micros(30)))
        );
    }
}
