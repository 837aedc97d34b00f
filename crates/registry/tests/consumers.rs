//! The consumers of `docs/consumers.md`, as other people's programs: real Kafka, real registry, our own bytes. And `kcat`, for
//! what stands around them.
#![allow(clippy::unwrap_used, reason = "a test that panics says where")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::{Headers, Log, Record, TraceParent};
use log_kafka::{Admin, KafkaConfig, KafkaLog};
use model::{Micros, Position, RecordId};
use registry::{Access, Registry, RegistryConfig};
use schemas::{DeviceEvent, DeviceEventType, Phase, RecordType};
use serde_json::Value;
use topology::Topic;

const PARTITIONS: u32 = 2;
/// Offsets of the inputs that the records of one partition come from: 3 and 4 are said again after a crash, and 5 is new.
const INPUTS: [u64; 7] = [1, 3, 4, 3, 4, 5, 5];
const NEW: [u64; 4] = [1, 3, 4, 5];

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run eval \"$(infra/dev/servers up)\""))
}

struct Deployment {
    prefix: String,
    log: Arc<KafkaLog>,
}

impl Deployment {
    fn new() -> Self {
        let nonce = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        let prefix = format!("consumers-{nonce}.");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let registry = Registry::connect(RegistryConfig::new(&variable("REGISTRY"))).unwrap();
        runtime.block_on(registry.set_compatibility(RecordType::ALL)).unwrap();
        let codec = runtime.block_on(registry.codec(Access::Register)).unwrap();
        let config = KafkaConfig {
            prefix: prefix.clone(),
            partitions: PARTITIONS,
            ..KafkaConfig::new(&variable("KAFKA"), Arc::new(codec))
        };
        Admin::connect(config.clone()).unwrap().apply().unwrap();
        let log = KafkaLog::open(config).unwrap();
        Self { prefix, log }
    }

    fn topic(&self) -> String {
        format!("{}device-events", self.prefix)
    }

    /// The inputs' events, repeats and all, in both partitions.
    fn produce(&self, inputs: &[u64]) {
        let producer = self.log.producer("test").unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        for partition in 0..PARTITIONS {
            for &offset in inputs {
                let record = self.event(partition, offset);
                producer.send_and_wait(record, deadline).unwrap();
            }
        }
    }

    fn event(&self, partition: u32, offset: u64) -> Record {
        let entity = format!("default/olt/rjo-0{partition}/onu/0/1/2/{offset}");
        let input = Position {
            generation: 1,
            partition,
            offset,
        };
        let event = DeviceEvent {
            entity: entity.clone(),
            root: format!("default/olt/rjo-0{partition}"),
            kind: "onu".into(),
            event_type: DeviceEventType::DeviceDisconnected,
            event: "dying_gasp".into(),
            phase: Phase::Raise,
            severity: Some("minor".into()),
            trap_oid: None,
            source: Some("trap".into()),
            at: Micros(1_700_000_000_000_000),
            received_at: Micros(1_700_000_000_000_001),
            state: Some("offline".into()),
            previous: Some("online".into()),
            cause: Some("power".into()),
            cause_raw: Some("\"Stromausfall\" à la carte".into()),
            serial: Some("HWTC1234ABCD".into()),
            detail: [("slot".to_owned(), "1".to_owned())].into(),
            position: input.into(),
            status: None,
        };
        Record {
            topic: Topic::DeviceEvents,
            partition,
            key: Bytes::from(entity.into_bytes()),
            value: Some(self.log.codec().encode(&event.into()).unwrap().into()),
            headers: Headers {
                record_id: Some(RecordId::new(input, 2, b"0/1/2", 0)),
                traceparent: Some(TraceParent::new(7, 8, true)),
                writer: None,
            },
        }
    }
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// What a program printed; it must have ended well.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// As the documentation says to run it.
fn python() -> Command {
    let project = project();
    let environment = project.join("target/consumers");
    let python = environment.join("bin/python");
    let requirements = project.join("docs/consumers/python/requirements.txt");
    let is_ready = python.exists()
        && Command::new(&python)
            .args(["-c", "import confluent_kafka, fastavro"])
            .status()
            .unwrap()
            .success();
    if !is_ready {
        output(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        output(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "-r"])
                .arg(requirements),
        );
    }
    let mut command = Command::new(python);
    command.arg(project.join("docs/consumers/python/events.py"));
    command
}

fn java() -> Command {
    let project = project();
    let jars = output(Command::new(project.join("infra/dev/servers")).args(["jars", "consumer"]));
    let mut command = Command::new("java");
    command.arg("-cp").arg(format!("{}/*", jars.trim()));
    command.arg(project.join("docs/consumers/java/Events.java"));
    command
}

/// The input offsets that a consumer printed, by partition; every line is checked on the way.
fn inputs_of(lines: &str, topic: &str) -> Vec<Vec<u64>> {
    let mut inputs = vec![vec![]; PARTITIONS as usize];
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let (partition, value) = (line["partition"].as_u64().unwrap(), &line["value"]);
        let offset = value["position"]["offset"].as_u64().unwrap();
        let id = RecordId::new(
            Position {
                generation: 1,
                partition: u32::try_from(partition).unwrap(),
                offset,
            },
            2,
            b"0/1/2",
            0,
        );
        assert_eq!(line["topic"], topic);
        assert_eq!(line["id"], id.to_string());
        assert_eq!(line["record"], "DeviceEvent");
        assert_eq!(line["key"], format!("default/olt/rjo-0{partition}/onu/0/1/2/{offset}"));
        assert_eq!(value["entity"], line["key"]);
        assert_eq!(value["type"], "DEVICE_DISCONNECTED");
        assert_eq!(value["cause_raw"], "\"Stromausfall\" à la carte");
        assert_eq!(value["detail"]["slot"], "1");
        assert_eq!(value["severity"], "minor");
        assert_eq!(value["status"], Value::Null);
        inputs[usize::try_from(partition).unwrap()].push(offset);
    }
    inputs
}

fn each(inputs: &[u64]) -> Vec<Vec<u64>> {
    vec![inputs.to_vec(); PARTITIONS as usize]
}

/// Reads all, then what comes later: across the restart, too, nothing is said twice.
fn check(deployment: &Deployment, run: impl Fn() -> String) {
    deployment.produce(&INPUTS);
    assert_eq!(inputs_of(&run(), &deployment.topic()), each(&NEW));
    deployment.produce(&[4, 5, 6]);
    assert_eq!(
        inputs_of(&run(), &deployment.topic()),
        each(&[6]),
        "the mark is kept with the position"
    );
}

#[test]
fn the_python_consumer_prints_each_event_once() {
    let deployment = Deployment::new();
    let (brokers, registry, topic) = (variable("KAFKA"), variable("REGISTRY"), deployment.topic());
    check(&deployment, || {
        let options = [
            "--brokers",
            &brokers,
            "--registry",
            &registry,
            "--topic",
            &topic,
            "--group",
            &topic,
            "--to-end",
        ];
        output(python().args(options).env("PYTHONUTF8", "1"))
    });
}

#[test]
fn the_java_consumer_prints_each_event_once() {
    let deployment = Deployment::new();
    let (brokers, registry, topic) = (variable("KAFKA"), variable("REGISTRY"), deployment.topic());
    check(&deployment, || {
        output(java().args([&brokers, &registry, &topic, &topic, "--to-end"]))
    });
}

#[test]
fn kcat_shows_keys_headers_and_offsets() {
    let deployment = Deployment::new();
    deployment.produce(&INPUTS);
    let format = r"%p %o %k %h\n";
    let arguments = [
        "-C",
        "-q",
        "-e",
        "-b",
        &variable("KAFKA"),
        "-t",
        &deployment.topic(),
        "-f",
        format,
    ];
    let lines = output(Command::new("kcat").args(arguments));
    let mut expected = Vec::new();
    for partition in 0..PARTITIONS {
        for (offset, input) in INPUTS.iter().enumerate() {
            expected.push(format!(
                "{partition} {offset} default/olt/rjo-0{partition}/onu/0/1/2/{input} "
            ));
        }
    }
    for start in expected {
        let line = lines
            .lines()
            .find(|line| line.starts_with(&start))
            .unwrap_or_else(|| panic!("{start} in\n{lines}"));
        assert!(
            line.contains("record-id=") && line.contains("traceparent=00-"),
            "{line}"
        );
    }
}
