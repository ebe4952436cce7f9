"""What is due: reviews, commands and late orders, told from the database and the watermarks."""

from collections.abc import Sequence
from datetime import date, datetime

from replenisher.domain.assessment import capacities
from replenisher.domain.calendar import is_due, latest_review
from replenisher.domain.orders import OrderCommand, OrdersLate
from replenisher.domain.review import ALL, ReviewDue
from replenisher.domain.supplier_terms import SupplierTermsIndex
from replenisher.domain.terms import UNKNOWN
from restock_common.contracts.catalogue import Catalogue, Supplier, SupplierTerms
from restock_common.contracts.topics import FORECASTS, SHARDS, STOCK
from restock_common.postgres import Connection, Database, low_watermark

_SOURCES = {STOCK.name: SHARDS, FORECASTS.name: 1}
_PARTITIONS = {STOCK.name: STOCK.partitions, FORECASTS.name: FORECASTS.partitions}
SKUS_AT_ONCE = 10_000
"""Of the suppliers whose reviews share a transaction, during which no other batch is taken."""
_COMMANDS_AT_ONCE = 100


class PostgresAgenda:
    """The agenda of one database.

    Args:
        database: Where it is read from.
        catalogue: Whose suppliers are reviewed.
    """

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        self._database = database
        self._catalogue = catalogue
        self._index = SupplierTermsIndex(catalogue)
        self._skus: dict[str, list[str]] = {}
        self._seen: tuple[int, date] | None = None
        self._nothing_at: tuple[datetime, int] | None = None

    async def due_review(self) -> ReviewDue | None:
        """Return the next review of suppliers whose day has come, unless it has been made.

        The first review comes with the first watermark. Days that passed while nothing ran have
        one review, the last: what they would have ordered, it orders.
        """
        async with self._database.connection() as connection:
            watermark = await low_watermark(connection, _SOURCES, _PARTITIONS)
            if watermark is None or self._nothing_at == (watermark, self._catalogue.changes):
                return None
            due = await self._next(connection, watermark)
        if due is None:
            self._nothing_at = (watermark, self._catalogue.changes)
        return due

    async def due_commands(self) -> Sequence[OrderCommand]:
        """Return commands that have not been done, in the order in which they came.

        They are done at the watermark, the time that receipts and forecasts are told in.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT body FROM order_commands WHERE NOT done ORDER BY number LIMIT $1",
                _COMMANDS_AT_ONCE,
            )
            if not rows:
                return []
            watermark = await low_watermark(connection, _SOURCES, _PARTITIONS)
        told = [OrderCommand.model_validate(row["body"]) for row in rows]
        if watermark is None:
            return told
        return [one.model_copy(update={"at": watermark}) for one in told]

    async def late_orders(self) -> OrdersLate | None:
        """Return open orders whose time has passed and of which that has not been told."""
        async with self._database.connection() as connection:
            watermark = await low_watermark(connection, _SOURCES, _PARTITIONS)
            if watermark is None:
                return None
            rows = await connection.fetch(
                "SELECT purchase_order FROM purchase_orders WHERE expected_at < $1"
                " AND closed_at IS NULL AND late_at IS NULL AND state <> 'proposed'"
                " ORDER BY expected_at LIMIT $2",
                watermark,
                _COMMANDS_AT_ONCE,
            )
        names = tuple(row["purchase_order"] for row in rows)
        return OrdersLate(purchase_orders=names, noticed_at=watermark) if names else None

    async def _next(self, connection: Connection, watermark: datetime) -> ReviewDue | None:
        skus = self._by_supplier()
        rows = await connection.fetch(
            "SELECT supplier, max(review_date) AS last FROM reviews GROUP BY supplier"
        )
        last: dict[str, date] = {row["supplier"]: row["last"] for row in rows}
        chosen: dict[str, tuple[str, ...]] = {}
        review_date: date | None = None
        number = 0
        for supplier in sorted({*skus, UNKNOWN}):
            known = self._catalogue.suppliers.get(supplier) or Supplier(supplier=supplier)
            told = self._index.of(supplier) or SupplierTerms(terms="none", supplier=supplier)
            candidate = latest_review(told, watermark)
            before = max(filter(None, (last.get(supplier), last.get(ALL))), default=None)
            if not is_due(before, candidate, known.review_period_days):
                continue
            if chosen and (candidate != review_date or number >= SKUS_AT_ONCE):
                continue
            review_date = candidate
            chosen[supplier] = tuple(skus.get(supplier, ()))
            number += len(chosen[supplier])
        if UNKNOWN in chosen:
            chosen[UNKNOWN] = (*chosen[UNKNOWN], *await self._unheard_of(connection))
        if review_date is None:
            return None
        return ReviewDue(
            review_date=review_date,
            cut_at=watermark,
            suppliers=chosen,
            limited=tuple(sorted(capacities(self._catalogue))),
        )

    async def _unheard_of(self, connection: Connection) -> list[str]:
        """Return skus that are needed and that the catalogue does not know."""
        rows = await connection.fetch(
            "SELECT DISTINCT sku FROM positions WHERE need_state = 'deferred'"
        )
        return sorted(row["sku"] for row in rows if row["sku"] not in self._catalogue.products)

    def _by_supplier(self) -> dict[str, list[str]]:
        seen = (self._catalogue.changes, self._catalogue.as_of)
        if self._seen != seen:
            self._skus = {}
            for sku, product in self._catalogue.products.items():
                self._skus.setdefault(product.supplier, []).append(sku)
            self._seen = seen
        return self._skus
