//! What librdkafka has to say goes to our own log.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel as Level;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

/// Of clients without callbacks of their own.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: Level, facility: &str, message: &str) {
        log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }
}

impl ConsumerContext for Quiet {}

/// librdkafka repeats itself while brokers are away, and each failure is also an error of the call it hits: nothing here is
/// for a person to act on.
pub(crate) fn log_line(level: Level, facility: &str, message: &str) {
    match level {
        Level::Emerg | Level::Alert | Level::Critical | Level::Error | Level::Warning => {
            tracing::info!(facility, message, "kafka client");
        }
        Level::Notice | Level::Info | Level::Debug => tracing::debug!(facility, message, "kafka client"),
    }
}

pub(crate) fn log_error(error: &KafkaError, reason: &str) {
    // The end of a partition is reached many times a second, and is no error.
    if !matches!(error, KafkaError::PartitionEOF(_)) && !reason.contains("reached end of partition") {
        tracing::info!(%error, reason, "kafka client");
    }
}
