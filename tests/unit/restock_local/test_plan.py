from collections import Counter
from datetime import timedelta
from itertools import pairwise

from restock_local.demo.calendar import START, stretches
from restock_local.demo.dataset import Dataset
from restock_local.demo.geography import LOCATIONS
from restock_local.demo.plan import make_plan
from restock_local.demo.stock import MAX_COUNT_LINES, counts, initial_stock

_POOL_OF = {location.location: location.pool for location in LOCATIONS}


def test_stretches_cover_every_day_without_gaps() -> None:
    all_of_them = list(stretches(3))
    assert all_of_them[0].begin == START
    assert all_of_them[-1].end == START + timedelta(days=3)
    assert all(a.end == b.begin for a, b in pairwise(all_of_them))
    ends = {stretch.end for stretch in all_of_them}
    assert {START + timedelta(days=day) for day in (1, 2, 3)} <= ends


def test_reviews_follow_each_midnight_and_the_first_time_of_all() -> None:
    reviewed = [stretch for stretch in stretches(3) if stretch.is_reviewed]
    assert reviewed[0].begin == START
    assert [stretch.end for stretch in reviewed[1:]] == [
        START + timedelta(days=day) for day in (1, 2, 3)
    ]


def test_each_order_is_sent_in_its_stretch_and_repeats_have_the_same_bytes(week: Dataset) -> None:
    plan = make_plan(week, seed=1)
    sent = [each for stretch in stretches(7) for each in plan.submitted_in(stretch)]
    assert sent == list(plan.submissions)
    times = Counter(each.order for each in sent)
    assert times.keys() == plan.orders == {order.order for order in week.orders}
    assert set(times.values()) == {1, 2}
    twice = [order for order, count in times.items() if count == 2]
    assert 0.01 < len(twice) / len(plan.orders) < 0.03
    bodies = {(each.order, each.body) for each in sent}
    assert len(bodies) == len(plan.orders)


def test_two_percent_are_cancelled_after_they_were_placed(week: Dataset) -> None:
    plan = make_plan(week, seed=1)
    placed = {order.order: order.placed_at for order in week.orders}
    assert 0.01 < len(plan.cancellations) / len(plan.orders) < 0.03
    assert all(each.at > placed[each.order] for each in plan.cancellations)
    assert all(each.at < week.end for each in plan.cancellations)


def test_the_plan_follows_from_the_seed(two_days: Dataset) -> None:
    assert make_plan(two_days, seed=1) == make_plan(two_days, seed=1)
    assert make_plan(two_days, seed=1) != make_plan(two_days, seed=2)


def test_stock_stands_where_it_is_asked_for_with_some_of_it_missing(week: Dataset) -> None:
    stock = initial_stock(week, seed=1)
    touched = {(sku, order.home.location) for order in week.orders for sku, _ in order.lines}
    assert touched <= stock.keys()
    assert all(units >= 0 for units in stock.values())
    in_pool: Counter[tuple[str, str]] = Counter()
    anywhere: Counter[str] = Counter()
    for (sku, location), units in stock.items():
        in_pool[sku, _POOL_OF[location]] += units
        anywhere[sku] += units
    asked = {(sku, _POOL_OF[location]) for sku, location in touched}
    missing_at_home = [pair for pair in asked if in_pool[pair] == 0]
    assert 0.03 < len(missing_at_home) / len(asked) < 0.08
    assert 0 < sum(anywhere[sku] == 0 for sku, _ in missing_at_home) < len(missing_at_home) / 2


def test_counts_name_every_shelf_once_and_fit_into_a_request(week: Dataset) -> None:
    stock = initial_stock(week, seed=1)
    found = list(counts(stock))
    assert max(len(count.lines) for count in found) <= MAX_COUNT_LINES
    assert len({count.count for count in found}) == len(found)
    shelves = {(sku, count.location): units for count in found for sku, units in count.lines}
    assert shelves == stock
