"""Takes messages in where it is seen: in a span of their trace, and scored as days close."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from faust.types import TP

from forecaster import handlers, telemetry
from forecaster.domain.scorecard import Scorecard
from forecaster.domain.state import DAY_MS, PartitionState
from restock_common import tracing
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import DEMAND
from restock_common.runtime.delay import Delay
from restock_common.telemetry import Behind
from restock_common.transact import Cursor, Partition


class Observed:
    """What is told of the partitions of one process.

    Args:
        group: Its consumer group.
        consumer: Returns Faust's consumer, which is there once the application has started.
    """

    def __init__(self, group: str, consumer: Callable[[], Any]) -> None:
        self._consumer = consumer
        self._cards: dict[int, Scorecard] = defaultdict(Scorecard)
        self.delay = Delay(group)

    def take(self, state: PartitionState, message: Message[Event]) -> list[Message[Event]]:
        """Return what follows from a message, in its trace. Raises as `handlers.take`."""
        units = dict(state.asked) if isinstance(message.event, TimeAdvanced) else {}
        before = state.open_day
        with tracing.decision_span(message) as traceparent:
            if traceparent != message.traceparent:
                message = replace(message, traceparent=traceparent)
            published = handlers.take(state, message)
        self.delay.took(Partition(DEMAND.name, state.number), message.time.timestamp())
        if state.open_day != before and state.open_day is not None:
            closed = range(before or state.open_day, state.open_day)
            card = self._cards[state.number]
            telemetry.tell(card.closed([units.get(day, {}) for day in closed]))
            telemetry.LEARNED_UNTIL.labels(state.number).set(state.open_day * DAY_MS / 1000)
            card.expect(one.event for one in published)
        return published

    def took_up(self, states: Mapping[int, PartitionState]) -> None:
        """Begin with the partitions that were assigned, and forget all others."""
        self._cards.clear()
        telemetry.LEARNED_UNTIL.clear()
        for number, state in states.items():
            if state.open_day is not None:
                telemetry.LEARNED_UNTIL.labels(number).set(state.open_day * DAY_MS / 1000)

    def behind(self, now: float, states: Mapping[int, PartitionState]) -> Iterator[Behind]:
        """Yield how far each partition is behind its end."""
        return self.delay.behind(now, _cursors(states), self._end)

    def caught_up(self, now: float, states: Mapping[int, PartitionState]) -> None:
        """Note which partitions have nothing that waits."""
        self.delay.caught_up(now, _cursors(states), self._end)

    def _end(self, partition: Partition) -> int | None:
        end: int | None = self._consumer().highwater(TP(partition.topic, partition.number))
        return end


def _cursors(states: Mapping[int, PartitionState]) -> dict[Partition, Cursor]:
    partitions = {Partition(DEMAND.name, number): state for number, state in states.items()}
    return {one: Cursor(one, 0, state.next_offset) for one, state in partitions.items()}
