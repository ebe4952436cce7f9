"""What is sealed under the master keys, and brought under another one when they are rotated."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from restock_common.errors import Transient
from restock_common.postgres import Connection, Database
from restock_common.sealing import Seal, Unsealable, sealed_with

_AT_ONCE = 500


class Sealed(NamedTuple):
    """A column that is sealed.

    Attributes:
        table: Where it is.
        key: The columns of the table's primary key.
        column: Its name; null where nothing is sealed.
        place: What a row's content is bound to.
    """

    table: str
    key: tuple[str, ...]
    column: str
    place: Callable[[Mapping[str, Any]], str]

    def open(self, master: Seal, row: Mapping[str, Any]) -> bytes:
        """Return what a row holds. Raises Transient: the key can be given again."""
        try:
            return master.open(row[self.column], bound_to=self.place(row))
        except Unsealable as error:
            raise Transient(f"{self.place(row)}: {error}: see RESTOCK_MASTER_KEYS") from None


async def reseal(database: Database, master: Seal, sealed: Sealed) -> int:
    """Seal anew what another key than the first has sealed; return how much that was.

    The table is walked once, in the order of its key: who writes meanwhile has the new key already.

    Raises:
        Transient: The key that something was sealed with is not among the master keys.
    """
    total = 0
    last: tuple[Any, ...] = ()
    while True:
        async with database.transaction() as connection:
            rows = await _after(connection, sealed, last)
            old = [row for row in rows if _by_another(sealed, master, row)]
            await connection.executemany(
                f"UPDATE {sealed.table} SET {sealed.column} = ${len(sealed.key) + 1}"  # noqa: S608 - constants
                f" WHERE ({', '.join(sealed.key)}) = ({_numbered(sealed)})",
                [(*_key(sealed, row), _again(sealed, master, row)) for row in old],
            )
        total += len(old)
        if not rows:
            return total
        last = _key(sealed, rows[-1])


async def _after(
    connection: Connection, sealed: Sealed, last: tuple[Any, ...]
) -> list[Mapping[str, Any]]:
    """Return the next rows that hold something, locked."""
    names = ", ".join(sealed.key)
    further = f" AND ({names}) > ({_numbered(sealed)})" if last else ""
    return await connection.fetch(
        f"SELECT * FROM {sealed.table} WHERE {sealed.column} IS NOT NULL{further}"  # noqa: S608 - constants
        f" ORDER BY {names} LIMIT {_AT_ONCE} FOR UPDATE",
        *last,
    )


def _by_another(sealed: Sealed, master: Seal, row: Mapping[str, Any]) -> bool:
    """Return whether another key has sealed a row; not where it is older than the sealing."""
    try:
        return sealed_with(row[sealed.column]) != master.first
    except Unsealable:
        return False


def _again(sealed: Sealed, master: Seal, row: Mapping[str, Any]) -> bytes:
    return master.seal(sealed.open(master, row), bound_to=sealed.place(row))


def _key(sealed: Sealed, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in sealed.key)


def _numbered(sealed: Sealed) -> str:
    return ", ".join(f"${number}" for number in range(1, len(sealed.key) + 1))
