from typing import Any

import numpy as np

from replenisher.domain.policies.protocol import Costs, Situation, Targets
from replenisher.domain.protection import HorizonGrid, Horizons

DAYS = (1.0, 3.0, 7.0, 14.0, 28.0, 56.0)
POISSON = 1e12


def situation(rates: Any, **given: Any) -> Situation:
    """Skus of steady demand: `rates` units a day; the rest by name, alike for all or one each."""
    rate = np.atleast_1d(np.asarray(rates, float))
    n = len(rate)

    def of(name: str, default: float) -> Any:
        return np.broadcast_to(np.asarray(given.get(name, default), float), (n,)).copy()

    size = of("size", POISSON)
    horizons = [
        Horizons(DAYS, tuple(one * day for day in DAYS), tuple(many * day for day in DAYS))
        for one, many in zip(rate.tolist(), size.tolist(), strict=True)
    ]
    return Situation(
        horizons=HorizonGrid.of(horizons),
        lead_time_days=of("lead", 0.0),
        lead_time_sd_days=of("lead_sd", 0.0),
        review_days=of("review", 1.0),
        cover_days=of("cover", 7.0),
        costs=Costs(
            of("order", 5.0),
            of("unit", 1.0),
            of("holding", 1.0),
            of("backorder", 9.0),
            of("lost_sale", 0.0),
        ),
        targets=Targets(of("service", 0.95), of("fill", 0.95)),
        minimum_order_quantity=of("minimum", 1).astype(np.int64),
        pack_size=of("pack", 1).astype(np.int64),
    )
