"""The books do not depend on how the answers of shards and warehouses are interleaved."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.stock_ledger.interleaved import PLACES, POOLS, Shards
from tests.unit.stock_ledger.building import cancelled, counted, order, received

from restock_common.contracts import Event
from restock_common.contracts.demand import DemandObserved
from stock_ledger.domain.model import HOME

Sent = tuple[int, Event]
"""The shard and the event that the door sends to it."""

quantities = st.integers(1, 5)


@st.composite
def stretches(draw: st.DrawFn) -> list[list[Sent]]:
    """Return what the door sends between advances of time."""
    names = [f"o{n}" for n in range(draw(st.integers(2, 9)))]
    homes = {name: sorted(POOLS)[n % len(POOLS)] for n, name in enumerate(names)}
    sent: list[Sent] = []
    for pool, location in PLACES:
        units = draw(st.integers(0, 6))
        stocked = counted(f"first {location}", location, ("tea", units), pool=pool)
        sent.append((POOLS[pool].shard, stocked))
    for name, home in homes.items():
        others = draw(st.permutations([pool for pool in POOLS if pool != home]))
        pools = tuple(POOLS[pool] for pool in (home, *others))
        lines = draw(st.lists(st.tuples(st.just("tea"), quantities), min_size=1, max_size=2))
        placed = order(name, *lines, pools=pools, minute=draw(st.integers(0, 3)))
        sent.append((POOLS[home].shard, placed))
    off = draw(st.lists(st.sampled_from(names), unique=True, max_size=4))
    sent += [(POOLS[homes[name]].shard, cancelled(name)) for name in off]
    for n, (pool, location) in enumerate(draw(st.lists(st.sampled_from(PLACES), max_size=3))):
        arrived = received(f"r{n}", location, ("tea", draw(quantities)), pool=pool)
        sent.append((POOLS[pool].shard, arrived))
    cuts = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=3)))
    edges = [0, *cuts, len(sent)]
    return [sent[a:b] for a, b in pairwise(edges)]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=stretches(), seeds=st.tuples(st.integers(0, 99), st.integers(100, 199)))
def test_any_interleaving_gives_the_same_books(
    plan: Sequence[Sequence[Sent]], seeds: tuple[int, int]
) -> None:
    first, second = (books_after(plan, Random(seed)) for seed in seeds)
    assert first == second


def books_after(plan: Sequence[Sequence[Sent]], chance: Random) -> dict[str, Any]:
    """Return what the books and the readers say at the end of a plan."""
    world = Shards()
    for sent in plan:
        for shard, event in sent:
            world.send("door", shard, event)
        deliver_all(world, chance)
        world.tick()
        deliver_all(world, chance)
    for _ in range(len(POOLS) + 1):
        world.tick()
        deliver_all(world, chance)
    return {
        "claims": sorted(
            (shard, claim.order, claim.offer, claim.state, sorted(map(str, claim.pieces)))
            for shard, books in world.books.items()
            for of_order in books.orders.values()
            for claim in of_order.values()
        ),
        "levels": {str(key): str(level) for key, level in sorted(world.levels.items())},
        "parcels": sorted(map(str, world.parcels.values())),
        "demand": sorted(str(one) for one in world.told if isinstance(one, DemandObserved)),
    }


def deliver_all(world: Shards, chance: Random) -> None:
    """Deliver everything in an order of chance; a warehouse gives back what it is asked for."""
    while True:
        for allocation in sorted(world.asked_back):
            world.give_back(allocation)
        queues = world.waiting()
        if not queues:
            return
        world.deliver(chance.choice(queues))


def test_the_plans_reach_other_pools() -> None:
    pools = tuple(POOLS[pool] for pool in ("north", "south"))
    plan = [
        [
            (1, counted("c", "s1", ("tea", 5), pool="south")),
            (0, order("o", ("tea", 5), pools=pools)),
        ]
    ]
    found = books_after(plan, Random(1))
    assert [claim[2] != HOME for claim in found["claims"]] == [False, True]
