//! Migrations on a real server: fresh, twice, killed in the middle, two at one time, and refused.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use store::Store;
use store_cql::{
    CRASH_AT_ENV, CqlConfig, CqlError, CqlStore, INSIDE_MIGRATION, MIGRATIONS, MigrateOptions, Migration, MigrationStep,
};

/// Keyspace that a child works on.
const KEYSPACE_ENV: &str = "ATALAIA_TEST_KEYSPACE";
const SIGKILL: i32 = 9;
/// Soon over, for tests that leave a lock behind.
const LOCK_TTL: Duration = Duration::from_secs(2);

/// Statements of all versions of this build.
fn statements() -> usize {
    let ends = |m: &Migration| m.text.lines().filter(|line| line.ends_with(';')).count();
    MIGRATIONS.iter().map(ends).sum()
}

fn options() -> MigrateOptions {
    MigrateOptions {
        lock_ttl: LOCK_TTL,
        ..MigrateOptions::default()
    }
}

async fn migrate(config: &CqlConfig, options: MigrateOptions) -> Result<Vec<MigrationStep>, CqlError> {
    let mut steps = Vec::new();
    CqlStore::migrate_with(config, options, &mut |step| steps.push(step)).await?;
    Ok(steps)
}

/// How many statements a finished migration executed.
fn applied(steps: &[MigrationStep]) -> usize {
    match steps.last() {
        Some(MigrationStep::Done { applied, .. }) => *applied,
        other => panic!("not done: {other:?}"),
    }
}

async fn fresh(name: &str) -> CqlConfig {
    let session = common::session().await;
    common::drop_left_over(&session).await;
    common::config(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_keyspace_gets_its_tables_once() {
    let config = fresh("fresh").await;
    let missing = CqlStore::open(config.clone()).await.err().unwrap();
    assert!(missing.to_string().contains("run `atalaia migrate`"), "{missing}");
    let pending = CqlStore::pending(&config).await.unwrap();
    assert_eq!(pending.len(), statements());
    assert!(
        pending[0]
            .to_string()
            .starts_with("1.1: CREATE TABLE IF NOT EXISTS status"),
        "{}",
        pending[0]
    );

    let steps = migrate(&config, options()).await.unwrap();
    assert!(
        matches!(&steps[0], MigrationStep::KeyspaceMade { replication: 1, .. }),
        "{steps:?}"
    );
    assert_eq!(applied(&steps), statements());
    let store = CqlStore::open(config.clone()).await.unwrap();
    store.health().await.unwrap();
    assert_eq!(CqlStore::pending(&config).await.unwrap(), []);
    assert_eq!(applied(&migrate(&config, options()).await.unwrap()), 0, "twice is once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_it_goes_on_where_it_was() {
    let config = fresh("killed").await;
    // A new keyspace, then a half-done one: each dies after a statement that is not written down.
    for passage in [1, 2, 3] {
        let status = child(&config, Some(passage)).wait().unwrap();
        assert_eq!(status.signal(), Some(SIGKILL));
        let half = CqlStore::open(config.clone()).await.err().unwrap();
        assert!(matches!(half, CqlError::TooOld { version: 1, .. }), "{half}");
    }
    let steps = migrate(&config, options()).await.unwrap();
    assert!(
        steps.iter().any(|step| matches!(step, MigrationStep::Waiting { .. })),
        "the dead one's lock: {steps:?}"
    );
    assert_eq!(applied(&steps), statements() - 3, "0, 1 and 2 were written down");
    CqlStore::open(config).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_one_time_do_it_once() {
    let config = fresh("two").await;
    common::make_keyspace(&common::session().await, &config.keyspace).await;
    // One first, as a deployment does: the very first tables have no lock yet.
    let first = migrate(
        &config,
        MigrateOptions {
            migrations: &[],
            ..options()
        },
    )
    .await
    .unwrap();
    assert_eq!(applied(&first), 0);
    let mut children = [child(&config, None), child(&config, None)];
    let ours = migrate(&config, options()).await.unwrap();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert!(applied(&ours) <= statements());
    assert_eq!(applied(&migrate(&config, options()).await.unwrap()), 0);
    CqlStore::open(config).await.unwrap();
}

/// This build's versions and some more: each the oldest version whose builds can work with it, and its text.
fn and(more: &[(u32, &'static str)]) -> &'static [Migration] {
    let mut all = MIGRATIONS.to_vec();
    for (compatible_from, text) in more {
        all.push(Migration {
            version: u32::try_from(all.len()).unwrap() + 1,
            compatible_from: *compatible_from,
            text,
        });
    }
    all.leak()
}

const CHANGED: &[Migration] = &[Migration {
    version: 1,
    compatible_from: 1,
    text: "CREATE TABLE IF NOT EXISTS status (entity text PRIMARY KEY);",
}];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newer_tables_are_refused_unless_they_say_we_can_work_with_them() {
    let config = fresh("newer").await;
    let of = |migrations| MigrateOptions {
        migrations,
        ..options()
    };
    let ours = u32::try_from(MIGRATIONS.len()).unwrap();
    let zone = (1, "ALTER TABLE status ADD zone text;");
    assert_eq!(
        applied(&migrate(&config, of(and(&[zone]))).await.unwrap()),
        statements() + 1
    );
    CqlStore::open(config.clone()).await.unwrap();
    let again = migrate(&config, options()).await.unwrap();
    assert_eq!(applied(&again), 0, "an older build leaves it alone");
    let changed = migrate(&config, of(CHANGED)).await.err().unwrap();
    assert!(
        matches!(changed, CqlError::OtherText { version: 1, step: 1 }),
        "{changed}"
    );

    // A column that was added by a statement that was not written down.
    let text = format!("ALTER TABLE {}.status ADD ring text", config.keyspace);
    common::cql(&common::session().await, &text).await;
    let breaking = and(&[zone, (ours + 2, "ALTER TABLE status ADD ring text;")]);
    assert_eq!(applied(&migrate(&config, of(breaking)).await.unwrap()), 1);
    let newer = CqlStore::open(config.clone()).await.err().unwrap();
    assert!(
        matches!(newer, CqlError::TooNew { found, .. } if found == ours + 2),
        "{newer}"
    );
    assert!(matches!(
        migrate(&config, options()).await,
        Err(CqlError::TooNew { .. })
    ));
    assert!(matches!(CqlStore::pending(&config).await, Err(CqlError::TooNew { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_not_there_is_named_in_time() {
    let mut config = common::config("nowhere");
    config.nodes = vec!["127.0.0.1:1".into(), "127.0.0.2:1".into()];
    config.open_within = Duration::from_millis(300);
    let error = CqlStore::open(config).await.err().unwrap();
    let text = error.to_string();
    assert!(
        text.contains("127.0.0.1:1: ") && text.contains("127.0.0.2:1: "),
        "{text}"
    );
    assert!(error.is_transient());
    let mut config = common::config("nowhere");
    config.datacenter = Some("elsewhere".into());
    let text = CqlStore::open(config).await.err().unwrap().to_string();
    assert!(text.contains("`elsewhere`") && text.contains("datacenter1"), "{text}");
}

/// A process that migrates, and dies inside if a passage is armed.
fn child(config: &CqlConfig, dies_at: Option<u32>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child_that_migrates", "--include-ignored", "--quiet"])
        .env(KEYSPACE_ENV, &config.keyspace)
        .stdout(Stdio::null());
    if let Some(passage) = dies_at {
        command.env(CRASH_AT_ENV, format!("{INSIDE_MIGRATION}:{passage}"));
    }
    command.spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a child of the tests above"]
async fn child_that_migrates() {
    let Ok(keyspace) = std::env::var(KEYSPACE_ENV) else {
        return;
    };
    let mut config = CqlConfig::new(vec![common::node()], &keyspace);
    config.replication = 1;
    migrate(&config, options()).await.unwrap();
}
