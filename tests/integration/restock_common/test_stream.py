"""A stream on a real broker and a real database: crashes, take-overs, wrong logs."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.integration.restock_common.rig import SHARD_NUMBERS, Rig, StoredBooking, terminate_others
from tests.support import (
    message,
    outgoing,
    publish,
    publish_raw,
    read_letters,
    read_messages,
    until,
)
from tests.unit.restock_common.memory import NINE, UNLUCKY, placed

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import DEMAND, LEDGER, SHARDS
from restock_common.errors import Transient
from restock_common.kafka import partition_of, read_to_end
from restock_common.postgres import Database, PostgresInbox, PostgresWork
from restock_common.runtime import Stream
from restock_common.transact import Cursor, Emission, Outgoing, Partition, Writer, transact

FIRST = Partition(LEDGER.name, 0)


async def place(rig: Rig, prefix: str, count: int) -> dict[str, int]:
    """Publish orders over all shards; return what must be booked."""
    for shard in SHARD_NUMBERS:
        orders = [
            placed(f"{prefix}-{n}", 1) for n in range(count) if n % len(SHARD_NUMBERS) == shard
        ]
        await publish(rig.kafka, orders, partition=shard)
    return {f"{prefix}-{n}/1": 1 for n in range(count)}


def orders_of(lines: Iterable[str]) -> list[str]:
    return sorted(line.partition("/")[0] for line in lines)


async def test_everything_is_booked_once_and_published(rig: Rig) -> None:
    expected = await place(rig, "plain", 40)
    async with rig.stream("plain") as stream:
        await rig.quiet(stream)
        assert await rig.booked("plain") == expected
        assert await rig.demand_seen_once("plain", "plain") == orders_of(expected)


async def test_what_cannot_be_handled_is_set_aside_and_the_stream_goes_on(rig: Rig) -> None:
    bad = Outgoing(LEDGER.name, 0, b"\x00", [("ce_id", b"\xff")], b"\x00\xff")
    unlucky = outgoing(message(placed("letters-1", UNLUCKY)), partition=0)
    good = outgoing(message(placed("letters-2", 1)), partition=0)
    await publish_raw(rig.kafka, [bad, unlucky, good])
    async with rig.stream("letters") as stream:
        await rig.quiet(stream)
    assert await rig.booked("letters") == {"letters-2/1": 1}
    letters = await read_letters(rig.kafka)
    mine = [(letter, held) for letter, held in letters if letter.consumer == "letters"]
    assert [(letter.field, letter.source_partition) for letter, _ in mine] == [
        ("header ce_id", 0),
        ("lines.quantity", 0),
    ]
    assert [letter.reason for letter, _ in mine] == ["is not UTF-8", "is unlucky"]
    assert [held.reason for _, held in mine] == ["is not UTF-8: b'\\xff'", f"is unlucky: {UNLUCKY}"]
    assert (mine[0][1].key, mine[0][1].body) == (b"\x00", b"\x00\xff")


async def test_what_was_committed_but_not_published_is_published_by_the_next(rig: Rig) -> None:
    """The first writer dies between its commit and its publish."""
    told = [placed("dead-1", 1), TimeAdvanced(until=NINE), placed("dead-2", 1)]
    await publish(rig.kafka, told, partition=0)
    records = [r async for r in read_to_end(rig.kafka, LEDGER) if r.partition == 0]
    cursor = await rig.inbox.take_over(FIRST)
    await transact(
        rig.inbox,
        StoredBooking(),
        Writer("dead", partition_of),
        FIRST,
        cursor.epoch,
        records,
    )
    assert await rig.demand_seen_once("dead", "dead") == []
    async with rig.stream("dead") as stream:
        await rig.quiet(stream)
    assert await rig.booked("dead") == {"dead-1/1": 1, "dead-2/1": 1}
    assert await rig.demand_seen_once("dead", "dead") == ["dead-1", "dead-2"]
    passed_on = [
        one.event.until
        for one in await read_messages(rig.kafka, DEMAND)
        if isinstance(one.event, TimeAdvanced) and "/dead/" in one.source
    ]
    assert passed_on == [NINE, NINE], "once on each partition that the application passes it on to"
    left = await rig.inbox.unpublished(FIRST, 0, 100)
    assert left
    assert all(entry.kept for entry in left), "time goes once it has been published"


async def test_what_is_published_again_is_taken_once(rig: Rig) -> None:
    """The relay dies between the broker's answer and its mark: everything goes out twice."""
    expected = await place(rig, "again", 12)
    async with rig.stream("again") as stream:
        await rig.quiet(stream)
    async with rig.database.connection() as connection:
        await connection.execute("UPDATE cursors SET published_sequence = 0")
    async with rig.stream("again") as stream:
        await rig.quiet(stream)
    assert await rig.booked("again") == expected
    assert await rig.demand_seen_once("again", "again") == orders_of(expected)


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


async def halts(stream: Stream[Any], reason: str) -> None:
    """Wait until a partition has halted, for a reason."""

    async def halted() -> bool:
        return reason in (stream.not_ready() or "")

    await until(halted, what=f"a partition halts: {reason}")


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


async def test_a_bug_halts_its_partition_alone(rig: Rig) -> None:
    class Buggy(StoredBooking):
        def handle(self, state: Any, message: Message[Event]) -> Iterable[Emission]:
            if message.partition == 0 and getattr(message.event, "order", "") == "bug-4":
                raise ZeroDivisionError("a bug")
            return super().handle(state, message)

    async with rig.stream("bug", Buggy()) as stream:
        await rig.quiet(stream)
        await place(rig, "bug", 8)

        await halts(stream, "a bug")

        async def others() -> bool:
            return len(await rig.booked("bug")) >= 6

        await until(others, what="the other partitions go on")
        assert set(await rig.booked("bug")).isdisjoint({"bug-4/1"})


async def test_a_connection_lost_in_the_middle_of_a_batch(rig: Rig) -> None:
    class Unlucky(StoredBooking):
        cuts = 2

        async def save(self, connection: Any, state: Counter[str]) -> None:
            await super().save(connection, state)
            if self.cuts and any(line.startswith("lost-") for line in state):
                self.cuts -= 1
                async with other.connection() as killer:
                    await terminate_others(killer)

    other = Database(rig.database._url, max_connections=1)
    await other.open()
    application = Unlucky()
    expected = await place(rig, "lost", 20)
    async with rig.stream("lost", application) as stream:
        await rig.quiet(stream)
    await other.close()
    assert application.cuts == 0
    assert await rig.booked("lost") == expected
    assert await rig.demand_seen_once("lost", "lost") == orders_of(expected)


class ForgetfulInbox(PostgresInbox):
    """Commits, and then loses the answer: the caller cannot know that it was kept."""

    losses = 3

    @asynccontextmanager
    async def begin(self, partition: Partition, epoch: int) -> AsyncIterator[PostgresWork]:
        """Raise after the commit, a few times."""
        async with super().begin(partition, epoch) as work:
            yield work
        if self.losses:
            self.losses -= 1
            raise Transient("the commit's answer was lost")


async def test_a_commit_whose_answer_is_lost(rig: Rig) -> None:
    expected = await place(rig, "answer", 20)
    inbox = ForgetfulInbox(rig.database, keep_journal=True)
    async with rig.stream("answer", inbox=inbox) as stream:
        await rig.quiet(stream)
    assert inbox.losses == 0
    assert await rig.booked("answer") == expected
    assert await rig.demand_seen_once("answer", "answer") == orders_of(expected)


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


class LateInbox(ForgetfulInbox):
    """The lost commit comes to light late: the first look after it finds the cursor as it was."""

    async def cursor(self, partition: Partition) -> Any:
        """Return where the cursor stood before the commit that is still under way."""
        found = await super().cursor(partition)
        return self.before.pop(partition, found)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.before: dict[Partition, Any] = {}

    @asynccontextmanager
    async def begin(self, partition: Partition, epoch: int) -> AsyncIterator[PostgresWork]:
        """Remember the cursor of a commit whose answer is lost."""
        losing = self.losses > 0
        async with super().begin(partition, epoch) as work:
            if losing:
                self.before[partition] = work.cursor
            yield work


async def test_a_commit_that_comes_to_light_late(rig: Rig) -> None:
    expected = await place(rig, "late", 20)
    inbox = LateInbox(rig.database, keep_journal=True)
    async with rig.stream("late", inbox=inbox) as stream:
        await rig.quiet(stream)
    assert await rig.booked("late") == expected
    assert await rig.demand_seen_once("late", "late") == orders_of(expected)


async def test_what_comes_from_within_is_decided_on_its_partition(rig: Rig) -> None:
    async with rig.stream("within") as stream:
        await stream.act(FIRST, [message(placed("within-1", 1))])
        await rig.quiet(stream)
    assert await rig.booked("within") == {"within-1/1": 1}
    assert await rig.demand_seen_once("within", "within") == ["within-1"]


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
