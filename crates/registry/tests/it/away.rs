//! The registry away, back, forgetful, and with schemas of others; what a running codec makes of it.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{ALL, Gate, config, connect, newer, prefix, register, schema, wait_until};
use registry::{Access, Registry, RegistryConfig, RegistryError};
use schemas::{Codec, DecodeError, RecordType, RegisteredSchema, Tick};

fn tick() -> Tick {
    Tick {
        sent_at: model::Micros(7),
    }
}

/// A tick as a newer build writes it, with a field that we do not have.
fn newer_tick(id: u32) -> Vec<u8> {
    [&[0][..], &id.to_be_bytes(), &[0, 14]].concat()
}

/// A schema that nobody has registered before.
fn unseen_tick() -> String {
    newer(RecordType::Tick, prefix("f").replace(['-', '.'], "_").as_str())
}

#[tokio::test]
async fn a_start_without_the_registry_needs_ids_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (prefix, gate) = (prefix("start"), Gate::new(true));
    let config = || RegistryConfig {
        cache_file: Some(folder.path().join("schema-ids.json")),
        ..gate.config(&prefix)
    };
    let seen = Registry::connect(config())
        .unwrap()
        .codec(Access::Register)
        .await
        .unwrap();
    gate.close();
    let cached = Registry::connect(config())
        .unwrap()
        .codec(Access::Register)
        .await
        .unwrap();
    assert_eq!(cached.registered(), seen.registered());
    let bytes = seen.encode(&tick().into()).unwrap();
    assert_eq!(cached.decode(&bytes).unwrap(), tick().into());
}

#[tokio::test]
async fn a_first_start_waits_for_the_registry() {
    let (prefix, gate) = (prefix("first"), Gate::new(false));
    let registry = Registry::connect(gate.config(&prefix)).unwrap();
    let codec = tokio::spawn(async move { registry.codec(Access::Register).await });
    // Refused connections answer at once: after a second it has tried more than once.
    let mut codec = codec;
    assert!(
        tokio::time::timeout(Duration::from_secs(1), &mut codec).await.is_err(),
        "it waits"
    );
    gate.open();
    let codec = tokio::time::timeout(Duration::from_secs(20), codec)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(codec.registered().len(), ALL.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_id_is_learned_when_the_registry_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let cache_file = Some(folder.path().join("ids.json"));
    let (prefix, gate) = (prefix("learn"), Gate::new(true));
    let registry = Registry::connect(RegistryConfig {
        cache_file: cache_file.clone(),
        ..gate.config(&prefix)
    })
    .unwrap();
    let codec = Arc::new(registry.codec(Access::Register).await.unwrap());
    let learner = Arc::new(registry).spawn_learner(Arc::clone(&codec)).unwrap();

    gate.close();
    let text = unseen_tick();
    let id = register(&format!("{prefix}atalaia.v1.Tick"), &text).await;
    let known = codec.encode(&tick().into()).unwrap();
    assert!(matches!(codec.decode(&newer_tick(id)), Err(DecodeError::UnknownSchema(i)) if i == id));
    wait_until("the problem is said", || learner.status().problem.is_some());
    assert_eq!(learner.status().wanted, [id]);
    assert_eq!(codec.decode(&known).unwrap(), tick().into(), "what is known flows on");

    gate.open();
    wait_until("it is learned", || codec.knows(id));
    assert_eq!(codec.decode(&newer_tick(id)).unwrap(), tick().into());
    wait_until("nothing is wrong any more", || {
        learner.status() == registry::RegistryStatus::default()
    });

    // The next start knows it from the disk.
    drop(learner);
    gate.close();
    let again = Registry::connect(RegistryConfig {
        cache_file,
        ..gate.config(&prefix)
    })
    .unwrap();
    assert!(again.codec(Access::Read).await.unwrap().knows(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_the_registry_does_not_have_waits_and_a_foreign_one_does_not() {
    let prefix = prefix("foreign");
    let registry = connect(&prefix);
    let codec = Arc::new(registry.codec(Access::Register).await.unwrap());
    let foreign = register(
        &format!("{prefix}orders"),
        r#"{"type":"record","name":"Order","namespace":"com.example","fields":[]}"#,
    )
    .await;
    let unheard = register(
        &format!("{prefix}next"),
        r#"{"type":"record","name":"Unheard","namespace":"atalaia.v1","fields":[]}"#,
    )
    .await;
    let _learner = Arc::new(registry).spawn_learner(Arc::clone(&codec)).unwrap();
    let missing = u32::MAX / 4;
    for id in [foreign, unheard, missing] {
        assert!(matches!(
            codec.decode(&newer_tick(id)),
            Err(DecodeError::UnknownSchema(_))
        ));
    }
    wait_until("the foreign one is told", || codec.knows(foreign));
    assert!(matches!(
        codec.decode(&newer_tick(foreign)),
        Err(DecodeError::ForeignSchema(_))
    ));
    assert_eq!(
        codec.wanted(),
        {
            let mut both = vec![unheard, missing];
            both.sort_unstable();
            both
        },
        "a newer build's record waits for the upgrade"
    );
}

/// Ids that count anew after a loss: what stood on disk against what the registry says now.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_contradicts_itself_is_not_believed() {
    let (prefix, folder) = (prefix("changed"), tempfile::tempdir().unwrap());
    let ids = connect(&prefix).ensure(ALL).await.unwrap();
    let foreign = register(
        &format!("{prefix}orders"),
        &format!(r#"{{"type":"record","name":"Order","namespace":"com.example","fields":[],"doc":"{prefix}"}}"#),
    )
    .await;
    let text = unseen_tick();
    let unknown = register(&format!("{prefix}atalaia.v1.Tick"), &text).await;
    // Before the loss, this id was a tick.
    let before: Vec<RegisteredSchema> = ids
        .iter()
        .cloned()
        .chain([schema(foreign, RecordType::Tick, &newer(RecordType::Tick, "was"))])
        .collect();

    // In mid-run.
    let codec = Arc::new(Codec::new(&before));
    let learner = Arc::new(connect(&prefix)).spawn_learner(Arc::clone(&codec)).unwrap();
    assert!(codec.decode(&newer_tick(unknown)).is_err());
    wait_until("the contradiction is said", || learner.status().problem.is_some());
    let problem = learner.status().problem.unwrap();
    assert!(
        problem.contains(&format!("schema id {foreign} was Tick")) && problem.contains("com.example.Order"),
        "{problem}"
    );
    assert!(!codec.knows(unknown), "nothing is learned from it");
    assert_eq!(
        codec.decode(&newer_tick(foreign)).unwrap(),
        tick().into(),
        "an id keeps its meaning"
    );

    // At a start.
    let cache_file = folder.path().join("ids.json");
    let rows: Vec<_> = before
        .iter()
        .map(|s| serde_json::json!({"id": s.id, "record": s.record.name(), "schema": s.json}))
        .collect();
    std::fs::write(&cache_file, serde_json::json!({ "schemas": rows }).to_string()).unwrap();
    let start = RegistryConfig {
        cache_file: Some(cache_file),
        ..config(&prefix)
    };
    let error = Registry::connect(start)
        .unwrap()
        .codec(Access::Register)
        .await
        .err()
        .unwrap();
    assert!(
        matches!(error, RegistryError::IdsChanged { id, .. } if id == foreign),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_has_forgotten_is_not_learned_from() {
    let prefix = prefix("forgotten");
    let ids = connect(&prefix).ensure(ALL).await.unwrap();
    let unknown = register(&format!("{prefix}atalaia.v1.Tick"), &unseen_tick()).await;
    let lost = u32::MAX / 5;
    let before: Vec<_> = ids
        .into_iter()
        .chain([schema(lost, RecordType::Tick, &newer(RecordType::Tick, "was"))])
        .collect();
    let codec = Arc::new(Codec::new(&before));
    let learner = Arc::new(connect(&prefix)).spawn_learner(Arc::clone(&codec)).unwrap();
    assert!(codec.decode(&newer_tick(unknown)).is_err());
    wait_until("the loss is said", || learner.status().problem.is_some());
    assert!(learner.status().problem.unwrap().contains("it is nothing"));
    assert!(!codec.knows(unknown) && codec.knows(lost));
}
