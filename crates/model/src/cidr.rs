//! A range of addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

/// Why a text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{wrong}: {right}")]
pub struct CidrError {
    /// Completes "… is": what is wrong.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

/// A network in CIDR notation, such as `192.0.2.0/24`; a bare address is a network of one. Host bits are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Whether the address lies inside. An IPv4 address written inside IPv6 (`::ffff:192.0.2.1`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4() && mask(address, self.prefix) == self.network
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    /// Reads `address/bits` or an address.
    fn from_str(text: &str) -> Result<Self, CidrError> {
        let wrong = |wrong: &str| CidrError {
            wrong: wrong.to_owned(),
            right: "write a network such as `192.0.2.0/24`, or one address".to_owned(),
        };
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| wrong("is not a network"))?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match bits {
            None => bits_max,
            Some(bits) => match bits.parse::<u8>() {
                // `parse` takes a plus sign.
                Ok(n) if n <= bits_max && !bits.starts_with('+') => n,
                _ => return Err(wrong(&format!("has a prefix that is not 0 to {bits_max}"))),
            },
        };
        let network = mask(address, prefix);
        if network != address {
            let meant = Self { network, prefix };
            return Err(CidrError {
                right: format!("did you mean `{meant}`?"),
                ..wrong("has bits behind its prefix")
            });
        }
        Ok(Self { network, prefix })
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
                cidr.parse::<Cidr>().unwrap().contains(address.parse().unwrap()),
                inside,
                "{cidr} {address}"
            );
        }
    }

    #[test]
    fn a_slip_says_what_was_meant() {
        assert_eq!(
            "192.0.2.7/24".parse::<Cidr>().unwrap_err().right,
            "did you mean `192.0.2.0/24`?"
        );
        for bad in [
            "",
            "rjo",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2/24",
            "::/129",
            "192.0.2.0/+8",
        ] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }
}
