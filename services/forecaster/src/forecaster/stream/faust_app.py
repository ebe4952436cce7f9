"""The Faust application: its settings, its table, and how it is reached."""

import asyncio
import ssl
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import faust
from faust.streams import _current_event
from faust.types import EventT, FutureMessage
from mode.supervisors import CrashingSupervisor

from forecaster.stream.transport import App
from restock_common.contracts.envelope import Record
from restock_common.contracts.topics import DEMAND
from restock_common.settings import KafkaSettings

APP_ID = "restock-forecaster"
TABLE = "demand"
_CHECKPOINT_RECORDS_MAX = 1_000_000

_ROCKSDB = {
    # a few hundred bytes a key: Faust's defaults reserve gigabytes for each partition
    "write_buffer_size": 16 << 20,
    "max_write_buffer_number": 2,
    "target_file_size_base": 16 << 20,
    "block_cache_size": 32 << 20,
}


class Table(faust.Table[bytes, bytes]):
    """A table whose writes to the changelog can be waited for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sent: list[FutureMessage] = []

    def send_changelog(self, *args: Any, **kwargs: Any) -> FutureMessage:
        """Send one record and remember it."""
        future = super().send_changelog(*args, **kwargs)
        self._sent.append(future)
        return future

    def stored(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every record of the partitions that are assigned here."""
        yield from self.data.items()

    async def write(self, event: EventT[Any], records: Mapping[bytes, bytes]) -> None:
        """Put records into the partition of an event; returns once the broker has all of them."""
        # a table writes to the partition of the event that is being handled in this context
        token = _current_event.set(weakref.ref(event))
        try:
            for name, value in records.items():
                self[name] = value
        finally:
            _current_event.reset(token)
        sent, self._sent = self._sent, []
        await asyncio.gather(*sent)


def new_app(kafka: KafkaSettings, data_dir: Path) -> App:
    """Return the application, not yet started.

    Args:
        kafka: How to reach the broker.
        data_dir: Where RocksDB lives.
    """
    app = App(APP_ID, **_options(kafka, data_dir))
    # a checkpoint hands over thousands of records at once, which is no reason to warn or to wait
    app.producer.buffer.max_messages = _CHECKPOINT_RECORDS_MAX
    return app


def new_table(app: faust.App, kafka: KafkaSettings) -> Table:
    """Return the table of states; its changelog is compacted and as wide as the demand topic."""
    table = app.Table(
        TABLE,
        key_type=bytes,
        value_type=bytes,
        partitions=DEMAND.partitions,
        options=dict(_ROCKSDB),  # Faust takes entries out of it
        extra_topic_configs={"min.insync.replicas": str(kafka.kafka_min_insync_replicas)},
    )
    return cast("Table", table)


def add_agent(app: faust.App, run: Any) -> None:
    """Let `run` iterate over the demand topic's raw records; if it raises, the app crashes."""
    topic = app.topic(
        DEMAND.name, key_type=bytes, value_type=bytes, value_serializer="raw", allow_empty=True
    )
    app.agent(topic, name=TABLE, supervisor_strategy=CrashingSupervisor)(run)


def record_of(event: EventT[Any]) -> Record:
    """Return the record that an event was made from."""
    message = event.message
    headers = message.headers or ()
    return Record(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=round(message.timestamp * 1000),
        key=message.key,
        value=message.value,
        headers=list(headers.items() if isinstance(headers, Mapping) else headers),
    )


def _options(kafka: KafkaSettings, data_dir: Path) -> dict[str, Any]:
    session_s = kafka.kafka_session_timeout_ms / 1000
    return {
        "broker": [f"aiokafka://{address}" for address in kafka.kafka_bootstrap.split(",")],
        "broker_credentials": _credentials(kafka),
        "broker_session_timeout": session_s,
        "broker_heartbeat_interval": session_s / 4,
        "broker_commit_interval": 1.0,
        "broker_request_timeout": max(60.0, session_s),
        "consumer_auto_offset_reset": "earliest",
        "producer_acks": -1,
        "producer_linger": 0.005,
        "producer_max_batch_size": 262_144,
        "producer_request_timeout": 120.0,
        "processing_guarantee": "at_least_once",
        # the agent acknowledges in lumps, behind checkpoints: a rebalance must not wait for it
        "stream_wait_empty": False,
        # the embedded broker's ListOffsets lags behind what RocksDB holds; `_check_log` looks
        "recovery_consistency_check": False,
        "topic_replication_factor": kafka.kafka_replication_factor,
        "topic_disable_leader": True,
        "store": "rocksdb://",
        "datadir": data_dir,
        "web_enabled": False,
        "autodiscover": False,
        "Table": Table,
    }


def _credentials(kafka: KafkaSettings) -> Any:
    protocol = kafka.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return None
    context = (
        ssl.create_default_context(cafile=kafka.kafka_ssl_ca_file)
        if "SSL" in protocol.removeprefix("SASL_")
        else None
    )
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    password = kafka.kafka_sasl_password
    return faust.SASLCredentials(
        mechanism=kafka.kafka_sasl_mechanism,
        username=kafka.kafka_sasl_username,
        password=password.get_secret_value() if password else None,
        ssl_context=context,
    )
