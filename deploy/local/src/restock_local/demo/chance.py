"""Seeded chance: every draw follows from what it is drawn for, never from the order of drawing."""

from math import exp, log, sqrt
from statistics import NormalDist

from restock_common.contracts.envelope import derive_id

_DIGITS = 13
_STEPS = 1 << 4 * _DIGITS
_STANDARD_NORMAL = NormalDist()


def uniform(*what: object) -> float:
    """Return a number strictly between 0 and 1; equal arguments give the same one."""
    return (int(derive_id(*what)[:_DIGITS], 16) + 0.5) / _STEPS


def between(low: float, high: float, *what: object) -> float:
    """Return a number between `low` and `high`, all of them equally likely."""
    return low + (high - low) * uniform(*what)


def pick(count: int, *what: object) -> int:
    """Return a whole number in 0..count-1, all of them equally likely."""
    return int(uniform(*what) * count)


def lognormal(mean: float, sd: float, *what: object) -> float:
    """Return a positive number from the lognormal distribution of this mean and deviation.

    Args:
        mean: > 0, in any unit.
        sd: >= 0, in the same unit.
        what: What the number is drawn for.
    """
    variance_of_log = log(1 + (sd / mean) ** 2)
    z = _STANDARD_NORMAL.inv_cdf(uniform(*what))
    return exp(log(mean) - variance_of_log / 2 + sqrt(variance_of_log) * z)
