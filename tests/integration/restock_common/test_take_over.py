"""Partitions change hands: fences, wrong logs, slow take-overs."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

from tests.integration.restock_common.rig import (
    FIRST,
    SHARD_NUMBERS,
    Rig,
    StoredBooking,
    halts,
    orders_of,
    place,
)
from tests.support import (
    message,
    publish,
    until,
)
from tests.unit.restock_common.memory import placed

from restock_common.contracts.topics import LEDGER, SHARDS
from restock_common.postgres import PostgresInbox
from restock_common.transact import Cursor, Partition


async def test_a_take_over_fences_the_writer_before_it(rig: Rig) -> None:
    async with rig.stream("fenced") as stream:
        await rig.quiet(stream)
        taken = await rig.inbox.take_over(FIRST)
        await place(rig, "fenced", 8)

        async def let_go() -> bool:
            return FIRST not in stream.owned

        await until(let_go, what="the first writer lets go")
        assert (await rig.inbox.cursor(FIRST)).next_offset == taken.next_offset
        assert stream.dead() is None
        assert stream.not_ready() == (
            "fenced: restock.ledger.v1/0: another writer has taken it over:"
            f" its epoch is {taken.epoch}, ours is {taken.epoch - 1}"
        )
        assert len(stream.owned) == len(SHARD_NUMBERS) - 1
    assert "fenced-0/1" not in await rig.booked("fenced")


async def test_two_members_share_the_partitions_and_one_outlives_the_other(rig: Rig) -> None:
    async with rig.stream("shared") as first:
        before = await place(rig, "shared-a", 16)
        async with rig.stream("shared", ready=False) as second:

            async def shared() -> bool:
                both = first.owned | second.owned
                return bool(first.owned and second.owned) and len(both) == len(SHARD_NUMBERS)

            await until(shared, what="both own partitions", timeout_s=45)
            assert not first.owned & second.owned
            during = await place(rig, "shared-b", 16)
        await rig.quiet(first)
        after = await place(rig, "shared-c", 16)
        await rig.quiet(first)
    assert await rig.booked("shared") == before | during | after
    assert await rig.demand_seen_once("shared", "shared") == orders_of(before | during | after)


async def test_a_log_that_ends_before_the_cursor_halts_its_partition_alone(rig: Rig) -> None:
    cursor = await rig.inbox.take_over(FIRST)
    async with rig.database.connection() as connection:
        await connection.execute(
            "UPDATE cursors SET next_offset = 1000000 WHERE epoch = $1", cursor.epoch
        )
    await place(rig, "cut", 8)
    async with rig.stream("cut", ready=False) as stream:

        async def booked() -> bool:
            return len(await rig.booked("cut")) == 6

        await until(booked, what="the other partitions go on")
        await halts(stream, "offset 1000000, the log ends at")
        assert FIRST not in stream.owned
        assert stream.dead() is None


async def test_another_log_is_refused(rig: Rig) -> None:
    await place(rig, "other", 4)
    async with rig.stream("other") as stream:
        await rig.quiet(stream)
    async with rig.database.connection() as connection:
        await connection.execute("UPDATE cursors SET log_identity = 'another' WHERE partition = 0")
    async with rig.stream("other", ready=False) as stream:
        await halts(stream, "built from log another")
        assert FIRST not in stream.owned


class BrokenInbox(PostgresInbox):
    """Cannot take the first partition over, for a reason that no repetition makes right."""

    async def take_over(self, partition: Partition) -> Cursor:
        """Fail on the first partition."""
        if partition == FIRST:
            raise ZeroDivisionError("a bug")
        return await super().take_over(partition)


async def test_a_take_over_that_fails_halts_its_partition_alone(rig: Rig) -> None:
    """The client would log it and go on, and nobody would read the partition."""
    await place(rig, "takeover", 8)
    async with rig.stream("takeover", inbox=BrokenInbox(rig.database), ready=False) as stream:

        async def booked() -> bool:
            return len(await rig.booked("takeover")) == 6

        await until(booked, what="the other partitions go on")
        await halts(stream, "a bug")


class BusyInbox(PostgresInbox):
    """Orders arrive while the last partition is taken over, and the client fetches already."""

    def __init__(self, rig: Rig, prefix: str) -> None:
        super().__init__(rig.database)
        self.rig = rig
        self.prefix = prefix
        self.taken = 0

    async def take_over(self, partition: Partition) -> Cursor:
        """Take over; the last time, let orders come first."""
        self.taken += 1
        if self.taken == len(SHARD_NUMBERS):
            await place(self.rig, self.prefix, 12)
            await asyncio.sleep(0.5)
        return await super().take_over(partition)


async def test_the_database_says_where_to_start_not_the_group(rig: Rig) -> None:
    """A database restored to an earlier moment is behind the group's committed offsets."""
    expected = await place(rig, "restored", 12)
    async with rig.stream("restored") as stream:
        await rig.quiet(stream)
    async with rig.database.connection() as connection:
        await connection.execute("TRUNCATE cursors, journal, batches, booked")
    expected |= {line.replace("restored", "restored-later"): 1 for line in expected}
    async with rig.stream("restored", inbox=BusyInbox(rig, "restored-later")) as stream:
        await rig.quiet(stream)
    assert await rig.booked("restored") == expected


class SlowInbox(PostgresInbox):
    """Taking all partitions over takes longer than the group waits for a silent member."""

    taken = 0

    async def take_over(self, partition: Partition) -> Cursor:
        """Take over, slowly."""
        self.taken += 1
        await asyncio.sleep(0.6)
        return await super().take_over(partition)


async def test_a_slow_take_over_does_not_cost_the_membership(rig: Rig) -> None:
    impatient = replace(rig, kafka=rig.kafka.model_copy(update={"kafka_session_timeout_ms": 1000}))
    expected = await place(rig, "slow", 12)
    inbox = SlowInbox(rig.database)
    async with impatient.stream("slow", inbox=inbox) as stream:
        await rig.quiet(stream)
        assert inbox.taken == SHARDS, "each partition was taken over once"
    assert await rig.booked("slow") == expected


async def test_a_stream_that_is_stopped_while_it_takes_over_ends(rig: Rig) -> None:
    inbox = SlowInbox(rig.database)
    async with rig.stream("brief", inbox=inbox, ready=False) as stream:

        async def taking() -> bool:
            return stream.not_ready() == "partitions are being taken over"

        await until(taking, what="it takes over")
    assert inbox.taken < SHARDS
    assert stream.owned < {Partition(LEDGER.name, number) for number in SHARD_NUMBERS}


class Slow(StoredBooking):
    """Stands still before it decides, from when it is told to until it is told to go on."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def load(self, *_: Any) -> Counter[str]:
        """Wait."""
        if not self.go_on.is_set():
            self.begun.set()
        await self.go_on.wait()
        return await super().load()


async def test_a_partition_that_goes_while_a_batch_waits_for_its_turn(rig: Rig) -> None:
    """What comes from within holds it up; meanwhile the group gives the partition away."""
    slow = Slow()
    async with rig.stream("turn", slow) as stream:
        await rig.quiet(stream)
        slow.go_on.clear()
        acting = asyncio.create_task(stream.act(FIRST, [message(placed("turn-1", 1))]))
        await slow.begun.wait()
        await publish(rig.kafka, [placed("turn-2", 1)], partition=0)

        async def waits() -> bool:
            return bool(stream._locks[FIRST]._waiters)

        await until(waits, what="the batch waits for its turn")
        async with rig.stream("turn", ready=False) as other:

            async def given_away() -> bool:
                return FIRST not in stream.owned

            await until(given_away, what="the partition is given away")
            slow.go_on.set()
            await acting

            async def booked() -> bool:
                assert "halted" not in (stream.not_ready() or "") + (other.not_ready() or "")
                return await rig.booked("turn") == {"turn-1/1": 1, "turn-2/1": 1}

            await until(booked, what="both are booked")
