//! librdkafka's errors in the log's words.

use std::time::Duration;

use log::LogError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// An error of a question that may take `limit`.
pub(crate) fn asking(what: impl Into<String>, limit: Duration, error: KafkaError) -> LogError {
    match error.rdkafka_error_code() {
        Some(Code::UnstableOffsetCommit) => LogError::Timeout(limit),
        _ if is_timeout(&error) => LogError::Timeout(limit),
        Some(code) if is_group_fence(code) => LogError::Fenced(format!("{}: {error}", what.into())),
        _ => LogError::backend(what, error),
    }
}

/// An error of a step of a transaction.
pub(crate) fn transaction(what: &'static str, limit: Duration, error: KafkaError) -> LogError {
    let fenced = |error: &KafkaError| format!("{what}: another owner has taken over: {error}");
    match &error {
        KafkaError::Transaction(inner) => match inner.code() {
            code if is_group_fence(code) || is_producer_fence(code) => LogError::Fenced(fenced(&error)),
            Code::OperationTimedOut | Code::RequestTimedOut => LogError::Timeout(limit),
            _ => LogError::backend(what, error),
        },
        _ => LogError::backend(what, error),
    }
}

/// Nobody has answered in time.
pub(crate) fn is_timeout(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(Code::OperationTimedOut | Code::RequestTimedOut)
    )
}

/// The cluster is moving something: the same question has an answer soon.
pub(crate) fn is_passing(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::NotLeaderForPartition
                | Code::LeaderNotAvailable
                | Code::ReplicaNotAvailable
                | Code::ListenerNotFound
                | Code::UnknownLeaderEpoch
                | Code::FencedLeaderEpoch
                | Code::OffsetNotAvailable
                | Code::KafkaStorageError
                | Code::UnknownTopicOrPartition
                | Code::UnknownPartition
                | Code::UnknownTopic
                | Code::BrokerTransportFailure
                | Code::AllBrokersDown
                // A broker left the metadata while it was asked.
                | Code::DestroyBroker
                | Code::CoordinatorLoadInProgress
                | Code::CoordinatorNotAvailable
                | Code::NotCoordinator
                | Code::WaitingForCoordinator
        )
    )
}

/// The group knows this member no longer, or in another generation.
pub(crate) fn is_group_fence(code: Code) -> bool {
    matches!(
        code,
        Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::FencedInstanceId
            | Code::FencedMemberEpoch
            | Code::StaleMemberEpoch
    )
}

fn is_producer_fence(code: Code) -> bool {
    matches!(
        code,
        Code::ProducerFenced | Code::InvalidProducerEpoch | Code::Fenced | Code::TransactionCoordinatorFenced
    )
}

/// The member may still be one, in a newer generation: worth another try under fresh metadata.
pub(crate) fn is_stale_generation(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(inner)
        if matches!(inner.code(), Code::IllegalGeneration | Code::RebalanceInProgress))
}
