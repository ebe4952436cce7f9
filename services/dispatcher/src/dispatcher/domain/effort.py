"""How a search is made, and how long it may go on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """How a search is made, and how long it may go on.

    Attributes:
        engine: Its name.
        seconds: For a plan from nothing.
        replan_seconds: For a plan that changes one that stands.
        iterations: Stop after so many instead, so that a plan repeats itself; None by the clock.
    """

    engine: str = "ortools"
    seconds: float = 10.0
    replan_seconds: float = 2.0
    iterations: int | None = None
