"""A stream on a real broker and a real database: crashes, lost answers, bugs."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from tests.integration.restock_common.rig import (
    FIRST,
    Rig,
    StoredBooking,
    halts,
    orders_of,
    place,
    terminate_others,
)
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
from restock_common.contracts.topics import DEMAND, LEDGER
from restock_common.errors import Transient
from restock_common.kafka import partition_of, read_to_end
from restock_common.postgres import Database, PostgresInbox, PostgresWork
from restock_common.transact import Emission, Outgoing, Partition, Writer, transact


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
