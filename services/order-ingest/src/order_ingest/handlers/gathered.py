"""One write for all who wait: what comes while a write is under way shares the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass(slots=True, eq=False)
class _Call(Generic[ItemT, ResultT]):
    """What one caller waits for: its results, or None, which means that it is to run for all."""

    items: Sequence[ItemT]
    answer: asyncio.Future[list[ResultT] | None]


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
        self._running = False

    async def __call__(self, items: Sequence[ItemT]) -> list[ResultT]:
        """Return the results of these items; raises what `run` raises."""
        mine = _Call[ItemT, ResultT](items, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        if not self._running:
            self._running = True
            return await self._run_for_all(mine)
        try:
            results = await mine.answer
        except asyncio.CancelledError:
            self._leave(mine)
            raise
        return await self._run_for_all(mine) if results is None else results

    async def _run_for_all(self, mine: _Call[ItemT, ResultT]) -> list[ResultT]:
        calls: list[_Call[ItemT, ResultT]] = []
        try:
            await asyncio.sleep(0)  # what has come in the same turn of the loop comes along
            calls = [call for call in self._waiting if call is mine or not call.answer.done()]
            self._waiting = []
            results = await self._run([item for call in calls for item in call.items])
        except BaseException:
            self._waiting = [call for call in calls + self._waiting if call is not mine]
            raise
        else:
            return _handed_out(results, calls, mine)
        finally:
            self._hand_on()

    def _leave(self, mine: _Call[ItemT, ResultT]) -> None:
        """Wait no more, and let another run where it was this one's turn."""
        if mine in self._waiting:
            self._waiting.remove(mine)
        if not mine.answer.cancelled() and mine.answer.result() is None:
            self._hand_on()

    def _hand_on(self) -> None:
        """Have the first who still waits run for all."""
        first = next((call for call in self._waiting if not call.answer.done()), None)
        self._running = first is not None
        if first is not None:
            first.answer.set_result(None)


def _handed_out(
    results: list[ResultT],
    calls: Sequence[_Call[ItemT, ResultT]],
    mine: _Call[ItemT, ResultT],
) -> list[ResultT]:
    """Give every caller its part of the results, and return one's own."""
    start, own = 0, []
    for call in calls:
        part = results[start : (start := start + len(call.items))]
        if call is mine:
            own = part
        elif not call.answer.done():
            call.answer.set_result(part)
    return own
