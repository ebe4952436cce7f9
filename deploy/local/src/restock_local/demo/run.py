"""One demo from the start of the platform to the figures."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from restock_common.errors import Transient
from restock_common.runtime.garbage import collect_less_often
from restock_local.demo.calendar import Stretch
from restock_local.demo.dataset import Dataset, load
from restock_local.demo.door import Door, Refused
from restock_local.demo.feeder import ORDERS_A_REQUEST, Doors, Feeder, Moment, World
from restock_local.demo.figures import Figures, LedgerTotals, Run, figures
from restock_local.demo.plan import Plan, make_plan
from restock_local.demo.products import suppliers
from restock_local.demo.readback import Readback, Tally
from restock_local.demo.screen import Screen
from restock_local.demo.stock import Count, counts, initial_stock
from restock_local.demo.world import Carriers, Suppliers
from restock_local.platform.base import Platform, declare_topics
from restock_local.platform.choose import choose
from restock_local.processes import ProcessFailed
from restock_local.quiet import NotQuiet, QuietWatch
from restock_local.supervisor import SHOP, Supervisor

_QUIET_S = 180.0
_ORDERS_PATH = ("order-ingest", "stock-ledger", "dispatcher")
_SOLVER_EFFORT, _LESS_EFFORT = "RESTOCK_SOLVER_ITERATIONS", "2000"
"""A month of routes in minutes: each is searched half as long as by default, 2.5 % dearer."""
_COMPLAINTS_A_SERVICE = 3
_SHOWN_CHARACTERS = 1_500

Disturb = Callable[[Supervisor, Stretch, Moment], Awaitable[None]]
"""Does something to the services in the middle of a stretch; for tests of faults."""


class DemoFailed(Exception):
    """The demo could not be brought to its end; says why, with what the services complained of."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a demo is asked for.

    Attributes:
        days: Event days, from 2017-01-01.
        seed: Chance's seed: equal seeds give equal business figures.
        orders_per_day: At most so many; None takes every order.
        platform: embedded, apache, docker or auto.
        orders_a_request: How many orders go into one request at most.
    """

    days: int = 28
    seed: int = 1
    orders_per_day: int | None = None
    platform: str = "embedded"
    orders_a_request: int = ORDERS_A_REQUEST


@dataclass(frozen=True, slots=True)
class _Script:
    """Everything that is known before the first request."""

    dataset: Dataset
    plan: Plan
    counts: tuple[Count, ...]


async def run_demo(
    options: Options, folder: Path, console: Console, *, disturb: Disturb | None = None
) -> Figures:
    """Start everything, replay, read the figures back, and stop everything.

    Args:
        options: What is asked for.
        folder: Where all state goes; the caller removes it.
        console: Where to show how it goes.
        disturb: Called at moments of each stretch.

    Raises:
        DemoFailed: A part did not start, died, refused something or never came to rest.
    """
    started = time.monotonic()
    believed = suppliers()
    world = World(
        Suppliers({each.supplier: each for each in believed}, seed=options.seed),
        Carriers(seed=options.seed),
    )
    tally = Tally(world.suppliers, world.carriers)
    async with AsyncExitStack() as stack:
        screen = stack.enter_context(Screen(console, options.days, tally))
        screen.say("starting the broker and the database")
        writing = asyncio.create_task(asyncio.to_thread(_write_script, options))
        try:
            platform = await stack.enter_async_context(choose(options.platform, folder))
            await declare_topics(platform.kafka)
            screen.say("starting the services")
            supervisor = Supervisor(
                platform, folder, clock="replay", environment={_SOLVER_EFFORT: _LESS_EFFORT}
            )
            await stack.enter_async_context(supervisor)
        except (ProcessFailed, Transient) as error:
            raise DemoFailed(str(error)) from error
        script = await writing
        collect_less_often()
        try:
            return await _replay(
                options,
                script,
                world,
                tally,
                screen,
                _Stage(platform, supervisor, disturb, started),
            )
        except (ProcessFailed, Transient, Refused, NotQuiet) as error:
            raise DemoFailed(f"{error}{_complaints(supervisor)}") from error


@dataclass(frozen=True, slots=True)
class _Stage:
    """What runs, and since when (monotonic seconds)."""

    platform: Platform
    supervisor: Supervisor
    disturb: Disturb | None
    started: float

    async def on_stretch(self, stretch: Stretch, moment: Moment) -> None:
        """Disturb the services, if that is wanted."""
        if self.disturb is not None:
            await self.disturb(self.supervisor, stretch, moment)


async def _replay(
    options: Options, script: _Script, world: World, tally: Tally, screen: Screen, stage: _Stage
) -> Figures:
    urls, kafka = stage.supervisor.urls, stage.platform.kafka
    async with (
        Door(urls["order-ingest"], {"X-API-Key": stage.supervisor.api_key}) as ingest,
        Door(urls["dispatcher"], {"X-API-Key": stage.supervisor.api_key}) as dispatcher,
        Door(urls["stock-ledger"]) as ledger,
        QuietWatch(urls, kafka, check=stage.supervisor.check) as watch,
        Readback(kafka, tally) as readback,
    ):
        feeder = Feeder(
            Doors(ingest, dispatcher),
            world,
            lambda: watch.until_quiet(timeout_s=_QUIET_S),
            lambda: watch.until_quiet(timeout_s=_QUIET_S, among=_ORDERS_PATH),
            readback.catch_up,
            on_stretch=stage.on_stretch,
            orders_a_request=options.orders_a_request,
        )
        screen.say("sending master data and stock")
        await feeder.prepare(script.dataset.products, suppliers(), script.counts)
        begun = time.monotonic()
        await feeder.replay(script.plan, options.days, screen.begin)
        replay_s = time.monotonic() - begun
        screen.end()
        totals = LedgerTotals.read(await ledger.get("/v1/figures"))
        run = Run(
            days=options.days,
            seed=options.seed,
            shop=SHOP,
            platform=stage.platform.info(),
            wall_s=time.monotonic() - stage.started,
            replay_s=replay_s,
        )
        return figures(run, script.plan, totals, tally)


def _write_script(options: Options) -> _Script:
    dataset = load(options.days, seed=options.seed, orders_per_day=options.orders_per_day)
    stock = initial_stock(dataset, seed=options.seed)
    return _Script(dataset, make_plan(dataset, seed=options.seed), tuple(counts(stock)))


def _complaints(supervisor: Supervisor) -> str:
    """Return the last errors in the services' logs, which go when the demo ends."""
    complaints = []
    for name in supervisor.urls:
        log = supervisor.log(name)
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        errors = [line for line in lines if '"level": "error"' in line]
        complaints += [
            f"\n{name}: {line[-_SHOWN_CHARACTERS:]}" for line in errors[-_COMPLAINTS_A_SERVICE:]
        ]
    return "".join(complaints)
