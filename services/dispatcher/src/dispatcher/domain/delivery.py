"""The carrier confirms: a shipment that has left is delivered, once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatcher.domain.change import NOTHING, Change, Told
from dispatcher.domain.model import Route, Shipment, Status
from restock_common.contracts.dispatch import ShipmentDelivered

CLOCKS_DIFFER_BY = timedelta(days=1)
"""A carrier's clock, or a confirmation before time was told here, may be ahead by so much."""


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """Why a confirmation is not taken: its HTTP status, the reason, and the field."""

    status: int
    reason: str
    field: str


def refusal(
    allocation: str,
    shipment: Shipment | None,
    route: Route | None,
    delivered_at: datetime,
    mark: datetime | None,
) -> NotDelivered | None:
    """Return why a shipment cannot have been delivered then; None where it can, or was before.

    Args:
        allocation: What the carrier names.
        shipment: That, where it is known.
        route: The route it is on, if any.
        delivered_at: When the customer is said to have it.
        mark: The latest time told by the route's writer.
    """
    if shipment is None:
        return NotDelivered(404, f"allocation {allocation!r} is not known", "allocation")
    if shipment.status is Status.DELIVERED:
        return None
    if shipment.status is not Status.DEPARTED or route is None:
        reason = f"allocation {allocation!r} has not left: it is {shipment.status}"
        return NotDelivered(409, reason, "allocation")
    if delivered_at < route.departs_at:
        reason = f"{delivered_at.isoformat()} is before it left, {route.departs_at.isoformat()}"
        return NotDelivered(422, reason, "delivered_at")
    if mark is not None and delivered_at > mark + CLOCKS_DIFFER_BY:
        reason = f"{delivered_at.isoformat()} is in the future: it is {mark.isoformat()}"
        return NotDelivered(422, reason, "delivered_at")
    return None


def deliver(shipment: Shipment, delivered_at: datetime) -> Change:
    """Note a delivery; one that was confirmed before stays as it was."""
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
    return Change(shipments=(delivered,), told=(Told(event, traceparent=shipment.traceparent),))
