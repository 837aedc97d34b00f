//! A real server, and keyspaces of one's own on it.
#![allow(dead_code, clippy::unwrap_used, reason = "tests share it, each uses a part")]

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::SystemTime;

use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use store::TableDef;
use store_cql::{CqlConfig, create_table};
use tokio::sync::Mutex;

/// Names of keyspaces of tests begin with this, then comes the process.
const PREFIX: &str = "test_";

/// The server, `host:port`.
pub fn node() -> String {
    std::env::var("CQL").unwrap_or_else(|_| panic!("CQL is not set: run eval \"$(infra/dev/servers up)\""))
}

pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

/// How to reach a keyspace of this process's own.
pub fn config(name: &str) -> CqlConfig {
    let keyspace = format!("{PREFIX}{}_{name}", std::process::id());
    let mut config = CqlConfig::new(vec![node()], &keyspace);
    config.replication = 1;
    config
}

pub async fn session() -> Session {
    SessionBuilder::new().known_node(node()).build().await.unwrap()
}

pub async fn cql(session: &Session, text: &str) {
    session.query_unpaged(text, ()).await.unwrap();
}

/// A keyspace with these tables, made by the first who asks for it.
pub async fn keyspace_with(name: &str, tables: &[&TableDef]) -> CqlConfig {
    static MADE: LazyLock<Mutex<HashMap<String, ()>>> = LazyLock::new(Mutex::default);
    let config = config(name);
    let mut made = MADE.lock().await;
    let session = session().await;
    if made.is_empty() {
        drop_left_over(&session).await;
    }
    if made.insert(config.keyspace.clone(), ()).is_none() {
        make_keyspace(&session, &config.keyspace).await;
        for table in tables {
            let text =
                create_table(table).replacen("IF NOT EXISTS ", &format!("IF NOT EXISTS {}.", config.keyspace), 1);
            cql(&session, &text).await;
        }
    }
    config
}

pub async fn make_keyspace(session: &Session, keyspace: &str) {
    let text = format!(
        "CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}}"
    );
    cql(session, &text).await;
}

/// Keyspaces of test processes that are no more.
pub async fn drop_left_over(session: &Session) {
    let answer = session
        .query_unpaged("SELECT keyspace_name FROM system_schema.keyspaces", ())
        .await
        .unwrap();
    let names: Vec<String> = answer
        .into_rows_result()
        .unwrap()
        .rows::<(String,)>()
        .unwrap()
        .map(|row| row.unwrap().0)
        .collect();
    for name in names {
        let Some(pid) = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next()) else {
            continue;
        };
        if !std::path::Path::new("/proc").join(pid).exists() {
            cql(session, &format!("DROP KEYSPACE IF EXISTS {name}")).await;
        }
    }
}
