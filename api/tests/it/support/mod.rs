//! A small world for the tests: a log in memory, a store in a folder, the API on a port of its own.

pub mod alarms;
pub mod socket;

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{ApiConfig, ApiState, LiveView, Parts, RingLimits, Role, users};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use bytes::Bytes;
use log::{Headers, Log, MemoryLog, Producer, Record};
use model::{EntityId, Micros, Position, RecordId};
use schemas::{AnyRecord, DeviceEvent, DeviceEventType, DeviceStatus, Phase};
use serde_json::Value;
use store::{FjallStore, Store};
use tokio::sync::oneshot;
use topology::{Topic, partition_of};
use tower::ServiceExt;

pub const PARTITIONS: u32 = 4;
pub const DEADLINE: Duration = Duration::from_secs(10);
pub const PASSWORD: &str = "a-good-password";
pub const KEY: [u8; 32] = [7; 32];

pub struct World {
    pub log: Arc<MemoryLog>,
    pub store: Arc<dyn Store>,
    pub live: Arc<LiveView>,
    pub api: Arc<ApiState>,
    pub app: axum::Router,
    pub producer: Box<dyn Producer>,
    _folder: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut ApiConfig)) -> Self {
        Self::with_ring(RingLimits::default(), change).await
    }

    pub async fn with_ring(ring: RingLimits, change: impl FnOnce(&mut ApiConfig)) -> Self {
        let log = MemoryLog::new(PARTITIONS);
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = FjallStore::open(folder.path()).unwrap();
        let live = LiveView::start(log.clone(), "test", ring).unwrap();
        let mut config = ApiConfig::new(KEY, "test", "default");
        change(&mut config);
        let parts = Parts {
            log: log.clone(),
            store: store.clone(),
            live: live.clone(),
            explain_trap: Some(Arc::new(
                |pdu, root| serde_json::json!({ "bytes": pdu.len(), "root": root }),
            )),
            ready: Vec::new(),
            render_metrics: Arc::new(|| "# metrics\n".to_owned()),
        };
        let api = ApiState::new(config, parts).unwrap();
        let app = api::app(api.clone());
        let producer = log.producer("test").unwrap();
        let world = Self {
            log,
            store,
            live,
            api,
            app,
            producer,
            _folder: folder,
        };
        eventually("the live view is ready", || world.live.is_ready()).await;
        world
    }

    /// The same world, served by another API.
    pub fn serving(self, api: Arc<ApiState>) -> Self {
        Self {
            app: api::app(api.clone()),
            api,
            ..self
        }
    }

    /// A user named like its role (a password takes a while to hash: only those that are needed).
    pub async fn with_user(self, role: Role) -> Self {
        users::add_user(&*self.store, role.as_str(), "default", role, PASSWORD)
            .await
            .unwrap();
        self
    }

    /// A user of each role (and one of another tenant), all with the same password.
    pub async fn with_users(self) -> Self {
        for role in Role::ALL {
            users::add_user(&*self.store, role.as_str(), "default", role, PASSWORD)
                .await
                .unwrap();
        }
        users::add_user(&*self.store, "stranger", "other", Role::Admin, PASSWORD)
            .await
            .unwrap();
        self
    }

    pub async fn login(&self, user: &str) -> Tokens {
        let body = serde_json::json!({ "username": user, "password": PASSWORD });
        let answer = self.post("/api/v1/auth/login", None, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        Tokens {
            access: text("access_token"),
            refresh: text("refresh_token"),
        }
    }

    pub async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.call(request(Method::GET, path, token, None)).await
    }

    pub async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        self.call(request(Method::POST, path, token, Some(body))).await
    }

    pub async fn call(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
            text,
        }
    }

    /// Serves on a port of its own until the answer's sender is used or dropped.
    pub async fn listen(&self) -> Listening {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let api = self.api.clone();
        let task = tokio::spawn(api::serve(listener, api, async {
            drop(stopped.await);
        }));
        Listening {
            address,
            stop: Some(stop),
            task,
        }
    }

    /// Appends to a topic, in the root's partition.
    pub fn append(&self, topic: Topic, key: &str, record: Option<AnyRecord>, id: Option<RecordId>) {
        let root = EntityId::parse(key).unwrap().root();
        self.append_keyed(topic, key, root.as_str(), record, id);
    }

    /// The same under a key that is no entity.
    pub fn append_keyed(&self, topic: Topic, key: &str, root: &str, record: Option<AnyRecord>, id: Option<RecordId>) {
        let value = record.map(|r| Bytes::from(self.log.codec().encode(&r).unwrap()));
        let record = Record {
            topic,
            partition: partition_of(root, PARTITIONS),
            key: Bytes::copy_from_slice(key.as_bytes()),
            value,
            headers: Headers {
                record_id: id,
                ..Headers::default()
            },
        };
        self.producer.send_and_wait(record, Instant::now() + DEADLINE).unwrap();
    }

    /// As [`World::status`], without waiting for each.
    pub fn append_soon(&self, status: DeviceStatus) {
        let headers = Headers {
            record_id: Some(id_of(&status, 1)),
            ..Headers::default()
        };
        let (key, partition) = (status.entity.clone(), partition_of(&status.root, PARTITIONS));
        let value = self.log.codec().encode(&status.into()).unwrap();
        let record = Record {
            topic: Topic::DeviceStatus,
            partition,
            key: key.into(),
            value: Some(value.into()),
            headers,
        };
        self.producer.send(record, None).unwrap();
    }

    pub fn status(&self, status: DeviceStatus) {
        let id = id_of(&status, 1);
        self.append(
            Topic::DeviceStatus,
            &status.entity.clone(),
            Some(status.into()),
            Some(id),
        );
    }

    /// An event that carries a status row, as the fast topic has it.
    pub fn event(&self, status: DeviceStatus, event: &str) {
        let id = id_of(&status, 0);
        let event = event_of(status, event);
        self.append(Topic::DeviceEvents, &event.entity.clone(), Some(event.into()), Some(id));
    }

    /// Waits until the live view shows a state.
    pub async fn shows(&self, token: &str, entity: &str, state: &str) {
        let path = format!("/api/v1/devices/{}/status", entity.replace('/', "%2F"));
        let deadline = Instant::now() + DEADLINE;
        loop {
            let answer = self.get(&path, Some(token)).await;
            if answer.body["state"] == state {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{entity} is not shown as {state}: {}",
                answer.body
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

pub struct Listening {
    pub address: std::net::SocketAddr,
    pub stop: Option<oneshot::Sender<()>>,
    pub task: tokio::task::JoinHandle<std::io::Result<()>>,
}

pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub fn entities(&self) -> Vec<&str> {
        self.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i["entity"].as_str().unwrap())
            .collect()
    }
}

pub fn request(method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        builder = builder.header("authorization", format!("Bearer {token}"));
    }
    match body {
        Some(body) => builder
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap(),
        None => builder.body(Body::empty()).unwrap(),
    }
}

/// Waits for something, with a deadline.
pub async fn eventually(what: &str, mut test: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !test() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Id of an output of the status row's input.
pub fn id_of(status: &DeviceStatus, n: u32) -> RecordId {
    RecordId::new(status.position.position(), 2, status.entity.as_bytes(), n)
}

pub fn now() -> Micros {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Micros(i64::try_from(since.as_micros()).unwrap())
}

/// A status row made by the input at `offset`.
pub fn row(entity: &str, state: &str, offset: u64) -> DeviceStatus {
    let id = EntityId::parse(entity).unwrap();
    let root = id.root();
    let position = Position {
        generation: 1,
        partition: partition_of(root.as_str(), PARTITIONS),
        offset,
    };
    let at = Micros(1_700_000_000_000_000 + i64::try_from(offset).unwrap() * Micros::SECOND);
    DeviceStatus {
        entity: entity.into(),
        root: root.as_str().into(),
        kind: id.kind().as_str().into(),
        site: None,
        parent: id.parent().map(String::from),
        name: None,
        description: None,
        vendor: Some("huawei".into()),
        model: None,
        serial: None,
        state: state.into(),
        cause: (state == "offline").then(|| "power".into()),
        cause_raw: None,
        since: at,
        observed_at: at,
        received_at: at,
        first_trap_at: None,
        optics: None,
        poll: None,
        position: position.into(),
        wts: at,
    }
}

pub fn event_of(status: DeviceStatus, event: &str) -> DeviceEvent {
    DeviceEvent {
        entity: status.entity.clone(),
        root: status.root.clone(),
        kind: status.kind.clone(),
        event_type: DeviceEventType::DeviceAlarm,
        event: event.into(),
        phase: Phase::Raise,
        severity: Some("minor".into()),
        trap_oid: None,
        source: Some("trap".into()),
        at: status.observed_at,
        received_at: status.received_at,
        state: Some(status.state.clone()),
        previous: None,
        cause: status.cause.clone(),
        cause_raw: None,
        serial: status.serial.clone(),
        detail: Default::default(),
        position: status.position,
        status: Some(status),
    }
}
