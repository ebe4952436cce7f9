"""Event type -> decision: the table at the foot is where to begin to read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from dispatcher.domain.change import NOTHING, Change
from dispatcher.domain.commitment import commit
from dispatcher.domain.delivery import deliver, refusal
from dispatcher.domain.departure import advance, depart, leaves
from dispatcher.domain.intake import take_in
from dispatcher.domain.model import Route, Shipment, Status, Wave
from dispatcher.domain.problem import Plan, Problem, Rules
from dispatcher.domain.withdrawal import withdraw
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import FULFILMENT, Topic
from restock_common.errors import Permanent
from restock_common.transact import Emission
from restock_common.units import Identifier, LocationId, Timestamp


class PartitionTime(TimeAdvanced):
    """TimeAdvanced as it was read, with the partition whose warehouses it speaks for."""

    partition: int


class PlanSolved(Event):
    """The planner has an answer to one version of a wave. Internal: never published."""

    topic: ClassVar[Topic] = FULFILMENT

    wave: Identifier
    location: LocationId
    wave_version: int
    problem: Problem
    plan: Plan


class DeliveryReported(Event):
    """A carrier says that the customer has a shipment. Internal: never published."""

    topic: ClassVar[Topic] = FULFILMENT

    allocation: Identifier
    location: LocationId
    delivered_at: Timestamp


@dataclass(slots=True)
class Board:
    """The working set of one batch: what its messages need, and what they change.

    Attributes:
        marks: The latest time told by each writer on this partition.
        waves: Those of the warehouses concerned that are not planned yet, by id.
        routes: Those concerned, by id.
        shipments: Those concerned, by allocation.
        changed: The ids of each kind that must be saved.
    """

    marks: dict[str, datetime] = field(default_factory=dict)
    waves: dict[str, Wave] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    shipments: dict[str, Shipment] = field(default_factory=dict)
    changed: dict[str, dict[str, None]] = field(
        default_factory=lambda: {"waves": {}, "routes": {}, "shipments": {}}
    )

    def take(self, change: Change) -> None:
        """Take in what a decision changed."""
        for wave in change.waves:
            self.waves[wave.wave] = wave
            self.changed["waves"][wave.wave] = None
        for route in change.routes:
            self.routes[route.route] = route
            self.changed["routes"][route.route] = None
        for shipment in change.shipments:
            self.shipments[shipment.allocation] = shipment
            self.changed["shipments"][shipment.allocation] = None

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
        cut_off_hour=rules.cut_off_hour,
    )
    return (change,)


def on_cancel_requested(
    board: Board, message: Message[AllocationCancelRequested], rules: Rules
) -> tuple[Change, ...]:
    """The ledger asks an allocation back."""
    shipment = board.shipments.get(message.event.allocation)
    wave = board.waves.get(shipment.wave) if shipment is not None else None
    route = board.routes.get(shipment.route) if shipment is not None and shipment.route else None
    return (withdraw(message.event, shipment, wave, route, rules.road_factor),)


def on_time(board: Board, message: Message[PartitionTime], _rules: Rules) -> tuple[Change, ...]:
    """Time passes for the warehouses of one writer: waves close, routes leave."""
    source, until = message.source, message.event.until
    known = board.marks.get(source)
    if known is not None and until <= known:
        return ()
    board.marks[source] = until
    return (advance(source, until, board.waves.values(), board.routes.values(), board.shipments),)


def on_plan(board: Board, message: Message[PlanSolved], rules: Rules) -> tuple[Change, ...]:
    """A plan is committed if the wave is still the one it was made for, and not otherwise."""
    event = message.event
    wave = board.waves.get(event.wave)
    if wave is None or wave.planned or wave.version != event.wave_version:
        return ()
    mark = board.marks.get(wave.source)
    waiting = {
        one.allocation: one
        for one in board.shipments.values()
        if one.wave == wave.wave and one.status is Status.WAITING
    }
    planned = commit(
        wave,
        waiting,
        event.problem,
        event.plan,
        waves=board.open_waves(wave.location),
        mark=mark,
        cut_off_hour=rules.cut_off_hour,
    )
    if mark is None:
        return (planned,)
    late = [route for route in planned.routes if leaves(route, wave.source, mark)]
    on_them = {one.allocation: one for one in planned.shipments}
    return (planned, depart(late, on_them))


def on_delivery(
    board: Board, message: Message[DeliveryReported], _rules: Rules
) -> tuple[Change, ...]:
    """A carrier confirms. Raises Permanent where that cannot be."""
    event = message.event
    shipment = board.shipments.get(event.allocation)
    route = board.routes.get(shipment.route) if shipment is not None and shipment.route else None
    mark = board.marks.get(route.source) if route is not None else None
    refused = refusal(event.allocation, shipment, route, event.delivered_at, mark)
    if refused is not None:
        raise Permanent(refused.reason, field=refused.field)
    assert shipment is not None
    return (deliver(shipment, event.delivered_at),)


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
}
