//! Whose community it is, and whether it may be used from there.

use std::net::IpAddr;

use snmp_pdu::Version;

use crate::config::Credential;
use crate::refusal::Refusal;

/// The credential a message matches. Every credential of its version is compared, so that the time tells nothing.
pub(crate) fn admit<'a>(
    credentials: &'a [Credential],
    version: Version,
    community: &[u8],
    source: IpAddr,
) -> Result<&'a Credential, Refusal> {
    let mut refusal = Refusal::VersionNotConfigured;
    let mut admitted = None;
    for credential in credentials.iter().filter(|c| c.version == version) {
        let known = credential.community.matches(community);
        let from_here = credential.sources.is_empty() || credential.sources.iter().any(|s| s.contains(source));
        if known && from_here && admitted.is_none() {
            admitted = Some(credential);
        }
        if known {
            refusal = Refusal::Source;
        } else if refusal == Refusal::VersionNotConfigured {
            refusal = Refusal::Community;
        }
    }
    admitted.ok_or(refusal)
}

#[cfg(test)]
mod tests {
    use model::Secret;

    use super::*;

    fn check(version: Version, community: &str, source: &str, expected: Result<&str, Refusal>) {
        let credential = |name: &str, version, community: &str, sources: &[&str]| Credential {
            name: name.to_owned(),
            version,
            community: Secret::new(community, "test"),
            sources: sources.iter().map(|s| s.parse().unwrap()).collect(),
        };
        let credentials = [
            credential("a", Version::V2c, "red", &["192.0.2.0/24"]),
            credential("b", Version::V2c, "blue", &[]),
            credential("c", Version::V2c, "red", &["198.51.100.0/24"]),
        ];
        let admitted = admit(&credentials, version, community.as_bytes(), source.parse().unwrap());
        assert_eq!(
            admitted.map(|c| c.name.as_str()),
            expected,
            "{version:?} {community} {source}"
        );
    }

    #[test]
    fn by_version_community_and_source() {
        check(Version::V2c, "red", "192.0.2.1", Ok("a"));
        check(Version::V2c, "red", "198.51.100.1", Ok("c"));
        check(Version::V2c, "red", "203.0.113.1", Err(Refusal::Source));
        check(Version::V2c, "blue", "203.0.113.1", Ok("b"));
        check(Version::V2c, "Blue", "203.0.113.1", Err(Refusal::Community));
        check(Version::V2c, "", "203.0.113.1", Err(Refusal::Community));
        check(Version::V1, "blue", "203.0.113.1", Err(Refusal::VersionNotConfigured));
    }
}
