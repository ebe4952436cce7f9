"""The live clock: the system's time, said on every shard again and again."""

import asyncio
from datetime import UTC, datetime

import structlog

from order_ingest.handlers import Door
from restock_common.errors import Transient
from restock_common.runtime import Background

log = structlog.get_logger()


class Ticker(Background):
    """Says the time through the door until stopped; what is said twice does no harm.

    Args:
        door: What publishes it.
        every_s: The pause between two ticks.
    """

    name = "clock"

    def __init__(self, door: Door, *, every_s: float) -> None:
        self._door = door
        self._every_s = every_s

    async def _run(self) -> None:
        while True:
            now = datetime.now(UTC)
            said = self._door.clock.said
            if said is None or now > said:  # the system's time can be set back: then time stands
                try:
                    await self._door.advance(now, keep=False)
                except Transient as error:
                    log.warning("tick_retry", error=str(error))
            await asyncio.sleep(self._every_s)
