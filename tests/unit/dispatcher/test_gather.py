"""From shipments and master data to the solver's problem."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.dispatcher.examples import (
    DAY,
    DEPOT,
    HOUR,
    at,
    parcel,
    problem,
    shipment,
    wave,
)

from dispatcher.domain.checker import faults
from dispatcher.domain.gather import gather, van
from dispatcher.domain.routing import Effort, plan
from dispatcher.domain.rules import MICRO, Rules
from restock_common.contracts.catalogue import Catalogue, Location, Product, Vehicle
from restock_common.contracts.ledger import DeliveryWindow

CATALOGUE = Catalogue.of(
    [
        Location(location="L", pool="p", place=DEPOT),
        Location(location="M", pool="p", place=DEPOT),
        Product(sku="brick", supplier="s", weight_grams=3000),
        Vehicle(vehicle="z", location="L", capacity_grams=1, speed_kmh=36, fixed_cost=12.5),
        Vehicle(vehicle="a", location="L", capacity_grams=2, shift_start_hour=6.5, shift_hours=8),
        Vehicle(vehicle="m", location="M", capacity_grams=3),
    ]
)


def test_vans_are_those_of_the_warehouse_in_the_order_of_their_ids() -> None:
    found = gather(wave(closed=True), [], CATALOGUE, Rules())
    assert (found.day, found.depot) == (DAY, DEPOT)
    assert [one.vehicle for one in found.vans] == ["a", "z"]
    early, plain = found.vans
    assert (early.start_s, early.end_s) == (6.5 * HOUR, 14.5 * HOUR)
    assert (plain.metres_per_hour, plain.fixed_cost) == (36_000, 12_500_000)


def test_parcels_are_weighed_and_those_that_waited_cost_more_to_leave_out() -> None:
    two = replace(shipment("b"), units={"brick": 2, "unheard": 1}, missed=2)
    older = replace(shipment("c"), allocated_at=at(-9))
    found = gather(wave(closed=True), [two, shipment("a"), older], CATALOGUE, Rules())
    assert [one.allocation for one in found.parcels] == ["c", "a", "b"]
    assert [one.grams for one in found.parcels] == [3000, 3000, 6500]
    assert [one.penalty for one in found.parcels] == [1000 * MICRO, 1000 * MICRO, 3000 * MICRO]


def test_a_window_is_told_in_seconds_of_the_day_and_a_missed_one_is_dropped() -> None:
    noon = DeliveryWindow(earliest=at(10), latest=at(12))
    missed = DeliveryWindow(earliest=at(-14), latest=at(-12))
    shipments = [replace(shipment("a"), window=noon), replace(shipment("b"), window=missed)]
    a, b = gather(wave(closed=True), shipments, CATALOGUE, Rules()).parcels
    assert (a.earliest_s, a.latest_s) == (10 * HOUR, 12 * HOUR)
    assert (b.earliest_s, b.latest_s) == (0, 48 * HOUR)


def test_a_warehouse_that_is_not_known_has_no_vans_and_says_why() -> None:
    found = gather(wave(closed=True), [shipment("a")], Catalogue(), Rules())
    assert found.vans == ()
    assert found.why_no_vans == "warehouse 'L' is not in the catalogue"


@pytest.mark.parametrize(
    "beyond",
    [
        {"capacity_grams": 10**30},
        {"fixed_cost": 1e30},
        {"cost_per_km": 1e300},
    ],
)
def test_a_vehicle_beyond_all_sense_still_has_a_plan(beyond: dict[str, Any]) -> None:
    vehicle = Vehicle.model_validate(
        {"vehicle": "a", "location": "L", "capacity_grams": 50_000} | beyond
    )
    asked = problem(parcel("1", 3.0), parcel("2", 4.0), vans=(van(vehicle),))
    assert faults(asked, plan(asked, Effort())) == []
