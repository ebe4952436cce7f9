"""When a vehicle is where: a route's order made into times, lengths and money."""

import itertools
from collections.abc import Callable, Sequence

from dispatcher.domain.vrp.arrays import Tables
from dispatcher.domain.vrp.plan import Route, Stop
from dispatcher.domain.vrp.problem import Prices, Problem, Shipment, Vehicle

_HOUR_S = 3600
_MICRO_PER_KM = 1000


def schedule(problem: Problem, known: Tables, vehicle: int, order: Sequence[int]) -> Route | None:
    """Return the route of a vehicle through shipments, by index; None where it comes too late.

    It leaves so that it is on the road for the least time, and at the earliest of those instants.
    A break is taken before the first stop (or the way back) that would end after its latest start.
    """
    one = problem.vehicles[vehicle]
    depots = len(problem.warehouses)
    home = next(i for i, w in enumerate(problem.warehouses) if w.warehouse == one.warehouse)
    shipments = [problem.shipments[index] for index in order]
    nodes = [home, *(depots + index for index in order), home]
    seconds = known.matrices.seconds[known.profile_of[vehicle]]
    drives = [int(seconds[a, b]) for a, b in itertools.pairwise(nodes)]
    metres = [int(known.matrices.metres[a, b]) for a, b in itertools.pairwise(nodes)]
    departs_s = _departure(one, shipments, drives)
    if departs_s is None:
        return None
    clock = departs_s
    pause = one.pause
    break_s, break_before = None, 0
    stops = []
    for rank, drive in enumerate(drives):
        last = rank == len(shipments)
        ends = clock + drive
        if not last:
            ends = max(ends, shipments[rank].earliest_s) + shipments[rank].service_s
        if pause is not None and break_s is None and ends > pause.latest_s:
            break_s, break_before = max(clock, pause.earliest_s), rank
            if break_s > pause.latest_s:
                return None
            clock = break_s + pause.duration_s
        clock += drive
        if last:
            break
        begins = max(clock, shipments[rank].earliest_s)
        if begins > shipments[rank].latest_s:
            return None
        stops.append(Stop(shipments[rank].shipment, clock, begins, metres[rank]))
        clock = begins + shipments[rank].service_s
    if clock > one.end_s or clock - departs_s > one.longest_s:
        return None
    return Route(one.vehicle, departs_s, clock, sum(metres), tuple(stops), break_s, break_before)


def _departure(one: Vehicle, shipments: Sequence[Shipment], drives: Sequence[int]) -> int | None:
    """Return the first instant of leaving at which the route takes the least time."""
    offset, early, late = 0, one.start_s, one.end_s
    for shipment, drive in zip(shipments, drives, strict=False):
        offset += drive
        if early + offset > shipment.latest_s:
            return None
        wait = max(0, shipment.earliest_s - offset - late)
        early = max(shipment.earliest_s - offset, early) - wait
        late = min(shipment.latest_s - offset, late)
        offset += wait + shipment.service_s
    return early


def route_cost(
    prices: Prices, vehicle: Vehicle, route: Route, find: Callable[[str], Shipment], day_s: int
) -> int:
    """Return what a route costs, in micro-units: vehicle, road, time, lateness, customers' wait.

    Args:
        prices: What lateness and waiting cost.
        vehicle: Who drives.
        route: What is driven.
        find: Gives a shipment by its id.
        day_s: The start of the first shift, which customers wait from.
    """
    hours = vehicle.cost_per_hour * (route.returns_s - route.departs_s)
    for stop in route.stops:
        shipment = find(stop.shipment)
        promised_s = stop.begins_s if shipment.promised_s is None else shipment.promised_s
        hours += max(0, stop.begins_s - promised_s) * prices.late_per_hour * shipment.weight
        hours += (stop.begins_s - day_s) * prices.customer_hour
    road = vehicle.cost_per_km * route.metres // _MICRO_PER_KM
    return vehicle.fixed_cost + road + hours // _HOUR_S


def day_start(problem: Problem) -> int:
    """Return the start of the first shift."""
    return min((one.start_s for one in problem.vehicles), default=0)
