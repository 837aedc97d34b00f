//! The log on Apache Kafka: the same traits as the embedded backend, over librdkafka.
