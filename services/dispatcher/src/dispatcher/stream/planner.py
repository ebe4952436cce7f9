"""Plans the waves that are due, beside the stream, and offers the plans for commitment."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

import structlog

from dispatcher.domain.checker import faults
from dispatcher.domain.gather import gather
from dispatcher.domain.model import Shipment, Wave
from dispatcher.domain.problem import Plan, Problem, Rules
from dispatcher.handlers import PlanSolved
from dispatcher.stream.worker import Solver
from restock_common import telemetry, tracing
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.envelope import Message, derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.topics import FULFILMENT
from restock_common.errors import InvariantBroken, Transient
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


class Planner(Background):
    """Solves waves in the worker processes and commits each by compare-and-set.

    A plan answers one version of a wave; where something was withdrawn meanwhile it is found
    stale, nothing is committed, and the wave is solved again.

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
            shipments = await self._waves.waiting(wave.wave)
            problem, plan = await self._answer(solver, wave, shipments)
            await self._offer(wave, problem, plan)

    async def _answer(
        self, solver: Solver, wave: Wave, shipments: Sequence[Shipment]
    ) -> tuple[Problem, Plan]:
        problem = gather(wave, shipments, self._master_data.catalogue, self._rules)
        started = time.monotonic()
        plan = await solver.solve(problem)
        telemetry.SOLVE_SECONDS.observe(time.monotonic() - started)
        tracing.worked("plan", started, (one.traceparent for one in shipments))
        wrong = faults(problem, plan)
        if wrong:
            raise InvariantBroken(f"the plan of wave {wave.wave} is not valid: {wrong[:5]}")
        return problem, plan

    async def _offer(self, wave: Wave, problem: Problem, plan: Plan) -> None:
        assert wave.closed_at is not None
        message: Message[Event] = Message(
            id=derive_id("plan", wave.wave, wave.version),
            source="/restock/dispatcher/planner",
            time=wave.closed_at,
            event=PlanSolved(
                wave=wave.wave,
                location=wave.location,
                wave_version=wave.version,
                problem=problem,
                plan=plan,
            ),
        )
        number = partition_of(FULFILMENT.name, wave.location.encode())
        self._acting += 1
        try:
            outcome = await self._stream.act(Partition(FULFILMENT.name, number), [message])
        finally:
            self._acting -= 1
        stale = bool(problem.parcels) and not outcome.journal
        telemetry.WAVES.labels("stale" if stale else "planned").inc()
        log.info(
            "wave_stale" if stale else "wave_planned",
            wave=wave.wave,
            location=wave.location,
            cut_off=wave.cut_off.isoformat(),
            routes=len(plan.tours),
            unserved=len(plan.unserved),
        )
