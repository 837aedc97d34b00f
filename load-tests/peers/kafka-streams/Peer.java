import com.sun.management.OperatingSystemMXBean;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.avro.Schema;
import org.apache.avro.generic.*;
import org.apache.avro.io.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.processor.api.*;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.*;

/**
 * Kafka Streams at the job of the bench: a dying gasp or its end comes as the record TrapReceived; out go an event that holds
 * the whole new status, and the status; state in memory with its changelog; exactly once. Far less than the product does of
 * it: no catalogue, no counters, no ids, one rule. Arguments: BROKERS PREFIX PARTITIONS SCHEMAS RECORDS THREADS.
 *
 * CPU is the whole process's, from a fifth of the records on: by then the compiler has seen the code.
 */
public class Peer {
    static final AtomicLong seen = new AtomicLong();
    static final CountDownLatch done = new CountDownLatch(1);
    static long records, cpuAtFifth, nanosAtFifth;

    public static void main(String[] arguments) throws Exception {
        String brokers = arguments[0], prefix = arguments[1];
        int partitions = Integer.parseInt(arguments[2]);
        records = Long.parseLong(arguments[4]);
        String events = prefix + "peer-events", statuses = prefix + "peer-status", application = prefix + "peer-" + System.nanoTime();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
            Set<String> there = admin.listTopics().names().get();
            for (String topic : List.of(events, statuses))
                if (!there.contains(topic)) admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        }
        Schema trap = schema(arguments[3], "TrapReceived"), event = schema(arguments[3], "DeviceEvent");
        Topology topology = new Topology();
        topology.addSource("in", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), prefix + "observations");
        topology.addProcessor("network", () -> new Network(trap, event), "in");
        topology.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("onus"), Serdes.ByteArray(), Serdes.ByteArray()), "network");
        var bytes = Serdes.ByteArray().serializer();
        topology.addSink("events", events, bytes, bytes, "network");
        topology.addSink("statuses", statuses, bytes, bytes, "network");
        Properties settings = new Properties();
        settings.putAll(Map.of("application.id", application, "bootstrap.servers", brokers, "processing.guarantee", "exactly_once_v2",
            "num.stream.threads", arguments[5], "commit.interval.ms", "100", "statestore.cache.max.bytes", "0",
            "state.dir", System.getProperty("java.io.tmpdir") + File.separator + application, "auto.offset.reset", "earliest",
            "replication.factor", "1"));
        KafkaStreams streams = new KafkaStreams(topology, settings);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            System.exit(1);
            return null;
        });
        streams.start();
        done.await();
        streams.close(Duration.ofSeconds(60));
        System.out.printf(Locale.ROOT, "records %d cpu_s %.3f wall_s %.3f%n", records - records / 5, (cpu() - cpuAtFifth) / 1e9,
            (System.nanoTime() - nanosAtFifth) / 1e9);
        System.exit(0);
    }

    static long cpu() { return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime(); }

    static Schema schema(String folder, String name) throws IOException {
        return new Schema.Parser().parse(new File(folder, name + ".avsc"));
    }

    static class Network implements Processor<byte[], byte[], byte[], byte[]> {
        final GenericDatumReader<GenericRecord> reader;
        final GenericDatumWriter<GenericRecord> eventWriter, statusWriter;
        final Schema event, status, position;
        final ByteArrayOutputStream buffer = new ByteArrayOutputStream(512);
        ProcessorContext<byte[], byte[]> context;
        KeyValueStore<byte[], byte[]> onus;
        BinaryDecoder decoder;
        BinaryEncoder encoder;
        GenericRecord trap;

        Network(Schema trap, Schema event) {
            this.event = event;
            status = event.getField("status").schema().getTypes().get(1);
            position = event.getField("position").schema();
            reader = new GenericDatumReader<>(trap);
            eventWriter = new GenericDatumWriter<>(event);
            statusWriter = new GenericDatumWriter<>(status);
        }

        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
            onus = context.getStateStore("onus");
        }

        public void process(Record<byte[], byte[]> record) {
            try {
                take(record);
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
            long n = seen.incrementAndGet();
            if (n == records / 5) {
                cpuAtFifth = cpu();
                nanosAtFifth = System.nanoTime();
            }
            if (n == records) done.countDown();
        }

        void take(Record<byte[], byte[]> record) throws IOException {
            byte[] value = record.value();
            decoder = DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, decoder);
            trap = reader.read(trap, decoder);
            int[] found = numbers((ByteBuffer) trap.get("pdu"));
            boolean raise = found[0] == 18;
            String root = trap.get("root").toString(), entity = root + "/onu/" + found[1] + "/" + found[2] + "/" + found[3] + "/" + found[4];
            byte[] key = entity.getBytes(java.nio.charset.StandardCharsets.UTF_8);
            long at = (Long) trap.get("received_at");
            byte[] before = onus.get(key);
            ByteBuffer slot = before == null ? ByteBuffer.allocate(17) : ByteBuffer.wrap(before.clone());
            boolean wasOffline = before != null && slot.get(0) == 1;
            long since = wasOffline == raise && before != null ? slot.getLong(1) : at;
            slot.put(0, (byte) (raise ? 1 : 0)).putLong(1, since).putLong(9, Math.max(at, slot.getLong(9) + 1));
            onus.put(key, slot.array());
            GenericRecord where = new GenericData.Record(position);
            var metadata = context.recordMetadata().orElseThrow();
            where.put("generation", 1);
            where.put("partition", metadata.partition());
            where.put("offset", metadata.offset());
            GenericRecord row = new GenericData.Record(status);
            row.put("entity", entity);
            row.put("root", root);
            row.put("kind", "onu");
            row.put("parent", root + "/pon/" + found[1] + "/" + found[2] + "/" + found[3]);
            row.put("state", raise ? "offline" : "online");
            row.put("cause", raise ? "power" : null);
            row.put("since", since);
            row.put("observed_at", at);
            row.put("received_at", at);
            row.put("position", where);
            row.put("wts", slot.getLong(9));
            GenericRecord said = new GenericData.Record(event);
            said.put("entity", entity);
            said.put("root", root);
            said.put("kind", "onu");
            said.put("type", new GenericData.EnumSymbol(event.getField("type").schema(), raise ? "DEVICE_DISCONNECTED" : "DEVICE_CONNECTED"));
            said.put("event", "dying_gasp");
            said.put("phase", new GenericData.EnumSymbol(event.getField("phase").schema(), raise ? "RAISE" : "CLEAR"));
            said.put("severity", raise ? "minor" : null);
            said.put("trap_oid", "1.3.6.1.4.1.2011.6.128.1.1.12.2.2.0." + found[0]);
            said.put("source", "trap");
            said.put("at", at);
            said.put("received_at", at);
            said.put("state", raise ? "offline" : "online");
            said.put("cause", raise ? "power" : null);
            said.put("detail", Map.of());
            said.put("position", where);
            said.put("status", row);
            context.forward(new Record<>(key, encoded(eventWriter, said, 1), record.timestamp()), "events");
            context.forward(new Record<>(key, encoded(statusWriter, row, 2), record.timestamp()), "statuses");
        }

        byte[] encoded(GenericDatumWriter<GenericRecord> writer, GenericRecord record, int id) throws IOException {
            buffer.reset();
            buffer.write(0);
            for (int shift = 24; shift >= 0; shift -= 8) buffer.write(id >> shift);
            encoder = EncoderFactory.get().directBinaryEncoder(buffer, encoder);
            writer.write(record, encoder);
            return buffer.toByteArray();
        }

        /** Last number of snmpTrapOID.0, then frame, slot, port and ONU: the first four varbinds behind it. */
        static int[] numbers(ByteBuffer pdu) {
            int[] found = new int[5];
            int at = pdu.position(), end = pdu.limit();
            at = header(pdu, at);
            for (int skipped = 0; skipped < 3; skipped++) at = header(pdu, at) + length(pdu, at);
            at = header(pdu, at);
            for (int n = -1; n < 5 && at < end; n++) {
                int name = header(pdu, at), value = header(pdu, name) + length(pdu, name), body = header(pdu, value), size = length(pdu, value);
                if (n >= 0) found[n] = n == 0 ? pdu.get(body + size - 1) : integer(pdu, body, size);
                at = body + size;
            }
            return found;
        }

        static int integer(ByteBuffer pdu, int at, int size) {
            int value = pdu.get(at);
            for (int i = 1; i < size; i++) value = value << 8 | pdu.get(at + i) & 0xff;
            return value;
        }

        static int length(ByteBuffer pdu, int at) {
            int first = pdu.get(at + 1) & 0xff, value = 0;
            if (first < 0x80) return first;
            for (int i = 0; i < (first & 0x7f); i++) value = value << 8 | pdu.get(at + 2 + i) & 0xff;
            return value;
        }

        /** Where the content of the element at `at` begins. */
        static int header(ByteBuffer pdu, int at) {
            int first = pdu.get(at + 1) & 0xff;
            return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
        }
    }
}
