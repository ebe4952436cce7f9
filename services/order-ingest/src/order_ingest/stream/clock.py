"""The live clock: the system's time, said on every shard again and again."""

import asyncio
from datetime import UTC, datetime

import structlog

from order_ingest.handlers import Door
from restock_common.errors import Transient
from restock_common.runtime import Progress

log = structlog.get_logger()


class Ticker:
    """Says the time through the door until stopped.

    Args:
        door: What publishes it.
        every_s: The pause between two ticks.
    """

    def __init__(self, door: Door, *, every_s: float) -> None:
        self._door = door
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to tick."""
        self._task = asyncio.create_task(self._run(), name="clock")

    async def stop(self) -> None:
        """End, in the middle of a pause or of a tick: what is said again does no harm."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def not_ready(self) -> str | None:
        """Return None: the service can serve between ticks."""
        return None

    def dead(self) -> str | None:
        """Return what ended the ticking."""
        if self._task is not None and self._task.done() and not self._task.cancelled():
            return f"the clock ended: {self._task.exception()!r}"
        return None

    async def progress(self) -> Progress:
        """Return nothing to wait for."""
        return Progress()

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
