"""An allocation is asked back: given until its van has left, refused afterwards."""

from dataclasses import replace

from dispatcher.domain.change import NOTHING, Change, Told
from dispatcher.domain.model import DayPlan, Shipment, Status, Wave
from dispatcher.domain.route import Cause, Route, RouteState
from restock_common.contracts.dispatch import WithdrawalRefused
from restock_common.contracts.fulfilment import AllocationCancelRequested
from restock_common.contracts.ledger import AllocationWithdrawn

_EMPTIED = "its last stop was withdrawn"


def withdraw(
    request: AllocationCancelRequested,
    shipment: Shipment | None,
    wave: Wave | None,
    route: Route | None,
    plan: DayPlan | None,
    road_factor: float,
) -> Change:
    """Decide a request; before or after departure is told by the order of the log.

    A route that loses a stop is published again with its next version and its times kept; one
    that loses its last stop is cancelled.

    Args:
        request: The request.
        shipment: What it asks for; None where that has never been heard of.
        wave: The wave that the shipment waits in, where it waits.
        route: The route that the shipment is on, where it is on one.
        plan: The plan of the day that the route belongs to.
        road_factor: For the way past the stop that is left out.
    """
    if shipment is None:
        return _refused(request, f"allocation {request.allocation} is not known here")
    if shipment.status is Status.WITHDRAWN:
        return NOTHING  # answered before; the ledger has it
    if shipment.attempts > 0:
        return _refused(request, f"it left before, and came back: {shipment.reason}")
    if shipment.status is Status.WAITING:
        assert wave is not None, f"{shipment.allocation} waits in no wave"
        return _granted(request, shipment, Change(waves=(wave.with_more(-1),)))
    assert route is not None, f"{shipment.allocation} is on no route"
    if shipment.status is not Status.PLANNED:
        return _refused(
            request, f"it left on route {route.route} at {route.departs_at:%Y-%m-%d %H:%M} UTC"
        )
    assert plan is not None, f"route {route.route} belongs to no plan"
    changed = plan.changed()
    kept = route.without(shipment.allocation, road_factor, changed.version)
    if kept.state is RouteState.CANCELLED:
        told = Told(kept.called_off(_EMPTIED))
    else:
        told = Told(kept.planned(kept.changes_from(route, Cause.WITHDRAWN)))
    return _granted(request, shipment, Change(routes=(kept,), plans=(changed,), told=(told,)))


def _granted(request: AllocationCancelRequested, shipment: Shipment, change: Change) -> Change:
    event = AllocationWithdrawn(
        allocation=shipment.allocation,
        order=shipment.order,
        location=shipment.location,
        withdrawn_at=request.requested_at,
    )
    return replace(
        change,
        shipments=(replace(shipment, status=Status.WITHDRAWN, route=None),),
        told=(Told(event, shard=shipment.shard), *change.told),
    )


def _refused(request: AllocationCancelRequested, reason: str) -> Change:
    event = WithdrawalRefused(
        location=request.location,
        allocation=request.allocation,
        order=request.order,
        reason=reason,
    )
    return Change(told=(Told(event),))
