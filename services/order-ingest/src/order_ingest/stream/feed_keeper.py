"""Writes down what was heard of shops, and tells from which nothing comes any more."""

import asyncio
import time

import structlog

from order_ingest.handlers import Feeds
from restock_common.errors import Transient
from restock_common.runtime import Background

log = structlog.get_logger()

_WRITE_EVERY_S = 1.0
_ASSESS_EVERY_S = 15.0


class FeedKeeper(Background):
    """Keeps the books of what was heard until stopped; every replica writes what it has heard.

    Args:
        feeds: What writes it.
        chance: A silence that is less likely than that is told.
    """

    name = "feed keeper"

    def __init__(self, feeds: Feeds, *, chance: float) -> None:
        self._feeds = feeds
        self._chance = chance

    async def stop(self) -> None:
        """End, and write what was heard at last, where that can be done."""
        await super().stop()
        try:
            await self._feeds.write()
        except Transient as error:
            log.info("feeds_not_written", error=str(error))

    async def _run(self) -> None:
        assessed_at = 0.0
        while True:
            try:
                await self._feeds.write()
                if time.monotonic() - assessed_at >= _ASSESS_EVERY_S:
                    await self._feeds.assess(self._chance)
                    assessed_at = time.monotonic()
            except Transient as error:
                log.info("feeds_retry", error=str(error))
            await asyncio.sleep(_WRITE_EVERY_S)
