//! From the tasks that read to the log: a bounded queue, and one thread with the publisher.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use connector_kit::{Deadline, Outgoing, Publisher, PublisherConfig};
use log::Log;
use schemas::AnyRecord;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use topology::Topic;

/// Batches that may wait for the publisher; further ones wait with who reads.
const WAITING_MAX: usize = 64;
/// How often the publisher is tended while nothing comes.
const TEND: Duration = Duration::from_millis(50);
/// How long the last records may take at the end.
const DRAIN: Duration = Duration::from_secs(3);

/// One read's records, or a failure's.
pub(crate) struct Batch {
    /// Where to.
    pub topic: Topic,
    /// The key: the root.
    pub key: Arc<str>,
    /// In order.
    pub records: Vec<AnyRecord>,
}

/// The sending end. Clones share it.
#[derive(Clone)]
pub(crate) struct Outbox(mpsc::Sender<Batch>);

impl Outbox {
    /// Starts the thread. It ends when every clone is gone and what they sent is in the log, or given up.
    ///
    /// # Errors
    /// When the spool cannot be opened, or the system gives no thread.
    pub fn start(log: Arc<dyn Log>, config: PublisherConfig, tokio: &Handle) -> io::Result<(Self, JoinHandle<()>)> {
        let mut publisher = Publisher::open(log, config).map_err(io::Error::other)?;
        let (sender, mut receiver) = mpsc::channel::<Batch>(WAITING_MAX);
        let tokio = tokio.clone();
        let thread = std::thread::Builder::new()
            .name("padtec-publisher".to_owned())
            .spawn(move || {
                loop {
                    match tokio.block_on(async { tokio::time::timeout(TEND, receiver.recv()).await }) {
                        Ok(Some(batch)) => publish(&mut publisher, batch),
                        Ok(None) => break,
                        Err(_) => {}
                    }
                    publisher.tend(|(), _| ());
                }
                publisher.drain(Deadline::after(DRAIN), |(), _| ());
            })?;
        Ok((Self(sender), thread))
    }

    /// Hands records over; waits while too many wait already. What comes after the end is dropped: nobody is there to read on.
    pub async fn send(&self, batch: Batch) {
        if self.0.send(batch).await.is_err() {
            tracing::warn!("a read came after the publisher's end");
        }
    }
}

fn publish(publisher: &mut Publisher<()>, batch: Batch) {
    let Batch { topic, key, records } = batch;
    for record in records {
        let outgoing = Outgoing {
            topic,
            key: &key,
            record,
        };
        if let Err(((), reason)) = publisher.publish(outgoing, (), None) {
            metrics::counter!(super::metric::DROPPED, "reason" => reason.as_str()).increment(1);
            tracing::warn!(%topic, key = &*key, reason = reason.as_str(), "a record of a read was given up");
        }
    }
}
