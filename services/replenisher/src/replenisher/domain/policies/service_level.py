"""Policies that keep a cycle service level: (s, S), (R, S) or base stock, and min/max."""

import numpy as np

from replenisher.domain.policies.protocol import Levels, Situation
from replenisher.domain.policy import NOTHING_EXPECTED, order_up_to_level, reorder_point


class CycleService:
    """(R, s, S): s as the quantile of demand over lead time + review, S = s + cover."""

    name = "cycle-service"

    def levels(self, situation: Situation) -> Levels:
        """Return s by cycle service level, and S so that an order lasts for the cover period."""
        protection = situation.protection_demand()
        level = situation.targets.cycle_service_level
        cover = situation.cover_demand_mean()
        point = reorder_point(protection, level)
        return Levels.of(
            point,
            order_up_to_level(point, situation.minimum_order_quantity, cover),
            self.name,
            "s = quantile(cycle_service_level) of the demand over lead time + review; "
            "S = s + max(minimum_order_quantity, cover_demand_mean)",
            {
                "cycle_service_level": level,
                "protection_demand_mean": protection.mean,
                "protection_demand_sd": protection.sd,
                "minimum_order_quantity": situation.minimum_order_quantity.astype(np.float64),
                "cover_demand_mean": cover,
            },
        )


class BaseStock:
    """(R, S), also called base stock: every review orders up to S whatever is missing of it."""

    name = "base-stock"

    def levels(self, situation: Situation) -> Levels:
        """Return S by cycle service level, and s one below it."""
        protection = situation.protection_demand()
        level = situation.targets.cycle_service_level
        upper = np.maximum(reorder_point(protection, level), 0)
        return Levels.of(
            np.where(protection.mean > 0, upper - 1, NOTHING_EXPECTED),
            upper,
            self.name,
            "S = quantile(cycle_service_level) of the demand over lead time + review; s = S - 1",
            {
                "cycle_service_level": level,
                "protection_demand_mean": protection.mean,
                "protection_demand_sd": protection.sd,
            },
        )


class MinMax:
    """Levels typed in as days of cover beyond the mean lead time.

    Args:
        minimum_days: Of demand that s is.
        maximum_days: Of demand that S is, >= minimum_days.
    """

    name = "min-max"

    def __init__(self, minimum_days: float = 7.0, maximum_days: float = 21.0) -> None:
        self.minimum_days, self.maximum_days = minimum_days, maximum_days

    def levels(self, situation: Situation) -> Levels:
        """Return s and S as the mean demand over so many days."""
        horizons, lead = situation.horizons, situation.lead_time_days
        lower = horizons.demand_over(lead + self.minimum_days).mean
        upper = horizons.demand_over(lead + self.maximum_days).mean
        expected = upper > 0
        point = np.where(expected, np.ceil(lower), NOTHING_EXPECTED).astype(np.int64)
        n = len(situation)
        return Levels.of(
            point,
            np.maximum(np.ceil(upper).astype(np.int64), point + 1),
            self.name,
            "s = mean demand over lead_time_days + minimum_days; "
            "S = mean demand over lead_time_days + maximum_days",
            {
                "lead_time_days": lead,
                "minimum_days": np.full(n, self.minimum_days),
                "maximum_days": np.full(n, self.maximum_days),
            },
        )
