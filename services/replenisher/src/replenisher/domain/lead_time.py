"""What is known of a supplier's lead time: the catalogue's belief, corrected by receipts."""

from dataclasses import dataclass, replace
from datetime import datetime
from math import sqrt

MINUTES_A_DAY = 1_440
LONGEST_DAYS = 365


@dataclass(frozen=True, slots=True)
class LeadTime:
    """How long a supplier takes from order to receipt, in days."""

    mean_days: float
    sd_days: float


@dataclass(frozen=True, slots=True)
class LeadTimeRecord:
    """All lead times observed of one supplier, as exact sums.

    Whole minutes in integers rather than a running float mean (Welford): sums of integers do not
    depend on the order in which the partitions bring the receipts, to the last bit.
    """

    observations: int = 0
    total_minutes: int = 0
    total_minutes_squared: int = 0

    def taught(self, minutes: int) -> "LeadTimeRecord":
        """Return the record with one more observation."""
        return replace(
            self,
            observations=self.observations + 1,
            total_minutes=self.total_minutes + minutes,
            total_minutes_squared=self.total_minutes_squared + minutes * minutes,
        )

    def estimate(self, prior: LeadTime, prior_weight: float) -> LeadTime:
        """Return the prior and the observations taken together.

        The prior counts as `prior_weight` observations with its own mean and spread; the two
        groups are pooled as in Chan, Golub & LeVeque (1979), which never cancels below zero.

        Args:
            prior: What the catalogue believes.
            prior_weight: How many observations the belief is worth, > 0.
        """
        n = self.observations
        if n == 0:
            return prior
        observed_mean = self.total_minutes / n / MINUTES_A_DAY
        squared_deviations = (n * self.total_minutes_squared - self.total_minutes**2) / n
        observed_squares = squared_deviations / MINUTES_A_DAY**2
        weight = prior_weight + n
        mean = (prior_weight * prior.mean_days + n * observed_mean) / weight
        between = prior_weight * n / weight * (observed_mean - prior.mean_days) ** 2
        squares = prior_weight * prior.sd_days**2 + observed_squares + between
        return LeadTime(mean, sqrt(squares / weight))


def observed_minutes(placed_at: datetime, received_at: datetime) -> int | None:
    """Return a lead time in whole minutes; None below 0 or above a year: it cannot be one."""
    minutes = round((received_at - placed_at).total_seconds() / 60)
    return minutes if 0 <= minutes <= LONGEST_DAYS * MINUTES_A_DAY else None
