"""What a simulation came to, in figures."""

import numpy as np

from replenisher.domain.policies.protocol import Costs
from replenisher.domain.simulation import Tally
from restock_local.simulate.play import Played

_YEAR_DAYS = 365.0


def figures_of(played: Played, costs: Costs) -> dict[str, float]:
    """Return the figures of all skus together.

    `fill_rate` is units served at once over units asked for; `order_fill_rate` days with demand
    that was served whole over days with demand; `cycle_service_level` cycles between two arrivals
    without anything unmet over cycles; `turns` what was sold a year, at cost, over the mean stock.
    """
    tally: Tally = played.tally
    asked, unmet = int(tally.asked.sum()), int(tally.unmet.sum())
    value = float(played.stock_value.mean())
    sold = float((costs.unit * (tally.asked - tally.unmet)).sum())
    sku_days = tally.days * len(tally.asked)
    return {
        "cost": float(tally.cost(costs).sum()),
        "holding_cost": float(tally.holding_cost(costs).sum()),
        "ordering_cost": float(tally.ordering_cost(costs).sum()),
        "shortage_cost": float(tally.shortage_cost(costs).sum()),
        "write_off_cost": float(tally.write_off_cost(costs).sum()),
        "fill_rate": 1 - _share(unmet, asked),
        "order_fill_rate": 1 - _share(tally.orders_unmet.sum(), tally.orders_asked.sum()),
        "cycle_service_level": 1 - _share(tally.cycles_short.sum(), tally.cycles.sum()),
        "turns": sold * _YEAR_DAYS / max(tally.days, 1) / value if value > 0 else 0.0,
        "stockout_days": int(tally.stockout_days.sum()),
        "stockout_day_share": _share(tally.stockout_days.sum(), sku_days),
        "orders": int(tally.ordered.sum()),
        "stock_value_mean": value,
    }


def _share(part: float | np.integer, whole: float | np.integer) -> float:
    return float(part) / float(whole) if whole else 0.0
