//! Answers to informs: made when one is received, sent when its record is durable, by a thread of their own.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use connector_kit::OnDurable;
use log::{CrashPoint, crash_point};
use metrics::counter;

use crate::metric;

/// An answer, and its place among those that may wait.
struct Answer {
    peer: SocketAddr,
    datagram: Vec<u8>,
    place: Place,
}

/// Given back when the answer is sent, or its record given up.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits in the publisher for its record's durability.
struct Pending {
    answer: Mutex<Option<Answer>>,
    queue: SyncSender<Answer>,
}

impl OnDurable for Pending {
    fn durable(&self) {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The queue holds as many as may wait, so it is never full; it is closed only when nobody answers any more, and
        // then the sender repeats its inform, as after any lost answer.
        drop(answer.map(|a| self.queue.try_send(a)));
    }
}

/// Where answers are left until their record is durable.
pub(crate) struct Answers {
    listener: String,
    queue: SyncSender<Answer>,
    waiting: Arc<AtomicUsize>,
    waiting_max: usize,
}

/// Sends what is durable.
pub(crate) struct Answerer {
    listener: String,
    queue: Receiver<Answer>,
}

/// Both ends, for at most so many informs at a time.
pub(crate) fn answers(listener: &str, waiting_max: usize) -> (Answers, Answerer) {
    let (sender, receiver) = sync_channel(waiting_max);
    let waiting = Arc::new(AtomicUsize::new(0));
    let answers = Answers {
        listener: listener.to_owned(),
        queue: sender,
        waiting,
        waiting_max,
    };
    (
        answers,
        Answerer {
            listener: listener.to_owned(),
            queue: receiver,
        },
    )
}

impl Answers {
    /// Keeps the answer to an inform, to be sent when its record is durable. `None`: too many wait (then it is not even
    /// made), so it will not be answered.
    pub fn prepare(&self, peer: SocketAddr, datagram: impl FnOnce() -> Option<Vec<u8>>) -> Option<Arc<dyn OnDurable>> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.waiting_max {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            counter!(metric::INFORMS, "listener" => self.listener.clone(), "outcome" => "over_limit").increment(1);
            return None;
        }
        let place = Place(self.waiting.clone());
        let datagram = datagram()?;
        let answer = Mutex::new(Some(Answer { peer, datagram, place }));
        Some(Arc::new(Pending {
            answer,
            queue: self.queue.clone(),
        }))
    }
}

impl Answerer {
    /// Sends answers until nobody can leave one any more.
    pub fn run(self, socket: &UdpSocket) {
        let outcome =
            |word: &'static str| counter!(metric::INFORMS, "listener" => self.listener.clone(), "outcome" => word);
        let (answered, failed) = (outcome("answered"), outcome("send_failed"));
        while let Ok(answer) = self.queue.recv() {
            // It no longer waits: the next inform may.
            drop(answer.place);
            crash_point(CrashPoint::AfterInformAppendBeforeAnswer);
            match socket.send_to(&answer.datagram, answer.peer) {
                Ok(_) => answered.increment(1),
                Err(error) => {
                    failed.increment(1);
                    tracing::debug!(peer = %answer.peer, %error, "cannot answer an inform, its sender will repeat it");
                }
            }
        }
    }
}
