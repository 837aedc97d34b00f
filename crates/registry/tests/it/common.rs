//! A real registry, a gate in front of it that can be closed, and what both tests and gate need.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use registry::{Registry, RegistryConfig};
use schemas::{RecordType, RegisteredSchema};
use serde_json::{Value, json};

pub const ALL: &[RecordType] = RecordType::ALL;

/// Base address of the registry under test.
pub fn registry_url() -> String {
    std::env::var("REGISTRY").unwrap_or_else(|_| panic!("REGISTRY is not set: run eval \"$(infra/dev/servers up)\""))
}

/// Subjects of this test alone.
pub fn prefix(test: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    format!("{test}-{}.", now.as_nanos())
}

pub fn config(prefix: &str) -> RegistryConfig {
    RegistryConfig {
        subject_prefix: prefix.to_owned(),
        timeout: Duration::from_secs(5),
        ..RegistryConfig::new(&registry_url())
    }
}

pub fn connect(prefix: &str) -> Registry {
    Registry::connect(config(prefix)).unwrap()
}

pub fn schema(id: u32, record: RecordType, json: &str) -> RegisteredSchema {
    let json = json.to_owned();
    RegisteredSchema { id, record, json }
}

/// A schema of this record with a further field that has a default: what a newer build may write.
pub fn newer(record: RecordType, field: &str) -> String {
    let field = format!(r#"{{"name": "{field}", "type": ["null", "string"], "default": null}},"#);
    let json = record.schema_json();
    json.replacen("\"fields\": [", &format!("\"fields\": [{field}"), 1)
}

/// Registers any schema under any subject, past the crate.
pub async fn register(subject: &str, schema: &str) -> u32 {
    let url = format!("{}/subjects/{subject}/versions", registry_url());
    let answer: Value = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/vnd.schemaregistry.v1+json")
        .body(json!({ "schema": schema }).to_string())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    u32::try_from(
        answer["id"]
            .as_u64()
            .unwrap_or_else(|| panic!("not registered: {answer}")),
    )
    .unwrap()
}

pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not within 20 s");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Forwards connections to the registry while it is open; closed, it drops them and those that stand.
pub struct Gate {
    address: SocketAddr,
    is_open: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl Gate {
    pub fn new(is_open: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gate = Self {
            address: listener.local_addr().unwrap(),
            is_open: Arc::new(AtomicBool::new(is_open)),
            connections: Arc::default(),
        };
        let (is_open, connections) = (Arc::clone(&gate.is_open), Arc::clone(&gate.connections));
        let target = registry_url();
        let target = target
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap()
            .to_owned();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                if !is_open.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(&target).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        // Either end may go at any time: that is what the gate is for.
                        drop(std::io::copy(&mut from, &mut to));
                        drop(to.shutdown(Shutdown::Both));
                    });
                }
                connections.lock().unwrap().extend([client, server]);
            }
        });
        gate
    }

    pub fn config(&self, prefix: &str) -> RegistryConfig {
        let url = registry_url();
        let path = url.trim_start_matches("http://").split_once('/').unwrap().1.to_owned();
        RegistryConfig {
            url: format!("http://{}/{path}", self.address),
            ..config(prefix)
        }
    }

    pub fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }

    pub fn close(&self) {
        self.is_open.store(false, Ordering::SeqCst);
        for connection in self.connections.lock().unwrap().drain(..) {
            drop(connection.shutdown(Shutdown::Both));
        }
    }
}
