"""The default engine: ruin and recreate finds routes, OR-Tools' CP-SAT puts the best together."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from dispatcher.domain.vrp.arrays import compile_problem
from dispatcher.domain.vrp.bounds import checked
from dispatcher.domain.vrp.feasibility import possible
from dispatcher.domain.vrp.outcome import left_out, merged
from dispatcher.domain.vrp.parts import Part, parts, restricted, with_tables
from dispatcher.domain.vrp.plan import (
    Answer,
    Budget,
    Missing,
    OnProgress,
    Plan,
    Progress,
    WarmStart,
)
from dispatcher.domain.vrp.pool import Pool, Routes, recombined
from dispatcher.domain.vrp.problem import Problem
from dispatcher.domain.vrp.recreate import Search, Tuning
from dispatcher.domain.vrp.schedule import schedule
from dispatcher.domain.vrp.start import started

RECOMBINED_SHARE = 0.12
"""Of a search's time, its end: for CP-SAT, at most."""

_RECOMBINE_S_MIN = 0.05
_RESERVE_S = 0.05
_RESERVE_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class OrTools:
    """Slack induction by string removals in compiled code, and set partitioning by CP-SAT.

    OR-Tools' own routing search was measured beside it and is not used: with time windows it
    stays 2 to 9 % above the best known after 10 s (ADR 28).

    Attributes:
        tuning: How the search anneals.
        recombine: Whether CP-SAT chooses among the routes met on the way.
    """

    tuning: Tuning = field(default_factory=Tuning)
    recombine: bool = True
    name: str = "ortools"

    def solve(
        self,
        problem: Problem,
        budget: Budget,
        seed: int = 0,
        warm_start: WarmStart | None = None,
        on_progress: OnProgress | None = None,
    ) -> Answer:
        """Return a plan; see `plan.Solver`."""
        began = budget.clock()
        usable, refused = checked(problem)
        pieces = parts(usable)
        plans: list[Plan] = []
        seen: list[Progress] = []
        todo = sum(len(piece.shipments) for piece in pieces)
        for piece in pieces:
            # what the parts before left unused goes to those that follow
            spent = budget.clock() - began
            share = len(piece.shipments) / max(1, todo)
            todo -= len(piece.shipments)
            now = budget.clock()
            mine = replace(budget, seconds=(budget.seconds - spent) * share)
            watch = Watch(began, budget.clock, seen if len(pieces) == 1 else [], on_progress)
            plans.append(self._solve_part(piece, mine, now, seed, warm_start, watch))
        plan = merged(problem, plans, refused)
        seen.append(Progress(budget.clock() - began, plan.cost))
        return Answer(plan, tuple(seen))

    def _solve_part(
        self,
        problem: Problem,
        budget: Budget,
        began: float,
        seed: int,
        warm_start: WarmStart | None,
        watch: "Watch",
    ) -> Plan:
        if not problem.vehicles:
            empty = [
                Missing(s.shipment, "there is no vehicle", "a vehicle") for s in problem.shipments
            ]
            return merged(problem, [], empty)
        whole = with_tables(problem)
        kept, refused = possible(whole)
        if not kept:
            return merged(problem, [], refused)
        part = restricted(whole, kept)
        task = compile_problem(part.problem, part.tables, warm_start)
        search = Search(task, seed, self.tuning)
        search.begin_from(started(part, task, warm_start))
        watch(search.best)
        pool = Pool(task) if self.recombine else None
        reserve = _RESERVE_S + _RESERVE_SHARE * budget.seconds + len(kept) * 1e-5
        ends = began + budget.seconds - reserve
        self._improve(search, pool, budget, ends, watch)
        routes = search.best_routes()
        plan = as_plan(part, routes)
        dropped = left_out(part, task, routes)
        return merged(problem, [plan, dropped], refused)

    def _improve(
        self,
        search: Search,
        pool: Pool | None,
        budget: Budget,
        ends: float,
        watch: "Watch",
    ) -> None:
        clock, iterations = budget.clock, budget.iterations
        left = ends - clock()
        cut = ends if pool is None else ends - RECOMBINED_SHARE * left
        search.anneal(cut, clock, iterations, watch, pool)
        if pool is None:
            return
        seconds = ends - clock()
        if iterations is None and seconds < _RECOMBINE_S_MIN:
            return
        better = recombined(
            search.task,
            pool,
            search.best_routes(),
            max(_RECOMBINE_S_MIN, seconds),
            iterations is not None,
        )
        if better is not None:
            search.adopt(better)
            watch(search.best)


@dataclass(frozen=True, slots=True)
class Watch:
    """Notes each better cost, and hands it on (of a problem in parts: the part's own)."""

    began: float
    clock: Callable[[], float]
    seen: list[Progress]
    hand_on: OnProgress | None

    def __call__(self, cost: float) -> None:
        """Note a cost."""
        one = Progress(self.clock() - self.began, round(cost))
        self.seen.append(one)
        if self.hand_on is not None:
            self.hand_on(one)


def as_plan(part: Part, routes: Routes) -> Plan:
    """Return routes of nodes as a plan with its times; `merged` reckons what it costs."""
    problem, depots = part.problem, len(part.problem.warehouses)
    found = []
    for vehicle, nodes in enumerate(routes):
        if not nodes:
            continue
        route = schedule(problem, part.tables, vehicle, [node - depots for node in nodes])
        assert route is not None, f"{problem.vehicles[vehicle].vehicle} was given a late route"
        found.append(route)
    return Plan(tuple(found))
