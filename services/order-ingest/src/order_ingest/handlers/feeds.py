"""What shops were heard to say, and what that says of what was not heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from order_ingest.domain.channels import Shown
from order_ingest.handlers.arrivals import Arrivals, Heard
from order_ingest.handlers.gathered import Gathered
from restock_common import telemetry
from restock_common.errors import Transient
from restock_common.postgres import Connection, Database

log = structlog.get_logger()

KEPT = timedelta(days=3)
"""How long it is known in which state an order was seen; later it is just taken again."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """An order as a shop showed it.

    Attributes:
        shop: Whose it is.
        shown: The order.
        counted: Whether its number tells which others are missing.
    """

    shop: str
    shown: Shown
    counted: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """What metrics tell of all shops.

    Attributes:
        silent: Shops from which nothing comes although it should.
        missing: Orders of which only the number is known.
        unread: Shops whose orders could not be read the last time.
        to_fetch: Orders of which a webhook told too little.
    """

    silent: int
    missing: int
    unread: int
    to_fetch: int


class FeedBook(Protocol):
    """Keeps what was heard; `store.PostgresFeedBook`."""

    async def hear(self, connection: Connection, heard: Mapping[str, Heard]) -> None:
        """Write what was heard of shops; in a transaction."""

    async def sight(self, connection: Connection, seen: Sequence[Sighting]) -> None:
        """Write which orders were shown, each in its latest state."""

    async def states(
        self, connection: Connection, shop: str, orders: Sequence[str]
    ) -> Mapping[str, int]:
        """Return in which state orders were last shown; unknown ones are missing."""

    async def fold(self, connection: Connection) -> int:
        """Take some numbers that were seen for what they say; return how many; in a transaction."""

    async def assess(self, connection: Connection, chance: float) -> Mapping[str, bool]:
        """Tell which shops are silent; return those that began or ceased to be; in a transaction.

        Args:
            connection: In a transaction.
            chance: Silence is unusual where it is less likely than that.
        """

    async def account(
        self, connection: Connection, shop: str, covered_from: datetime, noticed_before: datetime
    ) -> None:
        """Note which missing numbers the shop has not either; in a transaction."""

    async def forget(self, connection: Connection, age: timedelta) -> None:
        """Forget the states of orders that were last shown longer ago."""

    async def totals(self, connection: Connection) -> Totals:
        """Return what metrics tell."""


class Feeds:
    """Writes down what is heard of shops.

    Args:
        database: Where it is kept.
        book: What keeps it.
        arrivals: What was heard and is not written yet.
    """

    def __init__(self, database: Database, book: FeedBook, arrivals: Arrivals) -> None:
        self._database = database
        self._book = book
        self._sight = Gathered(self._sight_all)
        self.arrivals = arrivals

    async def sight(self, shop: str, shown: Shown, *, counted: bool) -> None:
        """Write that an order was shown and taken. Raises Transient."""
        await self._sight([Sighting(shop, shown, counted)])

    async def states(self, shop: str, orders: Sequence[str]) -> Mapping[str, int]:
        """Return in which state orders were last shown. Raises Transient."""
        async with self._database.connection() as connection:
            return await self._book.states(connection, shop, orders)

    async def write(self) -> None:
        """Write what was heard, and what its numbers say. Raises Transient."""
        heard = self.arrivals.take()
        if heard:
            try:
                async with self._database.transaction() as connection:
                    await self._book.hear(connection, heard)
            except Transient:
                self.arrivals.give_back(heard)
                raise
        folded = 1
        while folded:
            async with self._database.transaction() as connection:
                folded = await self._book.fold(connection)

    async def assess(self, chance: float) -> None:
        """Tell which shops are silent, and count what is missing. Raises Transient."""
        async with self._database.transaction() as connection:
            changed = await self._book.assess(connection, chance)
            await self._book.forget(connection, KEPT)
            totals = await self._book.totals(connection)
        for shop, silent in changed.items():
            log.warning("shop_silent" if silent else "shop_heard_again", shop=shop)
        telemetry.SILENT_SHOPS.set(totals.silent)
        telemetry.MISSING_ORDERS.set(totals.missing)
        telemetry.UNREAD_SHOPS.set(totals.unread)
        telemetry.ORDERS_TO_FETCH.set(totals.to_fetch)

    async def account(self, shop: str, covered_from: datetime, noticed_before: datetime) -> None:
        """Note which missing numbers the shop has not either. Raises Transient."""
        await self.write()
        async with self._database.transaction() as connection:
            await self._book.account(connection, shop, covered_from, noticed_before)

    async def _sight_all(self, seen: list[Sighting]) -> list[None]:
        async with self._database.connection() as connection:
            await self._book.sight(connection, seen)
        return [None] * len(seen)
