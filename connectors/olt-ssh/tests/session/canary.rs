//! The password is in no error, no `Debug` and no line that is logged, by us or by the SSH library, at the finest level.

use std::error::Error;
use std::io;
use std::sync::{LazyLock, Mutex, Once, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

use super::PASSWORD;

static FOUND: Mutex<Option<String>> = Mutex::new(None);
static LINES: Mutex<u64> = Mutex::new(0);
static START: Once = Once::new();

#[derive(Clone)]
struct Watch;

impl io::Write for Watch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        *LINES.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        if holds_it(&line) {
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
fn holds_it(text: &str) -> bool {
    static BYTES: LazyLock<String> = LazyLock::new(|| format!("{:?}", PASSWORD.as_bytes()));
    text.contains(PASSWORD) || text.contains(BYTES.trim_matches(['[', ']']))
}

/// Reads every line of every log of this process from now on.
pub fn watch() {
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(Watch)
            .init();
    });
}

/// How many lines were read; panics if one held the password.
#[track_caller]
pub fn lines_without_it() -> u64 {
    let found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(found.is_none(), "logged: {found:?}");
    *LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Panics if an error shows the password.
#[track_caller]
pub fn none_in(error: &(dyn Error + 'static)) {
    let mut said = format!("{error:?}");
    let mut next = Some(error);
    while let Some(error) = next {
        said.push_str(&format!("\n{error}"));
        next = error.source();
    }
    assert!(!holds_it(&said), "{said}");
    lines_without_it();
}

/// The watch would see it: every line is read, in every form.
#[tokio::test]
async fn it_would_be_found() {
    assert!(holds_it(&format!("password={PASSWORD}")) && holds_it(&format!("{:?}", format!("x{PASSWORD}").as_bytes())));
    assert!(!holds_it("password=[env OLT_PASSWORD]"));
    watch();
    let before = lines_without_it();
    let server = super::server::Server::start(super::server::Device::with(super::cli::Fault::None));
    super::open_once(server.address, super::MODERN, &super::patient())
        .await
        .unwrap();
    let target = super::target(server.address, super::MODERN);
    tracing::error!(?target, "a target");
    assert!(
        lines_without_it() > before + 20,
        "the SSH library's lines are among them"
    );
}
