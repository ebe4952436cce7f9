"""Plans the waves that are due, beside the stream, and offers the plans for commitment."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from dispatcher.domain.fleet import Engaged, to_replan
from dispatcher.domain.gather import gather, proposal_of, unsolved
from dispatcher.domain.model import Absence, DayPlan, Shipment, Wave
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.route import Route
from dispatcher.domain.rules import Rules
from dispatcher.domain.vrp.bounds import BadProblem
from dispatcher.domain.waves import moment_of
from dispatcher.handlers import PlanSolved
from dispatcher.stream.worker import Solver
from restock_common import telemetry, tracing
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.envelope import Message, derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.topics import FULFILMENT
from restock_common.errors import Transient
from restock_common.kafka import partition_of
from restock_common.runtime import Background, Progress
from restock_common.transact import Outcome, Partition

log = structlog.get_logger()

_LOOK_EVERY_S = 1.0
_RETRY_S = 0.2


class Waves(Protocol):
    """What the planner reads; the implementation is `store.PostgresDispatches`."""

    async def due_waves(self, partitions: Sequence[int]) -> list[Wave]:
        """Return each warehouse's first closed wave without a plan."""

    async def waiting(self, wave: str) -> list[Shipment]:
        """Return what waits in a wave."""

    async def unplanned(self) -> int:
        """Return how many waves are due and not planned."""

    async def day(self, location: str, day: datetime) -> tuple[DayPlan | None, list[Route]]:
        """Return the plan of a warehouse's day, and its routes."""

    async def on_routes(self, routes: Sequence[str]) -> list[Shipment]:
        """Return what is planned on routes."""

    async def absences(self, location: str) -> list[Absence]:
        """Return which of a warehouse's vehicles are away."""

    async def marks(self, locations: Sequence[str]) -> Mapping[str, Mapping[str, datetime]]:
        """Return the time that each writer has told, for each of these warehouses."""


class Deciding(Protocol):
    """What the planner needs of the stream; the implementation is `runtime.Stream`."""

    advanced: asyncio.Event

    @property
    def owned(self) -> frozenset[Partition]:
        """The partitions that this process writes for."""

    async def act(self, partition: Partition, messages: Sequence[Message[Event]]) -> Outcome:
        """Decide messages that come from within."""

    async def progress(self) -> Progress:
        """Return how far it has come."""


class MasterData(Protocol):
    """Where the catalogue is looked up; the implementation is `runtime.CatalogueReader`."""

    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Asked:
    """What one search is about, as it stood when it was read.

    Attributes:
        wave: What is to be planned.
        plan_version: Of the day's plan; 0 where there is none.
        replaced: Its routes that are planned anew.
        kept: Those that stay.
        shipments: What waits in the wave, and what is on the replaced routes.
        absences: Vehicles that are away.
    """

    wave: Wave
    plan_version: int
    replaced: tuple[Route, ...]
    kept: tuple[Route, ...]
    shipments: tuple[Shipment, ...]
    absences: tuple[Absence, ...]


class Planner(Background):
    """Solves waves in the worker processes and commits each by compare-and-set.

    A plan answers one version of a wave and one of the day's plan; where something has changed
    meanwhile it is found stale, nothing is committed, and the wave is solved again. What the day
    has planned already is planned anew with it, but for what has left or is being loaded.

    Args:
        stream: Decides the plans.
        waves: The waves and their members.
        master_data: Places, vehicles and weights.
        solvers: The worker processes; each takes the next wave when it has solved one.
        rules: What holds for every wave.
    """

    name = "planner"

    def __init__(
        self,
        stream: Deciding,
        waves: Waves,
        master_data: MasterData,
        solvers: Sequence[Solver],
        rules: Rules,
    ) -> None:
        self._stream = stream
        self._waves = waves
        self._master_data = master_data
        self._solvers = solvers
        self._rules = rules
        self._acting = 0

    async def start(self) -> None:
        """Start the worker processes and begin to look for waves."""
        await asyncio.gather(*(solver.start() for solver in self._solvers))
        await super().start()

    async def stop(self) -> None:
        """Give up what is being solved: its wave is still due at the next start."""
        await super().stop()
        await asyncio.gather(*(solver.stop() for solver in self._solvers))

    def not_ready(self) -> str | None:
        """Return why no wave would be planned."""
        return None if self._task is not None else "the solver is starting"

    async def progress(self) -> Progress:
        """Return the waves due and not planned, so that a quiet answer can be trusted.

        A service asks its parts in order, the stream first: so offsets are older than this count,
        which has whatever they made due. A plan committed since then is on its way out: hence
        the calls that have not returned, and after them the stream's journal once more.
        """
        due = await self._waves.unplanned()
        acting = self._acting
        journal = (await self._stream.progress()).unpublished
        return Progress(unpublished=journal, pending=due + acting)

    async def _run(self) -> None:
        while True:
            self._stream.advanced.clear()
            try:
                found = await self._plan_due()
            except Transient as error:
                log.warning("planning_retry", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            if not found:
                await self._wait()

    async def _wait(self) -> None:
        """Wait for a batch; look now and then all the same, for partitions that were taken over."""
        try:
            async with asyncio.timeout(_LOOK_EVERY_S):
                await self._stream.advanced.wait()
        except TimeoutError:
            return

    async def _plan_due(self) -> bool:
        """Plan each wave that is due; return whether there was one."""
        mine = [one.number for one in self._stream.owned if one.topic == FULFILMENT.name]
        due = await self._waves.due_waves(mine)
        next_waves = iter(due)  # shared: a solver that is free takes the next
        ended = await asyncio.gather(
            *(self._plan_each(solver, next_waves) for solver in self._solvers),
            return_exceptions=True,  # a failure ends the round only when no other plan is begun
        )
        for failure in ended:
            if failure is not None:
                raise failure
        return bool(due)

    async def _plan_each(self, solver: Solver, waves: Iterator[Wave]) -> None:
        for wave in waves:
            asked = await self._look(wave)
            await self._offer(asked, await self._answer(solver, asked))

    async def _look(self, wave: Wave) -> Asked:
        """Read what a plan for a wave has to know; each version before what it counts."""
        plan, routes = await self._waves.day(wave.location, wave.day)
        marks = (await self._waves.marks([wave.location]))[wave.location]
        moment = moment_of(wave)
        now = max(moment, marks.get(wave.source, moment))
        waiting = await self._waves.waiting(wave.wave)
        replaced = to_replan(routes, now, self._rules) if waiting else ()
        names = {route.route for route in replaced}
        planned = await self._waves.on_routes(sorted(names)) if names else []
        return Asked(
            wave=wave,
            plan_version=plan.version if plan is not None else 0,
            replaced=replaced,
            kept=tuple(route for route in routes if route.route not in names),
            shipments=(*waiting, *planned),
            absences=tuple(await self._waves.absences(wave.location)),
        )

    async def _answer(self, solver: Solver, asked: Asked) -> Proposal:
        engaged = Engaged(asked.kept, asked.absences)
        catalogue = self._master_data.catalogue
        question = gather(
            asked.wave, asked.shipments, catalogue, self._rules, engaged, asked.replaced
        )
        if question is None:
            reason = f"warehouse {asked.wave.location!r} is not in the catalogue"
            return unsolved(asked.shipments, reason, "the warehouse's place in the catalogue")
        started = time.monotonic()
        try:
            plan = await solver.solve(question.problem, question.before)
        except BadProblem as error:
            log.warning("no_problem", location=asked.wave.location, reason=str(error))
            return unsolved(asked.shipments, str(error), "other master data")
        telemetry.SOLVE_SECONDS.observe(time.monotonic() - started)
        tracing.worked("plan", started, (one.traceparent for one in asked.shipments))
        return proposal_of(question, plan)

    async def _offer(self, asked: Asked, proposal: Proposal) -> None:
        wave = asked.wave
        assert wave.closed_at is not None
        message: Message[Event] = Message(
            id=derive_id("plan", wave.wave, wave.version, asked.plan_version),
            source="/restock/dispatcher/planner",
            time=wave.closed_at,
            event=PlanSolved(
                wave=wave.wave,
                location=wave.location,
                wave_version=wave.version,
                day=wave.day,
                plan_version=asked.plan_version,
                replaced=tuple(route.route for route in asked.replaced),
                proposal=proposal,
            ),
        )
        number = partition_of(FULFILMENT.name, wave.location.encode())
        self._acting += 1
        try:
            outcome = await self._stream.act(Partition(FULFILMENT.name, number), [message])
        finally:
            self._acting -= 1
        stale = bool(asked.shipments) and not outcome.journal
        telemetry.WAVES.labels("stale" if stale else "planned").inc()
        log.info(
            "wave_stale" if stale else "wave_planned",
            wave=wave.wave,
            kind=wave.kind.value,
            location=wave.location,
            cut_off=wave.cut_off.isoformat(),
            routes=len(proposal.tours),
            replanned=len(asked.replaced),
            unserved=len(proposal.unserved),
        )
