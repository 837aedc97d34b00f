//! Password and token are in no line that is logged at the finest level, in no record and no error.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

use simulator::padtec::{PadtecFault, Shape};
use tracing_subscriber::fmt::MakeWriter;

use super::bench::{Bench, PASSWORD, TOKEN, simulated};

static FOUND: Mutex<Option<String>> = Mutex::new(None);
static LINES: Mutex<u64> = Mutex::new(0);
static START: Once = Once::new();

#[derive(Clone)]
struct Watch;

impl io::Write for Watch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        *LINES.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        if holds_one(&line) {
            *FOUND.lock().unwrap_or_else(PoisonError::into_inner) = Some(line.into_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Watch {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// As text, or as the bytes that a `Debug` of a buffer prints.
fn holds_one(text: &str) -> bool {
    [PASSWORD, TOKEN].into_iter().any(|secret| {
        let bytes = format!("{:?}", secret.as_bytes());
        text.contains(secret) || text.contains(bytes.trim_matches(['[', ']']))
    })
}

#[test]
fn they_are_nowhere() {
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(Watch)
            .init();
    });
    let mut bench = Bench::start(simulated(Shape::Smart, 24));
    bench.wait("a whole inventory", |published| !published.whole_cards().is_empty());
    let faults = [
        PadtecFault::Unauthorized(1.0),
        PadtecFault::Garbage,
        PadtecFault::BadRow,
        PadtecFault::FailingPage(0),
        PadtecFault::Away,
    ];
    for fault in faults {
        let before = bench.published().failed.len();
        bench.padtec.set_faults(&[fault]);
        bench.wait("a failure", |published| published.failed.len() > before);
    }
    let (_, records) = bench.stop();
    for stored in &records {
        let text = format!("{:?}", stored.record);
        let value = String::from_utf8_lossy(stored.record.value.as_ref().unwrap()).into_owned();
        assert!(!holds_one(&text) && !holds_one(&value), "{text}");
    }
    assert_eq!(*FOUND.lock().unwrap(), None);
    assert!(*LINES.lock().unwrap() > 0 && records.len() > 10);
}
