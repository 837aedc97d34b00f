//! Who is trusted, and what of a password is sent how often.

use connector_olt_ssh::session::{Class, FilePins, OpenError, Pin, Pins, PinsError, Profile, Transport};
use futures_util::future::join_all;
use russh::{MethodKind, Preferred, cipher, kex, mac};

use super::cli::Fault;
use super::server::{Device, Login, Server, new_key};
use super::{LEGACY, MODERN, MemoryPins, PASSWORD, canary, open_in_time, open_once, patient, target};

/// Logs in once: what comes of it, and how many passwords the device saw.
async fn check(login: Login, expected: Result<(), Class>, passwords: usize) {
    canary::watch();
    let server = Server::start(Device::that(login));
    let opened = open_once(server.address, MODERN, &patient()).await;
    let came = opened.map(|_| ()).map_err(|error| error.class());
    assert_eq!(came, expected, "{login:?}");
    assert_eq!((server.passwords(), server.connections()), (passwords, 1), "{login:?}");
}

#[tokio::test]
async fn the_methods_that_are_offered_decide_and_one_is_tried_once() {
    use MethodKind::{KeyboardInteractive, None, Password, PublicKey};
    check(Login::Takes(&[Password]), Ok(()), 1).await;
    check(Login::Takes(&[KeyboardInteractive]), Ok(()), 1).await;
    check(Login::Takes(&[PublicKey, KeyboardInteractive, Password]), Ok(()), 1).await;
    check(Login::Takes(&[None]), Ok(()), 0).await;
    check(Login::Takes(&[PublicKey]), Err(Class::Methods), 0).await;
    check(Login::AsksTwo, Err(Class::Methods), 0).await;
    check(Login::AsksShown, Err(Class::Methods), 0).await;
}

#[tokio::test]
async fn a_refused_password_is_shown_once() {
    check(Login::Refuses, Err(Class::Refused), 1).await;
    check(Login::AsksAgain, Err(Class::Refused), 1).await;
    // No word about the password: a line that was cut is not a refusal.
    check(Login::CutsAtPassword, Err(Class::Closed), 1).await;
    for (method, passwords) in [(MethodKind::Password, 1), (MethodKind::KeyboardInteractive, 1)] {
        let methods: &'static [MethodKind] = Box::leak(vec![method].into_boxed_slice());
        let server = Server::start(Device::that(Login::Takes(methods)));
        let mut wrong = target(server.address, MODERN);
        wrong.password = model::Secret::new(&format!("{PASSWORD}-not"), "test");
        let error = open_in_time(&wrong, &MemoryPins::default(), &patient())
            .await
            .unwrap_err();
        assert_eq!((error.class(), error.retry_after()), (Class::Refused, None));
        assert_eq!(server.passwords(), passwords);
    }
}

#[tokio::test]
async fn what_a_banner_says_is_heard() {
    for (text, expected) in [
        ("Reenter times have reached the upper limit.", Class::TooManySessions),
        ("The user has been locked.", Class::Locked),
        ("Welcome", Class::Refused),
    ] {
        let server = Server::start(Device::that(Login::Says(text)));
        let mut wrong = target(server.address, MODERN);
        wrong.password = model::Secret::new("wrong", "test");
        let error = open_in_time(&wrong, &MemoryPins::default(), &patient())
            .await
            .unwrap_err();
        assert_eq!(error.class(), expected, "{text}");
        assert!(server.passwords() <= 1);
    }
}

#[tokio::test]
async fn a_changed_host_key_gets_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let pins = FilePins::new(folder.path());
    let key = new_key();
    let with = |keys| Device {
        keys,
        ..Device::with(Fault::None)
    };
    let server = Server::start(with(vec![key.clone()]));
    for _ in 0..2 {
        open_in_time(&target(server.address, MODERN), &pins, &patient())
            .await
            .unwrap();
    }
    let other = Server::start(with(vec![new_key()]));
    let error = open_in_time(&target(other.address, MODERN), &pins, &patient())
        .await
        .unwrap_err();
    let pinned = pins.get("acme/olt/olt-1").unwrap().unwrap();
    match &error {
        OpenError::HostKeyChanged { pinned: was, offered } => {
            assert_eq!((was, offered.algorithm()), (&pinned, "ssh-ed25519"));
            assert_ne!(offered.fingerprint(), pinned.fingerprint());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((error.class(), error.retry_after()), (Class::HostKeyChanged, None));
    assert_eq!(other.passwords(), 0);
    // It was not trusted by that; once a person says so, it is.
    open_in_time(&target(server.address, MODERN), &pins, &patient())
        .await
        .unwrap();
    assert!(pins.forget("acme/olt/olt-1").unwrap());
    open_in_time(&target(other.address, MODERN), &pins, &patient())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_device_that_got_another_kind_of_key_did_not_change_the_old_one() {
    let ecdsa = || {
        let algorithm = "ecdsa-sha2-nistp256".parse().unwrap();
        russh::keys::PrivateKey::random(&mut rand::rng(), algorithm).unwrap()
    };
    let pins = MemoryPins::default();
    let old = ecdsa();
    let mut device = Device::with(Fault::None);
    device.keys = vec![old.clone()];
    let server = Server::start(device.clone());
    open_in_time(&target(server.address, MODERN), &pins, &patient())
        .await
        .unwrap();
    device.keys = vec![new_key(), old];
    let server = Server::start(device);
    open_in_time(&target(server.address, MODERN), &pins, &patient())
        .await
        .unwrap();
    assert_eq!(
        pins.get("acme/olt/olt-1").unwrap().unwrap().algorithm(),
        "ecdsa-sha2-nistp256"
    );
}

#[tokio::test]
async fn keys_that_cannot_be_known_or_kept_get_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let pins = FilePins::new(folder.path().join("pins"));
    let server = Server::start(Device::with(Fault::None));
    let opening = target(server.address, MODERN);
    // The folder cannot be made.
    std::fs::write(folder.path().join("pins"), "").unwrap();
    let error = open_in_time(&opening, &pins, &patient()).await.unwrap_err();
    assert!(matches!(&error, OpenError::Pins(_)), "{error:?}");
    std::fs::remove_file(folder.path().join("pins")).unwrap();
    open_in_time(&opening, &pins, &patient()).await.unwrap();
    for file in std::fs::read_dir(folder.path().join("pins")).unwrap() {
        std::fs::write(file.unwrap().path(), "ssh-ed25519 SHA256:torn").unwrap();
    }
    let error = open_in_time(&opening, &pins, &patient()).await.unwrap_err();
    assert!(matches!(&error, OpenError::Pins(PinsError::Damaged(_))), "{error:?}");
    assert_eq!(
        (server.connections(), server.passwords()),
        (1, 1),
        "not even a connection"
    );
    let error = open_in_time(&opening, &Full, &patient()).await.unwrap_err();
    assert!(matches!(&error, OpenError::Pins(PinsError::Write { .. })), "{error:?}");
    assert_eq!((server.connections(), server.passwords()), (2, 1));
}

/// A disk that keeps nothing.
struct Full;

impl Pins for Full {
    fn get(&self, _device: &str) -> Result<Option<Pin>, PinsError> {
        Ok(None)
    }

    fn put(&self, _device: &str, _pin: &Pin) -> Result<(), PinsError> {
        Err(PinsError::Write {
            path: "pins".into(),
            source: std::io::ErrorKind::StorageFull.into(),
        })
    }
}

#[tokio::test]
async fn every_version_string_of_these_boxes_is_taken() {
    let versions = [
        "SSH-2.0-HUAWEI-1.5",
        "SSH-2.0--",
        "SSH-1.99--",
        "SSH-2.0-",
        "SSH-2.0-OpenSSH_9.2p1 Debian-2",
    ];
    join_all(versions.map(|version| async move {
        let server = Server::start(Device {
            version,
            ..Device::with(Fault::None)
        });
        let opened = open_once(server.address, MODERN, &patient()).await;
        assert_eq!(opened.expect(version).host(), "OLT-1");
    }))
    .await;
}

/// A server that has these alone.
fn device_of(kex: kex::Name, cipher: cipher::Name, mac: mac::Name) -> Device {
    Device {
        preferred: Preferred {
            kex: vec![kex].into(),
            cipher: vec![cipher].into(),
            mac: vec![mac].into(),
            ..Preferred::DEFAULT
        },
        ..Device::with(Fault::None)
    }
}

#[tokio::test]
async fn old_algorithms_are_for_devices_with_the_legacy_profile_alone() {
    let old = [
        (
            kex::DH_G1_SHA1,
            cipher::TRIPLE_DES_CBC,
            mac::HMAC_SHA1,
            "diffie-hellman-group1-sha1",
        ),
        (
            kex::DH_G14_SHA1,
            cipher::AES_128_CBC,
            mac::HMAC_SHA1,
            "diffie-hellman-group14-sha1",
        ),
        (
            kex::CURVE25519,
            cipher::AES_256_CBC,
            mac::HMAC_SHA256,
            "curve25519-sha256",
        ),
        (
            kex::CURVE25519,
            cipher::AES_128_CTR,
            mac::HMAC_SHA1,
            "curve25519-sha256",
        ),
    ];
    for (kex, cipher, mac, name) in old {
        let server = Server::start(device_of(kex, cipher, mac));
        let error = open_once(server.address, MODERN, &patient()).await;
        let error = error.unwrap_err();
        assert!(matches!(error, OpenError::Algorithms { .. }), "{error:?}");
        let session = open_once(server.address, LEGACY, &patient()).await;
        let session = session.unwrap();
        let negotiated = session.negotiated().unwrap();
        assert_eq!((negotiated.kex.as_str(), negotiated.legacy), (name, true));
        assert_eq!(negotiated.cipher, cipher.as_ref());
        assert_eq!(negotiated.mac.as_deref(), Some(mac.as_ref()));
        assert_eq!(server.passwords(), 1);
    }
    // A good device stays good under the legacy profile.
    for profile in [Profile::Modern, Profile::Legacy] {
        let server = Server::start(Device::with(Fault::None));
        let transport = Transport::Ssh(profile);
        let session = open_once(server.address, transport, &patient()).await;
        let negotiated = session.unwrap().negotiated().unwrap().clone();
        assert!(!negotiated.legacy && negotiated.mac.is_none(), "{negotiated:?}");
    }
}
