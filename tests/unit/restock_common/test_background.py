"""A part that works beside the service: begun, ended, and never dead in silence."""

import asyncio

from restock_common.runtime import Background


class Counter(Background):
    name = "counter"

    def __init__(self, *, fails_at: int | None = None, gives_up: bool = False) -> None:
        self.count = 0
        self.stepped = asyncio.Event()
        self._fails_at = fails_at
        self._gives_up = gives_up

    async def _run(self) -> None:
        while True:
            self.count += 1
            self.stepped.set()
            if self.count == self._fails_at:
                raise KeyError("worn out")
            if self._gives_up:
                raise asyncio.CancelledError
            await asyncio.sleep(0)


async def test_works_until_it_is_stopped_and_no_longer() -> None:
    counter = Counter()
    await counter.start()
    await counter.stepped.wait()
    assert counter.dead() is None
    await counter.stop()
    counted = counter.count
    await asyncio.sleep(0.01)
    assert counter.count == counted > 0
    assert counter.dead() is None, "what was stopped has not ended by itself"


async def test_what_ends_by_itself_says_why() -> None:
    counter = Counter(fails_at=1)
    await counter.start()
    await asyncio.wait([task for task in asyncio.all_tasks() if task.get_name() == "counter"])
    assert counter.dead() == "the counter ended: KeyError('worn out')"
    await counter.stop()


async def test_what_is_cancelled_by_something_else_is_dead_too() -> None:
    counter = Counter(gives_up=True)
    await counter.start()
    await asyncio.wait([task for task in asyncio.all_tasks() if task.get_name() == "counter"])
    assert counter.dead() == "the counter ended: cancelled"
    await counter.stop()


async def test_what_never_began_can_be_stopped_and_begun() -> None:
    counter = Counter()
    await counter.stop()
    assert counter.dead() is None
    await counter.start()
    await counter.stepped.wait()
    await counter.stop()
