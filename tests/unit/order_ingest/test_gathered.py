"""Who waits shares the next run; who is at fault fails alone, and nobody waits in vain."""

import asyncio

from order_ingest.handlers.gathered import Gathered
from restock_common.errors import Transient


class Runs:
    """Doubles numbers, one gated run at a time; fails where it is told to."""

    def __init__(self, bad: int | None = None) -> None:
        self.gate = asyncio.Event()
        self.taken: list[list[int]] = []
        self.failing: Exception | None = None
        self.bad = bad

    async def __call__(self, items: list[int]) -> list[int]:
        self.taken.append(items)
        await self.gate.wait()
        if self.failing:
            raise self.failing
        if self.bad in items:
            raise ValueError(self.bad)
        return [2 * item for item in items]


async def started(runs: Runs) -> None:
    while not runs.taken:  # noqa: ASYNC110 - the loop has to turn until the first run is there
        await asyncio.sleep(0)


async def test_what_comes_during_a_run_shares_the_next() -> None:
    runs = Runs()
    gathered = Gathered(runs)
    first = asyncio.create_task(gathered([1]))
    await started(runs)
    others = [asyncio.create_task(gathered([n, n + 1])) for n in (10, 20, 30)]
    await asyncio.sleep(0)
    runs.gate.set()
    assert await first == [2]
    assert await asyncio.gather(*others) == [[20, 22], [40, 42], [60, 62]]
    assert runs.taken == [[1], [10, 11, 20, 21, 30, 31]]


async def test_a_world_that_is_away_is_told_to_all_who_wait_at_once() -> None:
    """One after the other they would wait for it for minutes."""
    runs = Runs()
    gathered = Gathered(runs)
    first = asyncio.create_task(gathered([1]))
    await started(runs)
    others = [asyncio.create_task(gathered([n])) for n in (2, 3)]
    await asyncio.sleep(0)
    runs.failing = Transient("away")
    runs.gate.set()
    answers = await asyncio.gather(first, *others, return_exceptions=True)
    assert [str(one) for one in answers] == ["away"] * 3
    assert runs.taken == [[1]]
    runs.failing = None
    assert await gathered([4]) == [8]


async def test_what_one_is_at_fault_for_the_others_do_not_bear() -> None:
    runs = Runs(bad=3)
    gathered = Gathered(runs)
    calls = [asyncio.create_task(gathered([n])) for n in (1, 2, 3, 4)]
    await started(runs)
    runs.gate.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [repr(one) for one in answers] == ["[2]", "[4]", "ValueError(3)", "[8]"]


async def test_who_goes_away_stops_nobody() -> None:
    runs = Runs()
    gathered = Gathered(runs)
    first, beside = (asyncio.create_task(gathered([n])) for n in (1, 5))
    await started(runs)
    second, third = (asyncio.create_task(gathered([n])) for n in (2, 3))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    runs.gate.set()
    assert await beside == [10]
    assert await third == [6]
    assert runs.taken == [[1, 5], [5, 3]]
    answers = await asyncio.gather(first, second, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers)


async def test_nothing_gives_nothing() -> None:
    runs = Runs()
    runs.gate.set()
    assert await Gathered(runs)([]) == []
