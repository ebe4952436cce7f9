"""Brings to Kafka what was spooled while it was away."""

import asyncio

import structlog

from order_ingest.handlers import Outlet
from restock_common.errors import Transient
from restock_common.runtime import Background, Progress

log = structlog.get_logger()

_PAUSE_S = 0.2


class Drainer(Background):
    """Drains the spool until stopped; of several replicas one at a time.

    What was published and not deleted at the end is published again.

    Args:
        outlet: What knows the spool.
    """

    name = "drainer"

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._failing: str | None = None

    def not_ready(self) -> str | None:
        """Return why nothing can be taken: every door asks PostgreSQL, Kafka may be away."""
        return None if self._failing is None else f"nothing can be taken: {self._failing}"

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
