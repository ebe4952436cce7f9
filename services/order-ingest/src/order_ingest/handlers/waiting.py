"""What waits for an order or a cart: kept, delivered behind it, or given up."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import timedelta
from typing import Protocol

from order_ingest.domain.waiting import About, Command
from order_ingest.handlers.desk import Desk
from order_ingest.handlers.letters import Letters
from restock_common import telemetry
from restock_common.contracts.envelope import Record
from restock_common.errors import Permanent
from restock_common.postgres import Connection, Database
from restock_common.transact import Outgoing

ORIGIN = "order-ingest/waiting"
"""Stands in a dead letter where the topic of a record stands."""


class WaitingRoom(Protocol):
    """Keeps commands until what they are about is there; `store.PostgresWaitingRoom`."""

    async def add(self, connection: Connection, commands: Sequence[Command]) -> None:
        """Keep commands, but those that wait already."""

    async def awaited(
        self, connection: Connection, about: About, subjects: Sequence[str]
    ) -> Collection[str]:
        """Return those of the subjects that something waits for."""

    async def of(self, connection: Connection, about: About, subject: str) -> list[Command]:
        """Return what waits for a subject, in the order in which it came."""

    async def remove(self, connection: Connection, commands: Sequence[Command]) -> None:
        """Forget commands: they were delivered or given up."""

    async def deliverable(
        self, connection: Connection, behind: tuple[str, str]
    ) -> list[tuple[About, str]]:
        """Return what is there by now and still waited for, some of it, behind a place in it."""

    async def overdue(
        self, connection: Connection, age: timedelta, behind: int
    ) -> tuple[list[Command], int | None]:
        """Return, and lock, some commands that have waited for longer in vain, behind a place.

        With the last place that was looked at; None where there is nothing more.
        """

    async def count(self, connection: Connection) -> int:
        """Return how many commands wait."""


class Waiting:
    """Keeps commands that came too early, and gives them up when what they wait for never comes.

    Nothing is locked. Who keeps a command looks for the order again once that is committed; who
    takes an order looks for commands once that is committed: one of the two sees the other. Should
    it die before it has delivered, the housekeeper does. To deliver twice does no harm.

    Args:
        desk: What is published through.
        letters: Writes dead letters of what is refused or given up.
        database: Where the room is.
        room: Where they wait.
    """

    def __init__(self, desk: Desk, letters: Letters, database: Database, room: WaitingRoom) -> None:
        self._desk = desk
        self._letters = letters
        self._database = database
        self.room = room

    async def keep(self, command: Command) -> None:
        """Keep a command; returns once that is committed. Raises Transient."""
        async with self._database.connection() as connection:
            await self.room.add(connection, [command])

    async def deliver(
        self, first: Outgoing, delivered: Sequence[tuple[Command, Outgoing | Permanent]]
    ) -> None:
        """Publish what was waited for and then what waited, in order; what is refused, as letters.

        Raises:
            Transient: All wait on.
        """
        outcomes = [entry if isinstance(entry, Outgoing) else None for _, entry in delivered]
        entries = [
            entry if isinstance(entry, Outgoing) else self._letter(command, entry)
            for command, entry in delivered
        ]
        await self._desk.publish([first, *entries])
        async with self._database.connection() as connection:
            await self.room.remove(connection, [command for command, _ in delivered])
        refused = outcomes.count(None)
        telemetry.WAITED.labels("refused").inc(refused)
        telemetry.WAITED.labels("delivered").inc(len(outcomes) - refused)

    async def deliverable(self) -> AsyncIterator[tuple[About, str]]:
        """Yield what is there by now and still waited for; nobody else has delivered it.

        Some of it cannot be delivered yet: what stands behind it does not wait for that.
        """
        behind = ("", "")
        while True:
            async with self._database.connection() as connection:
                some = await self.room.deliverable(connection, behind)
            if not some:
                return
            for one in some:
                yield one
            behind = some[-1]

    async def give_up(self, age: timedelta) -> None:
        """Make dead letters of commands that have waited for too long. Raises Transient."""
        behind: int | None = 0
        while behind is not None:
            behind = await self._give_up_some(age, behind)

    async def _give_up_some(self, age: timedelta, behind: int) -> int | None:
        async with self._database.transaction() as connection:
            commands, last = await self.room.overdue(connection, age, behind)
            reason = f"given up after {age.days} days"
            await self._desk.publish(
                [
                    self._letter(one, Permanent(f"{one.reason}: {reason}", field=one.about))
                    for one in commands
                ]
            )
            await self.room.remove(connection, commands)
            telemetry.WAITING.set(await self.room.count(connection))
        telemetry.WAITED.labels("given_up").inc(len(commands))
        return last

    def _letter(self, command: Command, error: Permanent) -> Outgoing:
        record = Record(
            topic=ORIGIN,
            partition=0,
            offset=command.sequence,
            timestamp_ms=int(command.came_at.timestamp() * 1000),
            key=command.subject.encode(),
            value=command.body.encode(),
            headers=[("shop", command.shop.encode()), ("command", command.name.encode())],
        )
        return self._letters.of(record, error)
