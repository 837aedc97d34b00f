//! Known answers: the RFCs', the drafts', and those that two implementations agree on.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use common::hex;
use sha1::Digest;
use snmp_usm::key::{localized, of_password, privacy};
use snmp_usm::{AuthProtocol, PrivProtocol};

/// Engine id of RFC 3414 A.3: eleven zeros and a two.
const ENGINE: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

fn check(auth: AuthProtocol, password: &str, ku: &str, kul: &str) {
    let key = of_password(auth, password.as_bytes());
    assert_eq!(key.expose(), hex(ku), "Ku of {auth:?}");
    assert_eq!(localized(auth, &key, &ENGINE).expose(), hex(kul), "Kul of {auth:?}");
}

/// RFC 3414 A.3.1 and A.3.2.
#[test]
fn rfc_3414_password_to_key() {
    check(
        AuthProtocol::Md5,
        "maplesyrup",
        "9faf3283884e92834ebc9847d8edd963",
        "526f5eed9fcce26f8964c2930787d82b",
    );
    check(
        AuthProtocol::Sha1,
        "maplesyrup",
        "9fb5cc0381497b3793528939ff788d5d79145211",
        "6695febc9288e36282235fc7151f128497b38f3f",
    );
}

/// RFC 3414 A.5.1 and A.5.2: the new keys of its key change. (Changing a key is the manager's act, not a receiver's.)
#[test]
fn rfc_3414_key_change() {
    let new = |auth| {
        localized(auth, &of_password(auth, b"newsyrup"), &ENGINE)
            .expose()
            .to_vec()
    };
    assert_eq!(new(AuthProtocol::Md5), hex("87021d7bd9d101ba05ea6e3bf9d9bd4a"));
    assert_eq!(new(AuthProtocol::Sha1), hex("78e2dcce79d59403b58c1bbaa5bff46391f1cd25"));
}

/// RFC 7860 prints no vectors: these are what async-snmp, snmpio, pysnmp's tests and Python's hashlib agree on.
#[test]
fn rfc_7860_password_to_key() {
    check(
        AuthProtocol::Sha224,
        "maplesyrup",
        "282a5867ee9aac639ad59df9572c7d3ac0fbc13a905b6df07dbbf00b",
        "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be682075674",
    );
    check(
        AuthProtocol::Sha256,
        "maplesyrup",
        "ab51014d1e077f6017df2b12bee5f5aa72993177e9bb569c4dff5a4ca0b4afac",
        "8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b",
    );
    check(
        AuthProtocol::Sha384,
        "maplesyrup",
        "e06eccdf2c68a06ed034723c9c26e0db3b669e1e2efed49150b55377a2e98f383c86fb836857444654b287c93f51ff64",
        "3b298f16164a11184279d5432bf169e2d2a48307de02b3d3f7e2b4f36eb6f0455a53689a3937eea07319a633d2ccba78",
    );
    check(
        AuthProtocol::Sha512,
        "maplesyrup",
        "7e4396de5aadc77be853819b98c9406265b3a9c37cc3176569847a4e4f6fba63
         dd3a73d04924d31a63f95a601f9385af6be4ed1b37f87d040f7c6ed6f8d38a91",
        "22a5a36cedfcc085807a128d7bc6c2382167ad6c0dbc5fdff856740f3d84c099
         ad1ea87a8db096714d9788bd544047c9021e4229ce27e4c0a69250adfcffbb0b",
    );
}

fn check_privacy(auth: AuthProtocol, protocol: PrivProtocol, expected: &str) {
    let key = privacy(auth, protocol, &of_password(auth, b"maplesyrup"), &ENGINE);
    assert_eq!(key.expose(), hex(expected), "{auth:?} {protocol:?}");
}

/// draft-reeder-snmpv3-usm-3desede-00, appendix B.1 and B.2, cut to what AES takes.
#[test]
fn reeder_key_extension() {
    let md5 = "526f5eed9fcce26f8964c2930787d82b79eff44a90650ee0a3a40abfac5acc12";
    let sha1 = "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78936ba6e7d19dfd9c";
    check_privacy(AuthProtocol::Md5, PrivProtocol::Aes256Reeder, md5);
    check_privacy(AuthProtocol::Md5, PrivProtocol::Aes192Reeder, &md5[..48]);
    check_privacy(AuthProtocol::Sha1, PrivProtocol::Aes256Reeder, sha1);
    check_privacy(AuthProtocol::Sha1, PrivProtocol::Aes192Reeder, &sha1[..48]);
}

/// draft-blumenthal-aes-usm-04 §3.1.2.1, which prints none: computed with Python's hashlib; net-snmp agrees
/// (`tests/captured.rs`).
#[test]
fn blumenthal_key_extension() {
    let md5 = "526f5eed9fcce26f8964c2930787d82bfa24a92467426c2f4b09192be10dfaec";
    let sha1 = "6695febc9288e36282235fc7151f128497b38f3f505e07eb9af25568fa1f5dbe";
    let sha224 = "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be682075674e82d9bf0";
    check_privacy(AuthProtocol::Md5, PrivProtocol::Aes256, md5);
    check_privacy(AuthProtocol::Md5, PrivProtocol::Aes192, &md5[..48]);
    check_privacy(AuthProtocol::Sha1, PrivProtocol::Aes256, sha1);
    check_privacy(AuthProtocol::Sha1, PrivProtocol::Aes192, &sha1[..48]);
    check_privacy(AuthProtocol::Sha224, PrivProtocol::Aes256, sha224);
}

/// Where the hash is long enough, both extensions and the standard agree: the key is the hash's beginning.
#[test]
fn long_hashes_need_no_extension() {
    for auth in [AuthProtocol::Sha256, AuthProtocol::Sha384, AuthProtocol::Sha512] {
        let kul = localized(auth, &of_password(auth, b"maplesyrup"), &ENGINE);
        for protocol in PrivProtocol::ALL {
            let key = privacy(auth, *protocol, &of_password(auth, b"maplesyrup"), &ENGINE);
            assert_eq!(
                key.expose(),
                &kul.expose()[..protocol.key_octets()],
                "{auth:?} {protocol:?}"
            );
        }
    }
}

/// Passwords that do and do not divide the expansion, and those longer than a chunk, against the RFC's own octet by octet
/// loop.
#[test]
fn expansion_is_the_rfcs_loop() {
    for length in [1, 2, 3, 7, 8, 10, 63, 64, 65, 1_000, 1_023, 1_024, 1_025, 5_000] {
        let password: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let whole: Vec<u8> = (0..1_048_576).map(|i| password[i % password.len()]).collect();
        let expected = sha1::Sha1::digest(&whole);
        assert_eq!(
            of_password(AuthProtocol::Sha1, &password).expose(),
            &expected[..],
            "{length}"
        );
    }
}
