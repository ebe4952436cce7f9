"""The reviewer told to stop while a review cannot come to an end."""

import asyncio
from typing import Any, cast
from unittest.mock import Mock

import pytest
from tests.unit.replenisher.world import MIDNIGHT

from replenisher import stream
from replenisher.domain.orders import OrderCommand, OrdersLate
from replenisher.domain.review import ReviewDue
from replenisher.stream import REVIEWED_ON, Reviewer


class Agenda:
    """One review is due, always, and nothing else."""

    async def due_commands(self) -> list[OrderCommand]:
        return []

    async def late_orders(self) -> OrdersLate | None:
        return None

    async def due_review(self) -> ReviewDue:
        return ReviewDue(review_date=MIDNIGHT.date(), cut_at=MIDNIGHT)


async def test_a_review_that_waits_for_the_database_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The stream waits until the database is back or it is stopped, which comes after this."""
    monkeypatch.setattr(stream, "_STOP_PATIENCE_S", 0.05)
    begun = asyncio.Event()

    async def act(*_: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    waiting = Mock(owned={REVIEWED_ON}, act=act, advanced=asyncio.Event())
    reviewer = Reviewer(cast("Any", waiting), Agenda())
    await reviewer.start()
    await begun.wait()
    async with asyncio.timeout(5):
        await reviewer.stop()
    assert reviewer.dead() is None
