"""Whose orders never reach the ledger: read again and again, so that every replica knows."""

import asyncio

import structlog

from order_ingest.handlers import Shops
from restock_common.errors import Transient
from restock_common.runtime import Progress

log = structlog.get_logger()


class ShopWatch:
    """Reads which shops are sandboxes until stopped; while it cannot, what was read counts.

    Args:
        shops: What is told.
        every_s: The pause between two looks.
    """

    def __init__(self, shops: Shops, *, every_s: float) -> None:
        self._shops = shops
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read them once, and begin to watch. Raises Transient."""
        await self._shops.read_sandboxes()
        self._task = asyncio.create_task(self._run(), name="shop-watch")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def not_ready(self) -> str | None:
        """Return why no order can be taken: whose are to be kept apart is not known yet."""
        return None if self._shops.sandboxes is not None else "shops have not been read"

    def dead(self) -> str | None:
        """Return what ended the watch."""
        if self._task is not None and self._task.done() and not self._task.cancelled():
            return f"the watch over shops ended: {self._task.exception()!r}"
        return None

    async def progress(self) -> Progress:
        """Return nothing to wait for."""
        return Progress()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._shops.read_sandboxes()
            except Transient as error:
                log.warning("shop_watch_retry", error=str(error))
