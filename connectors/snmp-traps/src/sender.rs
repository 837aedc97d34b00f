//! Whose a trap is: the sender rule (design §8), and the limit for senders nobody configured.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Root, RootKind, Tenant};

use crate::config::{Config, Limits};
use crate::refusal::Limit;

/// An unknown sender silent for this long may be forgotten for another.
const FORGET_AFTER: Duration = Duration::from_secs(600);
/// How often at most the whole table is searched for such a one.
const SEARCH_EVERY: Duration = Duration::from_secs(1);

/// Who a trap is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribution {
    /// The address that counts: the UDP source, or what a relay forwards for.
    pub address: IpAddr,
    /// The relay's address when it does.
    pub relay: Option<IpAddr>,
    /// Root of the configured device with that address.
    pub device: Option<Arc<str>>,
}

/// Configured devices and relays, by address.
#[derive(Debug)]
pub(crate) struct Directory {
    devices: HashMap<IpAddr, Arc<str>>,
    relays: HashSet<IpAddr>,
}

impl Directory {
    pub fn new(config: &Config) -> Self {
        let devices = config
            .devices
            .iter()
            .map(|d| (d.address, Arc::from(d.root.as_str())))
            .collect();
        Self {
            devices,
            relays: config.relays.iter().copied().collect(),
        }
    }

    /// The UDP source; only if it is a relay, and the trap says so, the address inside.
    pub fn attribute(&self, source: IpAddr, inner: Option<IpAddr>) -> Attribution {
        let forwarded = inner.filter(|_| self.relays.contains(&source));
        let address = forwarded.unwrap_or(source);
        Attribution {
            address,
            relay: forwarded.map(|_| source),
            device: self.devices.get(&address).cloned(),
        }
    }
}

struct Stranger {
    root: Arc<str>,
    tokens: f64,
    seen: Instant,
}

/// Senders nobody configured: so many at a time, each at so much a second.
pub(crate) struct Strangers {
    limits: Limits,
    known: HashMap<IpAddr, Stranger>,
    searched: Option<Instant>,
}

impl Strangers {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            known: HashMap::new(),
            searched: None,
        }
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// The root of such a sender, and whether it is new; or the limit it ran into.
    pub fn admit(&mut self, address: IpAddr, now: Instant) -> Result<(Arc<str>, bool), Limit> {
        let burst = f64::from(self.limits.unknown_burst);
        let mut new = false;
        if !self.known.contains_key(&address) {
            self.make_room(now)?;
            let root: Arc<str> = unknown_root(address).as_str().into();
            self.known.insert(
                address,
                Stranger {
                    root,
                    tokens: burst,
                    seen: now,
                },
            );
            new = true;
        }
        let Some(stranger) = self.known.get_mut(&address) else {
            return Err(Limit::UnknownSenders);
        };
        let since = now.saturating_duration_since(stranger.seen).as_secs_f64();
        stranger.tokens = (stranger.tokens + since * f64::from(self.limits.unknown_rate_per_s)).min(burst);
        stranger.seen = now;
        if stranger.tokens < 1.0 {
            return Err(Limit::UnknownRate);
        }
        stranger.tokens -= 1.0;
        Ok((stranger.root.clone(), new))
    }

    fn make_room(&mut self, now: Instant) -> Result<(), Limit> {
        if self.known.len() < self.limits.unknown_senders_max {
            return Ok(());
        }
        let rested = self
            .searched
            .is_none_or(|at| now.saturating_duration_since(at) >= SEARCH_EVERY);
        if rested {
            self.searched = Some(now);
            self.known
                .retain(|_, s| now.saturating_duration_since(s.seen) < FORGET_AFTER);
        }
        if self.known.len() < self.limits.unknown_senders_max {
            Ok(())
        } else {
            Err(Limit::UnknownSenders)
        }
    }
}

/// `default/unknown/<address>`.
fn unknown_root(address: IpAddr) -> Root {
    Root::new(&Tenant::default(), RootKind::Unknown, &address.to_string()).expect("an address is a name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{RawConfig, RawDevice};
    use crate::validate;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn directory() -> Directory {
        let device = |name: &str, address: &str| RawDevice {
            name: name.to_owned(),
            address: address.to_owned(),
            ..RawDevice::default()
        };
        let raw = RawConfig {
            instance: "test".to_owned(),
            devices: vec![device("a", "192.0.2.1"), device("b", "192.0.2.2")],
            relays: vec!["192.0.2.250".to_owned()],
            ..RawConfig::default()
        };
        Directory::new(&validate(raw).unwrap())
    }

    fn check(source: &str, inner: Option<&str>, address: &str, relayed: bool, device: Option<&str>) {
        let expected = Attribution {
            address: ip(address),
            relay: relayed.then(|| ip(source)),
            device: device.map(|d| format!("default/olt/{d}").into()),
        };
        assert_eq!(
            directory().attribute(ip(source), inner.map(ip)),
            expected,
            "{source} {inner:?}"
        );
    }

    #[test]
    fn the_inner_address_is_believed_from_a_relay_only() {
        check("192.0.2.1", None, "192.0.2.1", false, Some("a"));
        check("192.0.2.1", Some("192.0.2.2"), "192.0.2.1", false, Some("a"));
        check("203.0.113.9", Some("192.0.2.2"), "203.0.113.9", false, None);
        check("192.0.2.250", Some("192.0.2.2"), "192.0.2.2", true, Some("b"));
        check("192.0.2.250", Some("203.0.113.9"), "203.0.113.9", true, None);
        check("192.0.2.250", None, "192.0.2.250", false, None);
    }

    #[test]
    fn strangers_are_limited_in_number_and_rate() {
        let limits = Limits {
            unknown_senders_max: 2,
            unknown_rate_per_s: 10,
            unknown_burst: 3,
            ..Limits::default()
        };
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut strangers = Strangers::new(limits);
        let mut check = |address: &str, ms: u64, expected: Result<bool, Limit>| {
            let admitted = strangers.admit(ip(address), at(ms));
            assert_eq!(admitted.map(|(_, new)| new), expected, "{address} at {ms}");
        };
        check("203.0.113.1", 0, Ok(true));
        check("203.0.113.1", 0, Ok(false));
        check("203.0.113.1", 0, Ok(false));
        check("203.0.113.1", 0, Err(Limit::UnknownRate));
        check("203.0.113.1", 100, Ok(false));
        check("203.0.113.1", 100, Err(Limit::UnknownRate));
        check("2001:db8::1", 100, Ok(true));
        check("203.0.113.3", 200, Err(Limit::UnknownSenders));
        // The first two are silent for ten minutes: there is room again.
        check("203.0.113.3", 700_000, Ok(true));
        check("203.0.113.1", 700_000, Ok(true));
        check("203.0.113.4", 700_001, Err(Limit::UnknownSenders));
    }

    #[test]
    fn an_unknown_senders_root_is_its_address() {
        assert_eq!(unknown_root(ip("203.0.113.1")).as_str(), "default/unknown/203.0.113.1");
        let longest = ip("2001:0db8:ffff:ffff:ffff:ffff:ffff:ffff");
        assert_eq!(
            Root::parse(unknown_root(longest).as_str()).unwrap(),
            unknown_root(longest)
        );
    }
}
