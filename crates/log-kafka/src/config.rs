//! How the log on Kafka is configured, and what librdkafka is told for each kind of client.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::Secret;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use schemas::Codec;
use topology::PARTITIONS_KAFKA;

/// How a process reaches its log on Kafka.
#[derive(Clone)]
pub struct KafkaConfig {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// In front of every topic's and group's name.
    pub prefix: String,
    /// Partitions that every topic must have.
    pub partitions: u32,
    /// The codec with the schema ids of the deployment's registry. Whoever makes it may teach it new ids at run time.
    pub codec: Arc<Codec>,
    /// Shows in the brokers' logs and quotas, and begins the transactional ids.
    pub client_id: String,
    /// A name of this process that outlives its restarts: members are static then, and a restart within
    /// [`KafkaConfig::session_timeout`] keeps its partitions. Two live processes must never share one.
    pub static_member: Option<String>,
    /// More settings for every client, by librdkafka's names (`security.protocol`, `sasl.*`, `ssl.*`). They come after our own.
    /// Values are secrets: they are never logged.
    pub extra: BTreeMap<String, Secret>,
    /// How long a member may be silent before its partitions go to others. The brokers bound it
    /// (`group.min.session.timeout.ms`, 6 s where nobody set it).
    pub session_timeout: Duration,
    /// How long a transaction may be open before the brokers end it.
    pub transaction_timeout: Duration,
    /// How long a record may wait for its acknowledgement before it ends its producer.
    pub send_deadline: Duration,
    /// How long any other question to the brokers may take.
    pub answer_deadline: Duration,
}

impl KafkaConfig {
    /// The design's figures, for these brokers.
    pub fn new(brokers: &str, codec: Arc<Codec>) -> Self {
        Self {
            brokers: brokers.to_owned(),
            prefix: "atalaia.".to_owned(),
            partitions: PARTITIONS_KAFKA,
            codec,
            client_id: "atalaia".to_owned(),
            static_member: None,
            extra: BTreeMap::new(),
            session_timeout: Duration::from_secs(10),
            transaction_timeout: Duration::from_secs(10),
            send_deadline: Duration::from_secs(20),
            answer_deadline: Duration::from_secs(10),
        }
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", &self.client_id)
            // Seconds matter more than a few connection attempts (default 10 s).
            .set("reconnect.backoff.max.ms", "1000")
            .set_log_level(RDKafkaLogLevel::Warning);
        config
    }

    fn with_extra(&self, mut config: ClientConfig) -> ClientConfig {
        for (name, value) in &self.extra {
            config.set(name, value.expose());
        }
        config
    }

    /// For questions and for creating topics.
    pub(crate) fn admin(&self) -> ClientConfig {
        self.with_extra(self.client())
    }

    /// A consumer that never joins a group: librdkafka wants a group's name all the same.
    ///
    /// Memory: at most `queued.max.messages.kbytes` and one fetch answer more.
    pub(crate) fn reader(&self, isolation: Isolation) -> ClientConfig {
        let mut config = self.client();
        config.set("group.id", format!("{}reader", self.prefix));
        self.reading(&mut config, isolation);
        self.with_extra(config)
    }

    /// A reader of one short partition after the other. The answer to a fetch of the last one holds back the next one's, so it
    /// must not be long in coming: with 24 partitions 100 ms each would be seconds.
    pub(crate) fn restorer(&self) -> ClientConfig {
        let mut config = self.client();
        config.set("group.id", format!("{}reader", self.prefix));
        self.reading(&mut config, Isolation::Committed);
        config.set("fetch.wait.max.ms", "5");
        self.with_extra(config)
    }

    /// A consumer that asks for the positions of a group, without being its member.
    pub(crate) fn observer_of(&self, group_id: &str, isolation: Isolation) -> ClientConfig {
        let mut config = self.client();
        config.set("group.id", group_id);
        self.reading(&mut config, isolation);
        self.with_extra(config)
    }

    /// A member of a group. `thread` tells the members of one process apart.
    pub(crate) fn member(&self, group_id: &str, thread: u32) -> ClientConfig {
        let session = millis(self.session_timeout);
        let mut config = self.client();
        config
            .set("group.id", group_id)
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", session.to_string())
            // A member learns of a rebalance from its next heartbeat: a twentieth of the session keeps that below a second.
            .set("heartbeat.interval.ms", (session / 20).clamp(50, 1_000).to_string())
            // A thread that does not poll for this long is stuck (the engine's watchdog says so after 30 s).
            .set("max.poll.interval.ms", session.max(60_000).to_string())
            .set("statistics.interval.ms", "10000");
        if let Some(name) = &self.static_member {
            config.set("group.instance.id", format!("{name}-{thread}"));
        }
        self.reading(&mut config, Isolation::Committed);
        self.with_extra(config)
    }

    fn reading(&self, config: &mut ClientConfig, isolation: Isolation) {
        config
            .set("isolation.level", isolation.name())
            // Positions are ours alone: librdkafka's stored offsets move on errors (librdkafka#4844) and can hang a drop.
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // An offset that is no longer kept is an error, never a jump.
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "true")
            .set("socket.timeout.ms", millis(self.answer_deadline).to_string())
            // An idle fetch holds back partitions that are resumed meanwhile (default 500 ms). Data is answered at once.
            .set("fetch.wait.max.ms", "100")
            // After a full queue: 1 s by default (librdkafka#3662).
            .set("fetch.queue.backoff.ms", "5")
            .set("fetch.error.backoff.ms", "50")
            // Per consumer, which is per thread: 32 MiB of records, and one answer of at most 8 MiB more.
            .set("queued.min.messages", "50000")
            .set("queued.max.messages.kbytes", "32768")
            .set("fetch.max.bytes", (8 << 20).to_string())
            .set("fetch.message.max.bytes", (1 << 20).to_string());
    }

    /// A producer that loses nothing and reorders nothing.
    ///
    /// `message.timeout.ms=0`: librdkafka gives up no message by itself, since it would then deliver later ones; our own
    /// deadline ends the whole producer. Memory: at most 16 MiB and 20,000 records wait; then senders do.
    pub(crate) fn producer(&self, linger: Duration) -> ClientConfig {
        let mut config = self.producing(linger);
        config
            .set("message.timeout.ms", "0")
            // Whatever else could leave a gap (a batch the broker refuses) ends the producer as well.
            .set("enable.gapless.guarantee", "true")
            .set("socket.timeout.ms", millis(self.answer_deadline).to_string())
            .set("queue.buffering.max.messages", "20000")
            .set("queue.buffering.max.kbytes", "16384");
        self.with_extra(config)
    }

    /// The transactional producer of one stream thread. A cut is at most about 8 MiB, or 10,000 slots and their outputs;
    /// what passes the queue waits for acknowledgements.
    pub(crate) fn transactional(&self, transactional_id: &str) -> ClientConfig {
        let timeout = millis(self.transaction_timeout);
        let mut config = self.producing(Duration::from_millis(1));
        config
            .set("transactional.id", transactional_id)
            .set("transaction.timeout.ms", timeout.to_string())
            // librdkafka refuses a larger one; a commit is over before its transaction is.
            .set("message.timeout.ms", (timeout * 2 / 3).max(1).to_string())
            .set("queue.buffering.max.messages", "50000")
            .set("queue.buffering.max.kbytes", "32768");
        self.with_extra(config)
    }

    fn producing(&self, linger: Duration) -> ClientConfig {
        let mut config = self.client();
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", millis(linger).to_string())
            .set("batch.size", "1000000")
            .set("compression.type", "lz4")
            .set("retry.backoff.ms", "50")
            .set("retry.backoff.max.ms", "500");
        config
    }
}

/// What a consumer may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Isolation {
    /// Nothing of open or aborted transactions; the end is the last stable offset.
    Committed,
    /// Everything; the end is the high watermark.
    Uncommitted,
}

impl Isolation {
    fn name(self) -> &'static str {
        match self {
            Self::Committed => "read_committed",
            Self::Uncommitted => "read_uncommitted",
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl std::fmt::Debug for KafkaConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaConfig")
            .field("brokers", &self.brokers)
            .field("prefix", &self.prefix)
            .field("partitions", &self.partitions)
            .field("client_id", &self.client_id)
            .field("static_member", &self.static_member)
            .field("extra", &self.extra.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        let mut config = KafkaConfig::new("k1:9092", Arc::new(Codec::standalone()));
        let password = Secret::new("hunter2", "env KAFKA_PASSWORD");
        config.extra.insert("sasl.password".to_owned(), password);
        let shown = format!("{config:?}");
        assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
        assert_eq!(config.admin().get("sasl.password"), Some("hunter2"));
    }

    #[test]
    fn a_transaction_outlives_its_messages() {
        let mut config = KafkaConfig::new("k1:9092", Arc::new(Codec::standalone()));
        config.transaction_timeout = Duration::from_secs(3);
        let client = config.transactional("id");
        assert_eq!(client.get("transaction.timeout.ms"), Some("3000"));
        assert_eq!(client.get("message.timeout.ms"), Some("2000"));
    }
}
