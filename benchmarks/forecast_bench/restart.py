"""How soon a forecaster with so many keys is ready: with its disk, and without."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from _report import said
from forecast_bench.process import forecaster
from forecaster import store
from forecaster.domain.learner import Key
from forecaster.domain.partition import DayTold
from forecaster.domain.state import PartitionState, new_partition
from forecaster.stream.faust_app import APP_ID, TABLE
from restock_common.contracts.envelope import Message, encode
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import DEMAND, Cleanup, Topic
from restock_common.kafka import Producer, first_record, partition_of
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing, Partition, log_identity
from restock_local.platform.base import declare_topics

_LOCATIONS = 5
_DAY = 20_000
_AT_ONCE = 20_000
CHANGELOG = Topic(
    f"{APP_ID}-{TABLE}-changelog", "key", "forecaster", retention=None, cleanup=Cleanup.COMPACT
)


async def measure(
    kafka: KafkaSettings, folder: Path, keys: int, learner: str
) -> dict[str, float | int]:
    """Return the seconds until it is ready, and the bytes of a key.

    Args:
        kafka: A broker without topics.
        folder: Where the process keeps what it writes.
        keys: How many, five locations a sku.
        learner: What has learned them.
    """
    await declare_topics(kafka)
    await declare_topics(kafka, [CHANGELOG])
    producer = Producer(kafka)
    await producer.start()
    await producer.publish([_first(number) for number in range(DEMAND.partitions)])
    key_bytes = 0
    for number in range(DEMAND.partitions):
        first = await first_record(kafka, Partition(DEMAND.name, number))
        assert first is not None
        state = _state(number, keys, learner, log_identity(first))
        written = store.checkpoint(state, 0, 0)
        records = iter([*written.parts.items(), (store.head_name(number), written.head)])
        while some := [
            one for one, _ in zip(_outgoing(number, records), range(_AT_ONCE), strict=False)
        ]:
            await producer.publish(some)
        some_key = next(iter(state.partition.histories))
        key_bytes = len(written.parts[store.part_name(number, ("k", *some_key))])
        said("partition", number, "is on the changelog:", len(written.parts), "parts")
    await producer.stop()
    found: dict[str, float | int] = {"keys": keys, "key_record_bytes": key_bytes}
    for name in ("restore", "restart"):
        started = time.monotonic()
        async with forecaster(kafka, folder, learner=learner) as service:
            ready = await service.until(DEMAND.name, DEMAND.partitions)
        found[f"{name}_s"] = round(ready - started, 1)
        said(name, f"{ready - started:.1f} s")
    shutil.rmtree(folder / "data", ignore_errors=True)
    return found


def _state(number: int, keys: int, learner: str, identity: str) -> PartitionState:
    """Return a partition's share of the keys: each as after a day with demand."""
    one = new_partition(learner)
    sample = Key("sku", "place")
    one.close(_DAY, DayTold({sample: 3}))
    state = PartitionState(number, new_partition(learner), next_offset=1, log_identity=identity)
    state.open_day = _DAY + 1
    kept = state.partition
    for sku_number in range(keys // _LOCATIONS):
        sku = f"sku-{sku_number:07}"
        if partition_of(DEMAND.name, sku.encode()) != number:
            continue
        kept.groups["sku", sku] = one.groups["sku", "sku"]
        for place in range(_LOCATIONS):
            key = Key(sku, f"place-{place}")
            kept.histories[key] = one.histories[sample]
            kept.states[key] = one.states[sample]
            state.published[key] = _DAY
            state.before["k", *key] = b""
    return state


def _first(number: int) -> Outgoing:
    until = datetime(2024, 10, 4, tzinfo=UTC)
    message = Message(id="first", source="/bench", time=until, event=TimeAdvanced(until=until))
    headers, body = encode(message)
    return Outgoing(DEMAND.name, number, None, headers, body)


def _outgoing(number: int, records: Iterator[tuple[bytes, bytes]]) -> Iterator[Outgoing]:
    for name, value in records:
        yield Outgoing(CHANGELOG.name, number, name, [], value)
