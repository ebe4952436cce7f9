"""Reads back what the ledger wrote, from the catalogue and the rows' own transactions.

Of the tables only `batches` is known here: it tells which shard a transaction was for. Every row
carries the transaction that wrote it (`xmin`), so the rows that were appended fall into the
ledger's own batches by themselves, in the order in which they stand in the table (`ctid`). Of
rows that are written again and again only the last version is left: which of them a batch wrote
follows from the rows that the batch appended elsewhere, where these name the whole primary key (a
movement names its balance), and must come to as many as PostgreSQL itself has counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from restock_common.postgres import Connection, Database

Key = tuple[Any, ...]
_KEPT_APART = frozenset({"migrations", "cursors"})
"""Cursors: one row a shard and batch, which every writer has to move."""
_AT_ONCE = 24
"""Batches, and as many of their rows, come in one answer."""
_KEYS_AT_ONCE = 50_000
_PLAIN = frozenset(
    {"text", "integer", "bigint", "smallint", "boolean", "bytea", "date", "double precision"}
    | {"timestamp with time zone", "uuid"}
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can be written."""

    name: str
    kind: str

    @property
    def plain(self) -> bool:
        """Return whether it travels as what it is; the others travel as text."""
        return self.kind in _PLAIN

    @property
    def copied(self) -> bool:
        """Return whether COPY can be given its values."""
        return self.plain or self.kind in {"json", "jsonb"}

    @property
    def read(self) -> str:
        """Return how it is selected."""
        return f'"{self.name}"' if self.plain else f'"{self.name}"::text'


@dataclass(frozen=True, slots=True)
class Table:
    """A table with what was done to it while the ledger worked on the orders.

    Attributes:
        name: The table's name.
        columns: What is written; neither identities nor generated columns.
        key: The primary key.
        inserted: Rows.
        updated: Rows, each time that it was written again.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    inserted: int
    updated: int

    @property
    def written(self) -> int:
        """Return how many rows were written, each time that one was."""
        return self.inserted + self.updated

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of its columns."""
        return tuple(column.name for column in self.columns)


@dataclass(slots=True)
class Batch:
    """What one transaction wrote: for each table its columns, each with a value a row."""

    shard: int
    columns: dict[str, list[list[Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Writes:
    """All that the ledger wrote, in its batches.

    Attributes:
        tables: The tables that the batches wrote, appended ones first.
        beside: Those that only other transactions wrote: no part of the limit.
        batches: By shard, in order.
        found: How many rows of each table are in the batches.
    """

    tables: list[Table]
    beside: list[Table]
    batches: dict[int, list[Batch]]
    found: dict[str, int]

    @property
    def share_found(self) -> float:
        """Return the rows in the batches as a share of those that PostgreSQL has counted."""
        return sum(self.found.values()) / sum(table.written for table in self.tables)


Counted = Mapping[str, tuple[int, int]]
"""Rows inserted and rows updated, by table."""


async def row_counts(connection: Connection) -> Counted:
    """Return what PostgreSQL has counted so far; complete once the writers have left."""
    rows = await connection.fetch(
        "SELECT relname, n_tup_ins, n_tup_upd FROM pg_stat_user_tables WHERE schemaname = 'public'"
    )
    return {row["relname"]: (row["n_tup_ins"], row["n_tup_upd"]) for row in rows}


async def last_transaction(connection: Connection) -> int:
    """Return the id of a transaction that is later than all that were begun before."""
    return int(await connection.fetchval("SELECT pg_current_xact_id()::xid::text::bigint"))


async def wal_position(connection: Connection) -> int:
    """Return how many bytes have been written ahead so far."""
    return int(
        await connection.fetchval("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")
    )


async def durability(connection: Connection) -> dict[str, str]:
    """Return what PostgreSQL waits for before it says that a transaction is kept."""
    return {
        name: str(await connection.fetchval("SELECT current_setting($1)", name))
        for name in ("fsync", "synchronous_commit")
    }


async def written_tables(connection: Connection, before: Counted, after: Counted) -> list[Table]:
    """Return the tables that were written between two counts, appended ones first."""
    columns = await connection.fetch(
        "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) AS kind,"
        " a.attnum = ANY(i.indkey) AS in_key, a.attidentity <> '' OR a.attgenerated <> '' AS drawn"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
        " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
    )
    tables = []
    for name in sorted(after.keys() - _KEPT_APART):
        inserted, updated = (
            new - old for new, old in zip(after[name], before.get(name, (0, 0)), strict=True)
        )
        if inserted or updated:
            own = [row for row in columns if row["relname"] == name]
            written = tuple(Column(row["attname"], row["kind"]) for row in own if not row["drawn"])
            key = tuple(row["attname"] for row in own if row["in_key"])
            tables.append(Table(name, written, key, inserted, updated))
    return sorted(tables, key=lambda table: table.updated > 0)


async def read_writes(
    connection: Connection, before: str, tables: Sequence[Table], between: tuple[int, int]
) -> Writes:
    """Return what was written by transactions after the first and before the second.

    Args:
        connection: To the ledger's database.
        before: The URL of a copy of it as it was before.
        tables: What was written.
        between: Two transaction ids.
    """
    rows = await connection.fetch(
        "SELECT xmin::text::bigint AS transaction, source_partition FROM batches"
        " WHERE xmin::text::bigint BETWEEN $1 AND $2 ORDER BY source_partition, last_sequence",
        *between,
    )
    batches = {row["transaction"]: Batch(row["source_partition"]) for row in rows}
    in_order = list(batches.values())
    own = [one for one in tables if await _is_written_by(connection, one, list(batches))]
    found: dict[str, int] = {}
    shared: dict[str, str] = {}
    for table in own:
        found[table.name] = (
            await _rewritten(connection, before, table, own, in_order)
            if table.updated
            else await _appended(connection, table, batches, shared)
        )
    by_shard: dict[int, list[Batch]] = {}
    for batch in in_order:
        by_shard.setdefault(batch.shard, []).append(batch)
    return Writes(own, [one for one in tables if one not in own], by_shard, found)


async def _is_written_by(connection: Connection, table: Table, transactions: Sequence[int]) -> bool:
    """Return whether a row of the table was left by one of the transactions."""
    found = await connection.fetchval(
        f"SELECT 1 FROM {table.name} WHERE xmin::text::bigint = ANY($1::bigint[]) LIMIT 1",
        transactions,
    )
    return found is not None


async def _appended(
    connection: Connection, table: Table, batches: Mapping[int, Batch], shared: dict[str, str]
) -> int:
    """Put the rows of a table into the batches that appended them; return how many they are.

    Ids repeat within a table and from table to table: one string for all keeps them in memory.
    """
    arrays = ", ".join(f"array_agg({column.read} ORDER BY ctid)" for column in table.columns)
    transactions = sorted(batches)
    found = 0
    for first in range(0, len(transactions), _AT_ONCE):
        some = transactions[first : first + _AT_ONCE]
        rows = await connection.fetch(
            f"SELECT xmin::text::bigint, {arrays} FROM {table.name}"
            " WHERE xmin::text::bigint BETWEEN $1 AND $2 GROUP BY 1",
            some[0],
            some[-1],
        )
        for row in rows:
            transaction, *columns = row.values()
            if transaction in batches:
                batches[transaction].columns[table.name] = [
                    [shared.setdefault(one, one) for one in values]
                    if column.kind == "text"
                    else values
                    for column, values in zip(table.columns, columns, strict=True)
                ]
                found += len(columns[0])
    return found


async def _rewritten(
    connection: Connection,
    before: str,
    table: Table,
    tables: Sequence[Table],
    batches: Sequence[Batch],
) -> int:
    """Put into each batch the rows of a table that it must have written again; return how many.

    What a batch left in a row is between how it was before and how it is now, so many steps on.
    """
    named = {
        source.name: _named(table.key, source, batches)
        for source in tables
        if not source.updated and set(table.key) <= set(source.names)
    }
    if not named:
        return 0
    totals = {name: sum(map(len, touched)) for name, touched in named.items()}
    nearest = min(totals, key=lambda name: abs(totals[name] - table.written))
    times = Counter(key for keys in named[nearest] for key in keys)
    new = await _versions(connection, table, list(times))
    old = await _old_versions(before, table, list(times))
    turn: Counter[Key] = Counter()
    for batch, keys in zip(batches, named[nearest], strict=True):
        turn.update(keys)
        rows = [
            between(old.get(key), new[key], turn[key], times[key]) for key in keys if key in new
        ]
        if rows:
            batch.columns[table.name] = [list(column) for column in zip(*rows, strict=True)]
    return totals[nearest]


def _named(key: Sequence[str], source: Table, batches: Sequence[Batch]) -> list[list[Key]]:
    """Return the keys that each batch's rows of another table name, each once, as they come."""
    places = [source.names.index(name) for name in key]
    touched = []
    for batch in batches:
        columns = batch.columns.get(source.name)
        keys = zip(*(columns[place] for place in places), strict=True) if columns else ()
        touched.append(list(dict.fromkeys(keys)))
    return touched


async def _old_versions(before: str, table: Table, keys: Sequence[Key]) -> dict[Key, Key]:
    database = Database(before, max_connections=1)
    await database.open()
    try:
        async with database.connection() as connection:
            return await _versions(connection, table, keys)
    finally:
        await database.close()


async def _versions(connection: Connection, table: Table, keys: Sequence[Key]) -> dict[Key, Key]:
    """Return the rows of these keys as they stand, by key."""
    kinds = {column.name: column.kind for column in table.columns}
    wanted = ", ".join(f"${n}::{kinds[name]}[]" for n, name in enumerate(table.key, 1))
    names = ", ".join(f'"{name}"' for name in table.key)
    read = ", ".join(column.read for column in table.columns)
    found: dict[Key, Key] = {}
    places = [table.names.index(name) for name in table.key]
    for first in range(0, len(keys), _KEYS_AT_ONCE):
        columns = zip(*keys[first : first + _KEYS_AT_ONCE], strict=True)
        rows = await connection.fetch(
            f"SELECT {read} FROM {table.name} JOIN unnest({wanted}) AS wanted ({names})"
            f" USING ({names})",
            *map(list, columns),
        )
        for row in map(tuple, rows):
            found[tuple(row[place] for place in places)] = row
    return found


def between(before: Key | None, after: Key, turn: int, times: int) -> Key:
    """Return a row on its way from how it was to how it became, at one of so many steps."""
    if before is None:
        return after
    return tuple(_step(old, new, turn, times) for old, new in zip(before, after, strict=True))


def _step(old: Any, new: Any, turn: int, times: int) -> Any:
    if isinstance(new, int) and isinstance(old, int) and not isinstance(new, bool):
        return old + (new - old) * turn // times
    if isinstance(new, datetime):
        return new - timedelta(milliseconds=times - turn)
    return new
