"""Event type -> decision: the table at the foot is where to begin to read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from dispatcher.domain.absence import Day, come_back, go_absent
from dispatcher.domain.change import NOTHING, Change
from dispatcher.domain.commitment import commit, new_plan
from dispatcher.domain.delivery import Failure, delay, deliver, fail, next_try, refusal, repeats
from dispatcher.domain.departure import advance, depart, leaves
from dispatcher.domain.intake import take_in
from dispatcher.domain.model import Absence, DayPlan, Shipment, Status, Wave
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.route import Route, RouteState
from dispatcher.domain.rules import Rules
from dispatcher.domain.withdrawal import withdraw
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import FULFILMENT, Topic
from restock_common.errors import Permanent
from restock_common.transact import Emission
from restock_common.units import Identifier, LocationId, Text, Timestamp


class PartitionTime(TimeAdvanced):
    """TimeAdvanced as it was read, with the partition whose warehouses it speaks for."""

    partition: int


class PlanSolved(Event):
    """The planner has an answer to one version of a wave and of the day's plan. Internal.

    Attributes:
        wave: Which wave.
        location: Its warehouse.
        wave_version: What the answer is to.
        day: The day of the plan.
        plan_version: The version of the plan of that day; 0 where there was none.
        replaced: The routes that were planned anew.
        proposal: The answer, checked.
    """

    topic: ClassVar[Topic] = FULFILMENT

    wave: Identifier
    location: LocationId
    wave_version: int
    day: Timestamp
    plan_version: int
    replaced: tuple[Identifier, ...]
    proposal: Proposal


class DeliveryReported(Event):
    """A carrier says that the customer has a shipment. Internal: never published."""

    topic: ClassVar[Topic] = FULFILMENT

    allocation: Identifier
    location: LocationId
    delivered_at: Timestamp


class FailureReported(Event):
    """A driver says that the customer does not have a shipment. Internal: never published."""

    topic: ClassVar[Topic] = FULFILMENT

    allocation: Identifier
    location: LocationId
    failed_at: Timestamp
    failure: Failure
    note: Text = ""


class DelayReported(Event):
    """A driver on the road is so much later than planned. Internal: never published."""

    topic: ClassVar[Topic] = FULFILMENT

    route: Identifier
    location: LocationId
    late_s: int


class VehicleAbsent(Event):
    """A vehicle cannot drive from a time on, until another one or for good. Internal."""

    topic: ClassVar[Topic] = FULFILMENT

    vehicle: Identifier
    location: LocationId
    since: Timestamp
    until: Timestamp | None
    reason: Text


class VehicleBack(Event):
    """A vehicle can drive again. Internal: never published."""

    topic: ClassVar[Topic] = FULFILMENT

    vehicle: Identifier
    location: LocationId
    at: Timestamp


def _nothing_changed() -> dict[str, dict[str, None]]:
    return {name: {} for name in ("plans", "waves", "routes", "shipments", "absences")}


@dataclass(slots=True)
class Board:
    """The working set of one batch: what its messages need, and what they change.

    Attributes:
        marks: The latest time told by each writer on this partition.
        plans: Those of the days concerned, by id.
        waves: Those of the warehouses concerned that are not planned yet, by id.
        routes: Those concerned, by id.
        shipments: Those concerned, by allocation.
        absences: Those of the vehicles concerned, by vehicle.
        changed: The ids of each kind that must be saved.
    """

    marks: dict[str, datetime] = field(default_factory=dict)
    plans: dict[str, DayPlan] = field(default_factory=dict)
    waves: dict[str, Wave] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    shipments: dict[str, Shipment] = field(default_factory=dict)
    absences: dict[str, Absence] = field(default_factory=dict)
    changed: dict[str, dict[str, None]] = field(default_factory=_nothing_changed)

    def take(self, change: Change) -> None:
        """Take in what a decision changed."""
        for plan in change.plans:
            self.plans[plan.plan] = plan
            self.changed["plans"][plan.plan] = None
        for wave in change.waves:
            self.waves[wave.wave] = wave
            self.changed["waves"][wave.wave] = None
        for route in change.routes:
            self.routes[route.route] = route
            self.changed["routes"][route.route] = None
        for shipment in change.shipments:
            self.shipments[shipment.allocation] = shipment
            self.changed["shipments"][shipment.allocation] = None
        for absence in change.absences:
            self.absences[absence.vehicle] = absence
            self.changed["absences"][absence.vehicle] = None

    def plan_of(self, location: str, day: datetime) -> DayPlan:
        """Return the plan of a warehouse's day; a new one where nothing is planned yet."""
        for plan in self.plans.values():
            if (plan.location, plan.day) == (location, day):
                return plan
        return new_plan(location, day)

    def route_of(self, shipment: Shipment | None) -> Route | None:
        """Return the route that a shipment is on."""
        return self.routes.get(shipment.route) if shipment is not None and shipment.route else None

    def open_waves(self, location: str) -> Mapping[str, Wave]:
        """Return a warehouse's waves that are not planned yet."""
        return {
            wave.wave: wave
            for wave in self.waves.values()
            if wave.location == location and not wave.planned
        }


def on_allocated(
    board: Board, message: Message[OrderAllocated], rules: Rules
) -> tuple[Change, ...]:
    """An order's lines are reserved here: the parcel waits; a repeated one changes nothing."""
    event = message.event
    if event.allocation in board.shipments:
        return ()
    change = take_in(
        event,
        source=message.source,
        traceparent=message.traceparent,
        mark=board.marks.get(message.source),
        waves=board.open_waves(event.location),
        rules=rules,
    )
    return (change,)


def on_cancel_requested(
    board: Board, message: Message[AllocationCancelRequested], rules: Rules
) -> tuple[Change, ...]:
    """The ledger asks an allocation back."""
    shipment = board.shipments.get(message.event.allocation)
    wave = board.waves.get(shipment.wave) if shipment is not None else None
    route = board.route_of(shipment)
    plan = board.plans[route.plan] if route is not None else None
    return (withdraw(message.event, shipment, wave, route, plan, rules.road_factor),)


def on_time(board: Board, message: Message[PartitionTime], _rules: Rules) -> tuple[Change, ...]:
    """Time passes for the warehouses of one writer: waves close, routes leave."""
    source, until = message.source, message.event.until
    known = board.marks.get(source)
    if known is not None and until <= known:
        return ()
    board.marks[source] = until
    waves, routes = board.waves.values(), board.routes.values()
    return (advance(source, until, waves, routes, board.shipments, board.plans),)


def on_plan(board: Board, message: Message[PlanSolved], rules: Rules) -> tuple[Change, ...]:
    """A plan is committed if wave and day are still those it was made for, and not otherwise."""
    event = message.event
    wave = board.waves.get(event.wave)
    if wave is None or wave.planned or wave.version != event.wave_version:
        return ()
    plan = board.plan_of(wave.location, wave.day)
    if plan.version != event.plan_version:
        return ()
    mark = board.marks.get(wave.source)
    asked = {
        one.allocation: one
        for one in board.shipments.values()
        if (one.wave == wave.wave and one.status is Status.WAITING)
        or (one.route in event.replaced and one.status is Status.PLANNED)
    }
    planned = commit(
        wave,
        plan,
        asked,
        event.proposal,
        [route for route in board.routes.values() if route.plan == plan.plan],
        [board.routes[name] for name in event.replaced],
        waves=board.open_waves(wave.location),
        mark=mark,
        rules=rules,
    )
    if mark is None:
        return (planned,)
    late = [route for route in planned.routes if leaves(route, wave.source, mark)]
    on_them = {**board.shipments, **{one.allocation: one for one in planned.shipments}}
    return (planned, depart(late, on_them, {one.plan: one for one in planned.plans}))


def on_delivery(
    board: Board, message: Message[DeliveryReported], rules: Rules
) -> tuple[Change, ...]:
    """A carrier confirms. Raises Permanent where that cannot be."""
    event = message.event
    shipment = _reported(board, event.allocation, event.delivered_at, "delivered_at")
    route = board.route_of(shipment)
    plan = board.plans.get(route.plan) if route is not None else None
    return (deliver(shipment, event.delivered_at, route, plan, board.shipments, rules),)


def on_failure(board: Board, message: Message[FailureReported], rules: Rules) -> tuple[Change, ...]:
    """A driver could not deliver. Raises Permanent where that cannot be."""
    event = message.event
    shipment = _reported(board, event.allocation, event.failed_at, "failed_at")
    if repeats(shipment, event.failed_at, "failed_at"):
        return ()
    route = board.route_of(shipment)
    assert route is not None, f"{shipment.allocation} left on no route"
    mark, waves = board.marks.get(route.source), board.open_waves(event.location)
    wave = next_try(event.location, route.source, event.failed_at, mark, waves, rules)
    return (fail(shipment, event.failed_at, event.failure, event.note, wave, rules),)


def on_delay(board: Board, message: Message[DelayReported], _rules: Rules) -> tuple[Change, ...]:
    """A driver on the road is late."""
    route = board.routes.get(message.event.route)
    if route is None or route.state is not RouteState.DEPARTED:
        raise Permanent(f"route {message.event.route!r} is not on the road", field="route")
    return (delay(route, board.plans[route.plan], board.shipments, message.event.late_s),)


def on_absent(board: Board, message: Message[VehicleAbsent], rules: Rules) -> tuple[Change, ...]:
    """A vehicle cannot drive."""
    event = message.event
    routes = tuple(one for one in board.routes.values() if one.vehicle == event.vehicle)
    marks = [board.marks[one.source] for one in routes if one.source in board.marks]
    day = Day(
        waves=board.open_waves(event.location),
        plans=board.plans,
        routes=routes,
        shipments=board.shipments,
        mark=max(marks, default=None),
    )
    absence = Absence(event.vehicle, event.location, event.since, event.until, event.reason)
    return (go_absent(absence, day, rules),)


def on_back(board: Board, message: Message[VehicleBack], _rules: Rules) -> tuple[Change, ...]:
    """A vehicle can drive again."""
    absence = board.absences.get(message.event.vehicle)
    if absence is None:
        return ()
    waves = board.open_waves(message.event.location).values()
    return (come_back(absence, message.event.at, waves),)


def _reported(board: Board, allocation: str, at: datetime, name: str) -> Shipment:
    """Return what a driver reports about. Raises Permanent where the report cannot be."""
    shipment = board.shipments.get(allocation)
    route = board.route_of(shipment)
    mark = board.marks.get(route.source) if route is not None else None
    refused = refusal(allocation, shipment, route, at, mark, field=name)
    if refused is not None:
        raise Permanent(refused.reason, field=refused.field)
    assert shipment is not None
    return shipment


def handle(board: Board, message: Message[Event], rules: Rules) -> list[Emission]:
    """Decide one message, take the changes into the board, and return what is published."""
    changes = HANDLERS[type(message.event)](board, message, rules)
    emissions = []
    for change in changes:
        if change is NOTHING:
            continue
        board.take(change)
        emissions += [
            Emission(told.event, partition=told.shard, traceparent=told.traceparent)
            for told in change.told
        ]
    return emissions


HANDLERS: Mapping[type[Event], Callable[[Board, Message[Any], Rules], tuple[Change, ...]]] = {
    OrderAllocated: on_allocated,
    AllocationCancelRequested: on_cancel_requested,
    PartitionTime: on_time,
    PlanSolved: on_plan,
    DeliveryReported: on_delivery,
    FailureReported: on_failure,
    DelayReported: on_delay,
    VehicleAbsent: on_absent,
    VehicleBack: on_back,
}
