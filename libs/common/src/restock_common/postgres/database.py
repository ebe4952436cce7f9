"""The pool of connections to one service's database, and its migrations."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from importlib.resources import files
from typing import Any, Protocol
from weakref import WeakSet

import asyncpg
import orjson

from restock_common.errors import InvariantBroken, Transient

_MIGRATION_LOCK = 7_265_737_416  # any constant: one migrator at a time in a database
_RETRYABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.OperatorInterventionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
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

    def cursor(self, query: str, *args: Any, prefetch: int) -> AsyncIterable[Mapping[str, Any]]:
        """Return all rows one by one, fetched some at a time; only inside a transaction."""


class Database:
    """A pool of connections to one service's database.

    Args:
        url: Where it is.
        max_connections: How many at most.
        schema: Where tables are made and looked for, and nowhere else; None leaves the server's.
        patience_s: How long a statement, or waiting for a connection, may take; None waits for
            ever.
        within_s: How long all may take that a connection is lent for, and waiting for it; None
            sets no limit.
    """

    def __init__(
        self,
        url: str,
        *,
        max_connections: int = 8,
        schema: str | None = None,
        patience_s: float | None = 60,
        within_s: float | None = None,
    ) -> None:
        self._url = url
        self._max_connections = max_connections
        self._server_settings = {"search_path": schema} if schema else {}
        self._patience_s = patience_s
        self._within_s = within_s
        self._pool: Any = None

    def within(self, schema: str) -> "Database":
        """Return the same database with another schema, to be opened and closed by itself."""
        return Database(
            self._url,
            max_connections=self._max_connections,
            schema=schema,
            patience_s=self._patience_s,
            within_s=self._within_s,
        )

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
                reset=_left_as_it_is,
                command_timeout=self._patience_s,
                timeout=self._patience_s,
                server_settings=self._server_settings,
            )
        except _RETRYABLE as error:
            raise Transient(f"PostgreSQL does not answer: {error!r}") from error
        OPEN.add(self)

    async def close(self) -> None:
        """Give the connections back."""
        OPEN.discard(self)
        if self._pool is not None:
            await self._pool.close()

    def connections(self) -> dict[str, int]:
        """Return how many connections are in_use and idle, and the max that there may be."""
        if self._pool is None:
            return {"in_use": 0, "idle": 0, "max": 0}
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        return {"in_use": size - idle, "idle": idle, "max": self._pool.get_max_size()}

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection, outside any transaction. Raises Transient as `transaction` does."""
        try:
            async with (
                asyncio.timeout(self._within_s),
                self._pool.acquire(timeout=self._patience_s) as connection,
            ):
                try:
                    with _ended_if_given_up(connection):
                        yield connection
                except asyncpg.InterfaceError as error:
                    if _is_gone(connection):
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
        async with self.connection() as connection, _transaction(connection):
            yield connection

    @asynccontextmanager
    async def snapshot(self, *, writable: bool = False) -> AsyncIterator[Connection]:
        """Lend a connection that sees one moment, whatever others write meanwhile.

        Args:
            writable: Whether it may write, too; what it wrote is committed when it is left.
        """
        async with (
            self.connection() as connection,
            _transaction(connection, isolation="repeatable_read", readonly=not writable),
        ):
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


OPEN: WeakSet[Database] = WeakSet()
"""The databases of this process that are open."""


async def _left_as_it_is(_: Any) -> None:
    """Ask the server nothing when a connection is given back.

    asyncpg has rolled back what was open. Its own reset is a round trip more behind each statement,
    for what nobody here does: settings, locks and cursors all end with their transaction.
    """


@contextmanager
def _ended_if_given_up(connection: Any) -> Iterator[None]:
    """End a connection on which an answer was given up, at once.

    asyncpg asks the server to cancel the statement, and waits for that, before it rolls back and
    before it takes a connection back: each time anew where the server does not answer. It can lend
    a connection of which the server has just told the end, too, and then contradicts itself.
    """
    try:
        yield
    except (TimeoutError, asyncio.CancelledError, asyncpg.InternalClientError):
        if not _is_gone(connection):
            connection.terminate()
        raise


@asynccontextmanager
async def _transaction(connection: Any, **options: Any) -> AsyncIterator[None]:
    """Commit when left without an error, else roll back, unless the connection has ended.

    asyncpg's own context manager raises where it has, and what it raises takes the place of a
    cancellation: whoever was told to end would try again.
    """
    transaction = connection.transaction(**options)
    await transaction.start()
    try:
        with _ended_if_given_up(connection):
            yield
    except BaseException:
        if not _is_gone(connection):
            await transaction.rollback()
        raise
    await transaction.commit()


def _is_gone(connection: Any) -> bool:
    """Return whether a lent connection has ended.

    Where the server ended it, the pool has taken it back by itself, and what is left to the
    borrower refuses every question.
    """
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


async def _prepare(connection: Any) -> None:
    """Read and write jsonb as Python values, in the binary form that COPY needs."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda raw: orjson.loads(raw[1:]),
        format="binary",
    )
