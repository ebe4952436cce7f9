"""The waiting room in PostgreSQL: commands that came before what they are about."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import structlog

from order_ingest.domain.waiting import About, Command
from order_ingest.store.master import Sealed
from restock_common.errors import Transient
from restock_common.postgres import Connection
from restock_common.sealing import Seal

log = structlog.get_logger()

_SOME = 500


BODIES = Sealed(
    "waiting",
    ("sequence",),
    "body",
    lambda row: f"{row['event']} waiting for {row['about']} {row['subject']}",
)


class PostgresWaitingRoom:
    """Writes to and reads from the table `waiting`.

    Args:
        master: Encrypts what waits: it may tell who gets an order, whose customer is not known yet.
    """

    def __init__(self, master: Seal) -> None:
        self._master = master

    async def add(self, connection: Connection, commands: Sequence[Command]) -> None:
        """Keep commands, but those that wait already."""
        await connection.executemany(
            "INSERT INTO waiting (about, subject, event, shop, command, body, reason, came_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            [
                (
                    one.about,
                    one.subject,
                    one.event,
                    one.shop,
                    one.name,
                    self._master.seal(one.body.encode(), bound_to=BODIES.place(asdict(one))),
                    one.reason,
                    one.came_at,
                )
                for one in sorted(commands, key=lambda one: (one.subject, one.event))
            ],
        )

    async def awaited(
        self, connection: Connection, about: About, subjects: Sequence[str]
    ) -> Collection[str]:
        """Return those of the subjects that something waits for."""
        rows = await connection.fetch(
            "SELECT DISTINCT subject FROM waiting WHERE about = $1 AND subject = ANY($2)",
            about,
            subjects,
        )
        return {row["subject"] for row in rows}

    async def of(self, connection: Connection, about: About, subject: str) -> list[Command]:
        """Return what waits for a subject, in the order in which it came."""
        rows = await connection.fetch(
            "SELECT * FROM waiting WHERE about = $1 AND subject = $2 ORDER BY sequence",
            about,
            subject,
        )
        return self._readable(rows)

    async def remove(self, connection: Connection, commands: Sequence[Command]) -> None:
        """Forget commands: they were delivered or given up."""
        await connection.execute(
            "DELETE FROM waiting WHERE sequence = ANY($1)", [one.sequence for one in commands]
        )

    async def deliverable(
        self, connection: Connection, behind: tuple[str, str]
    ) -> list[tuple[About, str]]:
        """Return what is there by now and still waited for, some of it, behind a place in it."""
        rows = await connection.fetch(
            "SELECT about, subject FROM waiting JOIN orders ON order_id = subject"
            " WHERE about = 'order' AND (about, subject) > ($2, $3)"
            " UNION SELECT about, subject FROM waiting JOIN register"
            " ON kind = about AND id = subject WHERE about = 'hold' AND (about, subject) > ($2, $3)"
            " ORDER BY about, subject LIMIT $1",
            _SOME,
            *behind,
        )
        return [(row["about"], row["subject"]) for row in rows]

    async def overdue(
        self, connection: Connection, age: timedelta, behind: int
    ) -> tuple[list[Command], int | None]:
        """Return, and lock, some commands that have waited for longer in vain, behind a place.

        With the last place that was looked at; None where there is nothing more.
        """
        rows = await connection.fetch(
            "SELECT * FROM waiting WHERE kept_at < now() - $1::interval AND sequence > $3"
            " AND NOT EXISTS ("
            "SELECT FROM orders WHERE about = 'order' AND order_id = subject) AND NOT EXISTS ("
            "SELECT FROM register WHERE about = 'hold' AND kind = about AND id = subject)"
            " ORDER BY sequence LIMIT $2 FOR UPDATE SKIP LOCKED",
            age,
            _SOME,
            behind,
        )
        return self._readable(rows), rows[-1]["sequence"] if rows else None

    async def count(self, connection: Connection) -> int:
        """Return how many commands wait."""
        return int(await connection.fetchval("SELECT count(*) FROM waiting"))

    def _readable(self, rows: Sequence[Mapping[str, Any]]) -> list[Command]:
        """Return what can be read; the rest waits, and holds nothing up, until its key is given."""
        commands = []
        for row in rows:
            try:
                commands.append(self._command(row))
            except Transient as error:
                log.error("waiting_unreadable", error=str(error))
        return commands

    def _command(self, row: Mapping[str, Any]) -> Command:
        return Command(
            about=row["about"],
            subject=row["subject"],
            event=row["event"],
            shop=row["shop"],
            name=row["command"],
            body=self._body(row),
            came_at=row["came_at"],
            sequence=row["sequence"],
        )

    def _body(self, row: Mapping[str, Any]) -> str:
        """Return what was said; what has waited since before such things were sealed is JSON."""
        kept: bytes = row["body"]
        return (kept if kept.startswith(b"{") else BODIES.open(self._master, row)).decode()
