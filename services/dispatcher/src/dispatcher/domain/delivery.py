"""Drivers report: a shipment that has left is delivered, once, or comes back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dispatcher.domain.change import NOTHING, Change, Told
from dispatcher.domain.model import DayPlan, Shipment, Status, Wave
from dispatcher.domain.route import Cause, Route
from dispatcher.domain.rules import Rules
from dispatcher.domain.waves import following
from restock_common.contracts.dispatch import ShipmentDelivered, ShipmentFailed

CLOCKS_DIFFER_BY = timedelta(days=1)
"""A carrier's clock, or a confirmation before time was told here, may be ahead by so much."""


class Failure(StrEnum):
    """Why the customer does not have it."""

    NOT_HOME = "not_home"
    ADDRESS = "address"
    CLOSED = "closed"
    NO_TIME = "no_time"
    VEHICLE = "vehicle"
    REFUSED = "refused"
    DAMAGED = "damaged"


FINAL = frozenset({Failure.REFUSED, Failure.DAMAGED})
"""Another attempt would end as this one did."""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Why a report is not taken: its HTTP status, the reason, and the field."""

    status: int
    reason: str
    field: str


def refusal(
    allocation: str,
    shipment: Shipment | None,
    route: Route | None,
    at: datetime,
    mark: datetime | None,
    *,
    field: str = "delivered_at",
) -> NotTaken | None:
    """Return why a shipment cannot have been delivered, or not delivered, then; None where it can.

    Args:
        allocation: What the driver names.
        shipment: That, where it is known.
        route: The route it is on, if any.
        at: When the customer is said to have it, or to have been missed.
        mark: The latest time told by the route's writer.
        field: How the report calls that time.
    """
    if shipment is None:
        return NotTaken(404, f"allocation {allocation!r} is not known", "allocation")
    if repeats(shipment, at, field):
        return None
    if shipment.status is not Status.DEPARTED or route is None:
        told = "has not left: it" if shipment.status in _AT_THE_WAREHOUSE else "came to its end: it"
        reason = f"allocation {allocation!r} {told} is {shipment.status}"
        return NotTaken(409, reason, "allocation")
    if at < route.departs_at:
        reason = f"{at.isoformat()} is before it left, {route.departs_at.isoformat()}"
        return NotTaken(422, reason, field)
    if mark is not None and at > mark + CLOCKS_DIFFER_BY:
        reason = f"{at.isoformat()} is in the future: it is {mark.isoformat()}"
        return NotTaken(422, reason, field)
    return None


_AT_THE_WAREHOUSE = frozenset({Status.WAITING, Status.PLANNED, Status.WITHDRAWN})


def repeats(shipment: Shipment, at: datetime, field: str) -> bool:
    """Return whether a report of this kind has been taken before: the first one stands."""
    if field == "delivered_at":
        return shipment.status is Status.DELIVERED
    return shipment.failed_at is not None and at <= shipment.failed_at


def deliver(
    shipment: Shipment,
    delivered_at: datetime,
    route: Route | None = None,
    plan: DayPlan | None = None,
    shipments: Mapping[str, Shipment] | None = None,
    rules: Rules | None = None,
) -> Change:
    """Note a delivery; one that was confirmed before stays as it was.

    Where it shows that the route is much later than was told, the route is told again.

    Args:
        shipment: What was delivered.
        delivered_at: When.
        route: The route it was on.
        plan: The plan of that route.
        shipments: All that are on it.
        rules: When a route is told again.
    """
    if shipment.status is Status.DELIVERED:
        return NOTHING
    assert shipment.route is not None, f"{shipment.allocation} left on no route"
    event = ShipmentDelivered(
        location=shipment.location,
        allocation=shipment.allocation,
        order=shipment.order,
        route=shipment.route,
        delivered_at=delivered_at,
    )
    delivered = replace(shipment, status=Status.DELIVERED, delivered_at=delivered_at)
    change = Change(shipments=(delivered,), told=(Told(event, traceparent=shipment.traceparent),))
    if route is None or plan is None or shipments is None or rules is None:
        return change
    late_s = _late_s(route, shipment.allocation, delivered_at)
    if abs(timedelta(seconds=late_s - route.late_s)) < rules.retell:
        return change
    others = {name: one for name, one in shipments.items() if name != shipment.allocation}
    later = delay(route, plan, others, late_s)
    return replace(later, shipments=change.shipments, told=(*change.told, *later.told))


def fail(
    shipment: Shipment,
    failed_at: datetime,
    failure: Failure,
    note: str,
    wave: Wave | None,
    rules: Rules,
) -> Change:
    """Note that the customer does not have it: it waits for the next wave, or is brought back.

    Args:
        shipment: What has left.
        failed_at: When.
        failure: Why.
        note: What the driver adds.
        wave: The wave that takes it in again.
        rules: How often it is tried.
    """
    assert shipment.status is Status.DEPARTED, f"{shipment.allocation} is {shipment.status}"
    assert shipment.route is not None, f"{shipment.allocation} left on no route"
    attempts = shipment.attempts + 1
    final = failure in FINAL or attempts >= rules.attempts_max or wave is None
    reason = f"{failure}: {note}" if note else str(failure)
    event = ShipmentFailed(
        location=shipment.location,
        allocation=shipment.allocation,
        order=shipment.order,
        route=shipment.route,
        failed_at=failed_at,
        reason=failure.value,
        note=note,
        attempt=attempts,
        final=final,
    )
    told = (Told(event, traceparent=shipment.traceparent),)
    back = replace(shipment, attempts=attempts, failed_at=failed_at, reason=reason)
    if final or wave is None:
        return Change(shipments=(replace(back, status=Status.RETURNED),), told=told)
    waits = replace(back, status=Status.WAITING, route=None, wave=wave.wave)
    return Change(shipments=(waits,), waves=(wave.with_more(1),), told=told)


def next_try(
    location: str,
    source: str,
    failed_at: datetime,
    mark: datetime | None,
    waves: Mapping[str, Wave],
    rules: Rules,
) -> Wave:
    """Return the wave that takes in what could not be delivered."""
    since = failed_at if mark is None else max(failed_at, mark)
    return following(location, source, since, waves, rules)


def delay(route: Route, plan: DayPlan, shipments: Mapping[str, Shipment], late_s: int) -> Change:
    """Expect the stops that are ahead of a route so much later than planned, and tell it.

    Args:
        route: It has left.
        plan: Its plan.
        shipments: All that are on it, by allocation.
        late_s: Over the plan; 0 where all was caught up.
    """
    ahead = frozenset(_ahead(shipments.values(), route))
    changed = plan.changed()
    later = route.late(late_s, ahead, changed.version)
    if later.stops == route.stops:
        return Change(routes=(replace(route, late_s=late_s),))
    told = Told(later.planned(later.changes_from(route, Cause.DELAYED)))
    return Change(routes=(later,), plans=(changed,), told=(told,))


def _ahead(shipments: Iterable[Shipment], route: Route) -> list[str]:
    return [
        one.allocation
        for one in shipments
        if one.route == route.route and one.status is Status.DEPARTED
    ]


def _late_s(route: Route, allocation: str, at: datetime) -> int:
    """Return how late a route is by the time of one stop; one that is early waits there."""
    for stop in route.stops:
        if stop.allocation == allocation:
            return max(0, round((at - stop.planned_at).total_seconds()))
    return route.late_s
