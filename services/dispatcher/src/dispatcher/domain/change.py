"""What a decision comes to: new values, and the events that tell of them."""

from dataclasses import dataclass

from dispatcher.domain.model import Absence, DayPlan, Shipment, Wave
from dispatcher.domain.route import Route
from restock_common.contracts.event import Event


@dataclass(frozen=True, slots=True)
class Told:
    """An event to be published.

    Attributes:
        event: What happened.
        shard: The ledger partition it goes to; None where the key decides.
        traceparent: The order's own trace, where the cause is another one.
    """

    event: Event
    shard: int | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The values that a decision replaces, and what is told of it, in order."""

    shipments: tuple[Shipment, ...] = ()
    waves: tuple[Wave, ...] = ()
    routes: tuple[Route, ...] = ()
    plans: tuple[DayPlan, ...] = ()
    absences: tuple[Absence, ...] = ()
    told: tuple[Told, ...] = ()


NOTHING = Change()
