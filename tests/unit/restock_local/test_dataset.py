from datetime import timedelta

import orjson
import pytest

from restock_common.contracts.ledger import Place
from restock_local.demo.calendar import START
from restock_local.demo.dataset import Dataset, delivery_window, load
from restock_local.demo.geography import LOCATIONS, POOLS, VEHICLES, distance_km, nearest_location
from restock_local.demo.products import SUPPLIERS, product, suppliers, weight_grams


def test_two_days_hold_so_many_orders_a_day_in_time_order(two_days: Dataset) -> None:
    days = [order.placed_at.date().isoformat() for order in two_days.orders]
    assert days == ["2017-01-01"] * 60 + ["2017-01-02"] * 60
    moments = [order.placed_at for order in two_days.orders]
    assert moments == sorted(moments)
    assert two_days.end == START + timedelta(days=2)


def test_the_same_seed_keeps_the_same_orders_and_another_one_others(two_days: Dataset) -> None:
    again = load(2, seed=7, orders_per_day=60)
    other = load(2, seed=8, orders_per_day=60)
    assert again.orders == two_days.orders
    assert {order.order for order in other.orders} != {order.order for order in two_days.orders}


def test_all_orders_of_a_day_are_the_data_s_own_baskets() -> None:
    day = load(1, seed=1)
    assert len(day.orders) == len({order.order for order in day.orders}) == 288
    units = [units for order in day.orders for _, units in order.lines]
    assert min(units) >= 1
    assert max(units) <= 100


def test_every_product_on_an_order_has_master_data_and_a_rate(two_days: Dataset) -> None:
    known = {each.sku for each in two_days.products}
    supplying = {each.supplier for each in suppliers()}
    assert {sku for order in two_days.orders for sku, _ in order.lines} == known
    assert {each.supplier for each in two_days.products} <= supplying
    assert len(supplying) == SUPPLIERS
    for order in two_days.orders:
        for sku, _ in order.lines:
            assert two_days.daily_units[sku, order.home.location] > 0


def test_fuel_is_not_sold(two_days: Dataset) -> None:
    assert {"FUEL", "MISCELLANEOUS"}.isdisjoint(each.category for each in two_days.products)


def test_a_household_lives_at_one_place_near_its_nearest_warehouse(two_days: Dataset) -> None:
    homes: dict[str, Place] = {}
    for order in two_days.orders:
        assert homes.setdefault(order.customer, order.home.place) == order.home.place
        nearest = nearest_location(order.home.place)
        assert (order.home.location, order.home.pool) == (nearest.location, nearest.pool)
        assert distance_km(order.home.place, nearest.place) < 25
    assert len({order.home.pool for order in two_days.orders}) == len(POOLS)


@pytest.mark.parametrize("days", [0, 366])
def test_days_outside_the_year_are_refused(days: int) -> None:
    with pytest.raises(ValueError, match=f"days is {days}"):
        load(days, seed=1)


def test_an_order_s_json_carries_what_the_door_asks_for(two_days: Dataset) -> None:
    order = two_days.orders[0]
    body = orjson.loads(order.encode())
    assert body["order"] == order.order
    assert body["placed_at"] == order.placed_at.isoformat()
    assert body["destination"] == order.home.place.model_dump()
    assert [(line["sku"], line["quantity"]) for line in body["lines"]] == list(order.lines)


def test_windows_are_four_hours_of_the_next_day_and_some_customers_have_none() -> None:
    windows = [delivery_window(str(customer), START) for customer in range(400)]
    given = [window for window in windows if window is not None]
    assert 60 < windows.count(None) < 140
    assert {earliest.hour for earliest, _ in given} == {8, 12, 16}
    for earliest, latest in given:
        assert earliest.date() == (START + timedelta(days=1)).date()
        assert latest - earliest == timedelta(hours=4)


@pytest.mark.parametrize(
    ("package_size", "department", "grams"),
    [
        ("16 OZ", "GROCERY", 454),
        ("22 LB", "GROCERY", 9979),
        (".5 L", "GROCERY", 500),
        ("12 PK/.5 L", "GROCERY", 6000),
        ("6/12 OZ", "GROCERY", 2041),
        ("10 CT/3.5 OZ", "GROCERY", 99),
        ("750 ML", "SPIRITS", 750),
        ("24 CT/13 GAL", "GROCERY", 450),
        ("300 CT(1)", "DRUG GM", 250),
        (None, "PRODUCE", 700),
        (None, "TOYS", 500),
    ],
)
def test_weight_is_read_from_the_package_or_taken_from_the_department(
    package_size: str | None, department: str, grams: int
) -> None:
    assert weight_grams(package_size, department) == grams


def test_packs_are_of_one_six_or_twelve() -> None:
    packs = [product(str(sku), 1, "GROCERY", None, None).pack_size for sku in range(500)]
    assert set(packs) == {1, 6, 12}
    assert packs.count(1) > packs.count(6) > packs.count(12)


def test_pools_have_two_warehouses_a_shard_of_their_own_and_vehicles_everywhere() -> None:
    assert len({pool.shard for pool in POOLS}) == len(POOLS) == 3
    for pool in POOLS:
        assert sum(location.pool == pool.pool for location in LOCATIONS) == 2
    assert {vehicle.location for vehicle in VEHICLES} == {each.location for each in LOCATIONS}
    apart = [distance_km(a.place, b.place) for a in LOCATIONS for b in LOCATIONS if a.pool < b.pool]
    assert min(apart) > 100
    assert max(apart) < 250
