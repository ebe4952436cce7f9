"""One write for all who wait: what comes while a write is under way shares the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from restock_common.errors import Transient

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
    wait; should it be cancelled, the next one calls again. Where the world is away, all who wait
    are told so at once, those who came meanwhile among them: one after the other they would wait
    for it for minutes. Whatever else goes wrong may be the fault of one caller: each is tried alone
    then. So the function must bear being given the same items twice.

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
            results = await self._run_together(calls)
        except Transient as error:
            for call in (*calls, *self._waiting):
                if call is not mine and not call.answer.done():
                    call.answer.set_exception(error)
            self._waiting = []
            raise
        except BaseException:
            self._waiting = [call for call in calls + self._waiting if call is not mine]
            raise
        else:
            return _handed_out(results, calls, mine)
        finally:
            self._hand_on()

    async def _run_together(
        self, calls: Sequence[_Call[ItemT, ResultT]]
    ) -> list[list[ResultT] | Exception]:
        """Return the results of each call, or what it is at fault for. Raises Transient."""
        try:
            results = await self._run([item for call in calls for item in call.items])
        except Transient:
            raise
        except Exception as error:  # noqa: BLE001 - it is told to whom it concerns
            if len(calls) == 1:
                return [error]
            return [(await self._run_together([call]))[0] for call in calls]
        start = 0
        return [results[start : (start := start + len(call.items))] for call in calls]

    def _leave(self, mine: _Call[ItemT, ResultT]) -> None:
        """Wait no more, and let another run where it was this one's turn."""
        if mine in self._waiting:
            self._waiting.remove(mine)
        told = mine.answer.done() and not mine.answer.cancelled()
        if told and mine.answer.exception() is None and mine.answer.result() is None:
            self._hand_on()

    def _hand_on(self) -> None:
        """Have the first who still waits run for all."""
        first = next((call for call in self._waiting if not call.answer.done()), None)
        self._running = first is not None
        if first is not None:
            first.answer.set_result(None)


def _handed_out(
    results: Sequence[list[ResultT] | Exception],
    calls: Sequence[_Call[ItemT, ResultT]],
    mine: _Call[ItemT, ResultT],
) -> list[ResultT]:
    """Give every caller its results, and return one's own; raises what one is at fault for."""
    own: list[ResultT] | Exception = []
    for call, found in zip(calls, results, strict=True):
        if call is mine:
            own = found
        elif call.answer.done():
            continue
        elif isinstance(found, Exception):
            call.answer.set_exception(found)
        else:
            call.answer.set_result(found)
    if isinstance(own, Exception):
        raise own
    return own
