"""Who may send orders, and whose never reach the ledger: read again and again by each replica."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from order_ingest.handlers import Shops
from restock_common.errors import Transient
from restock_common.runtime import Background

log = structlog.get_logger()


class ShopWatch(Background):
    """Reads which shops there are until stopped; while it cannot, what was read last counts.

    Args:
        shops: What is told.
        prepare: Reads what webhooks need: another replica was told of the first shop, and its
            webhooks come here as well.
        every_s: The pause between two looks.
    """

    name = "watch over shops"

    def __init__(
        self, shops: Shops, prepare: Callable[[], Awaitable[None]], *, every_s: float
    ) -> None:
        self._shops = shops
        self._prepare = prepare
        self._every_s = every_s

    async def start(self) -> None:
        """Read them once, and begin to watch. Raises Transient."""
        await self._shops.refresh()
        await super().start()

    def not_ready(self) -> str | None:
        """Return why no order can be taken: whose are to be kept apart is not known yet."""
        return None if self._shops.sandboxes is not None else "shops have not been read"

    async def _run(self) -> None:
        prepared = False
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._shops.refresh()
                if not prepared and await self._shops.exist():
                    await self._prepare()
                    prepared = True
            except Transient as error:
                log.warning("shop_watch_retry", error=str(error))
