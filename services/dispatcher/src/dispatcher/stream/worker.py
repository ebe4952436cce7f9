"""An engine in its own process: it takes a core for its whole run, and can be killed."""

import asyncio
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import TypeVar

from dispatcher.domain.effort import Effort
from dispatcher.domain.vrp.checker import faults
from dispatcher.domain.vrp.engines import engine, warm_up
from dispatcher.domain.vrp.plan import Budget, Plan, WarmStart
from dispatcher.domain.vrp.problem import Problem
from restock_common.errors import InvariantBroken, Transient

_PR_SET_PDEATHSIG = 1
AnswerT = TypeVar("AnswerT")


class WorkerDied(Transient):
    """The worker ended in the middle of its work (killed, out of memory): ask again."""


class Solver:
    """One worker process, started once and replaced when it dies.

    Args:
        effort: How long a search may go on.
    """

    def __init__(self, effort: Effort) -> None:
        self._effort = effort
        self._pool: ProcessPoolExecutor | None = None
        self.pid: int | None = None

    async def start(self) -> None:
        """Start the worker and have it import the solver. Raises WorkerDied."""
        self._pool = ProcessPoolExecutor(
            max_workers=1, mp_context=get_context("spawn"), initializer=_prepare_worker
        )
        self.pid = await self._ask(os.getpid)
        await self._ask(_warm_up, self._effort.engine)

    async def solve(self, problem: Problem, before: WarmStart | None = None) -> Plan:
        """Return a plan that has been checked.

        Raises:
            WorkerDied: The worker did not live to answer.
            InvariantBroken: The plan is not valid.
        """
        return await self._ask(_solve, problem, self._effort, before)

    async def stop(self) -> None:
        """End the worker; a search that runs is given up with it."""
        if self._pool is not None and self.pid is not None:
            _kill(self.pid)
        self._discard()

    def _discard(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, function: Callable[..., AnswerT], *args: object) -> AnswerT:
        if self._pool is None:
            await self.start()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)
        except BrokenProcessPool as error:
            self._discard()
            raise WorkerDied(f"the solver's process {self.pid} ended: {error}") from error


def _warm_up(name: str) -> None:
    warm_up(name, time.monotonic)


def _solve(problem: Problem, effort: Effort, before: WarmStart | None) -> Plan:
    """Solve, and check the plan by what had no part in making it."""
    seconds = effort.seconds if before is None else effort.replan_seconds
    budget = Budget(seconds, time.monotonic, effort.iterations)
    plan = engine(effort.engine).solve(problem, budget, warm_start=before).plan
    wrong = faults(problem, plan)
    if wrong:
        raise InvariantBroken(f"{effort.engine}'s plan is not valid: {wrong[:5]}")
    return plan


def _prepare_worker() -> None:
    """Leave Ctrl-C to the service, and end with it, however it ends.

    A search holds the GIL, so that no thread of ours runs meanwhile: on Linux the kernel ends it.
    Elsewhere, and where the service has ended before this is asked for, a thread does.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
