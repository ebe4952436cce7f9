import numpy as np

from replenisher.domain.policies.protocol import Costs
from replenisher.domain.simulation import KEEPS_FOR_EVER, Warehouse, World


def world(demand: list[int], *, lost: bool, lead: int = 2, life: int = KEEPS_FOR_EVER) -> World:
    one = np.ones(1)
    return World(
        demand=np.array([demand]),
        lead_days=np.full((1, len(demand)), lead),
        initial=np.array([5]),
        shelf_life_days=np.array([life]),
        costs=Costs(10 * one, 3 * one, one, 4 * one, 7 * one),
        lost_sales=lost,
    )


def played(given: World, orders: dict[int, int]) -> Warehouse:
    warehouse = Warehouse(given)
    for day in range(given.demand.shape[1]):
        warehouse.open(day, counts=True)
        warehouse.order(day, np.array([orders.get(day, 0)]), counts=True)
        warehouse.sell(day, counts=True)
    warehouse.close()
    return warehouse


def test_an_order_is_there_after_its_lead_time_and_serves_who_waits() -> None:
    done = played(world([4, 3, 2, 0], lost=False), {0: 6})
    # 5 - 4 = 1, 1 - 3 owes 2, + 6 serves them and 2 more, 2 are left twice.
    assert done.on_hand.tolist() == [2]
    assert done.owed.tolist() == [0]
    assert done.tally.held_days.tolist() == [1 + 0 + 2 + 2]
    assert done.tally.owed_days.tolist() == [2]
    assert done.tally.unmet.tolist() == [2]
    assert done.tally.cost(done.world.costs).tolist() == [5 + 10 + 4 * 2 + 7 * 2]


def test_what_is_lost_does_not_wait() -> None:
    done = played(world([4, 3, 2, 0], lost=True), {0: 6})
    assert done.on_hand.tolist() == [4]
    assert done.tally.owed_days.tolist() == [0]
    assert done.tally.unmet.tolist() == [2]
    assert done.inventory_position.tolist() == [4]


def test_days_and_cycles_that_were_short_are_counted() -> None:
    done = played(world([4, 3, 2, 0], lost=True), {0: 6})
    tally = done.tally
    assert (tally.orders_asked.tolist(), tally.orders_unmet.tolist()) == ([3], [1])
    assert (tally.cycles.tolist(), tally.cycles_short.tolist()) == ([2], [1])
    assert tally.stockout_days.tolist() == [1]


def test_the_oldest_leaves_first_and_what_is_too_old_is_written_off() -> None:
    done = played(world([1, 1, 0, 0, 0, 0], lost=True, life=3), {0: 4})
    # On the third morning the last 3 of the first 5 go; two days later the 4 that came on day 2.
    assert done.tally.written_off.tolist() == [3 + 4]
    assert done.on_hand.tolist() == [0]


def test_units_are_neither_made_nor_lost() -> None:
    random = np.random.default_rng(1)
    given = world(random.integers(0, 5, 200).tolist(), lost=False, lead=4, life=9)
    done = played(given, {day: int(random.integers(0, 9)) for day in range(0, 200, 3)})
    served = done.tally.asked - done.owed
    bought = given.initial + done.tally.units_ordered
    assert (bought == served + done.on_hand + done.on_order + done.tally.written_off).all()
