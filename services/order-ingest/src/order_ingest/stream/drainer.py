"""Brings to Kafka what was spooled while it was away."""

import asyncio

import structlog

from order_ingest.handlers import Outlet
from restock_common.errors import Transient
from restock_common.runtime import Progress

log = structlog.get_logger()

_PAUSE_S = 0.2


class Drainer:
    """Drains the spool until stopped; of several replicas one at a time.

    Args:
        outlet: What knows the spool.
    """

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._failing: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin: what an earlier process has left is drained, too."""
        self._task = asyncio.create_task(self._run(), name="drainer")

    async def stop(self) -> None:
        """End, also in the middle: what was published and not deleted is published again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def not_ready(self) -> str | None:
        """Return why nothing can be taken: every door asks PostgreSQL, Kafka may be away."""
        return None if self._failing is None else f"nothing can be taken: {self._failing}"

    def dead(self) -> str | None:
        """Return what ended the draining."""
        if self._task is not None and self._task.done() and not self._task.cancelled():
            return f"the drainer ended: {self._task.exception()!r}"
        return None

    async def progress(self) -> Progress:
        """Return how many records wait in the spool."""
        return Progress(unpublished=self._outlet.spooled.rows)

    async def _run(self) -> None:
        while True:
            more = False
            try:
                more = await self._outlet.drain()
            except Transient as error:
                if self._failing is None:
                    log.warning("drain_retry", error=str(error))
                self._failing = str(error)
            else:
                self._failing = None
            if not more:
                await asyncio.sleep(_PAUSE_S)
