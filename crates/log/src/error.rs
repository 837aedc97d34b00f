//! What can go wrong with the log.

use model::{Offset, Partition};
use thiserror::Error;
use topology::Topic;

/// An operating error of the log.
#[derive(Debug, Error)]
pub enum LogError {
    /// Reading begins before what is still kept.
    #[error("{topic}/{partition}: offset {asked} is no longer kept, the oldest is {oldest}")]
    OffsetTooOld {
        /// Topic asked for.
        topic: Topic,
        /// Partition asked for.
        partition: Partition,
        /// Offset asked for.
        asked: Offset,
        /// Oldest offset that can be read.
        oldest: Offset,
    },
    /// An earlier send failed: nothing more goes through this producer, make a new one.
    #[error("the producer ended with an earlier failure")]
    ProducerEnded,
    /// A deadline passed; whether the work was done is not known.
    #[error("no answer within {0:?}")]
    Timeout(std::time::Duration),
    /// Another process, or a newer owner, has taken over.
    #[error("{0}")]
    Fenced(String),
    /// A record is larger than the log takes.
    #[error("a record of {bytes} bytes for {topic} is larger than {max}")]
    TooLarge {
        /// Topic it was for.
        topic: Topic,
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// A stored record cannot be read: its partition stands still, the others do not.
    #[error(
        "{topic}/{partition}: the record at offset {offset} is damaged: restore the log from a backup, or read on behind it"
    )]
    Damaged {
        /// Topic of the record.
        topic: Topic,
        /// Its partition.
        partition: Partition,
        /// Its offset.
        offset: Offset,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The log is being closed.
    #[error("the log is closed")]
    Closed,
    /// The folder cannot be used as it is: another owner, another format, another number of partitions.
    #[error("{0}")]
    Unusable(String),
    /// The backend's own error.
    #[error("{context}")]
    Backend {
        /// What was being done.
        context: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl LogError {
    /// Wraps a backend's error with what was being done.
    pub fn backend(context: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Backend {
            context: context.into(),
            source: source.into(),
        }
    }

    /// Whether trying again later can help.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Timeout(_) | Self::ProducerEnded | Self::Backend { .. } | Self::Damaged { .. }
        )
    }
}
