"""One solve in a process of its own, on one core, measured from inside."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeVar

from dispatcher.domain.vrp.checker import faults
from dispatcher.domain.vrp.engines import ENGINES, engine, warm_up
from dispatcher.domain.vrp.plan import Budget, Plan, WarmStart
from dispatcher.domain.vrp.problem import Problem
from routes_bench.plain import plain_cost

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Solved:
    """A checked plan, and what it took."""

    plan: Plan
    wall_s: float
    cpu_s: float


def alone(function: Callable[..., AnswerT], *args: object) -> AnswerT:
    """Run a function in a warm worker process, pinned to one core, and end the process."""
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=_warm) as pool:
        return pool.submit(function, *args).result()


def _warm() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for name in ENGINES:
        warm_up(name, time.monotonic)


def solve(
    name: str, problem: Problem, seconds: float, seed: int, warm: WarmStart | None = None
) -> Solved:
    """Solve and check; raises AssertionError where the plan is not valid."""
    began, cpu = time.monotonic(), time.process_time()
    answer = engine(name).solve(problem, Budget(seconds, time.monotonic), seed, warm)
    took = Solved(answer.plan, time.monotonic() - began, time.process_time() - cpu)
    wrong = faults(problem, answer.plan)
    assert not wrong, wrong[:3]
    return took


def plain(problem: Problem, seconds: float, seed: int) -> int | None:
    """Return plain PyVRP's length."""
    return plain_cost(problem, seconds, seed)
