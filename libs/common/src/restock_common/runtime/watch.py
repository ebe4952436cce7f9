"""Looks at the database now and then, for gauges that no single event tells."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from restock_common.errors import Transient
from restock_common.runtime.background import Background

log = structlog.get_logger()

_EVERY_S = 15.0
_PAUSE_FOR_WORK = 19.0
"""Seconds of rest for a second of looking: gauges take a twentieth of a connection at most."""


class Watch(Background):
    """Calls `look` again and again, the less often the longer it takes.

    Args:
        look: Sets the gauges; every replica does, so whoever adds them up takes the largest.
        every_s: The pause at least.
    """

    name = "watch"

    def __init__(self, look: Callable[[], Awaitable[None]], every_s: float = _EVERY_S) -> None:
        self._look = look
        self._every_s = every_s

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await self._look()
            except Transient as error:
                log.info("watch_retry", error=str(error))
            took = time.monotonic() - began
            await asyncio.sleep(max(self._every_s, _PAUSE_FOR_WORK * took))
