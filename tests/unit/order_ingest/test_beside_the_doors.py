"""What runs beside the doors: it waits for the world, and never hides a bug."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from order_ingest.stream import Drainer, Housekeeper, ShopWatch, Ticker
from restock_common.errors import Permanent, Transient
from restock_common.runtime import Background


class World:
    """All that is asked for anything fails, after the first time where that must be good."""

    said = None
    sandboxes = None

    def __init__(self, error: Exception, good: int = 0) -> None:
        self._error = error
        self._good = good

    @property
    def clock(self) -> "World":
        return self

    async def fail(self, *_: object, **__: object) -> None:
        self._good -= 1
        if self._good < 0:
            raise self._error

    drain = deliver_waiting = advance = refresh = fail


def housekeeper(world: Any) -> Background:
    age = timedelta(days=1)
    return Housekeeper(world, world, world, give_up_after=age, forget_after=age)


def watch(world: World) -> Background:
    world._good = 1
    return ShopWatch(cast("Any", world), world.fail, every_s=0)


BESIDE: dict[str, Callable[[Any], Background]] = {
    "housekeeper": housekeeper,
    "drainer": Drainer,
    "clock": lambda world: Ticker(world, every_s=0.01),
    "watch over shops": watch,
}


async def ran(part: Background) -> str | None:
    """Return what ended a part, after it has had every occasion to."""
    await part.start()
    for _ in range(20):
        await asyncio.sleep(0)
    try:
        return part.dead()
    finally:
        await part.stop()


@pytest.mark.parametrize("name", BESIDE)
async def test_what_nobody_thought_of_ends_the_service_with_the_reason(name: str) -> None:
    for error in (KeyError("a bug"), Permanent("never so")):
        assert await ran(BESIDE[name](World(error))) == f"the {name} ended: {error!r}"


@pytest.mark.parametrize("name", BESIDE)
async def test_a_world_that_is_away_is_waited_for(name: str) -> None:
    assert await ran(BESIDE[name](World(Transient("away")))) is None
