"""Runs the kernel against a clock or a count, from nothing or from the plan before."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dispatcher.domain.vrp.kernel.insertion import refresh_all
from dispatcher.domain.vrp.kernel.search import ABSENT, OUT, begin, recreate, scratch, search
from dispatcher.domain.vrp.kernel.state import INFEASIBLE, Task, empty_state, refresh
from dispatcher.domain.vrp.pool import Pool, Routes
from dispatcher.domain.vrp.problem import IntArray


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the search anneals, and how much it takes out.

    Attributes:
        hot: First temperature, in mean costs of the drive to a near neighbour.
        cold: Last temperature, likewise.
        average: Stops taken out by an iteration, about.
        longest: Stops that a string may have.
    """

    hot: float = 2.0
    cold: float = 0.02
    average: float = 10.0
    longest: float = 10.0


CHUNK_S = 0.04
"""About how long the kernel runs between two looks at the clock."""


class Search:
    """A search that can be gone on with.

    Args:
        task: The problem's arrays.
        seed: Of its dice.
        tuning: How it anneals.
    """

    def __init__(self, task: Task, seed: int, tuning: Tuning) -> None:
        self.task = task
        self._notes = scratch(task, seed)
        self._state = empty_state(task)
        self._tuning = tuning
        self._scale = near_cost(task)
        self.cost = self.best = INFEASIBLE
        self.iterations = 0

    def begin_from(self, routes: Routes, *, eager: bool = True) -> None:
        """Take routes as they are, insert what is on none of them: dearest to leave out first.

        `eager` inserts at any price: the search leaves out again what does not pay.
        """
        task, state, notes = self.task, self._state, self._notes
        places, vehicles = len(task.near), len(task.home)
        state.route[:] = -1
        for vehicle in range(vehicles):
            left = places + vehicle
            for node in routes[vehicle] if routes else ():
                state.after[left], state.prior[node] = node, left
                left = node
            last = places + vehicles + vehicle
            state.after[left], state.prior[last] = last, left
            refresh(task, state, vehicle)
        begin(task, notes)
        out = [node for node in range(task.depots, places) if state.route[node] < 0]
        out.sort(key=lambda node: (-task.left_out[node], -task.load[node, 0]))
        notes.out[: len(out)] = out
        notes.numbers[OUT] = len(out)
        notes.numbers[ABSENT] = 0
        recreate(task, state, notes, False, eager)
        self.cost = self.best = refresh_all(task, state)
        notes.best_after[:] = state.after

    def run(self, iterations: int, heat: float, cooling: float) -> None:
        """Go on for some iterations at a temperature, in mean costs of a near drive."""
        self.cost, self.best = search(
            self.task,
            self._state,
            self._notes,
            iterations,
            self.cost,
            self.best,
            heat * self._scale,
            cooling,
            self._tuning.average,
            self._tuning.longest,
        )
        self.iterations += iterations

    def anneal(
        self,
        ends_s: float,
        clock: Callable[[], float],
        iterations: int | None,
        on_best: Callable[[float], None],
        pool: Pool | None = None,
    ) -> None:
        """Cool from hot to cold until the clock, or the count, is out."""
        tuning = self._tuning
        began = clock()
        ratio = tuning.cold / tuning.hot
        chunk, known = 50, self.best
        done = 0
        while (now := clock()) < ends_s and (iterations is None or done < iterations):
            if iterations is not None:
                chunk = min(500, iterations - done)
                share, step = done / iterations, chunk / iterations
            else:
                share = (now - began) / (ends_s - began)
                step = min(CHUNK_S / (ends_s - began), 1.0)
            self.run(chunk, tuning.hot * ratio**share, ratio ** (step / chunk))
            done += chunk
            if iterations is None:
                took = max(clock() - now, 1e-4)
                room = max(ends_s - clock(), 0.002)
                chunk = max(1, min(2 * chunk, int(chunk * min(CHUNK_S, room) / took)))
            if pool is not None:
                pool.add(self._routes(self._state.after))
            if self.best < known - 1e-6:
                known = self.best
                on_best(known)
                if pool is not None:
                    pool.add(self.best_routes())

    def adopt(self, routes: Routes) -> None:
        """Go on from other routes, where these are better."""
        known, kept = self.best, self.best_routes()
        self.begin_from(routes, eager=False)
        if self.best > known:
            self.begin_from(kept, eager=False)

    def best_routes(self) -> Routes:
        """Return the best solution's routes."""
        return self._routes(self._notes.best_after)

    def _routes(self, after: IntArray) -> Routes:
        task = self.task
        routes: Routes = []
        for vehicle in range(len(task.home)):
            route = []
            node = int(after[len(task.near) + vehicle])
            while node < len(task.near):
                route.append(node)
                node = int(after[node])
            routes.append(route)
        return routes


def near_cost(task: Task) -> float:
    """Return the mean cost of a drive to one of the five nearest: the scale of temperatures."""
    shipments = np.arange(task.depots, len(task.near))
    nearest = task.close[shipments, :5]
    metres = task.metres[shipments[:, None], np.maximum(nearest, 0)]
    seconds = task.seconds[0][shipments[:, None], np.maximum(nearest, 0)]
    cost = metres * task.per_metre.mean() + seconds * task.per_second.mean()
    return float(cost[nearest >= 0].mean()) if (nearest >= 0).any() else 1.0
