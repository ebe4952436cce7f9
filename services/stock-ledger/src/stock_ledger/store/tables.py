"""How each kind of fact lies in its table: one row a fact, read and written as a whole."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from restock_common.contracts.stock import AlertKind
from restock_common.postgres import Connection
from stock_ledger.domain.books import Facts
from stock_ledger.domain.model import (
    Alert,
    Booking,
    Expected,
    Fact,
    Inbound,
    KnownLocation,
    KnownSku,
    Serial,
    Shelf,
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose columns are named as the fields of a fact, and its shard.

    Attributes:
        kind: The fact.
        name: The table's.
        keys: The columns of its key, without the shard.
        types: PostgreSQL's type of each field, in order of the fields.
    """

    kind: Callable[..., Fact]
    name: str
    keys: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the fields."""
        return tuple(one.name for one in fields(self.kind))  # type: ignore[arg-type]

    def facts(self, rows: Iterable[Mapping[str, Any]]) -> list[Fact]:
        """Return the facts of rows that have the columns in their order."""
        if self.kind is Alert:
            return [Alert(**{**row, "kind": AlertKind(row["kind"])}) for row in rows]
        return [self.kind(*row.values()) for row in rows]

    def upsert(self) -> str:
        """Return a statement that takes the shard and an array for each column."""
        columns = self.columns
        arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(self.types, 2))
        changes = ", ".join(f"{one} = excluded.{one}" for one in columns if one not in self.keys)
        action = f"DO UPDATE SET {changes}" if changes else "DO NOTHING"
        return (
            f"INSERT INTO {self.name} (shard, {', '.join(columns)})"  # noqa: S608 - constants
            f" SELECT $1, * FROM unnest({arrays})"
            f" ON CONFLICT ({', '.join(self.keys)}, shard) {action}"
        )

    def delete(self) -> str:
        """Return a statement that takes the shard and an array for each column of the key."""
        types = dict(zip(self.columns, self.types, strict=True))
        arrays = ", ".join(f"${n}::{types[key]}[]" for n, key in enumerate(self.keys, 2))
        keys = ", ".join(self.keys)
        return (
            f"DELETE FROM {self.name} WHERE shard = $1"  # noqa: S608 - constants
            f" AND ({keys}) IN (SELECT * FROM unnest({arrays}))"
        )


TABLES: Mapping[type[Fact], Table] = {
    Booking: Table(Booking, "bookings", ("id", "kind"), ("text",) * 2),
    KnownSku: Table(KnownSku, "skus", ("sku",), ("text",)),
    KnownLocation: Table(KnownLocation, "locations", ("location",), ("text",) * 2),
    Shelf: Table(
        Shelf,
        "shelves",
        ("sku", "location"),
        (
            *("text", "text", "text", "bigint", "jsonb", "bigint", "bigint"),
            *("timestamptz", "integer", "integer", "integer"),
        ),
    ),
    Expected: Table(
        Expected,
        "expected",
        ("expected",),
        ("text", "text", "text", "text", "bigint", "bigint", "timestamptz"),
    ),
    Inbound: Table(
        Inbound,
        "inbound",
        ("transfer", "line", "lot"),
        (*("text",) * 6, "bigint", "bigint", "bigint"),
    ),
    Serial: Table(Serial, "serials", ("sku", "serial"), ("text",) * 4),
    Alert: Table(
        Alert, "alerts", ("sku", "location", "lot", "kind"), (*("text",) * 6, "timestamptz")
    ),
}
"""The table of each kind of fact."""


async def read(
    connection: Connection, kind: type[Fact], where: str, shard: int, *args: Any
) -> list[Fact]:
    """Return the facts of a kind that a condition selects; $1 is the shard."""
    table = TABLES[kind]
    rows = await connection.fetch(
        f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE shard = $1 AND {where}",  # noqa: S608 - constants
        shard,
        *args,
    )
    return table.facts(rows)


async def write(connection: Connection, shard: int, changes: Facts) -> None:
    """Write the facts that are new or changed, and delete those that have ended."""
    for kind, facts in changes.items():
        table = TABLES[kind]
        standing = [fact for fact in facts.values() if fact is not None]
        if standing:
            await connection.execute(table.upsert(), shard, *_arrays(table.columns, standing))
        ended = [key for key, fact in facts.items() if fact is None]
        if ended:
            arrays = [list(column) for column in zip(*ended, strict=True)]
            await connection.execute(table.delete(), shard, *arrays)


def _arrays(columns: Sequence[str], facts: Iterable[Fact]) -> list[list[Any]]:
    return [[getattr(fact, column) for fact in facts] for column in columns]
