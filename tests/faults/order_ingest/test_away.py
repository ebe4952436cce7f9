"""Kafka, PostgreSQL and both are away under load: what was accepted is in the log, in order."""

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.faults.order_ingest.conftest import Replicas
from tests.faults.order_ingest.senders import Senders
from tests.faults.stock_ledger.process import LedgerProcess
from tests.support import read_messages, until

from restock_common.contracts.ledger import StockPolicySet
from restock_common.contracts.topics import LEDGER
from restock_common.kafka import log_bounds
from restock_common.transact import Partition

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

_MOMENT_S = 1.0
_ENOUGH = 30
"""So many acceptances show that the doors go on."""


@asynccontextmanager
async def without(replicas: Replicas, *away: str) -> AsyncIterator[None]:
    """Kill the broker or the database server, or both; they are back when this is left."""
    platform = replicas.platform
    async with AsyncExitStack() as back:
        if "kafka" in away:
            await platform.broker.kill()
            back.push_async_callback(platform.broker.restart)
        if "postgresql" in away:
            await platform.databases.kill()
            back.push_async_callback(platform.databases.restart)
        yield


async def goes_on(replicas: Replicas, senders: Senders, status: int) -> None:
    """Wait until many more are answered so."""
    before = senders.statuses[status]

    async def enough() -> bool:
        replicas.check()
        senders.check()
        return senders.statuses[status] >= before + _ENOUGH

    await until(enough, what=f"answers {status}", timeout_s=60)


@dataclass
class Log:
    """What the ledger's log says of what the senders have sent.

    Attributes:
        chains: The event ids of each order, each where it stands first.
        policies: The safety stocks of each location.
        events: How many events there are of those orders, with repeats.
    """

    chains: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    policies: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    events: int = 0


async def read(replicas: Replicas, senders: Senders) -> Log:
    """Read the log as it is now."""
    log = Log()
    for one in await read_messages(replicas.platform.kafka, LEDGER):
        if isinstance(one.event, StockPolicySet):
            log.policies[one.event.location].append(one.event.safety_stock)
        elif (name := getattr(one.event, "order", None)) in senders.chains:
            log.events += 1
            log.chains[name][one.id] = None
    return log


async def all_in_order(replicas: Replicas, senders: Senders) -> int:
    """Fail where something accepted is missing or overtaken; return how often events repeat."""

    async def drained() -> bool:
        replicas.check()
        return await replicas.spooled() == 0

    await until(drained, what="the spool is empty", timeout_s=60)
    expected = sum(map(len, senders.chains.values()))

    async def complete() -> bool:
        log = await read(replicas, senders)
        return sum(map(len, log.chains.values())) >= expected

    await until(complete, what="all that was accepted", timeout_s=20, every_s=0.5)
    log = await read(replicas, senders)
    for name, told in senders.chains.items():
        assert list(log.chains[name]) == told, f"{name} is not in the log as it was accepted"
    for location, units in senders.policies.items():
        assert log.policies[location][-1] == units, "the last word is the last"
    return log.events - expected


@pytest.mark.parametrize(
    "away",
    [
        pytest.param(("kafka",), marks=pytest.mark.apache),
        ("postgresql",),
        pytest.param(("kafka", "postgresql"), marks=pytest.mark.apache),
    ],
    ids="+".join,
)
async def test_what_was_accepted_is_in_the_log_once_and_in_order(
    replicas: Replicas, away: tuple[str, ...]
) -> None:
    seed = secrets.randbelow(1_000_000)
    senders = Senders(replicas.doors, prefix=f"away{seed}", seed=seed)
    senders.start()
    try:
        await goes_on(replicas, senders, 202)
        async with without(replicas, *away):
            await goes_on(replicas, senders, 503 if "postgresql" in away else 202)
            await asyncio.sleep(_MOMENT_S)
        await goes_on(replicas, senders, 202)
        await senders.stop()
    finally:
        await senders.cancel()
    repeats = await all_in_order(replicas, senders)
    if away == ("kafka",):
        assert set(senders.statuses) == {202}, "nobody is sent away while Kafka is"
    figures = {"orders": len(senders.chains), "repeats": repeats, "statuses": senders.statuses}
    print(json.dumps({"away": away, "seed": seed, **figures}))


async def test_the_ledger_has_booked_each_once(replicas: Replicas, tmp_path: Path) -> None:
    """All that the tests before this one have sent, by one ledger."""
    placed = {
        one.event.order
        for one in await read_messages(replicas.platform.kafka, LEDGER)
        if one.event.type_name() == "restock.OrderPlaced.v1"
    }
    url = await replicas.platform.new_database("faults_ledger_of_doors")
    ledger = LedgerProcess(replicas.platform.kafka, url, tmp_path / "ledger.log")
    ledger.start()
    try:
        await ledger.ready()
        shards = [Partition(LEDGER.name, number) for number in range(LEDGER.partitions)]

        async def at_the_end() -> bool:
            """It writes there itself, so it has read all when there is nothing after it."""
            ledger.check()
            bounds = await log_bounds(replicas.platform.kafka, shards)
            return await ledger.taken() == sum(end for _, end in bounds.values())

        await until(at_the_end, what="the ledger has read all", timeout_s=60)
        figures = await ledger.get("/v1/figures")
    finally:
        await ledger.stop()
    await replicas.platform.databases.drop_database("faults_ledger_of_doors")
    assert figures is not None
    assert (figures["orders"], figures["orders_applied_twice"]) == (len(placed), 0)
