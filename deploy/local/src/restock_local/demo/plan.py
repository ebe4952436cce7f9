"""What the storefront sends and when: orders, orders sent twice, cancellations, in stretches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from restock_local.demo import chance
from restock_local.demo.calendar import Stretch
from restock_local.demo.dataset import Dataset, PlannedOrder

SENT_TWICE_SHARE = 0.02
CANCELLED_SHARE = 0.02
_REPEAT_AFTER_MINUTES = (1.0, 40.0)
_CANCEL_AFTER_HOURS = (0.1, 20.0)


@dataclass(frozen=True, slots=True)
class Submission:
    """An order on its way to the door, for the first or for the second time."""

    at: datetime
    order: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A customer calls an order off."""

    at: datetime
    order: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the storefront will send, each part in event-time order.

    Attributes:
        submissions: Every order once, and some of them twice.
        cancellations: Those that fall into the replay.
        orders: The ids of the orders.
    """

    submissions: tuple[Submission, ...]
    cancellations: tuple[Cancellation, ...]
    orders: frozenset[str]

    def submitted_in(self, stretch: Stretch) -> list[Submission]:
        """Return what is submitted in a stretch."""
        return [each for each in self.submissions if stretch.begin <= each.at < stretch.end]

    def cancelled_in(self, stretch: Stretch) -> list[Cancellation]:
        """Return what is cancelled in a stretch."""
        return [each for each in self.cancellations if stretch.begin <= each.at < stretch.end]


def make_plan(dataset: Dataset, *, seed: int) -> Plan:
    """Return what is sent of a data set: 2 % of the orders twice, 2 % cancelled a while later."""
    submissions = []
    for order in dataset.orders:
        body = order.encode()
        submissions.append(Submission(order.placed_at, order.order, body))
        if chance.uniform(seed, "sent-twice", order.order) < SENT_TWICE_SHARE:
            minutes = chance.between(*_REPEAT_AFTER_MINUTES, seed, "repeat", order.order)
            again = min(order.placed_at + timedelta(minutes=minutes), dataset.end - _LAST_MOMENT)
            submissions.append(Submission(again, order.order, body))
    return Plan(
        submissions=tuple(sorted(submissions, key=lambda each: (each.at, each.order))),
        cancellations=tuple(_cancellations(dataset.orders, dataset.end, seed)),
        orders=frozenset(order.order for order in dataset.orders),
    )


_LAST_MOMENT = timedelta(seconds=1)


def _cancellations(
    orders: Sequence[PlannedOrder], end: datetime, seed: int
) -> Iterator[Cancellation]:
    cancelled = []
    for order in orders:
        if chance.uniform(seed, "cancelled", order.order) < CANCELLED_SHARE:
            hours = chance.between(*_CANCEL_AFTER_HOURS, seed, "cancel", order.order)
            cancelled.append(Cancellation(order.placed_at + timedelta(hours=hours), order.order))
    cancelled.sort(key=lambda each: (each.at, each.order))
    return (each for each in cancelled if each.at < end)
