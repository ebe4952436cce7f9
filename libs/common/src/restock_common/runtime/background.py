"""A component that is one task beside the service: a clock, a watch, a planner."""

import asyncio
from abc import ABC, abstractmethod
from typing import ClassVar

from restock_common.runtime.component import Progress


class Background(ABC):
    """Runs `_run` from start to stop; where it ends by itself the service is told so.

    A part that has more to begin or to end overrides `start` or `stop` and calls these.
    """

    name: ClassVar[str]
    """Who it is in a log line and in the reason for a service's end."""

    _task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """End, wherever it is; safe to call on a part that never started."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def not_ready(self) -> str | None:
        """Return None: the service can serve while it works."""
        return None

    def dead(self) -> str | None:
        """Return what ended it, if it has ended by itself."""
        if self._task is None or not self._task.done():
            return None
        why = "cancelled" if self._task.cancelled() else repr(self._task.exception())
        return f"the {self.name} ended: {why}"

    async def progress(self) -> Progress:
        """Return nothing to wait for."""
        return Progress()

    @abstractmethod
    async def _run(self) -> None:
        """Work until cancelled; what may heal is caught and tried again in here."""
