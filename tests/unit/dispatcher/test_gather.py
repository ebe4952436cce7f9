"""From shipments and master data to the engine's problem, and from its plan to tours."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.dispatcher.examples import (
    DAY,
    DEPOT,
    HOUR,
    at,
    shipment,
    wave,
)

from dispatcher.domain.fleet import Engaged
from dispatcher.domain.gather import Question, gather, proposal_of
from dispatcher.domain.model import Absence, Shipment, Status
from dispatcher.domain.rules import MICRO, Rules
from dispatcher.domain.vrp.plan import Missing, Plan
from restock_common.contracts.catalogue import (
    Carrier,
    Catalogue,
    DriverBreak,
    Location,
    Product,
    Vehicle,
)
from restock_common.contracts.ledger import DeliveryWindow

CATALOGUE = Catalogue.of(
    [
        Location(location="L", pool="p", place=DEPOT),
        Location(location="M", pool="p", place=DEPOT),
        Product(
            sku="brick", supplier="s", weight_grams=3000, volume_cubic_cm=900, needs=("tail-lift",)
        ),
        Product(sku="ice", supplier="s", weight_grams=500, needs=("cold",)),
        Vehicle(vehicle="z", location="L", capacity_grams=1, speed_kmh=36, fixed_cost=12.5),
        Vehicle(
            vehicle="a",
            location="L",
            capacity_grams=2,
            capacity_parcels=40,
            shift_start_hour=6.5,
            shift_hours=8,
            route_km_max=120,
            cost_per_hour=31,
            driver_break=DriverBreak(earliest_hour=11, latest_hour=13),
            skills=("cold",),
        ),
        Vehicle(vehicle="m", location="M", capacity_grams=3),
        Carrier(carrier="dear", price=9, skills=("tail-lift",)),
        Carrier(carrier="cheap", price=4, price_per_kg=1, weight_grams_max=5000),
        Carrier(carrier="elsewhere", location="M", price=0),
    ]
)


def asked(*shipments: Shipment, engaged: Engaged | None = None) -> Question:
    found = gather(wave(closed=True), shipments, CATALOGUE, Rules(), engaged or Engaged())
    assert found is not None
    return found


def test_vehicles_are_those_of_the_warehouse_with_all_that_they_have() -> None:
    found = asked()
    assert (found.day, found.depot) == (DAY, DEPOT)
    early, plain = found.problem.vehicles
    assert (early.vehicle, early.start_s, early.end_s) == ("a", 6.5 * HOUR, 14.5 * HOUR)
    assert (early.capacity.parcels, early.route_metres_max) == (40, 120_000)
    assert (early.skills, early.cost_per_hour) == (frozenset({"cold"}), 31 * MICRO)
    assert early.pause is not None
    assert (early.pause.earliest_s, early.pause.duration_s) == (11 * HOUR, 1800)
    assert (plain.vehicle, plain.metres_per_hour) == ("z", (36_000,))
    assert (plain.fixed_cost, plain.cost_per_hour) == (12_500_000, 25 * MICRO)


def test_shipments_are_weighed_and_those_that_waited_cost_more_to_leave_out() -> None:
    two = replace(shipment("b"), units={"brick": 2, "unheard": 1}, missed=2)
    older = replace(shipment("c"), allocated_at=at(-9), units={"ice": 1, "brick": 1})
    promised = replace(shipment("d"), status=Status.PLANNED, route="r")
    c, a, b, d = asked(two, shipment("a"), older, promised).problem.shipments
    assert [one.shipment for one in (c, a, b, d)] == ["c", "a", "b", "d"]
    assert [one.size.grams for one in (c, a, b)] == [3500, 3000, 6500]
    assert (b.size.cubic_cm, c.skills) == (1800, frozenset({"cold", "tail-lift"}))
    assert [one.penalty // MICRO for one in (c, a, b, d)] == [1000, 1000, 3000, 10_000]


def test_a_window_is_told_in_seconds_of_the_day_and_a_missed_one_is_dropped() -> None:
    noon = DeliveryWindow(earliest=at(10), latest=at(12))
    missed = DeliveryWindow(earliest=at(-14), latest=at(-12))
    shipments = [replace(shipment("a"), window=noon), replace(shipment("b"), window=missed)]
    a, b = asked(*shipments).problem.shipments
    assert (a.earliest_s, a.latest_s) == (10 * HOUR, 12 * HOUR)
    assert (b.earliest_s, b.latest_s) == (0, 48 * HOUR)


def test_the_cheapest_carrier_that_takes_it_has_its_price_told() -> None:
    plain = replace(shipment("a"), units={"unheard": 1})
    lifted = shipment("b")
    heavy = replace(shipment("c"), units={"unheard": 20})
    cold = replace(shipment("d"), units={"ice": 1})
    found = asked(plain, lifted, heavy, cold)
    prices = [one.carrier_price for one in found.problem.shipments]
    assert prices == [4_500_000, 9_000_000, 9_000_000, None]
    assert {name: one.carrier for name, one in found.carriers.items()} == {
        "a": "cheap",
        "b": "dear",
        "c": "dear",
    }
    given = proposal_of(
        found,
        Plan((), (Missing("a", ""), Missing("b", ""), Missing("c", "")), (Missing("d", "w", "x"),)),
    )
    assert [(one.vehicle, len(one.stops)) for one in given.tours] == [("cheap", 1), ("dear", 2)]
    assert {one.departs_at for one in given.tours} == {at(17)}
    assert given.tours[0].stops[0].begins_at == at(17) + timedelta(days=1)
    assert [(one.reason, one.remedy) for one in given.unserved] == [("w", "x")]


@pytest.mark.parametrize(
    ("since", "until", "shift"),
    [
        (-5, None, None),
        (-5, 10, (10, 14.5)),
        (11, None, (6.5, 11)),
        (20, None, (6.5, 14.5)),
        (-5, 2, (6.5, 14.5)),
    ],
)
def test_an_absence_cuts_a_shift(
    since: float, until: float | None, shift: tuple[float, float] | None
) -> None:
    back = None if until is None else at(until)
    away = Engaged(absences=(Absence("a", "L", at(since), back, "broken"),))
    fleet = {one.vehicle: one for one in asked(engaged=away).problem.vehicles}
    if shift is None:
        assert "a" not in fleet
    else:
        hours = (fleet["a"].start_s / HOUR, fleet["a"].end_s / HOUR)
        assert hours == shift


def test_a_warehouse_that_is_not_known_has_no_question() -> None:
    assert gather(wave(closed=True), [shipment("a")], Catalogue(), Rules()) is None


@pytest.mark.parametrize(
    "beyond", [{"capacity_grams": 10**30}, {"fixed_cost": 1e30}, {"cost_per_km": 1e300}]
)
def test_a_vehicle_beyond_all_sense_stays_within_what_an_engine_reckons_with(
    beyond: dict[str, float],
) -> None:
    from dispatcher.domain.vrp.bounds import checked

    told = {"vehicle": "a", "location": "L", "capacity_grams": 50_000} | beyond
    home = Location(location="L", pool="p", place=DEPOT)
    catalogue = Catalogue.of([home, Vehicle.model_validate(told)])
    found = gather(wave(closed=True), [shipment("a")], catalogue, Rules())
    assert found is not None
    assert checked(found.problem)[1] == ()
