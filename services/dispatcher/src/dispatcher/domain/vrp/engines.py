"""The engines by name, and what makes a process ready for them."""

from collections.abc import Callable

from dispatcher.domain.vrp.hybrid import PyVrp
from dispatcher.domain.vrp.plan import Budget, Solver
from dispatcher.domain.vrp.problem import Point, Problem, Shipment, Size, Vehicle, Warehouse
from dispatcher.domain.vrp.ruin_recreate import OrTools
from dispatcher.domain.vrp.travel import RoadFactor

ENGINES = ("ortools", "pyvrp")


def engine(name: str) -> Solver:
    """Return an engine; KeyError where there is none of that name."""
    engines: dict[str, Solver] = {"ortools": OrTools(), "pyvrp": PyVrp()}
    return engines[name]


def warm_up(name: str, clock: Callable[[], float]) -> None:
    """Solve a problem of two stops: imports and compiled code are in place from then on.

    Compiled code is read from its cache in about 2 s; where there is none, compiling takes 20 s.
    """
    home = Point(0.0, 0.0)
    van = Vehicle("van", "home", Size(10), 0, 3600, (50_000,), 1, 1, 1)
    stops = tuple(Shipment(str(i), Point(0.0, 0.01 * i), Size(1), 0, 3600, 60, 10) for i in (1, 2))
    problem = Problem((Warehouse("home", home),), (van,), stops, RoadFactor())
    engine(name).solve(problem, Budget(0.3, clock, iterations=20))
