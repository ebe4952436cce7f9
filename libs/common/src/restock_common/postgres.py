"""PostgreSQL through asyncpg: the pool, migrations, and the inbox that `transact` works on."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from typing import Any, Protocol

import asyncpg
import orjson

from restock_common.contracts.envelope import Position
from restock_common.errors import Fenced, InvariantBroken, Transient
from restock_common.transact import Cursor, Outgoing, Partition

_MIGRATION_LOCK = 7_265_737_416  # any constant: one migrator at a time in a database
_RETRYABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.OperatorInterventionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    ConnectionError,
    OSError,
    TimeoutError,
)


class Connection(Protocol):
    """The part of an asyncpg connection that stores use."""

    async def execute(self, query: str, *args: Any) -> str:
        """Run a statement."""

    async def executemany(self, query: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row of arguments."""

    async def fetch(self, query: str, *args: Any) -> list[Mapping[str, Any]]:
        """Return all rows."""

    async def fetchrow(self, query: str, *args: Any) -> Mapping[str, Any] | None:
        """Return the first row."""

    async def fetchval(self, query: str, *args: Any) -> Any:
        """Return the first value of the first row."""

    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[Any]], columns: Sequence[str]
    ) -> str:
        """Append rows by COPY."""


class Database:
    """A pool of connections to one service's database."""

    def __init__(self, url: str, *, max_connections: int = 8) -> None:
        self._url = url
        self._max_connections = max_connections
        self._pool: Any = None

    async def open(self) -> None:
        """Connect, unless that is done. Raises Transient where the server does not answer."""
        if self._pool is not None:
            return
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=self._max_connections,
                init=_prepare,
                command_timeout=60,
            )
        except _RETRYABLE as error:
            raise Transient(f"PostgreSQL does not answer: {error!r}") from error

    async def close(self) -> None:
        """Give the connections back."""
        if self._pool is not None:
            await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection, outside any transaction. Raises Transient as `transaction` does."""
        try:
            async with self._pool.acquire() as connection:
                try:
                    yield connection
                except asyncpg.InterfaceError as error:
                    if connection.is_closed():
                        raise
                    # A wrong argument or use, which no repetition makes right.
                    raise InvariantBroken(f"PostgreSQL: {error}") from error
        except _RETRYABLE as error:
            raise Transient(f"PostgreSQL: {error!r}") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction, committed when left without an error.

        Raises:
            Transient: The server went away or chose this transaction to give way. After a commit
                that was not answered, the caller must look at what is there.
        """
        async with self.connection() as connection, connection.transaction():  # type: ignore[attr-defined]
            yield connection

    async def migrate(self, packages: Sequence[str]) -> list[str]:
        """Run each package's `migrations/*.sql` that has not run, in order; return their names.

        Raises:
            InvariantBroken: A migration that has run was changed afterwards.
        """
        done = []
        async with self.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS migrations (package text, name text, digest text "
                "NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), "
                "PRIMARY KEY (package, name))"
            )
            rows = await connection.fetch("SELECT package, name, digest FROM migrations")
            applied = {(row["package"], row["name"]): row["digest"] for row in rows}
            for package in packages:
                folder = files(package) / "migrations"
                for script in sorted(folder.iterdir(), key=lambda entry: entry.name):
                    if not script.name.endswith(".sql"):
                        continue
                    text = script.read_text()
                    digest = sha256(text.encode()).hexdigest()
                    known = applied.get((package, script.name))
                    if known is None:
                        await connection.execute(text)
                        await connection.execute(
                            "INSERT INTO migrations (package, name, digest) VALUES ($1, $2, $3)",
                            package,
                            script.name,
                            digest,
                        )
                        done.append(f"{package}/{script.name}")
                    elif known != digest:
                        raise InvariantBroken(
                            f"{package}/migrations/{script.name} was changed after it had run"
                        )
        return done


class PostgresWork:
    """One open transaction with its partition's cursor locked."""

    def __init__(self, connection: Connection, cursor: Cursor) -> None:
        self.connection = connection
        self.cursor = cursor

    async def finish(self, cursor: Cursor, journal: Sequence[Outgoing]) -> None:
        """Append the journal and move the cursor, only if epoch and offset are still ours."""
        partition = cursor.partition
        if journal:
            await self.connection.copy_records_to_table(
                "journal",
                records=[
                    (
                        partition.topic,
                        partition.number,
                        entry.sequence,
                        entry.topic,
                        entry.partition,
                        entry.key,
                        [(name, value.decode()) for name, value in entry.headers],
                        entry.body,
                    )
                    for entry in journal
                ],
                columns=(
                    "source_topic",
                    "source_partition",
                    "sequence",
                    "topic",
                    "partition",
                    "key",
                    "headers",
                    "body",
                ),
            )
            await self.connection.execute(
                "INSERT INTO batches (source_topic, source_partition, last_sequence, next_offset,"
                " head) VALUES ($1, $2, $3, $4, $5)",
                partition.topic,
                partition.number,
                journal[-1].sequence,
                cursor.next_offset,
                cursor.head,
            )
        moved = await self.connection.execute(
            "UPDATE cursors SET next_offset = $4, log_identity = $5, next_sequence = $6, head = $7,"
            " seen = $8, watermarks = $9"
            " WHERE topic = $1 AND partition = $2 AND epoch = $3 AND next_offset = $10",
            partition.topic,
            partition.number,
            self.cursor.epoch,
            cursor.next_offset,
            cursor.log_identity,
            cursor.next_sequence,
            cursor.head,
            {source: list(position) for source, position in cursor.seen.items()},
            {source: until.isoformat() for source, until in cursor.watermarks.items()},
            self.cursor.next_offset,
        )
        if moved != "UPDATE 1":
            raise Fenced(f"{partition.topic}/{partition.number}: the cursor moved under the writer")


class PostgresInbox:
    """Cursors and journals in PostgreSQL; one writer a partition, told by its epoch.

    Args:
        database: The service's own.
        keep_journal: Keep published entries (the ledger, whose journal is its record for ever).
    """

    def __init__(self, database: Database, *, keep_journal: bool = False) -> None:
        self._database = database
        self._keep_journal = keep_journal

    async def take_over(self, partition: Partition) -> Cursor:
        """Become the partition's writer: every earlier one is fenced from now on."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "INSERT INTO cursors (topic, partition, epoch) VALUES ($1, $2, 1)"
                " ON CONFLICT (topic, partition) DO UPDATE SET epoch = cursors.epoch + 1"
                " RETURNING *",
                partition.topic,
                partition.number,
            )
        assert row is not None
        return _cursor(row)

    async def cursor(self, partition: Partition) -> Cursor:
        """Return the cursor as it stands, without taking the partition over.

        Waits for a transaction that holds it, which can be one whose answer was lost.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT * FROM cursors WHERE topic = $1 AND partition = $2 FOR SHARE",
                partition.topic,
                partition.number,
            )
        if row is None:
            return Cursor(partition, epoch=0)
        return _cursor(row)

    @asynccontextmanager
    async def begin(self, partition: Partition, epoch: int) -> AsyncIterator[PostgresWork]:
        """Lock the cursor of a partition. Raises Fenced where another writer has taken it over."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "SELECT * FROM cursors WHERE topic = $1 AND partition = $2 FOR UPDATE",
                partition.topic,
                partition.number,
            )
            if row is None or row["epoch"] != epoch:
                found = "none" if row is None else row["epoch"]
                raise Fenced(
                    f"{partition.topic}/{partition.number}: epoch is {found}, ours is {epoch}"
                )
            yield PostgresWork(connection, _cursor(row))

    async def unpublished(self, partition: Partition, after: int, limit: int) -> list[Outgoing]:
        """Return the journal's entries after a sequence number, in order."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT sequence, topic, partition, key, headers, body FROM journal"
                " WHERE source_topic = $1 AND source_partition = $2 AND sequence > $3"
                " ORDER BY sequence LIMIT $4",
                partition.topic,
                partition.number,
                after,
                limit,
            )
        return [
            Outgoing(
                sequence=row["sequence"],
                topic=row["topic"],
                partition=row["partition"],
                key=row["key"],
                headers=[(name, value.encode()) for name, value in row["headers"]],
                body=row["body"],
            )
            for row in rows
        ]

    async def mark_published(self, partition: Partition, epoch: int, sequence: int) -> None:
        """Note that the broker has acknowledged everything up to a sequence number."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE cursors SET published_sequence = greatest(published_sequence, $4)"
                " WHERE topic = $1 AND partition = $2 AND epoch = $3",
                partition.topic,
                partition.number,
                epoch,
                sequence,
            )
            if not self._keep_journal:
                for table, column in (("journal", "sequence"), ("batches", "last_sequence")):
                    await connection.execute(
                        f"DELETE FROM {table} WHERE source_topic = $1 AND source_partition = $2"
                        f" AND {column} <= $3",
                        partition.topic,
                        partition.number,
                        sequence,
                    )


async def low_watermark(
    connection: Connection, sources: Mapping[str, int], partitions: Mapping[str, int]
) -> datetime | None:
    """Return the time up to which every source has spoken on every partition; None before that.

    Args:
        connection: Any connection to the service's database.
        sources: How many writers pass time on, on each partition of a topic, by topic name.
        partitions: How many partitions the topic has, by topic name.
    """
    rows = await connection.fetch(
        "SELECT topic, partition, watermarks FROM cursors WHERE topic = ANY($1)", list(sources)
    )
    lowest: datetime | None = None
    complete = dict.fromkeys(sources, 0)
    for row in rows:
        marks = [datetime.fromisoformat(mark) for mark in row["watermarks"].values()]
        if len(marks) < sources[row["topic"]]:
            return None
        complete[row["topic"]] += 1
        least = min(marks)
        lowest = least if lowest is None or least < lowest else lowest
    if any(complete[topic] < partitions[topic] for topic in sources):
        return None
    return lowest


def _cursor(row: Mapping[str, Any]) -> Cursor:
    return Cursor(
        partition=Partition(row["topic"], row["partition"]),
        epoch=row["epoch"],
        next_offset=row["next_offset"],
        log_identity=row["log_identity"],
        incarnation=row["incarnation"],
        next_sequence=row["next_sequence"],
        published_sequence=row["published_sequence"],
        head=row["head"],
        seen={source: Position(*position) for source, position in row["seen"].items()},
        watermarks={
            source: datetime.fromisoformat(until) for source, until in row["watermarks"].items()
        },
    )


async def _prepare(connection: Any) -> None:
    """Read and write jsonb as Python values, in the binary form that COPY needs."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda raw: orjson.loads(raw[1:]),
        format="binary",
    )
