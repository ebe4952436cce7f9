"""Random days at two warehouses: each shipment is in one place, and the ledger has one answer."""

from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.dispatcher.examples import DEPOT, at, place

from dispatcher.domain.delivery import Failure
from dispatcher.domain.fleet import Engaged, to_replan
from dispatcher.domain.gather import Question, gather
from dispatcher.domain.model import Status, Wave
from dispatcher.domain.proposal import LeftOut, Proposal, ProposedStop, ProposedTour
from dispatcher.domain.route import RouteState
from dispatcher.domain.rules import Rules
from dispatcher.domain.waves import moment_of
from dispatcher.handlers import (
    Board,
    DelayReported,
    DeliveryReported,
    FailureReported,
    PartitionTime,
    PlanSolved,
    VehicleAbsent,
    VehicleBack,
    handle,
)
from restock_common.contracts.catalogue import Catalogue, Location, Vehicle
from restock_common.contracts.dispatch import (
    RouteCancelled,
    RoutePlanned,
    ShipmentDelivered,
    ShipmentFailed,
)
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import (
    AllocatedLine,
    AllocationWithdrawn,
    DeliveryWindow,
    ShipmentDispatched,
)
from restock_common.errors import Permanent

RULES = Rules(wave_size_max=4, attempts_max=2)
SOURCES = {"L": "/test/shard/0", "M": "/test/shard/1"}
CATALOGUE = Catalogue.of(
    [
        entity
        for name in SOURCES
        for entity in (
            Location(location=name, pool="p", place=DEPOT),
            Vehicle(vehicle=f"{name}-van-1", location=name, capacity_grams=100_000),
            Vehicle(vehicle=f"{name}-van-2", location=name, capacity_grams=100_000),
        )
    ]
)
VEHICLES = st.sampled_from([f"{name}-van-{n}" for name in SOURCES for n in (1, 2)])
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

    @rule(name=NAMES, hours=st.integers(-3, 40), window=st.sampled_from([None, 2, 6, 30]))
    def allocate(self, name: str, hours: int, window: int | None = None) -> None:
        """An order is allocated, perhaps an urgent one; the same one may come again."""
        location = name[0]
        time = self.now[location] + timedelta(hours=hours)
        until = time + timedelta(hours=window or 0)
        event = OrderAllocated(
            location=location,
            allocation=name,
            order=f"shop:{name}",
            shard=list(SOURCES).index(location),
            customer="c",
            placed_at=time,
            allocated_at=time,
            destination=place(int(name[1:]) + 1),
            window=DeliveryWindow(earliest=time, latest=until) if window else None,
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

    @rule(served=st.integers(0, 6), van=st.integers(0, 1))
    def solve(self, served: int, van: int) -> None:
        """Each warehouse's first due wave is solved; the plan is not offered yet."""
        due: dict[str, Wave] = {}
        for wave in sorted(self.board.waves.values(), key=lambda one: (one.cut_off, one.number)):
            if wave.closed_at is not None and not wave.planned:
                due.setdefault(wave.location, wave)
        for wave in due.values():
            self.solved.append(self._answer(wave, served, van))

    def _answer(self, wave: Wave, served: int, van: int) -> Message[Event]:
        plan = self.board.plan_of(wave.location, wave.day)
        routes = [one for one in self.board.routes.values() if one.plan == plan.plan]
        now = max(moment_of(wave), self.board.marks[wave.source])
        replaced = to_replan(routes, now, RULES)
        names = {one.route for one in replaced}
        asked = [
            one
            for one in self.board.shipments.values()
            if (one.wave == wave.wave and one.status is Status.WAITING)
            or (one.route in names and one.status is Status.PLANNED)
        ]
        kept = tuple(one for one in routes if one.route not in names)
        engaged = Engaged(kept, tuple(self.board.absences.values()))
        question = gather(wave, asked, CATALOGUE, RULES, engaged, replaced)
        assert question is not None
        event = PlanSolved(
            wave=wave.wave,
            location=wave.location,
            wave_version=wave.version,
            day=wave.day,
            plan_version=plan.version,
            replaced=tuple(sorted(names)),
            proposal=_some_plan(question, served, van),
        )
        return Message(id="plan", source="/test", time=wave.day, event=event)

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

    @rule(name=NAMES, failure=st.sampled_from(Failure))
    def miss(self, name: str, failure: Failure) -> None:
        """A driver tells that nobody was there, or worse; rightly or not."""
        now = self.now[name[0]]
        event = FailureReported(allocation=name, location=name[0], failed_at=now, failure=failure)
        with suppress(Permanent):
            self.send(event, "/test", now)

    @rule(vehicle=VEHICLES, hours=st.sampled_from([None, 1, 30]))
    def lose(self, vehicle: str, hours: int | None) -> None:
        """A vehicle cannot drive, for a while or for good."""
        now = self.now[vehicle[0]]
        event = VehicleAbsent(
            vehicle=vehicle,
            location=vehicle[0],
            since=now,
            until=None if hours is None else now + timedelta(hours=hours),
            reason="broken",
        )
        self.send(event, "/test", now)

    @rule(vehicle=VEHICLES)
    def mend(self, vehicle: str) -> None:
        """A vehicle can drive again, whether it was away or not."""
        now = self.now[vehicle[0]]
        self.send(VehicleBack(vehicle=vehicle, location=vehicle[0], at=now), "/test", now)

    @rule(minutes=st.integers(0, 90), data=st.data())
    def be_late(self, minutes: int, data: st.DataObject) -> None:
        """A driver is late."""
        if self.board.routes:
            route = self.board.routes[data.draw(st.sampled_from(sorted(self.board.routes)))]
            event = DelayReported(route=route.route, location=route.location, late_s=60 * minutes)
            with suppress(Permanent):
                self.send(event, "/test", self.now[route.location])

    @invariant()
    def each_shipment_is_in_one_place(self) -> None:
        """Planned and departed ones are on one live route; waiting ones in one open wave."""
        ahead = Counter(
            (stop.allocation, route.route)
            for route in self.board.routes.values()
            if route.state is RouteState.PLANNED
            for stop in route.stops
        )
        assert ahead == Counter(
            (one.allocation, one.route)
            for one in self.board.shipments.values()
            if one.status is Status.PLANNED
        )
        left = {
            (stop.allocation, route.route)
            for route in self.board.routes.values()
            if route.state is RouteState.DEPARTED
            for stop in route.stops
        }
        waiting: Counter[str] = Counter()
        for one in self.board.shipments.values():
            if one.status in (Status.DEPARTED, Status.DELIVERED, Status.RETURNED):
                assert (one.allocation, one.route) in left
            elif one.status is Status.WAITING:
                assert one.route is None
                assert not self.board.waves[one.wave].planned
                waiting[one.wave] += 1
        assert waiting == Counter({name: one.size for name, one in self.board.waves.items()})

    @invariant()
    def a_vehicle_drives_one_route_at_a_time(self) -> None:
        """Routes of one vehicle follow each other, as they were planned."""
        tours = sorted(
            (one.vehicle, one.departs_at, one.returns_at - timedelta(seconds=one.late_s))
            for one in self.board.routes.values()
            if one.state is not RouteState.CANCELLED
        )
        for earlier, later in pairwise(tours):
            assert earlier[0] != later[0] or earlier[2] <= later[1]

    @invariant()
    def versions_only_rise(self) -> None:
        """Each telling of a route has a higher version than the one before."""
        versions: dict[str, int] = {}
        for one in self.published:
            if isinstance(one, RoutePlanned | RouteCancelled):
                assert one.plan_version > versions.get(one.route, 0)
                versions[one.route] = one.plan_version

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
        failed = Counter(
            one.allocation for one in self.published if isinstance(one, ShipmentFailed)
        )
        for one in self.board.shipments.values():
            assert failed[one.allocation] == one.attempts <= RULES.attempts_max

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
        told: dict[str, Any] = {
            one.route: one
            for one in self.published
            if isinstance(one, RoutePlanned | RouteCancelled)
        }
        for route in self.board.routes.values():
            last = told[route.route]
            assert last.plan_version == route.plan_version
            if route.state is RouteState.CANCELLED:
                assert isinstance(last, RouteCancelled)
            else:
                assert last.stops == route.planned().stops
                assert last.departs_at == route.departs_at


def _some_plan(question: Question, served: int, van: int) -> Proposal:
    """Return a proposal that serves the first few, whatever their windows, and leaves others."""
    names = [one.shipment for one in question.problem.shipments]
    fleet, tours = question.problem.vehicles, []
    taken = names[:served] if fleet else []
    if taken:
        chosen = fleet[van % len(fleet)]
        apart_s = (chosen.end_s - chosen.start_s) // (len(taken) + 1)
        stops = tuple(
            ProposedStop(name, question.at(chosen.start_s + apart_s * n), 0, 1000, 1000)
            for n, name in enumerate(taken, 1)
        )
        leaves, back = question.at(chosen.start_s), question.at(chosen.end_s)
        tours = [ProposedTour(chosen.vehicle, leaves, back, 1000, stops)]
    left_out = tuple(LeftOut(name, "left out by the test") for name in names if name not in taken)
    return Proposal(question.depot, tuple(tours), left_out)


TestDays = Days.TestCase
TestDays.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
