"""When a customer can expect a shipment."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.domain.model import Shipment, Status
from dispatcher.domain.route import Route

_FIRST_SPREAD = timedelta(minutes=15)
_SPREAD_GROWS = 0.1
"""Of the time on the road until then: what is far ahead is told less exactly."""


@dataclass(frozen=True, slots=True)
class Expected:
    """When a shipment arrives: the time, and the span that a customer is told."""

    at: datetime
    earliest: datetime
    latest: datetime


def expected(shipment: Shipment, route: Route | None) -> Expected | None:
    """Return when a shipment on a route arrives; None where it waits or has come to its end."""
    if route is None or shipment.status not in (Status.PLANNED, Status.DEPARTED):
        return None
    for stop in route.stops:
        if stop.allocation == shipment.allocation:
            spread = _FIRST_SPREAD + (stop.arrives_at - route.departs_at) * _SPREAD_GROWS
            earliest = max(route.departs_at, stop.arrives_at - spread)
            if shipment.window is not None:
                earliest = max(earliest, min(shipment.window.earliest, stop.arrives_at))
            return Expected(stop.arrives_at, earliest, stop.arrives_at + spread)
    return None
