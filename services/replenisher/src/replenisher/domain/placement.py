"""Where safety stock should stand over two levels: a central warehouse and regional ones.

The guaranteed-service model: each warehouse promises to deliver within a service time, and keeps
stock against the demand of its net lead time, which is what it waits for less what it promises:
inbound service time + its own lead time - outbound service time. The promise of the central
warehouse is what there is to choose; the regional ones promise to deliver at once, or within what
customers accept.

Source: Simpson (1958); Graves & Willems (2000). Costs are concave in each net lead time, so each
regional choice is at one end, and the central promise is looked through.
"""

from dataclasses import dataclass

import numpy as np

from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray


@dataclass(frozen=True, slots=True)
class Network:
    """One sku in a central warehouse and k regional ones that it feeds.

    Attributes:
        central_lead_time: Whole periods from the supplier to the central warehouse, >= 0.
        central_holding: Money a unit and period.
        lead_times: (k,) whole periods from the central warehouse to each region, >= 0.
        holding: (k,) money a unit and period.
        demand_sd: (k,) units of one period, independent from region to region.
        promised: (k,) whole periods within which each region delivers; 0 is at once.
        safety_factor: Demand is covered up to so many standard deviations, > 0.
    """

    central_lead_time: int
    central_holding: float
    lead_times: IntArray
    holding: FloatArray
    demand_sd: FloatArray
    promised: IntArray
    safety_factor: float


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the stock stands.

    Attributes:
        central_promise: Periods within which the central warehouse delivers to the regions.
        central_stock: Units of safety stock there.
        regional_stock: (k,) units of safety stock in each region.
        cost: Money a period for holding it.
    """

    central_promise: int
    central_stock: float
    regional_stock: FloatArray
    cost: float


def place(network: Network) -> Placement:
    """Return the placement of least holding cost; of equal ones, with the shortest promise."""
    return min(
        (_at(network, promise) for promise in range(network.central_lead_time + 1)),
        key=lambda one: one.cost,
    )


def _at(network: Network, promise: int) -> Placement:
    """Return the stock that a promise of the central warehouse asks for."""
    total_sd = float(np.sqrt((network.demand_sd**2).sum()))
    central = network.safety_factor * total_sd * np.sqrt(network.central_lead_time - promise)
    waits = np.maximum(promise + network.lead_times - network.promised, 0)
    regional = network.safety_factor * network.demand_sd * np.sqrt(waits)
    cost = network.central_holding * central + float((network.holding * regional).sum())
    return Placement(promise, float(central), regional, float(cost))
