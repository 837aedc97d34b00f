import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.*;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Prints the records of an Atalaia topic as JSON lines, each once: see docs/consumers.md. Arguments: BROKERS REGISTRY TOPIC GROUP [--to-end]. */
public class Events implements ConsumerRebalanceListener {
    static final HexFormat HEX = HexFormat.of();
    final HttpClient http = HttpClient.newHttpClient();
    final Map<Integer, Schema> schemas = new HashMap<>();
    final Map<TopicPartition, byte[]> highest = new HashMap<>();
    final KafkaConsumer<byte[], byte[]> consumer;
    final String registry;

    Events(String brokers, String registry, String group) {
        this.registry = registry;
        // Only what stands for good, and positions are committed by us alone, after the work.
        consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", brokers, "group.id", group, "auto.offset.reset", "earliest",
            "isolation.level", "read_committed", "enable.auto.commit", "false"), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    public static void main(String[] arguments) throws Exception {
        Events events = new Events(arguments[0], arguments[1], arguments[3]);
        boolean toEnd = arguments.length > 4 && arguments[4].equals("--to-end");
        events.consumer.subscribe(List.of(arguments[2]), events);
        while (!toEnd || !events.isAtEnd()) {
            for (ConsumerRecord<byte[], byte[]> record : events.consumer.poll(Duration.ofSeconds(1))) events.take(record);
        }
        events.consumer.close();
    }

    /** The schema with this id; it never changes, so it is asked for once. */
    Schema schema(int id) throws Exception {
        if (!schemas.containsKey(id)) {
            URI uri = URI.create(registry + "/schemas/ids/" + id);
            String answer = http.send(HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build(), BodyHandlers.ofString()).body();
            Object text = new com.fasterxml.jackson.databind.ObjectMapper().readTree(answer).required("schema").textValue();
            schemas.put(id, new Schema.Parser().parse((String) text));
        }
        return schemas.get(id);
    }

    /** The id rule: keep the highest record id of the partition, drop what is not higher. */
    void take(ConsumerRecord<byte[], byte[]> record) throws Exception {
        TopicPartition partition = new TopicPartition(record.topic(), record.partition());
        var header = record.headers().lastHeader("record-id");
        byte[] id = header == null ? new byte[0] : header.value();
        // Bytes compare as numbers from 0 to 255, and a shorter id comes first.
        if (id.length > 0 && Arrays.compareUnsigned(id, highest.get(partition)) <= 0) return;
        if (id.length > 0) highest.put(partition, id);
        print(record, id);
        // One by one for clearness; a busy consumer commits now and then, both together as here.
        String mark = HEX.formatHex(highest.get(partition));
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(record.offset() + 1, mark)));
    }

    /** A value is a zero byte, the schema id (4 bytes, big-endian), the Avro body; without a value: deleted. */
    void print(ConsumerRecord<byte[], byte[]> record, byte[] id) throws Exception {
        byte[] value = record.value();
        String name = null, fields = "null";
        if (value != null) {
            if (value[0] != 0) throw new IllegalArgumentException("not in Confluent wire format");
            Schema schema = schema(java.nio.ByteBuffer.wrap(value, 1, 4).getInt());
            var decoder = DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null);
            fields = new GenericDatumReader<>(schema).read(null, decoder).toString();
            name = schema.getName();
        }
        String key = record.key() == null ? "" : new String(record.key(), java.nio.charset.StandardCharsets.UTF_8);
        System.out.printf("{\"topic\":\"%s\",\"partition\":%d,\"offset\":%d,\"id\":\"%s\",\"key\":%s,\"record\":%s,\"value\":%s}%n", record.topic(),
            record.partition(), record.offset(), HEX.formatHex(id), quoted(key), quoted(name), fields);
    }

    static String quoted(String text) { return text == null ? "null" : GenericData.get().toString(text); }

    boolean isAtEnd() {
        var ends = consumer.endOffsets(consumer.assignment());
        return !ends.isEmpty() && ends.entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }

    /** Goes on where the group stopped: the highest record id was committed with the position. */
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        consumer.committed(Set.copyOf(partitions)).forEach((partition, committed) ->
            highest.put(partition, committed == null ? new byte[0] : HEX.parseHex(committed.metadata())));
    }

    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}
}
