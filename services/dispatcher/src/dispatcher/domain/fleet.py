"""Which vehicles of a warehouse can still be given something to do on a day, and from when on."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from dispatcher.domain.model import Absence, Wave
from dispatcher.domain.route import Route, RouteState
from dispatcher.domain.rules import Rules
from dispatcher.domain.vrp.problem import Vehicle
from dispatcher.domain.waves import moment_of


@dataclass(frozen=True, slots=True)
class Engaged:
    """What vehicles have to do already, and when they are away.

    Attributes:
        routes: Those that stay as they are.
        absences: Of vehicles of the warehouse.
    """

    routes: tuple[Route, ...] = ()
    absences: tuple[Absence, ...] = ()


NOBODY = Engaged()


def to_replan(routes: Iterable[Route], now: datetime, rules: Rules) -> tuple[Route, ...]:
    """Return the routes that are not being loaded yet: their stops may go to other vehicles."""
    return tuple(
        route
        for route in routes
        if route.state is RouteState.PLANNED and route.departs_at > now + rules.loading
    )


def still_free(
    fleet: Iterable[Vehicle], wave: Wave, engaged: Engaged, rules: Rules
) -> list[Vehicle]:
    """Return the vehicles that a wave can have, each from when it is there and loaded again.

    What using one costs at all is paid with its first route, and the break is taken on it.

    Args:
        fleet: In their shifts, in seconds of the wave's day.
        wave: Nothing leaves before it could be planned.
        engaged: What else they do.
        rules: How long loading takes.
    """
    not_before_s = _seconds(wave, moment_of(wave))
    free = []
    for one in fleet:
        start_s, end_s = max(one.start_s, not_before_s), one.end_s
        for absence in engaged.absences:
            if absence.vehicle == one.vehicle:
                start_s, end_s = _without(absence, wave, start_s, end_s)
        before = [
            route
            for route in engaged.routes
            if route.vehicle == one.vehicle and route.state is not RouteState.CANCELLED
        ]
        for route in before:
            start_s = max(start_s, _seconds(wave, route.returns_at + rules.loading))
        if start_s < end_s:
            again = replace(one, fixed_cost=0, pause=None) if before else one
            pause = again.pause
            if pause is not None and not start_s <= pause.latest_s <= end_s:
                again = replace(again, pause=None)
            free.append(replace(again, start_s=start_s, end_s=end_s))
    return free


def _without(absence: Absence, wave: Wave, start_s: int, end_s: int) -> tuple[int, int]:
    """Return what an absence leaves of a shift: the part before it, or else the part after."""
    since_s = _seconds(wave, absence.since)
    if since_s > start_s:
        return start_s, min(end_s, since_s)
    if absence.until is None:
        return start_s, start_s
    return max(start_s, _seconds(wave, absence.until)), end_s


def _seconds(wave: Wave, moment: datetime) -> int:
    return round((moment - wave.day).total_seconds())
