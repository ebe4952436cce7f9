"""One reading of one shop: all orders that changed, and those of which too little was told."""

import asyncio
from datetime import datetime

import structlog

from order_ingest.domain.channels import Channel, OrdersApi, Unreadable
from order_ingest.handlers import Catcher, Shops, Way
from order_ingest.stream.shop_client import ShopClient

log = structlog.get_logger()

_TRIES = 5
_MAX_PAGES = 20_000


class Reading:
    """Reads one shop.

    Args:
        shop: Which one.
        channel: Of which kind it is.
        api: How it is asked.
        client: What asks it.
        catcher: What takes its orders.
        shops: Knows which orders are to be fetched.
    """

    def __init__(
        self,
        shop: str,
        channel: Channel,
        api: OrdersApi,
        client: ShopClient,
        catcher: Catcher,
        shops: Shops,
    ) -> None:
        self._shop = shop
        self._channel = channel
        self._api = api
        self._client = client
        self._catcher = catcher
        self._shops = shops

    async def changed(self, since: datetime) -> datetime:
        """Take all orders that changed since then; return when that was begun, by the shop's clock.

        Raises:
            Unreadable: Not all could be read.
            Transient: Not all could be taken.
        """
        for _ in range(_TRIES):
            begun_at, whole = await self._pages(since)
            if whole:
                return begun_at
        raise Unreadable("orders vanished each time while it was read")

    async def asked_for(self) -> None:
        """Take the orders of which a webhook told too little.

        Raises:
            Unreadable: The shop cannot be read.
            Transient: Not all could be taken.
        """
        for one in await self._shops.asked(self._shop):
            asks = self._api.one(one.number)
            if not asks:
                continue
            try:
                bodies = [(await self._client.get(asked)).body for asked in asks]
            except Unreadable as error:
                if not error.gone:
                    raise
                log.warning("order_not_in_shop", shop=self._shop)
            else:
                raw = self._api.joined(bodies)
                await self._catcher.take_one(self._shop, self._api.headers, raw, Way.FETCHED)
            await self._shops.fetched(self._shop, one.number, one.asked_at)

    async def _pages(self, since: datetime) -> tuple[datetime, bool]:
        """Take page after page; return when that was begun, and whether none can be missing."""
        asked = self._api.changed_since(since)
        begun_at: datetime | None = None
        total: int | None = None
        for _ in range(_MAX_PAGES):
            answer = await self._client.get(asked)
            begun_at = begun_at or answer.at
            page = self._api.page(asked, answer.headers, answer.body)
            if total is not None and page.total is not None and page.total < total:
                return begun_at, False
            total = page.total
            await self._catcher.take(self._shop, self._channel, self._api.headers, page.orders)
            if page.next is None:
                return begun_at, True
            asked = page.next
            await asyncio.sleep(self._api.pause_s(answer.headers))
        raise Unreadable(f"there are more than {_MAX_PAGES} pages")
