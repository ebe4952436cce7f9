"""A vehicle cannot drive: what is planned for it goes to others, or comes back into a wave."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dispatcher.domain.change import Change, Told
from dispatcher.domain.delivery import Failure, fail
from dispatcher.domain.model import Absence, DayPlan, Shipment, Status, Wave
from dispatcher.domain.route import Route, RouteState
from dispatcher.domain.rules import Rules
from dispatcher.domain.waves import following, repair_wave


@dataclass(frozen=True, slots=True)
class Day:
    """What is known of a warehouse: its open waves, and the routes of the vehicle in question.

    Attributes:
        waves: Those not planned yet, by id.
        plans: Those of the routes, by id.
        routes: The vehicle's, planned and on the road.
        shipments: All that are on them, by allocation.
        mark: The latest time told by the warehouse's writer.
    """

    waves: Mapping[str, Wave]
    plans: Mapping[str, DayPlan]
    routes: tuple[Route, ...]
    shipments: Mapping[str, Shipment]
    mark: datetime | None


def go_absent(absence: Absence, day: Day, rules: Rules) -> Change:
    """Take a vehicle out.

    Routes that it would have driven meanwhile are cancelled, and their stops planned again at
    once, in a wave of their own for the same day. What is with a vehicle that nobody knows to
    come back has to be fetched: it has failed, and goes with the next regular wave. Plans that
    are being made with the vehicle in mind are stale.
    """
    waves = {name: one.with_more(0) for name, one in day.waves.items() if one.closed_at is not None}
    plans = dict(day.plans)
    change = Change(absences=(absence,))
    for route in sorted(day.routes, key=lambda one: (one.departs_at, one.route)):
        if route.state is RouteState.PLANNED and _misses(absence, route):
            plans[route.plan] = plans[route.plan].changed()
            part = _called_off(route, plans[route.plan], absence, day)
        elif route.state is RouteState.DEPARTED and absence.until is None:
            part = _stranded(route, absence, day, {**day.waves, **waves}, rules)
        else:
            continue
        waves.update({wave.wave: wave for wave in part.waves})
        change = replace(
            change,
            shipments=(*change.shipments, *part.shipments),
            routes=(*change.routes, *part.routes),
            told=(*change.told, *part.told),
        )
    touched = tuple(one for name, one in plans.items() if one != day.plans[name])
    return replace(change, waves=tuple(waves.values()), plans=touched)


def come_back(absence: Absence, at: datetime, waves: Iterable[Wave]) -> Change:
    """Let a vehicle drive again from a time on; waves that are being planned may have it."""
    due = tuple(one.with_more(0) for one in waves if one.closed_at is not None)
    return Change(absences=(replace(absence, until=max(at, absence.since)),), waves=due)


def _misses(absence: Absence, route: Route) -> bool:
    """Return whether a vehicle is away when a route of its would leave or be on the road."""
    back_in_time = absence.until is not None and absence.until <= route.departs_at
    return absence.since < route.returns_at and not back_in_time


def _called_off(route: Route, plan: DayPlan, absence: Absence, day: Day) -> Change:
    on_it = [one for one in _on(route, day) if one.status is Status.PLANNED]
    now = absence.since if day.mark is None else max(absence.since, day.mark)
    wave = repair_wave(plan, route.source, absence.since, now, route.route)
    waits = tuple(
        replace(one, status=Status.WAITING, route=None, wave=wave.wave, reason=absence.reason)
        for one in on_it
    )
    gone = route.cancelled(plan.version)
    told = (Told(gone.called_off(f"vehicle {absence.vehicle}: {absence.reason}")),)
    return Change(waits, (wave.with_more(len(waits)),), (gone,), told=told)


def _stranded(
    route: Route, absence: Absence, day: Day, waves: Mapping[str, Wave], rules: Rules
) -> Change:
    since = absence.since if day.mark is None else max(absence.since, day.mark)
    wave = following(route.location, route.source, since, waves, rules)
    change = Change()
    for one in _on(route, day):
        if one.status is Status.DEPARTED:
            part = fail(one, absence.since, Failure.VEHICLE, absence.reason, wave, rules)
            wave = part.waves[0] if part.waves else wave
            change = replace(
                change,
                shipments=(*change.shipments, *part.shipments),
                waves=part.waves or change.waves,
                told=(*change.told, *part.told),
            )
    return change


def _on(route: Route, day: Day) -> list[Shipment]:
    held = (day.shipments.get(stop.allocation) for stop in route.stops)
    return [one for one in held if one is not None and one.route == route.route]
