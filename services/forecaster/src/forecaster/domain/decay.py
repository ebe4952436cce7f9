"""Exponentially weighted sums on several half-lives, decayed only when they are touched.

A day's weight halves every `half_life` days. The sums are kept as of one day and brought forward
by one multiplication, so days without demand cost nothing; dividing by the weight that the days
of the key's life add up to removes the bias to the first value.
"""

from collections.abc import Sequence
from dataclasses import dataclass

HALF_LIVES_DAYS = (7.0, 14.0, 28.0, 56.0, 112.0)
DAILY_DECAYS = tuple(0.5 ** (1 / half_life) for half_life in HALF_LIVES_DAYS)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a key before its first demand.

    Attributes:
        rate: Units a day that a key like this one is expected to ask for, >= 0.
        days: How many days of evidence that counts for, > 0.
        first_day_share: For how much of a day the first one counts, in [0, 1].
    """

    rate: float
    days: float
    first_day_share: float


def decayed(sums: Sequence[float], days: int) -> tuple[float, ...]:
    """Return the sums as they stand `days` >= 0 days later, nothing having been added."""
    if days == 0:
        return tuple(sums)
    return tuple(total * decay**days for total, decay in zip(sums, DAILY_DECAYS, strict=True))


def weights(age_days: int) -> tuple[float, ...]:
    """Return what the weights of the last `age_days` >= 0 days add up to, per half-life."""
    return tuple((1 - decay**age_days) / (1 - decay) for decay in DAILY_DECAYS)


def rates(sums: Sequence[float], age_days: int, prior: Prior) -> tuple[float, ...]:
    """Return the mean demand a day on each half-life, in units, shrunk to a prior.

    The prior stands for `prior.days` days before the first one, which fade like all days: a key
    that has sold for long is told by its own demand alone.

    Args:
        sums: Decayed sums as of the last day of the key's life, the first day counted in part.
        age_days: Days since the first demand, that day included, >= 1.
        prior: What is believed before the first demand.
    """
    levels = []
    for total, weight, decay in zip(sums, weights(age_days), DAILY_DECAYS, strict=True):
        counted = weight - (1 - prior.first_day_share) * decay ** (age_days - 1)
        before = prior.days * decay**age_days
        levels.append((total + prior.rate * before) / (counted + before))
    return tuple(levels)
