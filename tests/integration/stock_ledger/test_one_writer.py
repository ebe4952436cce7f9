"""One writer a shard: taken over, fenced, and halted alone."""

import pytest
from tests.integration.stock_ledger.harness import Ledger, open_ledger
from tests.support import read_messages, read_records, until
from tests.unit.stock_ledger.building import counted, order, sourcing

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.topics import DEMAND, LEDGER
from restock_common.errors import Fenced
from restock_common.kafka import partition_of
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition, Writer, transact
from stock_ledger import store
from stock_ledger.stream import SERVICE, LedgerApplication

pytestmark = pytest.mark.kafka

POOLS = (sourcing("north", ["n1"], shard=2),)
SHARD = Partition(LEDGER.name, 2)


async def test_what_a_dead_writer_had_not_published_is_published_by_the_next(
    kafka: KafkaSettings, database_url: str
) -> None:
    async with open_ledger(kafka, database_url) as ledger:
        await ledger.send(2, counted("c", "n1", ("tea", 5)), order("o", ("tea", 2), pools=POOLS))
        records = [one for one in await read_records(kafka, LEDGER) if one.partition == 2]
        old = await ledger.inbox.take_over(SHARD)
        application = LedgerApplication(store)
        writer = Writer(SERVICE, partition_of)
        committed = await transact(ledger.inbox, application, writer, SHARD, old.epoch, records)
        assert committed.journal, "committed, and then the writer dies before it publishes"
        assert await demand_of(ledger, "o") == []

        await ledger.stream.start()
        await ledger.ready()
        await ledger.quiet()
        assert await demand_of(ledger, "o") == ["1"]
        with pytest.raises(Fenced):
            await transact(ledger.inbox, application, writer, SHARD, old.epoch, records)
        (row,) = await ledger.fetch("SELECT count(*) AS orders FROM claims")
        assert row["orders"] == 1


async def test_a_database_that_is_ahead_of_the_log_is_refused(
    kafka: KafkaSettings, database_url: str
) -> None:
    async with open_ledger(kafka, database_url) as ledger:
        await ledger.inbox.take_over(Partition(LEDGER.name, 3))
        async with ledger.database.connection() as connection:
            await connection.execute("UPDATE cursors SET next_offset = 1000 WHERE partition = 3")
        await ledger.stream.start()

        async def halted() -> bool:
            return "stands at offset 1000" in (ledger.stream.not_ready() or "")

        await until(halted, what="shard 3 refuses the log")
        await ledger.quiet(without=[3])


async def test_a_broken_check_halts_its_shard_and_no_other(
    kafka: KafkaSettings, database_url: str
) -> None:
    async with open_ledger(kafka, database_url) as ledger:
        async with ledger.database.connection() as connection:
            await connection.execute(
                "ALTER TABLE stock ADD CHECK (shard <> 1 OR free < 100)"  # stands for a bug
            )
        await ledger.stream.start()
        await ledger.ready()
        await ledger.send(1, counted("bad", "s1", ("tea", 100), pool="south"))
        await ledger.send(0, counted("good", "n1", ("tea", 100)))

        async def halted() -> bool:
            return "CheckViolationError" in (ledger.stream.not_ready() or "")

        await until(halted, what="shard 1 halts")
        await ledger.quiet(without=[1])
        booked = {level["shard"] for level in await ledger.queries.stock(["tea"])}
        assert 0 in booked
        assert 1 not in booked
        shards = {one["shard"]: one for one in await ledger.queries.shards()}
        assert shards[1]["next_offset"] == 0


async def test_movements_cannot_be_changed(kafka: KafkaSettings, database_url: str) -> None:
    async with open_ledger(kafka, database_url) as ledger:
        for statement in ("UPDATE movements SET units = 1", "DELETE FROM movements"):
            with pytest.raises(Exception, match="movements are append-only"):
                await ledger.fetch(statement)


async def demand_of(ledger: Ledger, name: str) -> list[str]:
    """Return the lines of an order whose demand has been published."""
    told = [one.event for one in await read_messages(ledger.kafka, DEMAND)]
    return [one.line for one in told if isinstance(one, DemandObserved) and one.order == name]
