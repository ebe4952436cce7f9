"""From a wave and the master data to the problem that the solver is given."""

from collections.abc import Iterable
from dataclasses import replace

from dispatcher.domain.fleet import NOBODY, Engaged, still_free
from dispatcher.domain.model import Shipment, Status, Wave
from dispatcher.domain.problem import Parcel, Plan, Problem, Van
from dispatcher.domain.proposal import LeftOut, Proposal, ProposedStop, ProposedTour
from dispatcher.domain.rules import MICRO, Rules
from restock_common.contracts.catalogue import Catalogue, Product, Vehicle
from restock_common.contracts.ledger import DeliveryWindow, Place

_DAY_S = 86_400
_NOWHERE = Place(latitude=0, longitude=0)
_UNKNOWN_GRAMS: int = Product.model_fields["weight_grams"].default

# Beyond these, sums over a wave would leave the 64 bits that the solver reckons in.
_CAPACITY_MAX_GRAMS = 10**12
_COST_PER_KM_MAX = 100_000.0
_FIXED_COST_MAX = 1e9

_PLANNED_ALREADY = 10
"""How much dearer it is to leave out what a customer has been told a time for."""


def gather(
    wave: Wave,
    shipments: Iterable[Shipment],
    catalogue: Catalogue,
    rules: Rules,
    engaged: Engaged = NOBODY,
) -> Problem:
    """Return the problem of a wave, its parcels and vans in an order that follows from their ids.

    Args:
        wave: The wave, closed.
        shipments: All that wait in it, and what is on routes that are planned anew.
        catalogue: Places, weights and vehicles.
        rules: What holds for every wave.
        engaged: What vehicles do beside it.
    """
    day = wave.day
    warehouse = catalogue.locations.get(wave.location)
    if warehouse is None:
        unknown = f"warehouse {wave.location!r} is not in the catalogue"
        bare = Problem(day, _NOWHERE, (), (), rules, why_no_vans=unknown)
    else:
        vehicles = [one for one in catalogue.vehicles.values() if one.location == wave.location]
        vans = [van(one) for one in sorted(vehicles, key=lambda one: one.vehicle)]
        free = tuple(still_free(vans, wave, engaged, rules))
        why = "no vehicle at this warehouse" if not vans else "every vehicle is out, or away"
        bare = Problem(day, warehouse.place, (), free, rules, why_no_vans=why)
    ordered = sorted(shipments, key=lambda one: (one.allocated_at, one.allocation))
    return replace(bare, parcels=tuple(_parcel(bare, one, catalogue) for one in ordered))


def proposal_of(problem: Problem, plan: Plan) -> Proposal:
    """Return a plan in the times of its day."""
    weights = {parcel.allocation: parcel.grams for parcel in problem.parcels}
    vans = {one.vehicle: one for one in problem.vans}
    tours = []
    for tour in plan.tours:
        free_s, stops = tour.departs_s, []
        for call in tour.calls:
            arrives_s = free_s + vans[tour.vehicle].drive_s(call.metres)
            stop = ProposedStop(
                allocation=call.allocation,
                begins_at=problem.at(call.begins_s),
                waits_s=call.begins_s - arrives_s,
                metres=call.metres,
                grams=weights[call.allocation],
            )
            stops.append(stop)
            free_s = call.begins_s + problem.rules.service_s
        departs_at, returns_at = problem.at(tour.departs_s), problem.at(tour.returns_s)
        tours.append(ProposedTour(tour.vehicle, departs_at, returns_at, tour.metres, tuple(stops)))
    unserved = tuple(LeftOut(one.allocation, one.reason) for one in plan.unserved)
    return Proposal(problem.depot, tuple(tours), unserved)


def van(vehicle: Vehicle) -> Van:
    """Return a vehicle in whole numbers, its shift in seconds of the day it drives on.

    The catalogue has no upper bound for capacity and costs; the solver's integers have.
    """
    start_s = round(vehicle.shift_start_hour * 3600)
    return Van(
        vehicle=vehicle.vehicle,
        capacity_grams=min(vehicle.capacity_grams, _CAPACITY_MAX_GRAMS),
        start_s=start_s,
        end_s=start_s + round(vehicle.shift_hours * 3600),
        metres_per_hour=max(1, round(vehicle.speed_kmh * 1000)),
        cost_per_km=round(min(vehicle.cost_per_km, _COST_PER_KM_MAX) * MICRO),
        fixed_cost=round(min(vehicle.fixed_cost, _FIXED_COST_MAX) * MICRO),
    )


def grams(shipment: Shipment, catalogue: Catalogue) -> int:
    """Return a parcel's weight; a sku that is not in the catalogue counts with the usual weight."""
    return sum(
        quantity
        * (catalogue.products[sku].weight_grams if sku in catalogue.products else _UNKNOWN_GRAMS)
        for sku, quantity in shipment.units.items()
    )


def _parcel(problem: Problem, shipment: Shipment, catalogue: Catalogue) -> Parcel:
    earliest_s, latest_s = _window_s(problem, shipment.window)
    promised = _PLANNED_ALREADY if shipment.status is Status.PLANNED else 1
    return Parcel(
        allocation=shipment.allocation,
        destination=shipment.destination,
        grams=grams(shipment, catalogue),
        earliest_s=earliest_s,
        latest_s=latest_s,
        penalty=problem.rules.drop_penalty * (1 + shipment.missed) * promised,
    )


def _window_s(problem: Problem, window: DeliveryWindow | None) -> tuple[int, int]:
    """Return a window in seconds of the day.

    A window that is over before the first van can leave has been missed (the goods came late, or
    the wave before was full): the parcel then goes as soon as it can.
    """
    whole = (0, 2 * _DAY_S)
    first_s = min((van.start_s for van in problem.vans), default=0)
    if window is None:
        return whole
    earliest_s = round((window.earliest - problem.day).total_seconds())
    latest_s = round((window.latest - problem.day).total_seconds())
    return whole if latest_s <= first_s else (earliest_s, latest_s)
