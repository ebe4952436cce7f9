"""Compares the tables of the books with the same tables in another schema, row by row."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from restock_common.contracts.topics import LEDGER
from restock_common.errors import InvariantBroken
from restock_common.postgres import Connection
from stock_ledger.audit.rebuilt import MOST_TOLD, Difference

Row = tuple[Any, ...]

_PREFETCHED_ROWS = 2_000

_COLUMNS = """
    SELECT class.relname AS table, attribute.attname AS column, attribute.attidentity <> ''
        AS surrogate, format_type(atttypid, NULL) IN ('text', 'character varying') AS is_text,
        coalesce(attnum = ANY(conkey), false) AS in_key,
        coalesce(pg_get_expr(adbin, adrelid), '') ~ '(now|clock_timestamp)\\(\\)' AS wall_clock
    FROM pg_class AS class
        JOIN pg_attribute AS attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef ON adrelid = class.oid AND adnum = attnum
        LEFT JOIN pg_constraint ON conrelid = class.oid AND contype = 'p'
    WHERE relkind = 'r' AND class.relnamespace = current_schema()::regnamespace
    ORDER BY class.relname, attnum
"""

_WHICH_ROWS = {
    "cursors": f"topic = '{LEDGER.name}'",
    "journal": f"source_topic = '{LEDGER.name}' AND kept",
}
"""The rows of tables that every service has; all others are the books' where they have a shard."""

_NOT_OF_THE_LOG = {
    "cursors": frozenset({"epoch", "incarnation", "published_sequence"}),
    "journal": frozenset({"traceparent", "incarnation"}),
}
"""Columns that tell of processes and databases, not of what was read."""

_NOT_BOOKS = frozenset({"audits", "audited", "audited_accounts", "drifts"})
"""What the auditor notes of a shard's books."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is compared.

    Attributes:
        name: Its name in both schemas.
        key: The columns that rows are told apart by. A surrogate id is replaced by the row's rank
            among its shard's, since ids rise in the order of commits there.
        columns: All that are compared, the key first.
        query: Reads them in the order of the key.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    query: str


async def tables_of(connection: Connection) -> list[Table]:
    """Return the tables of the books that a schema has, by the catalogue."""
    by_table: dict[str, list[Mapping[str, Any]]] = {}
    for row in await connection.fetch(_COLUMNS):
        by_table.setdefault(row["table"], []).append(row)
    return [
        _table(name, columns)
        for name, columns in by_table.items()
        if name in _WHICH_ROWS
        or (name not in _NOT_BOOKS and "shard" in {column["column"] for column in columns})
    ]


def _table(name: str, columns: Sequence[Mapping[str, Any]]) -> Table:
    key = [column for column in columns if column["in_key"]]
    if not key:
        raise InvariantBroken(f"{name} has no primary key to compare its rows by")
    if key[0]["surrogate"]:
        rank = f"row_number() OVER (PARTITION BY shard ORDER BY {key[0]['column']})"
        keys, ordering = {"shard": "shard", "rank": f"{rank} AS rank"}, "shard, rank"
    else:
        keys = {column["column"]: column["column"] for column in key}
        ordering = ", ".join(
            f'{column["column"]} COLLATE "C"' if column["is_text"] else column["column"]
            for column in key
        )
    others = [
        column["column"]
        for column in columns
        if column["column"] not in keys
        and not (column["surrogate"] or column["wall_clock"])
        and column["column"] not in _NOT_OF_THE_LOG.get(name, ())
    ]
    selected = ", ".join([*keys.values(), *others])
    rows = _WHICH_ROWS.get(name, "true")
    query = f"SELECT {selected} FROM {name} WHERE {rows} ORDER BY {ordering}"  # noqa: S608 - names from the catalogue
    return Table(name, tuple(keys), (*keys, *others), query)


async def compare(
    table: Table, stored: Connection, rebuilt: Connection
) -> tuple[int, list[Difference]]:
    """Return how many rows were compared, and the first differences; both sides are streamed."""
    rows, differences = 0, list[Difference]()
    async for one, other in _side_by_side(
        _rows(stored, table), _rows(rebuilt, table), len(table.key)
    ):
        rows += 1
        if one != other:
            differences.append(_difference(table, one, other))
            if len(differences) == MOST_TOLD:
                break
    return rows, differences


async def _rows(connection: Connection, table: Table) -> AsyncIterator[Row]:
    async for row in connection.cursor(table.query, prefetch=_PREFETCHED_ROWS):
        yield tuple(row.values())


async def _side_by_side(
    left: AsyncIterator[Row], right: AsyncIterator[Row], key_columns: int
) -> AsyncIterator[tuple[Row | None, Row | None]]:
    """Yield the rows of both sides by pairs of one key; None where a side has none."""
    one, other = await anext(left, None), await anext(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[:key_columns] < other[:key_columns]):
            yield one, None
            one = await anext(left, None)
        elif one is None or one[:key_columns] > other[:key_columns]:
            yield None, other
            other = await anext(right, None)
        else:
            yield one, other
            one, other = await anext(left, None), await anext(right, None)


def _difference(table: Table, stored: Row | None, rebuilt: Row | None) -> Difference:
    row = stored if stored is not None else rebuilt
    assert row is not None, "one side has it"
    keys = len(table.key)
    where = dict(zip(table.key, row, strict=False))
    if stored is None or rebuilt is None:
        names = table.columns[keys:]
        told = dict(zip(names, row[keys:], strict=True))
        return Difference(table.name, where, told if stored else None, told if rebuilt else None)
    differing = [n for n in range(keys, len(row)) if stored[n] != rebuilt[n]]
    return Difference(
        table.name,
        where,
        {table.columns[n]: stored[n] for n in differing},
        {table.columns[n]: rebuilt[n] for n in differing},
    )
