"""From a wave and the master data to the problem that an engine is given, and back to tours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatcher.domain.fleet import NOBODY, Engaged, still_free
from dispatcher.domain.model import Shipment, Status, Wave
from dispatcher.domain.proposal import LeftOut, Proposal, ProposedStop, ProposedTour
from dispatcher.domain.route import Route
from dispatcher.domain.rules import MICRO, Rules
from dispatcher.domain.vrp import problem as vrp
from dispatcher.domain.vrp.bounds import CAPACITY_MAX
from dispatcher.domain.vrp.plan import Plan, Started, WarmStart
from dispatcher.domain.vrp.travel import RoadFactor
from restock_common.contracts.catalogue import Carrier, Catalogue, Product, Vehicle
from restock_common.contracts.ledger import DeliveryWindow, Place

_DAY_S = 86_400
_HOUR_S = 3600
_NOWHERE = Place(latitude=0, longitude=0)
_UNKNOWN = Product(sku="unknown", supplier="unknown")
"""What a sku that is not in the catalogue counts as."""

_PLANNED_ALREADY = 10
"""How much dearer it is to leave out what a customer has been told a time for."""

_PRICE_MAX = 10**6
"""In the currency: beyond all sense, and far below what an engine can reckon with."""


@dataclass(frozen=True, slots=True)
class Question:
    """What an engine is asked, and what its answer means.

    Attributes:
        day: The midnight that seconds are counted from.
        depot: The warehouse's place.
        problem: One warehouse, the vehicles that are free, and the shipments, in an order that
            follows from their ids.
        before: How the routes that are planned anew stand; None where there are none.
        carriers: Who takes each shipment at its carrier price.
    """

    day: datetime
    depot: Place
    problem: vrp.Problem
    before: WarmStart | None
    carriers: dict[str, Carrier]

    def at(self, seconds: int) -> datetime:
        """Return the instant that many seconds into the day."""
        return self.day + timedelta(seconds=seconds)


def gather(
    wave: Wave,
    shipments: Iterable[Shipment],
    catalogue: Catalogue,
    rules: Rules,
    engaged: Engaged = NOBODY,
    replaced: Sequence[Route] = (),
) -> Question | None:
    """Return what is asked for a wave; None where nobody knows where its warehouse is.

    Args:
        wave: The wave, closed.
        shipments: All that wait in it, and what is on routes that are planned anew.
        catalogue: Places, weights, vehicles and carriers.
        rules: What holds for every wave.
        engaged: What vehicles do beside it.
        replaced: The routes that are planned anew.
    """
    home = catalogue.locations.get(wave.location)
    if home is None:
        return None
    mine = [one for one in catalogue.vehicles.values() if one.location == wave.location]
    fleet = [vehicle(one, rules) for one in sorted(mine, key=lambda one: one.vehicle)]
    free = tuple(still_free(fleet, wave, engaged, rules))
    first_s = min((one.start_s for one in free), default=0)
    collecting = [
        one for one in catalogue.carriers.values() if one.location in (None, wave.location)
    ]
    carriers: dict[str, Carrier] = {}
    asked = []
    for one in sorted(shipments, key=lambda one: (one.allocated_at, one.allocation)):
        parcel = _parcel(one, wave, catalogue, rules, first_s)
        able = [(_price(carrier, parcel), carrier) for carrier in collecting]
        takers = [(price, carrier) for price, carrier in able if price is not None]
        if takers:
            price, cheapest = min(takers, key=lambda told: (told[0], told[1].carrier))
            carriers[one.allocation] = cheapest
            parcel = replace(parcel, carrier_price=price)
        asked.append(parcel)
    problem = vrp.Problem(
        warehouses=(vrp.Warehouse(wave.location, _point(home.place)),),
        vehicles=free,
        shipments=tuple(asked),
        travel=RoadFactor(rules.road_factor),
        prices=vrp.Prices(dial=rules.dial),
    )
    return Question(wave.day, home.place, problem, _before(replaced, rules), carriers)


def vehicle(one: Vehicle, rules: Rules) -> vrp.Vehicle:
    """Return a vehicle in whole numbers, its shift in seconds of the day that it drives on.

    The catalogue has no upper bound for some capacities and costs; an engine's integers have.
    """
    start_s = round(one.shift_start_hour * _HOUR_S)
    speeds = one.speed_kmh_by_hour or (one.speed_kmh,)
    pause = one.driver_break
    return vrp.Vehicle(
        vehicle=one.vehicle,
        warehouse=one.location,
        capacity=vrp.Size(
            min(one.capacity_grams, CAPACITY_MAX),
            min(one.capacity_cubic_cm or vrp.UNBOUNDED, CAPACITY_MAX),
            min(one.capacity_parcels or vrp.UNBOUNDED, CAPACITY_MAX),
        ),
        start_s=start_s,
        end_s=start_s + round(one.shift_hours * _HOUR_S),
        metres_per_hour=tuple(max(1, round(speed * 1000)) for speed in speeds),
        cost_per_km=_micro(one.cost_per_km),
        cost_per_hour=(
            rules.driver_cost_per_hour if one.cost_per_hour is None else _micro(one.cost_per_hour)
        ),
        fixed_cost=_micro(one.fixed_cost),
        route_s_max=None if one.route_hours_max is None else round(one.route_hours_max * _HOUR_S),
        route_metres_max=None if one.route_km_max is None else round(one.route_km_max * 1000),
        pause=None
        if pause is None
        else vrp.Break(
            round(pause.earliest_hour * _HOUR_S),
            round(pause.latest_hour * _HOUR_S),
            pause.minutes * 60,
        ),
        skills=frozenset(one.skills),
    )


def proposal_of(question: Question, plan: Plan) -> Proposal:
    """Return a plan in the times of its day; what carriers take leaves when they collect it."""
    sizes = {one.shipment: one.size.grams for one in question.problem.shipments}
    tours = [
        ProposedTour(
            vehicle=route.vehicle,
            departs_at=question.at(route.departs_s),
            returns_at=question.at(route.returns_s),
            metres=route.metres,
            stops=tuple(
                ProposedStop(
                    allocation=stop.shipment,
                    begins_at=question.at(stop.begins_s),
                    waits_s=stop.begins_s - stop.arrives_s,
                    metres=stop.metres,
                    grams=sizes[stop.shipment],
                )
                for stop in route.stops
            ),
        )
        for route in plan.routes
    ]
    handed: dict[str, list[str]] = {}
    for one in plan.carrier:
        handed.setdefault(question.carriers[one.shipment].carrier, []).append(one.shipment)
    for _, names in sorted(handed.items()):
        tours.append(_collected(question, names, sizes))
    unserved = tuple(LeftOut(one.shipment, one.reason, one.remedy) for one in plan.unserved)
    return Proposal(question.depot, tuple(tours), unserved)


def unsolved(shipments: Iterable[Shipment], reason: str, remedy: str) -> Proposal:
    """Return what can be said where nothing can be planned: all is left out, for one reason."""
    left_out = sorted(one.allocation for one in shipments)
    return Proposal(_NOWHERE, (), tuple(LeftOut(name, reason, remedy) for name in left_out))


def _collected(question: Question, names: Sequence[str], sizes: dict[str, int]) -> ProposedTour:
    """Return what one carrier takes as a tour of its own: it leaves when it is collected."""
    carrier = question.carriers[names[0]]
    leaves = question.at(round(carrier.collection_hour * _HOUR_S))
    arrives = leaves + timedelta(days=carrier.transit_days)
    stops = tuple(ProposedStop(name, arrives, 0, 0, sizes[name]) for name in names)
    return ProposedTour(carrier.carrier, leaves, leaves, 0, stops)


def _parcel(
    one: Shipment, wave: Wave, catalogue: Catalogue, rules: Rules, first_s: int
) -> vrp.Shipment:
    contents = [
        (catalogue.products.get(sku, _UNKNOWN), quantity) for sku, quantity in one.units.items()
    ]
    earliest_s, latest_s = _window_s(one.window, wave.day, first_s)
    promised = _PLANNED_ALREADY if one.status is Status.PLANNED else 1
    return vrp.Shipment(
        shipment=one.allocation,
        destination=_point(one.destination),
        size=vrp.Size(
            sum(product.weight_grams * quantity for product, quantity in contents),
            sum(product.volume_cubic_cm * quantity for product, quantity in contents),
        ),
        earliest_s=earliest_s,
        latest_s=latest_s,
        service_s=rules.service_s,
        penalty=rules.drop_penalty * (1 + one.missed) * promised,
        skills=frozenset(need for product, _ in contents for need in product.needs),
        warehouse=wave.location,
    )


def _price(carrier: Carrier, parcel: vrp.Shipment) -> int | None:
    """Return what a carrier asks, in micro-units; None where it does not take the parcel."""
    grams = parcel.size.grams
    if grams > carrier.weight_grams_max or not parcel.skills <= set(carrier.skills):
        return None
    return _micro(carrier.price + carrier.price_per_kg * grams / 1000)


def _before(replaced: Sequence[Route], rules: Rules) -> WarmStart | None:
    """Return the routes as they stand; a stop that changes its vehicle has its price."""
    if not replaced:
        return None
    started: dict[str, Started] = {}
    for route in sorted(replaced, key=lambda one: one.trip):
        stops = tuple(stop.allocation for stop in route.stops)
        started.setdefault(route.vehicle, Started(route.vehicle, stops))
    return WarmStart(tuple(started.values()), rules.stability_cost)


def _window_s(window: DeliveryWindow | None, day: datetime, first_s: int) -> tuple[int, int]:
    """Return a window in seconds of the day.

    A window that is over before the first vehicle can leave has been missed (the goods came late,
    or the wave before was full): the parcel then goes as soon as it can.
    """
    whole = (0, 2 * _DAY_S)
    if window is None:
        return whole
    earliest_s = round((window.earliest - day).total_seconds())
    latest_s = round((window.latest - day).total_seconds())
    return whole if latest_s <= first_s else (earliest_s, latest_s)


def _micro(price: float) -> int:
    return round(min(price, _PRICE_MAX) * MICRO)


def _point(place: Place) -> vrp.Point:
    return vrp.Point(place.latitude, place.longitude)
