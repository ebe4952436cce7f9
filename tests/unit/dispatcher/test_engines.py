"""What every engine promises: one suite for all of them."""

import time
from dataclasses import replace

import pytest
from tests.unit.dispatcher.vrp_examples import (
    EURO,
    HOUR,
    PARCEL,
    TRUCK,
    VAN,
    shipments,
    town,
    work,
)

from dispatcher.domain.vrp.bounds import BadProblem
from dispatcher.domain.vrp.checker import faults
from dispatcher.domain.vrp.engines import ENGINES, engine
from dispatcher.domain.vrp.plan import Budget, Plan, Started, WarmStart
from dispatcher.domain.vrp.problem import Point, Prices, Problem, Size


@pytest.fixture(params=ENGINES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def solved(name: str, problem: Problem, warm: WarmStart | None = None) -> Plan:
    plan = engine(name).solve(problem, work(), seed=3, warm_start=warm).plan
    assert faults(problem, plan) == []
    return plan


def where(plan: Plan) -> dict[str, str]:
    return {stop.shipment: route.vehicle for route in plan.routes for stop in route.stops}


def test_a_plan_keeps_every_rule_and_answers_for_every_shipment(name: str) -> None:
    problem = town(40)
    plan = solved(name, problem)
    assert len(where(plan)) + len(plan.carrier) + len(plan.unserved) == 40
    assert len(where(plan)) >= 30


def test_the_same_seed_gives_the_same_plan(name: str) -> None:
    assert solved(name, town(25)) == solved(name, town(25))


def test_an_empty_fleet_leaves_every_shipment_with_its_reason(name: str) -> None:
    plan = solved(name, replace(town(3), vehicles=()))
    assert [one.reason for one in plan.unserved] == ["there is no vehicle"] * 3


def test_nothing_to_deliver_is_a_plan(name: str) -> None:
    assert solved(name, replace(town(1), shipments=())) == Plan(())


def test_what_a_carrier_takes_for_less_is_the_carriers(name: str) -> None:
    cheap = replace(PARCEL, carrier_price=2 * EURO)
    plan = solved(name, replace(town(1), shipments=(cheap,)))
    assert [one.shipment for one in plan.carrier] == ["parcel"]
    assert "the carrier takes it for 2.00" in plan.carrier[0].reason


def test_two_shipments_of_one_id_are_refused(name: str) -> None:
    with pytest.raises(BadProblem, match="shipment parcel is there 2 times"):
        solved(name, replace(town(1), shipments=(PARCEL, PARCEL)))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (replace(PARCEL, destination=Point(float("nan"), 1.0)), "not on the map"),
        (replace(PARCEL, destination=Point(-122.3, 47.6)), "swapped"),
        (replace(PARCEL, size=Size(0)), "a size of 0 g"),
        (replace(PARCEL, size=Size(-5)), "a size of -5 g"),
        (replace(PARCEL, size=Size(10**12)), "too large for any vehicle"),
        (replace(PARCEL, size=Size(5_000_000)), "too heavy"),
        (replace(PARCEL, latest_s=7 * HOUR), "before it begins"),
        (replace(PARCEL, skills=frozenset({"crane"})), "skills that it needs: crane"),
        (replace(PARCEL, earliest_s=20 * HOUR, latest_s=21 * HOUR), "outside every shift"),
        (replace(PARCEL, earliest_s=0, latest_s=7 * HOUR + 10), "before the first vehicle"),
        (replace(PARCEL, destination=Point(10.0, -122.3)), "before the first vehicle can be"),
        (replace(PARCEL, penalty=10**16), "out of range"),
        (replace(PARCEL, warehouse="west"), "its warehouse west is unknown"),
    ],
)
def test_what_cannot_be_served_says_why(name: str, wrong: object, reason: str) -> None:
    good = replace(PARCEL, shipment="good")
    plan = solved(name, replace(town(1), shipments=(good, wrong)))  # type: ignore[arg-type]
    assert where(plan).keys() == {"good"}
    assert [one.shipment for one in plan.unserved] == ["parcel"]
    assert reason in plan.unserved[0].reason


@pytest.mark.parametrize(
    "wrong",
    [
        replace(VAN, start_s=9 * HOUR, end_s=8 * HOUR),
        replace(VAN, metres_per_hour=(0,)),
        replace(VAN, capacity=Size(10**18)),
        replace(VAN, cost_per_km=10**17),
        replace(VAN, warehouse="west"),
    ],
)
def test_a_vehicle_that_is_none_is_an_error(name: str, wrong: object) -> None:
    with pytest.raises(BadProblem, match="vehicle van: "):
        solved(name, replace(town(1), vehicles=(wrong,)))  # type: ignore[arg-type]


def test_a_full_fleet_names_what_is_missing(name: str) -> None:
    heavy = tuple(
        replace(PARCEL, shipment=f"h{i}", size=Size(500_000), penalty=900 * EURO) for i in range(3)
    )
    plan = solved(name, replace(town(1), vehicles=(VAN,), shipments=heavy))
    assert len(plan.unserved) == 2
    for one in plan.unserved:
        assert "fleet full" in one.reason
        assert "one more vehicle" in one.remedy


def test_what_is_frozen_stays_first_on_its_vehicle(name: str) -> None:
    problem = replace(town(30), prices=Prices(late_per_hour=0))
    before = solved(name, problem)
    longest = max(before.routes, key=lambda route: len(route.stops))
    names = tuple(stop.shipment for stop in longest.stops)
    warm = WarmStart((Started(longest.vehicle, names, frozen=3),), stability_cost=EURO)
    new = tuple(replace(one, shipment=f"new-{one.shipment}") for one in shipments(5, seed=9))
    after = solved(name, replace(problem, shipments=(*problem.shipments, *new)), warm)
    route = next(route for route in after.routes if route.vehicle == longest.vehicle)
    assert tuple(stop.shipment for stop in route.stops[:3]) == names[:3]


def test_a_lost_vehicle_loses_its_stops_to_the_others(name: str) -> None:
    problem = town(20)
    before = solved(name, problem)
    lost = before.routes[0].vehicle
    left = tuple(one for one in problem.vehicles if one.vehicle != lost)
    warm = WarmStart(
        tuple(
            Started(route.vehicle, tuple(stop.shipment for stop in route.stops))
            for route in before.routes
        )
    )
    after = solved(name, replace(problem, vehicles=left), warm)
    assert lost not in where(after).values()


def test_a_plan_by_the_clock_tells_how_its_cost_fell(name: str) -> None:
    problem = town(40)
    answer = engine(name).solve(problem, Budget(0.5, time.monotonic))
    assert faults(problem, answer.plan) == []
    assert [one.seconds for one in answer.progress] == sorted(
        one.seconds for one in answer.progress
    )
    assert answer.progress[-1].cost == answer.plan.cost


def test_each_goods_own_warehouse_delivers_them(name: str) -> None:
    tied = tuple(
        replace(one, warehouse=("north", "south")[i % 2], skills=frozenset())
        for i, one in enumerate(shipments(20))
    )
    fleet = (VAN, replace(TRUCK, warehouse="south"))
    plan = solved(name, replace(town(1), vehicles=fleet, shipments=tied))
    for shipment, vehicle in where(plan).items():
        number = int(shipment[1:])
        assert vehicle == ("van", "truck")[number % 2]
