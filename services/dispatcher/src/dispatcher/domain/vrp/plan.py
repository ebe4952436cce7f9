"""The answer to a routing problem: routes, and a reason for each shipment on none of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from dispatcher.domain.vrp.problem import Problem


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of a route.

    Attributes:
        shipment: What is delivered.
        arrives_s: When the vehicle gets there.
        begins_s: When service begins, inside the window.
        metres: Driven from the stop before, or from the warehouse.
    """

    shipment: str
    arrives_s: int
    begins_s: int
    metres: int


@dataclass(frozen=True, slots=True)
class Route:
    """What one vehicle does: leaves its warehouse, makes its stops in order, returns.

    Attributes:
        vehicle: Its id.
        departs_s: When it leaves.
        returns_s: When it is back.
        metres: Driven in all.
        stops: In their order.
        break_s: When the driver's break begins; None where the route needs none.
        break_before: The stop that it is taken before; `len(stops)` for the way back.
    """

    vehicle: str
    departs_s: int
    returns_s: int
    metres: int
    stops: tuple[Stop, ...]
    break_s: int | None = None
    break_before: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """A shipment on no route.

    Attributes:
        shipment: Its id.
        reason: Why.
        remedy: What would have let it in; empty where nothing that is known would.
    """

    shipment: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every shipment asked for is served on one route, given to the carrier, or unserved.

    Attributes:
        routes: At most one per vehicle, none empty.
        carrier: Left to the parcel carrier: cheaper, or with no room.
        unserved: Left out, each with its reason.
        cost: The objective, in micro-units.
    """

    routes: tuple[Route, ...]
    carrier: tuple[Missing, ...] = ()
    unserved: tuple[Missing, ...] = ()
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Started:
    """A vehicle's stops in the plan before.

    Attributes:
        vehicle: Its id.
        shipments: In their order.
        frozen: How many of the first may not be moved: done, under way or loaded.
    """

    vehicle: str
    shipments: tuple[str, ...]
    frozen: int = 0


@dataclass(frozen=True, slots=True)
class WarmStart:
    """The plan before: what is frozen stays, and the rest is improved from where it is.

    Shipments that the problem no longer has are skipped; vehicles that it no longer has lose all.

    Attributes:
        routes: Each vehicle's stops.
        stability_cost: Of each stop that changes its vehicle, in micro-units.
    """

    routes: tuple[Started, ...]
    stability_cost: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """The best cost so far, and when it was found."""

    seconds: float
    cost: int


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a search may go on.

    Attributes:
        seconds: From the call of `solve` to its return, building included.
        clock: A monotonic clock in seconds: the domain reads none by itself.
        iterations: Stop after so many instead: then the same seed gives the same plan, whatever
            the machine, and `seconds` is a safety net.
    """

    seconds: float
    clock: Callable[[], float]
    iterations: int | None = None


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan and the way to it: the best cost by second."""

    plan: Plan
    progress: tuple[Progress, ...] = field(default=())


class Solver(Protocol):
    """An engine; `engines` has two, and one conformance suite runs on both."""

    @property
    def name(self) -> str:
        """What it is called on the command line and in figures."""

    def solve(
        self,
        problem: Problem,
        budget: Budget,
        seed: int = 0,
        warm_start: WarmStart | None = None,
        on_progress: OnProgress | None = None,
    ) -> Answer:
        """Return a plan that `checker.faults` finds nothing wrong with, in time.

        Raises:
            bounds.BadProblem: The problem is not one: what `bounds.checked` finds.
        """
