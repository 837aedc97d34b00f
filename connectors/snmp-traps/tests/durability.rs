//! An inform's answer against a log whose acknowledgements are held back: the record stands, the answer does not leave.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use common::{config, inform_pdu, sender, v2c};
use connector_snmp_traps::{Limits, build, validate};
use log::{Consumer, Done, Log, LogError, MemoryLog, Producer, Record, Start, Tail, TaskLog, ThreadSlot};
use model::Offset;
use schemas::{AnyRecord, Codec};
use topology::{Group, Topic};

/// Callbacks held until released.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut open = self.open.lock().unwrap();
        while !*open {
            open = self.opened.wait(open).unwrap();
        }
    }
    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

/// The log in memory, whose records stand before anyone is told so.
struct HeldLog {
    inner: Arc<MemoryLog>,
    gate: Arc<Gate>,
}

struct HeldProducer {
    inner: Box<dyn Producer>,
    gate: Arc<Gate>,
}

impl Producer for HeldProducer {
    fn send(&self, record: Record, done: Option<Done>) -> Result<u64, LogError> {
        let gate = self.gate.clone();
        let held = done.map(|done| -> Done {
            Box::new(move |result| {
                gate.pass();
                done(result);
            })
        });
        self.inner.send(record, held)
    }
    fn acknowledged(&self) -> u64 {
        self.inner.acknowledged()
    }
    fn wait(&self, sequence: u64, deadline: Instant) -> Result<(), LogError> {
        self.inner.wait(sequence, deadline)
    }
}

impl Log for HeldLog {
    fn partitions(&self) -> u32 {
        self.inner.partitions()
    }
    fn generation(&self) -> u32 {
        self.inner.generation()
    }
    fn codec(&self) -> &Arc<Codec> {
        self.inner.codec()
    }
    fn producer(&self, name: &str) -> Result<Box<dyn Producer>, LogError> {
        Ok(Box::new(HeldProducer {
            inner: self.inner.producer(name)?,
            gate: self.gate.clone(),
        }))
    }
    fn task_log(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn TaskLog>, LogError> {
        self.inner.task_log(group, thread)
    }
    fn consumer(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn Consumer>, LogError> {
        self.inner.consumer(group, thread)
    }
    fn tail(&self, topics: &[(Topic, Start)]) -> Result<Box<dyn Tail>, LogError> {
        self.inner.tail(topics)
    }
    fn ends(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.inner.ends(topic)
    }
    fn starts(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.inner.starts(topic)
    }
    fn committed(&self, group: Group, topic: Topic) -> Result<Vec<Option<Offset>>, LogError> {
        self.inner.committed(group, topic)
    }
    fn close(&self) -> Result<(), LogError> {
        self.inner.close()
    }
}

fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let started = Instant::now();
    while !reached() {
        assert!(started.elapsed() < Duration::from_secs(10), "no {what} in time");
        std::thread::yield_now();
    }
}

fn check_no_answer(from: &UdpSocket) {
    from.set_nonblocking(true).unwrap();
    assert_eq!(
        from.recv_from(&mut [0; 1_500]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    from.set_nonblocking(false).unwrap();
}

#[test]
fn the_answer_leaves_only_after_the_log_has_spoken() {
    let log = MemoryLog::new(4);
    let gate = Arc::new(Gate::default());
    let held = Arc::new(HeldLog {
        inner: log.clone(),
        gate: gate.clone(),
    });
    let mut raw = config();
    raw.limits = Limits {
        pending_informs_max: 1,
        ..Limits::default()
    };
    let running = build(validate(raw).unwrap(), held).unwrap().run().unwrap();
    let from = sender("127.0.0.1");
    from.send_to(&v2c(&inform_pdu(1)), running.bound()[0]).unwrap();

    let mut tail = log.tail(&[(Topic::Observations, Start::Beginning)]).unwrap();
    wait_until("record", || {
        let records = tail.poll(100, Duration::from_millis(10)).unwrap();
        records.iter().any(|s| {
            let record = log.codec().decode(s.record.value.as_ref().unwrap()).unwrap();
            matches!(record, AnyRecord::TrapReceived(_))
        })
    });
    // It stands in the log, and nobody was told: no answer.
    check_no_answer(&from);
    // One may wait. A second is kept, and not answered: its sender repeats it.
    from.send_to(&v2c(&inform_pdu(2)), running.bound()[0]).unwrap();
    wait_until("second", || running.snapshot()[0].counts.accepted == 2);
    check_no_answer(&from);

    gate.open();
    let mut buffer = [0; 1_500];
    let (length, _) = from.recv_from(&mut buffer).unwrap();
    assert_eq!(buffer[..length], v2c(&[&[0xA2], &inform_pdu(1)[1..]].concat()));
    // The repeat finds room.
    from.send_to(&v2c(&inform_pdu(2)), running.bound()[0]).unwrap();
    let (length, _) = from.recv_from(&mut buffer).unwrap();
    assert_eq!(buffer[..length], v2c(&[&[0xA2], &inform_pdu(2)[1..]].concat()));
    let (snapshots, complete) = running.stop();
    assert!(complete);
    assert_eq!((snapshots[0].counts.received, snapshots[0].counts.acknowledged), (3, 3));
}
