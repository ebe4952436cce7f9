"""How the process itself is doing: its event loop, and its database."""

import asyncio
import time

from restock_common import telemetry
from restock_common.postgres import OPEN, Figures
from restock_common.runtime.background import Background

_EVERY_S = 0.1
_DATABASE_EVERY_S = 10.0


class Vitals(Background):
    """Measures how late the loop wakes, and asks the database for its figures now and then."""

    name = "vitals"

    async def _run(self) -> None:
        await asyncio.gather(self._watch_loop(), self._watch_database())

    async def _watch_loop(self) -> None:
        while True:
            asleep = time.monotonic()
            await asyncio.sleep(_EVERY_S)
            telemetry.LOOP_DELAY.observe(max(0.0, time.monotonic() - asleep - _EVERY_S))

    async def _watch_database(self) -> None:
        figures = Figures(OPEN)
        while True:
            await figures.look()
            await asyncio.sleep(_DATABASE_EVERY_S)
