"""Prints the records of an Atalaia topic as JSON lines, each once: see docs/consumers.md.

    events.py --brokers 127.0.0.1:9092 --registry http://127.0.0.1:8081 [--topic atalaia.device-events] [--group NAME] [--to-end]
"""

import argparse
import datetime
import io
import json
import sys
import urllib.request

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from fastavro import parse_schema, schemaless_reader

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--brokers", required=True)
arguments.add_argument("--registry", required=True)
arguments.add_argument("--topic", default="atalaia.device-events")
arguments.add_argument("--group", default="events-example")
arguments.add_argument("--to-end", action="store_true", help="stop at the present end of the topic")
arguments = arguments.parse_args()

schemas = {}  # by id
highest = {}  # record id, by partition
at_end = set()  # partitions


def schema(number):
    """The schema with this id; it never changes, so it is asked for once."""
    if number not in schemas:
        with urllib.request.urlopen(f"{arguments.registry}/schemas/ids/{number}", timeout=10) as answer:
            schemas[number] = parse_schema(json.loads(json.load(answer)["schema"]))
    return schemas[number]


def decode(value):
    """Name and fields of a value: a zero byte, the schema id (4 bytes, big-endian), the Avro body."""
    if value[:1] != b"\0":
        raise ValueError("not in Confluent wire format")
    writer = schema(int.from_bytes(value[1:5], "big"))
    return writer["name"].split(".")[-1], schemaless_reader(io.BytesIO(value[5:]), writer, None)


def text(value):
    """What JSON cannot say by itself."""
    return value.isoformat() if isinstance(value, datetime.datetime) else value.hex()


def take_up(consumer, partitions):
    """Goes on where the group stopped: the highest record id was committed with the position."""
    for committed in consumer.committed(partitions, timeout=10):
        highest[committed.partition] = bytes.fromhex(committed.metadata or "")
    consumer.assign(partitions)


def print_new(message):
    """The id rule: keep the highest record id of the partition, drop what is not higher."""
    record_id = dict(message.headers() or []).get("record-id", b"")
    partition = message.partition()
    if record_id:
        if record_id <= highest.get(partition, b""):
            return
        highest[partition] = record_id
    name, fields = decode(message.value()) if message.value() is not None else (None, None)
    line = {"topic": message.topic(), "partition": partition, "offset": message.offset(), "id": record_id.hex()}
    line |= {"key": (message.key() or b"").decode(), "record": name, "value": fields}  # without a value: deleted
    print(json.dumps(line, default=text, ensure_ascii=False), flush=True)


settings = {"bootstrap.servers": arguments.brokers, "group.id": arguments.group, "auto.offset.reset": "earliest"}
# Only what stands for good, and positions are committed by us alone, after the work.
settings |= {"isolation.level": "read_committed", "enable.auto.commit": False, "enable.partition.eof": True}
consumer = Consumer(settings)
consumer.subscribe([arguments.topic], on_assign=take_up)
try:
    while not (arguments.to_end and highest and at_end >= highest.keys()):
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            if message.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(message.error())
            at_end.add(message.partition())
            continue
        print_new(message)
        partition = message.partition()
        mark = highest[partition].hex()
        # One by one for clearness; a busy consumer commits now and then, both together as here.
        position = TopicPartition(message.topic(), partition, message.offset() + 1, metadata=mark)
        consumer.commit(offsets=[position], asynchronous=False)
except KeyboardInterrupt:
    sys.exit(130)
finally:
    consumer.close()
