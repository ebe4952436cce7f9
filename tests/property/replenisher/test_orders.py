"""Whatever happens, in whatever order: each need is ordered for once, each receipt counts once."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.replenisher.world import (
    DAY,
    MIDNIGHT,
    World,
    catalogue,
    forecast,
    level,
    receipt,
)

from replenisher.domain.model import Place
from replenisher.domain.orders import Action, OrderCommand
from restock_common.contracts.event import Event
from restock_common.contracts.replenishment import PurchaseOrderPlaced

SKUS = ("a", "b", "c", "d")
LOCATIONS = ("W1", "W2")
PLACES = [Place(sku, location) for sku in SKUS for location in LOCATIONS]

places = st.sampled_from(PLACES)
levels = st.builds(
    lambda place, on_hand, share, owed: level(
        place.sku,
        on_hand,
        location=place.location,
        reserved=int(on_hand * share),
        backordered=owed,
    ),
    places,
    st.integers(0, 60),
    st.floats(0, 1),
    st.integers(0, 5),
)
forecasts = st.builds(
    lambda place, rate, age: forecast(
        place.sku, rate, location=place.location, learned_until=MIDNIGHT - age * DAY
    ),
    places,
    st.floats(0, 8),
    st.integers(0, 400),
)


def place_of(event: Any) -> Place:
    return Place(event.sku, event.location)


def interleaved(events: Sequence[Event], random: Random) -> list[Event]:
    """Return the events in another order that the topics could bring them in.

    Levels of one place stay in their order, as they do on one partition of one writer; forecasts
    of one place stay in theirs only because two may have been learned up to the same time.
    """
    queues: dict[tuple[str, Place], list[Event]] = {}
    for event in events:
        topic = event.topic.name
        queues.setdefault((topic, place_of(event)), []).append(event)
    waiting = list(queues.values())
    mixed = []
    while waiting:
        queue = random.choice(waiting)
        mixed.append(queue.pop(0))
        if not queue:
            waiting = [one for one in waiting if one]
    return mixed


def take_in_batches(world: World, events: Sequence[Event], random: Random) -> list[Event]:
    published: list[Event] = []
    rest = list(events)
    while rest:
        size = random.randint(1, len(rest))
        published += world.take(*rest[:size])
        rest = rest[size:]
    return published


def receipts_of(orders: Sequence[PurchaseOrderPlaced], shares: Sequence[float]) -> list[Event]:
    """Return two receipts for each line: a share of it, and what is left (perhaps nothing)."""
    arrivals: list[Event] = []
    lines = [(order, index) for order in orders for index in range(len(order.lines))]
    for (order, index), share in zip(lines, shares, strict=False):
        quantity = order.lines[index].quantity
        first = max(1, min(quantity, int(quantity * share)))
        arrivals.append(receipt(order, index, first, name="first", after=2 * DAY))
        if quantity > first:
            rest = receipt(order, index, quantity - first, name="rest", after=3.3 * DAY)
            arrivals.append(rest)
    return arrivals


def told(orders: Sequence[PurchaseOrderPlaced]) -> list[Any]:
    """Return what is ordered and why, without the names of what was heard last.

    A need has its id from the message that opened it, and topics may interleave in many ways.
    """
    heard = {"level_event": True, "forecast_event": True}
    without: Any = {"lines": {"__all__": {"need": True, "reason": heard}}}
    return [order.model_dump(exclude=without) for order in orders]


def check(world: World) -> None:
    """Check what must hold after every step."""
    outstanding: Counter[Place] = Counter()
    open_lines: Counter[str] = Counter()
    for line in world.state.lines.values():
        outstanding[line.place] += line.outstanding
        open_lines[line.purchase_order] += line.outstanding > 0
    for place, position in world.state.positions.items():
        assert position.on_order == outstanding[place] >= 0
    for order in world.state.orders.values():
        assert order.open_lines == open_lines[order.id]
        assert (order.closed_at is not None) == (order.open_lines == 0)
    needs = [(line.need, line.need_revision) for line in world.state.lines.values()]
    needs += [
        (one.need.id, one.need.revision) for one in world.state.positions.values() if one.need
    ]
    assert len(needs) == len(set(needs)), "a need is open, or covered by one line, never both"


@settings(max_examples=60, deadline=None)
@given(
    events=st.lists(levels | forecasts, min_size=1, max_size=40),
    shares=st.lists(st.floats(0, 1), min_size=16, max_size=16),
    seed=st.integers(0, 2**32),
)
def test_the_order_of_arrival_changes_nothing_at_the_cut(
    events: list[Event], shares: list[float], seed: int
) -> None:
    random = Random(seed)
    known = catalogue(SKUS[:3], pack_size=6)
    straight, shuffled = World(known), World(known)
    straight.take(*events)
    take_in_batches(shuffled, interleaved(events, random), random)
    orders = straight.review()
    shuffled_orders = shuffled.review()
    assert told(shuffled_orders) == told(orders)

    arrivals = receipts_of(orders, shares)
    closed = straight.take(*arrivals)
    closed_shuffled = take_in_batches(shuffled, interleaved(arrivals, random), random)
    assert sorted(closed, key=str) == sorted(closed_shuffled, key=str)
    assert straight.state.lead_times == shuffled.state.lead_times
    assert told(straight.review(MIDNIGHT + 5 * DAY)) == told(shuffled.review(MIDNIGHT + 5 * DAY))


@settings(max_examples=60, deadline=None)
@given(
    days=st.lists(st.lists(levels | forecasts, max_size=12), min_size=1, max_size=5),
    shares=st.lists(st.floats(0, 1), min_size=8, max_size=8),
    seed=st.integers(0, 2**32),
)
def test_needs_lines_and_receipts_always_add_up(
    days: list[list[Event]], shares: list[float], seed: int
) -> None:
    random = Random(seed)
    world = World(catalogue(SKUS))
    for number, events in enumerate(days):
        take_in_batches(world, events, random)
        check(world)
        orders = world.review(MIDNIGHT + number * DAY)
        check(world)
        for order in orders:
            for line in order.lines:
                reason = line.reason
                assert reason.inventory_position <= reason.reorder_point
                assert reason.inventory_position + line.quantity >= reason.order_up_to_level
        for arrival in receipts_of(orders, shares):
            world.take(arrival)
            check(world)
        for order in orders:
            if random.random() < 0.5:
                cancel = OrderCommand(
                    command=f"cancel {order.purchase_order}",
                    purchase_order=order.purchase_order,
                    action=random.choice([Action.CANCEL, Action.CLOSE_SHORT]),
                    by="ada",
                    at=MIDNIGHT + number * DAY,
                )
                world.take(cancel)
                check(world)
                assert world.take(cancel) == []
                check(world)


@settings(max_examples=60, deadline=None)
@given(
    events=st.lists(levels | forecasts, min_size=5, max_size=30),
    shares=st.lists(st.floats(0, 1), min_size=16, max_size=16),
    seed=st.integers(0, 2**32),
)
def test_receipts_that_come_again_change_nothing(
    events: list[Event], shares: list[float], seed: int
) -> None:
    random = Random(seed)
    once, often = World(catalogue(SKUS)), World(catalogue(SKUS))
    once.take(*events)
    often.take(*events)
    orders = once.review()
    assert often.review() == orders
    arrivals = receipts_of(orders, shares)
    for arrival in arrivals:
        again = [arrival] * random.randint(1, 3)
        assert often.take(*again) == once.take(arrival)
    assert often.state.positions == once.state.positions
    assert often.state.lines == once.state.lines
    assert often.state.lead_times == once.state.lead_times
