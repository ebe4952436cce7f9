"""One write for all who wait: what comes while a write is under way shares the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass(slots=True, eq=False)
class _Call(Generic[ItemT, ResultT]):
    items: Sequence[ItemT]
    results: list[ResultT] | None = field(default=None)


class Gathered(Generic[ItemT, ResultT]):
    """Calls a function for many callers at once, one call at a time, in the order they came.

    A commit costs the same for one order as for a hundred. Whoever comes first calls for all who
    wait; should that fail or be cancelled, only that caller is told, and the next one calls again:
    so the function must bear being given the same items twice.

    Args:
        run: Takes the items of all callers and returns a result for each, in their order.
    """

    def __init__(self, run: Callable[[list[ItemT]], Awaitable[list[ResultT]]]) -> None:
        self._run = run
        self._waiting: list[_Call[ItemT, ResultT]] = []
        self._running = asyncio.Lock()

    async def __call__(self, items: Sequence[ItemT]) -> list[ResultT]:
        """Return the results of these items; raises what `run` raises."""
        mine = _Call[ItemT, ResultT](items)
        self._waiting.append(mine)
        try:
            async with self._running:
                if mine.results is None:
                    await self._run_for_all()
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)
        assert mine.results is not None, "the run was for all who waited"
        return mine.results

    async def _run_for_all(self) -> None:
        calls, self._waiting = self._waiting, []
        try:
            results = await self._run([item for call in calls for item in call.items])
        except BaseException:
            self._waiting[:0] = calls
            raise
        start = 0
        for call in calls:
            end = start + len(call.items)
            call.results = results[start:end]
            start = end
