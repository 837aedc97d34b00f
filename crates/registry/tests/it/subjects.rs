//! Registering, reading, compatibility and differences, against a real registry.

use crate::common::{ALL, config, connect, newer, prefix, register};
use registry::{Access, COMPATIBILITY, Difference, RegistryError};
use schemas::{Codec, RecordType, Tick};

#[tokio::test]
async fn what_is_registered_is_registered_once_and_read_by_all() {
    let prefix = prefix("once");
    let registry = connect(&prefix);
    let first = registry.ensure(ALL).await.unwrap();
    assert_eq!(first.len(), ALL.len());
    assert_eq!(
        registry.ensure(ALL).await.unwrap(),
        first,
        "the second time changes nothing"
    );
    assert_eq!(
        connect(&prefix).ids(ALL).await.unwrap(),
        first,
        "who may only read sees the same"
    );

    // Written by one process, read by another.
    let tick = Tick {
        sent_at: model::Micros(7),
    };
    let bytes = Codec::new(&first).encode(&tick.into()).unwrap();
    let other = connect(&prefix).codec(Access::Read).await.unwrap();
    assert_eq!(other.decode(&bytes).unwrap(), tick.into());
}

#[tokio::test]
async fn who_may_only_read_says_what_is_missing() {
    let error = connect(&prefix("missing")).ids(ALL).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotRegistered { .. }), "{error}");
    assert!(error.to_string().contains("atalaia topology apply"), "{error}");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn earlier_and_later_versions_are_read_too() {
    let prefix = prefix("versions");
    let registry = connect(&prefix);
    let subject = registry.subject(RecordType::Tick);
    let later = newer(RecordType::Tick, "later");
    let id = register(&subject, &later).await;
    registry.ensure(ALL).await.unwrap();

    let codec = connect(&prefix).codec(Access::Read).await.unwrap();
    // Field `later` absent, then sent_at.
    let bytes = [&[0][..], &id.to_be_bytes(), &[0, 14]].concat();
    assert_eq!(
        codec.decode(&bytes).unwrap(),
        Tick {
            sent_at: model::Micros(7)
        }
        .into()
    );
}

#[tokio::test]
async fn an_incompatible_change_is_refused_by_subject_and_field() {
    let prefix = prefix("incompatible");
    let registry = connect(&prefix);
    registry.set_compatibility(&[RecordType::Tick]).await.unwrap();
    let subject = registry.subject(RecordType::Tick);
    let other =
        r#"{"type":"record","name":"Tick","namespace":"atalaia.v1","fields":[{"name":"other","type":"string"}]}"#;
    register(&subject, other).await;

    let error = registry.ensure(&[RecordType::Tick]).await.unwrap_err();
    assert!(matches!(error, RegistryError::Incompatible { .. }), "{error}");
    let text = error.to_string();
    for part in [&subject, "sent_at", "HTTP 409"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!error.is_transient());
}

#[tokio::test]
async fn a_difference_is_named_until_it_is_applied() {
    let prefix = prefix("diff");
    let registry = connect(&prefix);
    let records = [RecordType::Tick, RecordType::DeviceEvent];
    let [tick, event] = records.map(|r| registry.subject(r));
    register(&tick, &newer(RecordType::Tick, "later")).await;

    let differences = registry.diff(&records).await.unwrap();
    let expect = |difference: Difference| assert!(differences.contains(&difference), "{difference} in {differences:?}");
    expect(Difference::Differs {
        subject: tick.clone(),
        versions: 1,
    });
    expect(Difference::Missing { subject: event.clone() });
    let levels = differences
        .iter()
        .filter(|d| matches!(d, Difference::Compatibility { .. }));
    assert_eq!(levels.count(), 2, "{differences:?}");
    assert!(
        differences
            .iter()
            .any(|d| d.to_string().ends_with(&format!("should be {COMPATIBILITY}")))
    );

    registry.set_compatibility(&records).await.unwrap();
    registry.ensure(&records).await.unwrap();
    assert_eq!(registry.diff(&records).await.unwrap(), []);
}

#[tokio::test]
async fn an_address_that_is_no_registry_is_refused_and_not_retried() {
    let mut config = config("none");
    config.url = config.url.replace("/apis/ccompat/v7", "/nowhere");
    let error = registry::Registry::connect(config)
        .unwrap()
        .codec(Access::Register)
        .await
        .err()
        .unwrap();
    assert!(!error.is_transient(), "{error}");
}
