"""Which shops are to be read, who reads them, and what is done with the orders that are read."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from order_ingest.domain.channels import Channel, Headers, InvalidPayload
from order_ingest.handlers.feeds import Feeds
from order_ingest.handlers.ports import Accepted
from order_ingest.handlers.webhooks import SetAside, Way, Webhooks
from restock_common import telemetry
from restock_common.postgres import Connection, Database

_TAKEN_AT_ONCE = 4  # each takes connections that the other doors need, too


@dataclass(frozen=True, slots=True)
class DueShop:
    """A shop that this process reads, until the lease ends.

    Attributes:
        shop: Which one.
        lease: Tells that it is still this process's.
        now: When it was claimed, by the database's clock.
        since: An hour before the shop was first heard of; where it never was, before `now`.
        covered_from: All orders that changed from then on have been read; None before the first
            reading.
        read_until: Until then, by the shop's clock.
        failures: How often it could not be read, one after the other.
    """

    shop: str
    lease: UUID
    now: datetime
    since: datetime
    covered_from: datetime | None
    read_until: datetime | None
    failures: int


class PollBook(Protocol):
    """Keeps how far shops have been read; `store.PostgresPollBook`."""

    async def claim(
        self, connection: Connection, at_most: int, lease: timedelta
    ) -> Sequence[DueShop]:
        """Return shops that are due; nobody else gets them while the lease lasts."""

    async def renew(self, connection: Connection, claim: DueShop, lease: timedelta) -> bool:
        """Make a lease last; return whether it is still this process's."""

    async def done(
        self,
        connection: Connection,
        claim: DueShop,
        *,
        covered_from: datetime,
        read_until: datetime,
        pause: timedelta,
    ) -> None:
        """Note how far a shop has been read, and when it is due again."""

    async def failed(
        self, connection: Connection, claim: DueShop, reason: str, pause: timedelta
    ) -> None:
        """Note why a shop could not be read, and when it is due again."""

    async def release(self, connection: Connection, claim: DueShop, pause: timedelta) -> None:
        """Give a shop back that was not read to the end, through no fault of its own."""


class Polls:
    """Tells which shops are to be read, one process at a time each. All raise Transient.

    Args:
        database: Where that is kept.
        book: What keeps it.
        lease: How long a process may be silent before another one takes a shop over.
    """

    def __init__(self, database: Database, book: PollBook, lease: timedelta) -> None:
        self._database = database
        self._book = book
        self._lease = lease

    async def claim(self, at_most: int) -> Sequence[DueShop]:
        """Return some shops that are due."""
        async with self._database.transaction() as connection:
            return await self._book.claim(connection, at_most, self._lease)

    async def renew(self, claim: DueShop) -> bool:
        """Make a lease last; return whether it is still this process's."""
        async with self._database.connection() as connection:
            return await self._book.renew(connection, claim, self._lease)

    async def done(
        self, claim: DueShop, *, covered_from: datetime, read_until: datetime, pause: timedelta
    ) -> None:
        """Note how far a shop has been read: all of it is durable."""
        async with self._database.connection() as connection:
            await self._book.done(
                connection, claim, covered_from=covered_from, read_until=read_until, pause=pause
            )

    async def failed(self, claim: DueShop, reason: str, pause: timedelta) -> None:
        """Note why a shop could not be read."""
        async with self._database.connection() as connection:
            await self._book.failed(connection, claim, reason, pause)

    async def release(self, claim: DueShop, pause: timedelta) -> None:
        """Give a shop back."""
        async with self._database.connection() as connection:
            await self._book.release(connection, claim, pause)


class Catcher:
    """Takes orders that were read from a shop, as if a webhook had told of each.

    Ids are derived from shop, order and revision, so a webhook that comes later says the same.

    Args:
        webhooks: What takes them.
        feeds: Knows in which state they were shown before.
    """

    def __init__(self, webhooks: Webhooks, feeds: Feeds) -> None:
        self._webhooks = webhooks
        self._feeds = feeds

    async def take(
        self, shop: str, channel: Channel, headers: Headers, orders: Sequence[bytes]
    ) -> None:
        """Take orders of a page, but for those that were shown in this state before.

        Raises:
            Transient: Some may not have been taken: read them again.
        """
        fresh = await self._fresh(shop, channel, headers, orders)
        telemetry.READ_ORDERS.labels(channel.name, "known").inc(len(orders) - len(fresh))
        for start in range(0, len(fresh), _TAKEN_AT_ONCE):
            some = fresh[start : start + _TAKEN_AT_ONCE]
            took = [self.take_one(shop, headers, raw, Way.PAGE) for raw in some]
            for became in await asyncio.gather(*took, return_exceptions=True):
                if isinstance(became, BaseException):
                    raise became
                telemetry.READ_ORDERS.labels(channel.name, became).inc()

    async def take_one(self, shop: str, headers: Headers, raw: bytes, way: Way) -> str:
        """Take an order; return what became of it. Raises Transient."""
        now = datetime.now(UTC)
        try:
            outcomes = await self._webhooks.deliver(shop, headers, raw, now, vouched=True, way=way)
        except InvalidPayload:
            return "set_aside"
        if any(isinstance(one, SetAside) for one in outcomes):
            return "set_aside"
        new = any(isinstance(one, Accepted) and one.new for one in outcomes)
        return "found" if new else "taken"

    async def _fresh(
        self, shop: str, channel: Channel, headers: Headers, orders: Sequence[bytes]
    ) -> list[bytes]:
        """Return the orders that were not yet shown as they are now."""
        states: dict[int, tuple[str, int]] = {}
        for at, raw in enumerate(orders):
            try:
                shown = None if channel.shows is None else channel.shows(headers, raw)
            except InvalidPayload:
                continue  # who takes it keeps it as a dead letter
            if shown is not None:
                states[at] = shown.order, shown.state
        known: Mapping[str, int] = {}
        if states:
            known = await self._feeds.states(shop, [order for order, _ in states.values()])
        return [
            raw
            for at, raw in enumerate(orders)
            if at not in states or known.get(states[at][0]) != states[at][1]
        ]
