//! The loop of a connector that is spoken to.

use std::io;
use std::time::Duration;

use crate::{Backoff, StopToken};

/// What a turn of listening brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Something.
    Something,
    /// Nothing within the listener's own short wait.
    Nothing,
}

/// Something that hears.
pub trait Listen {
    /// Waits a short while for something, at most 100 ms, and handles it.
    ///
    /// # Errors
    /// When hearing itself failed; the loop logs it, waits and goes on.
    fn listen(&mut self) -> io::Result<Heard>;

    /// Called between turns, however busy: what goes on beside hearing.
    fn tend(&mut self);

    /// Called once at the end: takes what has arrived already, and sees what was taken through.
    fn drain(&mut self);
}

/// Listens until it is time to stop, then drains. Failures to hear are waited out: a listener never gives up.
pub fn listen_loop(name: &str, listener: &mut impl Listen, stop: &StopToken) {
    let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));
    while !stop.is_stopped() {
        match listener.listen() {
            Ok(_) => backoff.succeed(),
            Err(error) => {
                if backoff.failures() == 0 {
                    tracing::error!(listener = name, %error, "cannot receive, trying again");
                }
                stop.wait(backoff.fail());
            }
        }
        listener.tend();
    }
    listener.drain();
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Script {
        turns: Vec<io::Result<Heard>>,
        stop: StopToken,
        log: Vec<&'static str>,
    }

    impl Listen for Script {
        fn listen(&mut self) -> io::Result<Heard> {
            self.log.push("listen");
            self.turns.pop().unwrap_or_else(|| {
                self.stop.stop();
                Ok(Heard::Nothing)
            })
        }
        fn tend(&mut self) {
            self.log.push("tend");
        }
        fn drain(&mut self) {
            self.log.push("drain");
        }
    }

    #[test]
    fn goes_on_after_an_error_and_drains_at_the_end() {
        let stop = StopToken::new();
        let turns = vec![Ok(Heard::Something), Err(io::Error::other("away"))];
        let mut script = Script {
            turns,
            stop: stop.clone(),
            log: Vec::new(),
        };
        listen_loop("test", &mut script, &stop);
        assert_eq!(
            script.log,
            ["listen", "tend", "listen", "tend", "listen", "tend", "drain"]
        );
    }
}
