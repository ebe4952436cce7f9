"""What to count next: where a wrong count would cost most, and is likeliest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

NEVER_COUNTED_DAYS = 365.0
"""A sku that was never counted is taken for one that was a year ago."""


@dataclass(frozen=True, slots=True)
class Countable:
    """A sku at one location, as far as counting it is concerned.

    Attributes:
        sku: What.
        on_hand: Units, by the books.
        unit_cost: In money; 0 where it is not known.
        counted_at: When it was last counted.
        counts: How often it was.
        counts_wrong: How often the books were wrong.
    """

    sku: str
    on_hand: int
    unit_cost: float
    counted_at: datetime | None
    counts: int
    counts_wrong: int


@dataclass(frozen=True, slots=True)
class CountProposal:
    """A sku to count, and why it is worth it.

    Attributes:
        sku: What.
        score: value * wrong_probability * days: what is at stake, times how long unseen.
        value: On hand, in money; in units where no cost is known.
        wrong_probability: That the books are wrong: (wrong + 1) / (counts + 2), Laplace's rule.
        days: Since the last count.
    """

    sku: str
    score: float
    value: float
    wrong_probability: float
    days: float


def plan_counts(countable: Iterable[Countable], now: datetime, limit: int) -> list[CountProposal]:
    """Return what to count next, the most worthwhile first: at most `limit` skus."""
    proposals = [_propose(one, now) for one in countable]
    proposals.sort(key=lambda one: (-one.score, one.sku))
    return proposals[:limit]


def _propose(one: Countable, now: datetime) -> CountProposal:
    value = one.on_hand * (one.unit_cost or 1.0)
    wrong = (one.counts_wrong + 1) / (one.counts + 2)
    days = (
        NEVER_COUNTED_DAYS
        if one.counted_at is None
        else max(0.0, (now - one.counted_at).total_seconds() / 86_400)
    )
    return CountProposal(one.sku, round(value * wrong * days, 6), value, wrong, round(days, 3))
