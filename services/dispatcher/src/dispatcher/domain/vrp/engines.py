"""The engines by name."""

from dispatcher.domain.vrp.hybrid import PyVrp
from dispatcher.domain.vrp.plan import Solver
from dispatcher.domain.vrp.ruin_recreate import OrTools

ENGINES = ("ortools", "pyvrp")


def engine(name: str) -> Solver:
    """Return an engine; KeyError where there is none of that name."""
    engines: dict[str, Solver] = {"ortools": OrTools(), "pyvrp": PyVrp()}
    return engines[name]
