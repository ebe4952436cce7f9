"""What a search proposes for the day of a warehouse: not committed, in the day's own times."""

from dataclasses import dataclass
from datetime import datetime

from restock_common.contracts.ledger import Place


@dataclass(frozen=True, slots=True)
class ProposedStop:
    """One stop of a tour.

    Attributes:
        allocation: What is delivered.
        begins_at: When the vehicle is there and the window is open.
        waits_s: How long it has waited for that.
        metres: Driven from the stop before, or from the warehouse.
        grams: The parcel's weight.
    """

    allocation: str
    begins_at: datetime
    waits_s: int
    metres: int
    grams: int


@dataclass(frozen=True, slots=True)
class ProposedTour:
    """What one vehicle does: leaves, makes its stops in order, returns."""

    vehicle: str
    departs_at: datetime
    returns_at: datetime
    metres: int
    stops: tuple[ProposedStop, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What no tour takes, why, and what would have let it in."""

    allocation: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Tours for all that was asked for, and what is left out.

    Attributes:
        depot: The warehouse's place.
        tours: At most one for each vehicle.
        unserved: What is on none of them.
    """

    depot: Place
    tours: tuple[ProposedTour, ...]
    unserved: tuple[LeftOut, ...]
