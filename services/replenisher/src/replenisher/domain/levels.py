"""The levels of places: what each segment's policy says of what is known of them."""

from collections.abc import Sequence

import numpy as np

from replenisher.domain.policies.protocol import Costs, Levels, Situation, Targets
from replenisher.domain.policies.segments import classify
from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray, HorizonGrid
from replenisher.domain.terms import Terms, TermsBook

_YEAR_DAYS = 365.0
_KEEPS_DAYS = 30
"""What keeps for less is perishable."""
_LEAST_COST = 1e-6
"""Of a unit whose cost is not known: every holding cost must be above 0."""


def levels_of(
    skus: Sequence[str], terms: Sequence[Terms], grid: HorizonGrid, book: TermsBook
) -> Levels:
    """Return the levels of n places, each by the policy that its segment names.

    Args:
        skus: (n,)
        terms: (n,) On what each is bought.
        grid: (n,) What is forecast of each.
        book: The catalogue and the house's choices.
    """
    rules = book.policy.policies
    situation = situation_of(skus, terms, grid, book)
    if len(rules.rules) == 1:
        return rules.levels(situation, ())
    perishable = [_perishable(sku, book) for sku in skus]
    unheard_of = (grid.count <= 1).tolist()
    return rules.levels(situation, classify(situation, perishable, unheard_of))


def situation_of(
    skus: Sequence[str], terms: Sequence[Terms], grid: HorizonGrid, book: TermsBook
) -> Situation:
    """Return what a policy is asked of n places.

    What a unit owed costs a day follows from the service level that is wanted: the b with
    b / (b + h) equal to it.
    """
    products = book.catalogue.products
    unit = _floats([products[sku].unit_cost if sku in products else 0.0 for sku in skus])
    holding = np.maximum(unit, _LEAST_COST) * book.policy.holding_rate_per_year / _YEAR_DAYS
    service = _floats([one.cycle_service_level for one in terms])
    n = len(terms)
    return Situation(
        horizons=grid,
        lead_time_days=_floats([one.lead_time.mean_days for one in terms]),
        lead_time_sd_days=_floats([one.lead_time.sd_days for one in terms]),
        review_days=_floats([one.review_period_days for one in terms]),
        cover_days=np.full(n, book.policy.cover_days),
        costs=Costs(
            order=np.full(n, book.policy.order_line_cost),
            unit=unit,
            holding=holding,
            backorder=holding * service / (1 - service),
            lost_sale=np.zeros(n),
        ),
        targets=Targets(cycle_service_level=service, fill_rate=service),
        minimum_order_quantity=_ints([one.minimum_order_quantity for one in terms]),
        pack_size=_ints([one.pack_size for one in terms]),
    )


def _perishable(sku: str, book: TermsBook) -> bool:
    product = book.catalogue.products.get(sku)
    days = None if product is None else product.shelf_life_days
    return days is not None and days < _KEEPS_DAYS


def _floats(values: Sequence[float]) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _ints(values: Sequence[int]) -> IntArray:
    return np.array(values, dtype=np.int64)
