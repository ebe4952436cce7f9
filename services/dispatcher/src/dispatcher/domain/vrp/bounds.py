"""What is a problem at all: figures are bounded before a solver sees one.

The bounds keep every sum far inside 64 bits: 20,000 shipments left out at 10^14 micro-units each
come to 2 x 10^18, and lengths and times fit into 32 bits each.
"""

from collections import Counter
from dataclasses import replace

from dispatcher.domain.vrp.plan import Missing
from dispatcher.domain.vrp.problem import Prices, Problem, Shipment, Size, Vehicle
from dispatcher.domain.vrp.travel import LATITUDE_MAX, is_place
from restock_common.errors import Permanent

SHIPMENTS_MAX = 20_000
SIZE_MAX = 10**11
"""Of a shipment: 100,000 tonnes in grams, 100,000 cubic metres in cubic centimetres."""
CAPACITY_MAX = 10**15
MONEY_MAX = 10**14
PRIORITY_MAX = 9
SPEED_MAX = 200_000
"""Metres an hour."""
TIME_MAX = 10**8
"""Seconds before or after the problem's midnight: three years, for tenths of seconds too."""


class BadProblem(Permanent):
    """No routing problem: the message names what is wrong, and with what."""


def checked(problem: Problem) -> tuple[Problem, tuple[Missing, ...]]:
    """Return the problem without the shipments that are none, and these with their reasons.

    Raises:
        BadProblem: Ids are not unique, or a vehicle, a warehouse or a price is none.
    """
    known = {one.warehouse for one in problem.warehouses}
    _check_whole(problem)
    _check_prices(problem.prices)
    for vehicle in problem.vehicles:
        wrong = _vehicle_fault(vehicle, known)
        if wrong:
            raise BadProblem(f"vehicle {vehicle.vehicle}: {wrong}")
    wrong_ones, kept = [], []
    for shipment in problem.shipments:
        fault = _shipment_fault(shipment, known)
        if fault is None:
            kept.append(shipment)
        else:
            wrong_ones.append(Missing(shipment.shipment, fault))
    if not wrong_ones:
        return problem, ()
    return replace(problem, shipments=tuple(kept)), tuple(wrong_ones)


def _check_whole(problem: Problem) -> None:
    _unique("warehouse", [one.warehouse for one in problem.warehouses])
    _unique("vehicle", [one.vehicle for one in problem.vehicles])
    _unique("shipment", [one.shipment for one in problem.shipments])
    if len(problem.shipments) > SHIPMENTS_MAX:
        raise BadProblem(f"{len(problem.shipments)} shipments: {SHIPMENTS_MAX} at most")
    if not problem.warehouses:
        raise BadProblem("no warehouse")
    for warehouse in problem.warehouses:
        if not is_place(warehouse.place):
            raise BadProblem(
                f"warehouse {warehouse.warehouse} is not on the map: {warehouse.place}"
            )


def _check_prices(prices: Prices) -> None:
    if not (0 <= prices.dial <= 1):
        raise BadProblem(f"the dial is {prices.dial}: from 0, the cheapest, to 1, the fastest")
    if not (0 <= prices.late_per_hour <= MONEY_MAX and 0 <= prices.wait_per_hour <= MONEY_MAX):
        raise BadProblem("the prices of an hour are out of range")


def _unique(what: str, ids: list[str]) -> None:
    for name, count in Counter(ids).items():
        if count > 1:
            raise BadProblem(f"{what} {name} is there {count} times")


def _vehicle_fault(one: Vehicle, warehouses: set[str]) -> str | None:
    if one.warehouse not in warehouses:
        return f"its warehouse {one.warehouse} is unknown"
    if not all(0 <= part <= CAPACITY_MAX for part in one.capacity.as_tuple()):
        return f"a capacity of {one.capacity} is out of range"
    if not -TIME_MAX <= one.start_s < one.end_s <= TIME_MAX:
        return f"a shift from {one.start_s} to {one.end_s} s is none"
    if not one.metres_per_hour or not all(0 < v <= SPEED_MAX for v in one.metres_per_hour):
        return f"a speed of {one.metres_per_hour} m/h is out of range"
    if not all(0 <= v <= MONEY_MAX for v in (one.cost_per_km, one.cost_per_hour, one.fixed_cost)):
        return "a cost is out of range"
    for longest in (one.route_s_max, one.route_metres_max):
        if longest is not None and longest <= 0:
            return f"a longest route of {longest} is none"
    pause = one.pause
    if pause and not (pause.earliest_s <= pause.latest_s and pause.duration_s > 0):
        return (
            f"a break of {pause.duration_s} s from {pause.earliest_s} to {pause.latest_s} is none"
        )
    return None


def _shipment_fault(one: Shipment, warehouses: set[str]) -> str | None:
    here = one.destination
    if not is_place(here):
        hint = ": are latitude and longitude swapped?" if abs(here.latitude) > LATITUDE_MAX else ""
        return f"{here.latitude}, {here.longitude} is not on the map{hint}"
    if one.earliest_s > one.latest_s:
        return f"its window ends at {one.latest_s} s, before it begins at {one.earliest_s} s"
    if one.latest_s < -TIME_MAX or one.earliest_s > TIME_MAX:
        return "its window is on another day"
    if not 0 <= one.service_s <= TIME_MAX:
        return f"a service of {one.service_s} s is none"
    if not 0 <= one.priority <= PRIORITY_MAX:
        return f"priority {one.priority}: from 0 to {PRIORITY_MAX}"
    if not 0 <= one.penalty * one.weight <= MONEY_MAX or not (one.carrier_price or 0) >= 0:
        return "its penalty or its carrier's price is out of range"
    if one.warehouse is not None and one.warehouse not in warehouses:
        return f"its warehouse {one.warehouse} is unknown"
    return _size_fault(one.size)


def _size_fault(size: Size) -> str | None:
    if size.grams <= 0 or size.cubic_cm < 0 or size.parcels < 1:
        return f"a size of {size.grams} g, {size.cubic_cm} cm3, {size.parcels} parcels is none"
    if max(size.as_tuple()) > SIZE_MAX:
        return f"too large for any vehicle: {size.grams} g, {size.cubic_cm} cm3"
    return None
