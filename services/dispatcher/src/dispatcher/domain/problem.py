"""The routing problem of one wave, and the plan that answers it: whole numbers throughout.

Times are seconds since `Problem.day` (a midnight UTC), lengths metres, weights grams, and costs
micro-units of the currency. The solver takes integers only, and integers compare exactly.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.domain.rules import Rules
from restock_common.contracts.ledger import Place


@dataclass(frozen=True, slots=True)
class Parcel:
    """One shipment as the solver sees it.

    Attributes:
        allocation: Its id.
        destination: Where it goes.
        grams: Its weight.
        earliest_s: Service may begin from here on.
        latest_s: Service must have begun by then.
        penalty: The cost of leaving it out; grows with each wave that it missed.
    """

    allocation: str
    destination: Place
    grams: int
    earliest_s: int
    latest_s: int
    penalty: int


@dataclass(frozen=True, slots=True)
class Van:
    """One vehicle in its shift.

    Attributes:
        vehicle: Its id.
        capacity_grams: What it can carry.
        start_s: It cannot leave before.
        end_s: It must be back by then.
        metres_per_hour: Its speed.
        cost_per_km: In micro-units.
        fixed_cost: Of using it at all, in micro-units.
    """

    vehicle: str
    capacity_grams: int
    start_s: int
    end_s: int
    metres_per_hour: int
    cost_per_km: int
    fixed_cost: int

    def drive_s(self, metres: int) -> int:
        """Return how long it drives: whole seconds, rounded up."""
        return -(-metres * 3600 // self.metres_per_hour)


@dataclass(frozen=True, slots=True)
class Problem:
    """One wave to be routed: parcels and vans in a fixed order, so that it has one answer.

    Attributes:
        day: The midnight that seconds are counted from.
        depot: The warehouse's place.
        parcels: What is to be delivered.
        vans: What can drive.
        rules: What holds for every wave.
        why_no_vans: The reason that parcels are given where `vans` is empty.
    """

    day: datetime
    depot: Place
    parcels: tuple[Parcel, ...]
    vans: tuple[Van, ...]
    rules: Rules
    why_no_vans: str = "no vehicle at this warehouse"

    def at(self, seconds: int) -> datetime:
        """Return the instant that many seconds into the day."""
        return self.day + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Call:
    """One stop of a tour.

    Attributes:
        allocation: The parcel.
        begins_s: When service begins, inside the parcel's window.
        metres: Driven from the stop before, or from the depot.
    """

    allocation: str
    begins_s: int
    metres: int


@dataclass(frozen=True, slots=True)
class Tour:
    """What one van does: leaves, makes its calls in order, returns."""

    vehicle: str
    departs_s: int
    returns_s: int
    metres: int
    grams: int
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Unserved:
    """A parcel that no tour takes, and why."""

    allocation: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer: every parcel is on exactly one tour, or unserved with its reason."""

    tours: tuple[Tour, ...]
    unserved: tuple[Unserved, ...]
