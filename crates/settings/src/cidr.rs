//! A range of addresses.

use std::fmt;
use std::net::IpAddr;

/// A network in CIDR notation, such as `192.0.2.0/24`; a bare address is a network of one. Host bits are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Reads `address/bits` or an address.
    ///
    /// # Errors
    /// With the words that complete "… is": what is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        let right = || "write a network such as `192.0.2.0/24`, or one address".to_owned();
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| ("is not a network".to_owned(), right()))?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match bits {
            None => bits_max,
            Some(bits) => match bits.parse::<u8>() {
                Ok(n) if n <= bits_max => n,
                _ => return Err((format!("has a prefix that is not 0 to {bits_max}"), right())),
            },
        };
        let network = mask(address, prefix);
        if network != address {
            let meant = Self { network, prefix };
            return Err((
                "has bits behind its prefix".to_owned(),
                format!("did you mean `{meant}`?"),
            ));
        }
        Ok(Self { network, prefix })
    }

    /// Whether the address lies inside. An IPv4 address written inside IPv6 (`::ffff:192.0.2.1`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4() && mask(address, self.prefix) == self.network
    }
}

fn mask(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(a) => {
            let bits = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((a.to_bits() & bits).into())
        }
        IpAddr::V6(a) => {
            let bits = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((a.to_bits() & bits).into())
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses() {
        for (cidr, address, inside) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("192.0.2.0/24", "::ffff:192.0.2.1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("::/0", "2001:db8::1", true),
        ] {
            assert_eq!(
                Cidr::parse(cidr).unwrap().contains(address.parse().unwrap()),
                inside,
                "{cidr} {address}"
            );
        }
    }

    #[test]
    fn a_slip_says_what_was_meant() {
        assert_eq!(
            Cidr::parse("192.0.2.7/24").unwrap_err().1,
            "did you mean `192.0.2.0/24`?"
        );
        for bad in ["", "rjo", "192.0.2.0/33", "192.0.2.0/", "192.0.2/24", "::/129"] {
            assert!(Cidr::parse(bad).is_err(), "{bad}");
        }
    }
}
