"""Random days at two warehouses: each shipment is in one place, and the ledger has one answer."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.dispatcher.examples import DEPOT, at, parcel

from dispatcher.domain.gather import gather
from dispatcher.domain.model import RouteState, Status, Wave
from dispatcher.domain.problem import Plan, Problem, Rules, Tour, Unserved
from dispatcher.domain.schedule import schedule
from dispatcher.handlers import Board, DeliveryReported, PartitionTime, PlanSolved, handle
from restock_common.contracts.catalogue import Catalogue, Location, Vehicle
from restock_common.contracts.dispatch import RoutePlanned, ShipmentDelivered
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import (
    AllocatedLine,
    AllocationWithdrawn,
    ShipmentDispatched,
)
from restock_common.errors import Permanent

RULES = Rules()
SOURCES = {"L": "/test/shard/0", "M": "/test/shard/1"}
CATALOGUE = Catalogue.of(
    [
        entity
        for name in SOURCES
        for entity in (
            Location(location=name, pool="p", place=DEPOT),
            Vehicle(vehicle=f"{name}-van", location=name, capacity_grams=100_000),
        )
    ]
)
NAMES = st.integers(0, 11).map(lambda n: f"{'LM'[n % 2]}{n}")


class Days(RuleBasedStateMachine):
    """The handlers, on a board that is never cleared, as the tables are not."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()
        self.now: dict[str, datetime] = dict.fromkeys(SOURCES, at(-20))
        self.published: list[Any] = []
        self.solved: list[Message[Event]] = []
        self.sent = 0

    def send(self, event: Event, source: str, time: datetime) -> None:
        """Have one message decided."""
        self.sent += 1
        message = Message(id=str(self.sent), source=source, time=time, event=event)
        self.published += [one.event for one in handle(self.board, message, RULES)]

    @initialize()
    def a_first_wave_closes(self) -> None:
        """Both warehouses have parcels, and a wave that is due."""
        for number in range(8):
            self.allocate(f"{'LM'[number % 2]}{number}", 0)
        for location in SOURCES:
            self.pass_time(location, 24)

    @rule(name=NAMES, hours=st.integers(-3, 40))
    def allocate(self, name: str, hours: int) -> None:
        """An order is allocated; the same one may come again."""
        location = name[0]
        time = self.now[location] + timedelta(hours=hours)
        event = OrderAllocated(
            location=location,
            allocation=name,
            order=f"shop:{name}",
            shard=list(SOURCES).index(location),
            customer="c",
            placed_at=time,
            allocated_at=time,
            destination=parcel(name, int(name[1:]) + 1).destination,
            lines=(AllocatedLine(line="1", sku="s", quantity=1),),
        )
        self.send(event, SOURCES[location], time)

    @rule(name=NAMES)
    def ask_back(self, name: str) -> None:
        """The ledger asks for an allocation, known or not."""
        location = name[0]
        event = AllocationCancelRequested(
            location=location,
            allocation=name,
            order=f"shop:{name}",
            shard=0,
            requested_at=self.now[location],
        )
        self.send(event, SOURCES[location], self.now[location])

    @rule(location=st.sampled_from("LM"), hours=st.sampled_from([0, 1, 5, 9, 24, 60]))
    def pass_time(self, location: str, hours: int) -> None:
        """Time advances for one warehouse."""
        self.now[location] += timedelta(hours=hours)
        event = PartitionTime(until=self.now[location], partition=0)
        self.send(event, SOURCES[location], self.now[location])

    @rule(served=st.integers(0, 6))
    def solve(self, served: int) -> None:
        """Each warehouse's first due wave is solved; the plan is not offered yet."""
        due: dict[str, Wave] = {}
        for wave in sorted(self.board.waves.values(), key=lambda one: one.cut_off):
            if wave.closed_at is not None and not wave.planned:
                due.setdefault(wave.location, wave)
        for wave in due.values():
            waiting = [
                one
                for one in self.board.shipments.values()
                if one.wave == wave.wave and one.status is Status.WAITING
            ]
            problem = gather(wave, waiting, CATALOGUE, RULES)
            self.solved.append(_offer(wave, problem, _some_plan(problem, served)))

    @precondition(lambda self: self.solved)
    @rule(newest=st.booleans())
    def offer(self, newest: bool) -> None:
        """A plan comes to be committed: fresh, stale or for the second time."""
        message = self.solved[-1 if newest else 0]
        self.send(message.event, message.source, message.time)

    @rule(name=NAMES)
    def confirm(self, name: str) -> None:
        """A carrier confirms, rightly or not."""
        now = self.now[name[0]]
        try:
            self.send(
                DeliveryReported(allocation=name, location=name[0], delivered_at=now), "/test", now
            )
        except Permanent:
            shipment = self.board.shipments.get(name)
            assert shipment is None or shipment.status is not Status.DELIVERED

    @invariant()
    def each_shipment_is_in_one_place(self) -> None:
        """Planned and departed ones are on one live route; waiting ones in one open wave."""
        stops = Counter(
            (stop.allocation, route.route)
            for route in self.board.routes.values()
            if route.state is not RouteState.CANCELLED
            for stop in route.stops
        )
        moving = (Status.PLANNED, Status.DEPARTED, Status.DELIVERED)
        assert stops == Counter(
            (one.allocation, one.route)
            for one in self.board.shipments.values()
            if one.status in moving
        )
        for one in self.board.shipments.values():
            if one.status is Status.WAITING:
                assert one.route is None
                assert not self.board.waves[one.wave].planned

    @invariant()
    def the_ledger_has_one_answer(self) -> None:
        """An allocation leaves once or comes back once, never both; deliveries count once."""
        answers = Counter(
            one.allocation
            for one in self.published
            if isinstance(one, ShipmentDispatched | AllocationWithdrawn)
        )
        assert all(count == 1 for count in answers.values()), answers
        delivered = Counter(
            one.allocation for one in self.published if isinstance(one, ShipmentDelivered)
        )
        assert all(count == 1 for count in delivered.values()), delivered

    @invariant()
    def what_time_has_passed_has_left(self) -> None:
        """No route stays behind its own warehouse's time."""
        for route in self.board.routes.values():
            if route.state is RouteState.PLANNED:
                mark = self.board.marks.get(route.source)
                assert mark is None or route.departs_at > mark

    @invariant()
    def the_last_version_told_is_the_route(self) -> None:
        """What readers know of a live route is how it stands."""
        told = {one.route: one for one in self.published if isinstance(one, RoutePlanned)}
        for route in self.board.routes.values():
            if route.state is not RouteState.CANCELLED:
                assert told[route.route] == route.planned()


def _some_plan(problem: Problem, served: int) -> Plan:
    """Return a valid plan that serves the first few parcels and leaves the others out."""
    tour: Tour | None = None
    if problem.vans and problem.parcels[:served]:
        tour = schedule(problem, problem.vans[0], problem.parcels[:served])
    taken = {call.allocation for call in tour.calls} if tour is not None else set()
    left_out = tuple(
        Unserved(one.allocation, "left out by the test")
        for one in problem.parcels
        if one.allocation not in taken
    )
    return Plan((tour,) if tour is not None else (), left_out)


def _offer(wave: Wave, problem: Problem, plan: Plan) -> Message[Event]:
    assert wave.closed_at is not None
    event = PlanSolved(
        wave=wave.wave,
        location=wave.location,
        wave_version=wave.version,
        problem=problem,
        plan=plan,
    )
    return Message(id="plan", source="/test", time=wave.closed_at, event=event)


TestDays = Days.TestCase
TestDays.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
