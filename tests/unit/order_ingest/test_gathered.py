"""Who waits shares the next run; who fails, fails alone."""

import asyncio

import pytest

from order_ingest.handlers.gathered import Gathered


class Runs:
    """Doubles numbers, one gated run at a time; fails where it is told to."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.taken: list[list[int]] = []
        self.failing = 0

    async def __call__(self, items: list[int]) -> list[int]:
        self.taken.append(items)
        await self.gate.wait()
        if self.failing:
            self.failing -= 1
            raise ConnectionError(f"run {len(self.taken)}")
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


async def test_a_failed_run_is_told_to_one_and_repeated_for_the_others() -> None:
    runs = Runs()
    gathered = Gathered(runs)
    first = asyncio.create_task(gathered([1]))
    await started(runs)
    others = [asyncio.create_task(gathered([n])) for n in (2, 3)]
    await asyncio.sleep(0)
    runs.failing = 2
    runs.gate.set()
    with pytest.raises(ConnectionError, match="run 1"):
        await first
    with pytest.raises(ConnectionError, match="run 2"):
        await others[0]
    assert await others[1] == [6]
    assert runs.taken == [[1], [2, 3], [3]]


async def test_who_goes_away_leaves_nothing_to_be_done() -> None:
    runs = Runs()
    gathered = Gathered(runs)
    first = asyncio.create_task(gathered([1]))
    await started(runs)
    second, third = (asyncio.create_task(gathered([n])) for n in (2, 3))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    runs.gate.set()
    assert await third == [6]
    assert runs.taken == [[1], [3]]
    answers = await asyncio.gather(first, second, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers)


async def test_nothing_gives_nothing() -> None:
    runs = Runs()
    runs.gate.set()
    assert await Gathered(runs)([]) == []
