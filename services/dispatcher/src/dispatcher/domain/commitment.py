"""A plan is committed: only for the membership, and the plan of the day, that it was made for."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from dispatcher.domain.change import Change, Told
from dispatcher.domain.model import DayPlan, Shipment, Status, Wave
from dispatcher.domain.proposal import LeftOut, Proposal, ProposedTour
from dispatcher.domain.route import Cause, Route, RouteState, RouteStop
from dispatcher.domain.rules import Rules
from dispatcher.domain.waves import following
from restock_common.contracts.dispatch import ShipmentUnserved
from restock_common.contracts.envelope import derive_id

_EMPTIED = "its stops are with other vehicles now"


def new_plan(location: str, day: datetime) -> DayPlan:
    """Return the plan of a day on which nothing has been planned yet."""
    return DayPlan(derive_id("plan", location, day.isoformat()), location, day)


def commit(
    wave: Wave,
    plan: DayPlan,
    asked: Mapping[str, Shipment],
    proposal: Proposal,
    routes: Iterable[Route],
    replaced: Iterable[Route],
    *,
    waves: Mapping[str, Wave],
    mark: datetime | None,
    rules: Rules,
) -> Change:
    """Turn a proposal into routes; what it leaves out waits for the next regular wave.

    The caller has compared the versions of the wave and of the plan with those it was made for.

    Args:
        wave: Closed, and not planned yet.
        plan: The plan of the wave's day.
        asked: What waits in the wave and what is on the routes that are replaced, by allocation.
        proposal: The answer, already checked.
        routes: All of the plan.
        replaced: Those of them that were asked about anew; none has left.
        waves: The warehouse's waves that are not planned yet, by id.
        mark: The latest time told by the wave's writer.
        rules: When waves close.
    """
    assert wave.closed_at is not None, f"wave {wave.wave} is still gathering"
    assert not wave.planned, f"wave {wave.wave} has been planned"
    old = {route.route: route for route in replaced}
    _answers_all(wave, asked, proposal)

    kept = [one for one in routes if one.route not in old and one.state is not RouteState.CANCELLED]
    made = [_route(wave, plan, proposal, tour, asked, kept) for tour in proposal.tours]
    before = {route.route: route for route in routes}
    changed, told, moved = [], [], []
    for route in made:
        earlier = before.get(route.route)
        live = earlier if earlier is not None and earlier.state is RouteState.PLANNED else None
        if live is None or not route.same_tour(live):
            changed.append(route)
            first = asked[route.stops[0].allocation]
            event = route.planned(route.changes_from(live, Cause.WAVE))
            told.append(Told(event, traceparent=first.traceparent))
        for stop in route.stops:
            shipment = asked[stop.allocation]
            if (shipment.status, shipment.route) != (Status.PLANNED, route.route):
                moved.append(_planned(shipment, wave, route))
    for name in sorted(old.keys() - {route.route for route in made}):
        gone = old[name].cancelled(plan.version + 1)
        changed.append(gone)
        told.append(Told(gone.called_off(_EMPTIED)))

    waves_changed = [replace(wave, planned=True, size=0)]
    if proposal.unserved:
        later = _next(wave, waves, mark, rules).with_more(len(proposal.unserved))
        waves_changed.append(later)
        for one in proposal.unserved:
            shipment = asked[one.allocation]
            moved.append(_left_out(shipment, later, one.reason))
            told.append(_unserved(wave, shipment, one))
    plans = (plan.changed(),) if changed else ()
    return Change(tuple(moved), tuple(waves_changed), tuple(changed), plans, told=tuple(told))


def _answers_all(wave: Wave, asked: Mapping[str, Shipment], proposal: Proposal) -> None:
    answered = [stop.allocation for tour in proposal.tours for stop in tour.stops]
    answered += [one.allocation for one in proposal.unserved]
    wanted, found = sorted(asked), sorted(answered)
    assert wanted == found, f"wave {wave.wave}: asked {wanted}, answered {found}"


def _route(
    wave: Wave,
    plan: DayPlan,
    proposal: Proposal,
    tour: ProposedTour,
    asked: Mapping[str, Shipment],
    kept: Iterable[Route],
) -> Route:
    trip = sum(route.vehicle == tour.vehicle for route in kept)
    stops = tuple(
        RouteStop(
            allocation=stop.allocation,
            order=asked[stop.allocation].order,
            destination=asked[stop.allocation].destination,
            planned_at=stop.begins_at,
            metres=stop.metres,
            grams=stop.grams,
            waits_s=stop.waits_s,
            arrives_at=stop.begins_at,
        )
        for stop in tour.stops
    )
    return Route(
        route=derive_id("route", plan.plan, tour.vehicle, trip),
        plan=plan.plan,
        wave=wave.wave,
        location=wave.location,
        source=wave.source,
        vehicle=tour.vehicle,
        depot=proposal.depot,
        departs_at=tour.departs_at,
        returns_at=tour.returns_at,
        metres=tour.metres,
        stops=stops,
        plan_version=plan.version + 1,
        trip=trip,
    )


def _next(wave: Wave, waves: Mapping[str, Wave], mark: datetime | None, rules: Rules) -> Wave:
    """Return the first regular wave that was not due when this one closed.

    Time may have passed its cut-off while this wave was solved: then it is due already. Waves of
    a warehouse are planned in their order, so it has not been planned.
    """
    assert wave.closed_at is not None
    others = {name: one for name, one in waves.items() if name != wave.wave}
    later = following(wave.location, wave.source, wave.closed_at, others, rules)
    if later.closed_at is None and mark is not None and later.cut_off <= mark:
        return replace(later, closed_at=later.cut_off)
    return later


def _planned(shipment: Shipment, wave: Wave, route: Route) -> Shipment:
    return replace(shipment, status=Status.PLANNED, wave=wave.wave, route=route.route, reason=None)


def _left_out(shipment: Shipment, later: Wave, reason: str) -> Shipment:
    return replace(
        shipment,
        status=Status.WAITING,
        route=None,
        wave=later.wave,
        missed=shipment.missed + 1,
        reason=reason,
    )


def _unserved(wave: Wave, shipment: Shipment, one: LeftOut) -> Told:
    event = ShipmentUnserved(
        location=shipment.location,
        allocation=shipment.allocation,
        order=shipment.order,
        wave=wave.wave,
        reason=one.reason,
        remedy=one.remedy,
    )
    return Told(event, traceparent=shipment.traceparent)
