"""Lead times learned of many suppliers and skus at once: a belief, corrected level by level.

The catalogue's word stands for a supplier until its receipts outweigh it; what is known of the
supplier stands for each of its skus until the sku's own receipts do. Each level counts as so many
observations, as in `lead_time`: the mean and spread of everything together.
"""

from dataclasses import dataclass

import numpy as np

from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray


@dataclass(frozen=True, slots=True)
class LeadTimes:
    """Lead times as distributions: (n,) each, in days.

    Attributes:
        mean_days: >= 0.
        sd_days: >= 0.
    """

    mean_days: FloatArray
    sd_days: FloatArray


@dataclass(slots=True)
class Observed:
    """Sums over the lead times observed of n suppliers, or n skus; changed by each.

    Attributes:
        count: (n,) How many.
        total: (n,) days.
        squares: (n,) days squared.
    """

    count: FloatArray
    total: FloatArray
    squares: FloatArray

    @classmethod
    def nothing(cls, n: int) -> "Observed":
        """Return no observations of n suppliers or skus."""
        return cls(*(np.zeros(n) for _ in range(3)))

    def take(self, rows: IntArray, days: FloatArray) -> None:
        """Take observations: (k,) of which row, (k,) days; a row may stand there several times."""
        np.add.at(self.count, rows, 1.0)
        np.add.at(self.total, rows, days)
        np.add.at(self.squares, rows, days**2)

    def estimate(self, prior: LeadTimes, prior_weight: float) -> LeadTimes:
        """Return the prior, worth `prior_weight` observations, and the observations together.

        Source: pooled as in Chan, Golub & LeVeque (1979).
        """
        n = np.maximum(self.count, 1.0)
        mean = self.total / n
        deviations = np.maximum(self.squares - self.count * mean**2, 0.0)
        weight = prior_weight + self.count
        pooled = (prior_weight * prior.mean_days + self.total) / weight
        between = prior_weight * self.count / weight * (mean - prior.mean_days) ** 2
        spread = (prior_weight * prior.sd_days**2 + deviations + between) / weight
        return LeadTimes(pooled, np.sqrt(spread))


@dataclass(slots=True)
class LeadTimeBook:
    """What is known of the lead times of n skus, each of one supplier.

    Attributes:
        supplier: (n,) Which supplier each sku is bought from.
        prior: (suppliers,) The catalogue's word.
        supplier_weight: How many observations of a supplier that is worth.
        sku_weight: How many observations of a sku what is known of its supplier is worth.
        of_suppliers: (suppliers,)
        of_skus: (n,)
    """

    supplier: IntArray
    prior: LeadTimes
    supplier_weight: float
    sku_weight: float
    of_suppliers: Observed
    of_skus: Observed

    @classmethod
    def new(
        cls, supplier: IntArray, prior: LeadTimes, supplier_weight: float, sku_weight: float
    ) -> "LeadTimeBook":
        """Return what is known before the first receipt."""
        return cls(
            supplier,
            prior,
            supplier_weight,
            sku_weight,
            Observed.nothing(len(prior.mean_days)),
            Observed.nothing(len(supplier)),
        )

    def take(self, rows: IntArray, days: FloatArray) -> None:
        """Learn from receipts: (k,) of which sku, (k,) days from its order."""
        self.of_skus.take(rows, days)
        self.of_suppliers.take(self.supplier[rows], days)

    def estimate(self) -> LeadTimes:
        """Return what is known of each sku's lead time: (n,)."""
        of_suppliers = self.of_suppliers.estimate(self.prior, self.supplier_weight)
        start = LeadTimes(
            of_suppliers.mean_days[self.supplier], of_suppliers.sd_days[self.supplier]
        )
        return self.of_skus.estimate(start, self.sku_weight)
