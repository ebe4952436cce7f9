"""What of the ledger's decisions a seller chooses; the same rules and log give the same books."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from restock_common.errors import Permanent

MAX_AHEAD = timedelta(minutes=5)
"""How far what is told may be ahead of the message that tells it: clocks differ."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part counts in an order's priority; the parts are described in `priority`.

    Attributes:
        promised: Of the time that is left until it was promised.
        tiers: By customer tier.
        channels: By channel.
        age_per_day: For each day that it has waited.
        value: For each factor of ten in what it is worth.
    """

    promised: float = 10.0
    tiers: Mapping[str, float] = field(default_factory=dict)
    channels: Mapping[str, float] = field(default_factory=dict)
    age_per_day: float = 1.0
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that decisions depend on.

    Attributes:
        strategy: How a pool's locations are ranked for an order; one of `sourcing.STRATEGIES`.
        location_priority: For the strategy `priority`: these first, in this order.
        weights: Of the priority by which those who wait are served.
        expiring_days: A lot is told of when it expires within so many days.
        slow_moving_days: A sku is told of when none has left a location for so many days.
        shrinkage_losses: So many counts one after the other that found too little are suspected.
    """

    strategy: str = "nearest"
    location_priority: tuple[str, ...] = ()
    weights: Weights = field(default_factory=Weights)
    expiring_days: int = 14
    slow_moving_days: int = 90
    shrinkage_losses: int = 3


def check_not_ahead(field_name: str, moment: datetime, now: datetime) -> None:
    """Raise Permanent where something is said to have happened after it was told."""
    if moment > now + MAX_AHEAD:
        raise Permanent(
            f"{moment.isoformat()} is in the future at {now.isoformat()}", field=field_name
        )
