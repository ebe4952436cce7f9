"""Present levels by pages, each read at one moment together with how far the books had come."""

from collections.abc import Mapping
from typing import Any

from restock_common.contracts.stock import StockLevelChanged
from restock_common.postgres import Database
from stock_ledger.domain.feed import BEFORE_ALL, Interest, KnownLevel, Page, Positions
from stock_ledger.store import statements
from stock_ledger.store.webhooks import ledger_positions

# By code points, in which the reader compares skus too, whatever the database's collation is.
_NEXT_SKUS = """
    SELECT DISTINCT sku COLLATE "C" AS sku FROM stock WHERE sku COLLATE "C" > $1 ORDER BY 1 LIMIT $2
"""


class PostgresLevels:
    """Levels as the books have them now."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, interest: Interest, after: str | None, *, skus: int) -> Page:
        """Return the present levels of the next skus, those of them that are wanted.

        Args:
            interest: What is wanted; skus that it names are all on one page.
            after: The page before went as far as this sku; None for the first page.
            skus: How many skus a page has at most.
        """
        async with self._database.snapshot() as connection:
            until = None
            if interest.skus is not None:
                names = sorted(interest.skus)
            else:
                found = await connection.fetch(_NEXT_SKUS, after or "", skus)
                names = [row["sku"] for row in found]
                until = names[-1] if len(names) == skus else None
            rows = await connection.fetch(statements.LEVELS, names, None)
            positions = await ledger_positions(connection)
        known = [_known(row, positions) for row in rows]
        return Page([one for one in known if interest.covers(one.level)], positions, until)


def _known(row: Mapping[str, Any], positions: Positions) -> KnownLevel:
    shard = row["shard"]
    level = StockLevelChanged.model_validate(dict(row))
    return KnownLevel(level, shard, positions.get(shard, BEFORE_ALL))
