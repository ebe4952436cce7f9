"""A plan is committed: only for the membership that it was made for."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from dispatcher.domain.change import Change, Told
from dispatcher.domain.model import Route, RouteStop, Shipment, Status, Wave
from dispatcher.domain.problem import Plan, Problem, Tour
from dispatcher.domain.waves import cut_off_after, new_wave
from restock_common.contracts.dispatch import ShipmentUnserved
from restock_common.contracts.envelope import derive_id


def commit(
    wave: Wave,
    waiting: Mapping[str, Shipment],
    problem: Problem,
    plan: Plan,
    *,
    waves: Mapping[str, Wave],
    mark: datetime | None,
    cut_off_hour: int,
) -> Change:
    """Turn a plan into routes; what it leaves out waits for the next wave.

    The caller has compared the plan's version with the wave's.

    Args:
        wave: Closed, and not planned yet.
        waiting: Everything that waits in it, by allocation.
        problem: What was asked; exactly those that wait.
        plan: The answer, already checked.
        waves: The warehouse's waves that are not planned yet, by id.
        mark: The latest time told by the wave's writer.
        cut_off_hour: When waves close, UTC.
    """
    assert wave.closed_at is not None, f"wave {wave.wave} is still gathering"
    assert not wave.planned, f"wave {wave.wave} has been planned"
    served = [call.allocation for tour in plan.tours for call in tour.calls]
    asked = sorted(waiting)
    answered = sorted(served + [one.allocation for one in plan.unserved])
    assert asked == answered, f"wave {wave.wave}: asked {asked}, answered {answered}"

    routes = tuple(_route(wave, problem, tour, waiting) for tour in plan.tours)
    shipments = [
        replace(waiting[stop.allocation], status=Status.PLANNED, route=route.route, reason=None)
        for route in routes
        for stop in route.stops
    ]
    told = [
        Told(route.planned(), traceparent=waiting[route.stops[0].allocation].traceparent)
        for route in routes
    ]
    changed = [replace(wave, planned=True)]
    if plan.unserved:
        following = _following(wave, waves, mark, cut_off_hour)
        changed.append(replace(following, version=following.version + len(plan.unserved)))
        for one in plan.unserved:
            shipment = waiting[one.allocation]
            shipments.append(_left_out(shipment, following, one.reason))
            told.append(_unserved(wave, shipment, one.reason))
    return Change(tuple(shipments), tuple(changed), routes, tuple(told))


def _route(wave: Wave, problem: Problem, tour: Tour, waiting: Mapping[str, Shipment]) -> Route:
    grams = {parcel.allocation: parcel.grams for parcel in problem.parcels}
    stops = tuple(
        RouteStop(
            allocation=call.allocation,
            order=waiting[call.allocation].order,
            destination=waiting[call.allocation].destination,
            arrives_at=problem.at(call.begins_s),
            metres=call.metres,
            grams=grams[call.allocation],
        )
        for call in tour.calls
    )
    return Route(
        route=derive_id("route", wave.wave, tour.vehicle),
        wave=wave.wave,
        location=wave.location,
        source=wave.source,
        vehicle=tour.vehicle,
        depot=problem.depot,
        departs_at=problem.at(tour.departs_s),
        returns_at=problem.at(tour.returns_s),
        metres=tour.metres,
        stops=stops,
    )


def _following(
    wave: Wave, waves: Mapping[str, Wave], mark: datetime | None, cut_off_hour: int
) -> Wave:
    """Return the first wave that was not due when this one closed.

    Time may have passed its cut-off while this wave was solved: then it is due already. Waves of
    a warehouse are planned in their order, so it has not been planned.
    """
    assert wave.closed_at is not None
    cut_off = cut_off_after(wave.closed_at, cut_off_hour)
    fresh = new_wave(wave.location, wave.source, cut_off)
    following = waves.get(fresh.wave, fresh)
    if following.closed_at is None and mark is not None and following.cut_off <= mark:
        return replace(following, closed_at=following.cut_off)
    return following


def _left_out(shipment: Shipment, following: Wave, reason: str) -> Shipment:
    return replace(shipment, wave=following.wave, missed=shipment.missed + 1, reason=reason)


def _unserved(wave: Wave, shipment: Shipment, reason: str) -> Told:
    event = ShipmentUnserved(
        location=shipment.location,
        allocation=shipment.allocation,
        order=shipment.order,
        wave=wave.wave,
        reason=reason,
    )
    return Told(event, traceparent=shipment.traceparent)
