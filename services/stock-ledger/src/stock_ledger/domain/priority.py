"""Who is served first when there is not enough: a score, told with its parts."""

from datetime import datetime
from math import log10
from typing import NamedTuple

from restock_common.contracts.ledger import LineOffered, OrderPlaced
from restock_common.contracts.stock import Priority
from stock_ledger.domain.rules import Weights

_DAY_S = 86_400.0


class Score(NamedTuple):
    """The parts of a priority."""

    promised: float
    tier: float
    channel: float
    age: float
    value: float

    @property
    def sum(self) -> float:
        """Return the score: higher goes first."""
        return self.promised + self.tier + self.channel + self.age + self.value

    def told(self) -> Priority:
        """Return it as events carry it, to six decimals."""
        parts = {name: round(part, 6) for name, part in self._asdict().items()}
        return Priority(score=round(self.sum, 6), **parts)


def score(asked: OrderPlaced | LineOffered, now: datetime, weights: Weights) -> Score:
    """Return an order's priority.

    The promised date gives its weight on the day itself, half of it a day before, a third two days
    before, and its weight once more for each day that it is late. Tier and channel give what the
    weights say of them. Age gives its weight for each day since the order was placed, value its
    weight for each factor of ten. What is not told gives nothing.

    Args:
        asked: The order, or the line that was offered for it.
        now: Event time.
        weights: Chosen by the seller.
    """
    promised = 0.0
    if asked.promised_by is not None:
        days_left = (asked.promised_by - now).total_seconds() / _DAY_S
        promised = weights.promised * (1 / (1 + days_left) if days_left > 0 else 1 - days_left)
    age_days = max(0.0, (now - asked.placed_at).total_seconds() / _DAY_S)
    return Score(
        promised,
        weights.tiers.get(asked.customer_tier, 0.0) if asked.customer_tier else 0.0,
        weights.channels.get(asked.channel, 0.0) if asked.channel else 0.0,
        weights.age_per_day * age_days,
        weights.value * log10(1 + asked.value) if asked.value else 0.0,
    )
