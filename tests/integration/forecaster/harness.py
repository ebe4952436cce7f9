"""The forecaster as it is deployed, in its own process, and logs for it to read."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.support import message, outgoing, publish_raw, read_messages, read_records, until
from tests.unit.forecaster.sample import Shards, midnight
from threadpoolctl import threadpool_limits

from forecaster import handlers, store
from forecaster.domain.checkpoint import Loaded
from forecaster.domain.state import PartitionState
from forecaster.stream.faust_app import APP_ID, TABLE
from restock_common.contracts.catalogue import CatalogueEntity, Location, Product
from restock_common.contracts.demand import FactsNoted
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import Place, TimeAdvanced
from restock_common.contracts.promotions import Promotion
from restock_common.contracts.topics import DEMAND, FORECASTS, INSIGHTS
from restock_common.errors import Permanent
from restock_common.kafka import log_bounds, partition_of, read_partitions_to_end
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing, Partition, log_identity

threadpool_limits(1)  # as the service does: more threads add up in another order

PARTITIONS = [Partition(DEMAND.name, number) for number in range(DEMAND.partitions)]
CHANGELOG = f"{APP_ID}-{TABLE}-changelog"
ADMIN_KEY = "a planner's key"
SKUS = [f"sku-{number:03}" for number in range(150)]


class Log:
    """The demand topic as the ledger's shards write it, day by day."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._shards = Shards()

    async def ask(self, day: int) -> None:
        """Publish a day's demand: every sku at one of two locations, some at both."""
        sent = []
        for number, sku in enumerate(SKUS):
            if (number + day) % 3 == 0:
                continue
            for location in ("north", "south")[: 1 + (number + day) % 2]:
                units, shard = 1 + (number * 7 + day) % 5, number % 4
                sent.append(self._shards.asks(day, sku, units, location=location, shard=shard))
        await publish_raw(self._kafka, [outgoing(one) for one in sent])

    async def advance(self, day: float) -> None:
        """Pass the time on from every shard to every partition."""
        sent = [
            outgoing(one, partition=number, topic=DEMAND)
            for number in range(DEMAND.partitions)
            for one in self._shards.time(midnight(day))
        ]
        await publish_raw(self._kafka, sent)

    async def plan(self) -> None:
        """Publish what catalogue and promotions say: a place, some skus, and a promotion."""
        told: list[CatalogueEntity] = [
            Location(location=place, pool="pool", place=Place(latitude=0, longitude=0))
            for place in ("north", "south")
        ]
        told += [Product(sku=sku, supplier="s", category="tea", unit_price=4.0) for sku in SKUS[:9]]
        told.append(
            Promotion(
                promotion="spring",
                sku=SKUS[0],
                starts_on=midnight(4).date(),
                ends_on=midnight(6).date(),
                discount_share=0.2,
            )
        )
        await publish_raw(self._kafka, [outgoing(message(one)) for one in told])

    async def spoil(self, partition: int) -> None:
        """Publish a record that can never be handled."""
        bad = Outgoing(DEMAND.name, partition, None, [("ce_specversion", b"1.0")], b"{}")
        await publish_raw(self._kafka, [bad])


class Process:
    """A forecaster process and its door."""

    def __init__(self, process: asyncio.subprocess.Process, client: httpx.AsyncClient) -> None:
        self.process = process
        self.client = client

    async def offsets(self) -> dict[int, int] | None:
        """Return its next offsets; None while it does not answer or is not ready."""
        try:
            told = (await self.client.get("/v1/progress")).json()
        except httpx.TransportError:
            assert self.process.returncode is None, "the process ended by itself"
            return None
        if not told["ready"]:
            return None
        return {
            int(number): next_ for number, next_ in told["offsets"].get(DEMAND.name, {}).items()
        }

    async def taken(self) -> int:
        """Return how many records it has taken."""
        return sum((await self.offsets() or {}).values())

    async def ready(self) -> None:
        """Wait until all partitions are assigned to it and restored."""

        async def owns_all() -> bool:
            return len(await self.offsets() or {}) == DEMAND.partitions

        await until(owns_all, what="the forecaster is ready", timeout_s=60)

    async def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        self.process.terminate()
        return await self.process.wait()

    async def kill(self) -> None:
        """End it in the middle of whatever it does."""
        self.process.kill()
        await self.process.wait()


async def quiet(kafka: KafkaSettings, processes: Sequence[Process]) -> None:
    """Wait until these processes together have taken everything sent so far."""

    async def is_quiet() -> bool:
        taken: dict[int, int] = {}
        for one in processes:
            taken |= await one.offsets() or {}
        bounds = await log_bounds(kafka, PARTITIONS)
        return all(taken.get(one.number) == end for one, (_, end) in bounds.items())

    await until(is_quiet, what="the forecaster has taken everything", timeout_s=60)


@asynccontextmanager
async def started(
    kafka: KafkaSettings, data_dir: Path, *, stderr: int | None = None
) -> AsyncIterator[Process]:
    """Start the service; killed at the end if it still runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "forecaster",
        stderr=stderr,
        env={
            **os.environ,
            "RESTOCK_KAFKA_BOOTSTRAP": kafka.kafka_bootstrap,
            "RESTOCK_KAFKA_IDEMPOTENT": str(kafka.kafka_idempotent),
            "RESTOCK_KAFKA_SESSION_TIMEOUT_MS": str(kafka.kafka_session_timeout_ms),
            "RESTOCK_DATA_DIR": str(data_dir),
            "RESTOCK_HTTP_PORT": str(port),
            "RESTOCK_CHECKPOINT_EVERY_EVENTS": "20",
            "RESTOCK_ADMIN_KEY": ADMIN_KEY,
        },
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield Process(process, client)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass(frozen=True)
class Undisturbed:
    """What a forecaster comes to that nothing happens to: the log alone says it.

    Attributes:
        published: On each partition of the forecasts.
        state: All partitions, as bytes.
    """

    published: list[list[Message[Any]]]
    state: dict[bytes, bytes]


async def undisturbed(kafka: KafkaSettings) -> Undisturbed:
    """Return what an undisturbed forecaster would have come to by now."""
    states = [PartitionState(number) for number in range(DEMAND.partitions)]
    published: list[list[Message[Any]]] = [[] for _ in states]
    for record in await read_records(kafka, DEMAND):
        state = states[record.partition]
        if record.offset == 0:
            state.log_identity = log_identity(record)
        state.next_offset = record.offset + 1
        try:
            message = handlers.read(record)
            if message is not None:
                told = handlers.take(state, message)
                published[record.partition] += [m for m in told if m.event.topic is not INSIGHTS]
        except Permanent:
            continue
    return Undisturbed(published, {k: v for one in states for k, v in store.whole(one).items()})


async def sites_noted(kafka: KafkaSettings) -> bool:
    """Return whether every partition has been told of all sites and their skus' plans."""
    records = await read_records(kafka, DEMAND)
    kind = ("ce_type", FactsNoted.type_name().encode())
    notes = [
        FactsNoted.model_validate_json(one.value or b"") for one in records if kind in one.headers
    ]
    complete = {one.partition for one in notes if one.complete}
    return len(complete) == DEMAND.partitions and any(one.promotions for one in notes)


async def expected(kafka: KafkaSettings) -> list[list[Message[Any]]]:
    """Return what an undisturbed forecaster publishes on each partition."""
    return (await undisturbed(kafka)).published


async def written_down(kafka: KafkaSettings) -> dict[bytes, bytes]:
    """Return all that a forecaster has learned, as the changelog has it."""
    partitions = [Partition(CHANGELOG, number) for number in range(DEMAND.partitions)]
    latest: dict[bytes, bytes] = {}
    async for record in read_partitions_to_end(kafka, partitions):
        assert record.key is not None
        assert record.value is not None
        latest[record.key] = record.value
    found: dict[bytes, bytes] = {}
    for one in store.load(latest.items(), range(DEMAND.partitions)).values():
        assert isinstance(one, Loaded), one
        found |= store.whole(one.state)
    return found


async def published(kafka: KafkaSettings) -> list[list[Message[Any]]]:
    """Return what was published on each partition, what was said again left out."""
    by_partition: list[dict[str, Message[Any]]] = [{} for _ in range(FORECASTS.partitions)]
    for one in await read_messages(kafka, FORECASTS):
        number = (
            int(one.source.rpartition("/")[2])
            if isinstance(one.event, TimeAdvanced)
            else partition_of(FORECASTS.name, one.event.sku.encode())
        )
        first = by_partition[number].setdefault(one.id, one)
        assert first.event == one.event, "said again, but otherwise"
    return [list(one.values()) for one in by_partition]
