"""A wish in units that can be bought: whole packs, full pallets, and no more than can be sold."""

from dataclasses import dataclass
from math import floor

import numpy as np

from replenisher.domain.assessment import Assessment
from replenisher.domain.protection import HorizonGrid
from restock_common.units import MAX_UNITS_PER_LINE

_PALLET_SHARE = 0.75
"""From this share of a pallet on it is filled up."""


@dataclass(frozen=True, slots=True)
class Rounded:
    """A wish after rounding.

    Attributes:
        quantity: In units, at least the smallest lot.
        rounding: How it came about.
        constraint: What bound it; None where nothing did.
        deferral: Why nothing can be bought of it; None where something can.
    """

    quantity: int
    rounding: str
    constraint: str | None = None
    deferral: str | None = None


def rounded(assessment: Assessment, index: int, times: int = 1) -> Rounded:
    """Return what is bought for a place's wish.

    Args:
        assessment: n places.
        index: Which of them.
        times: Up to how often the wish may be exceeded, for an order that lacks something.
    """
    terms = assessment.terms[index]
    pack, lot = terms.pack_size, terms.smallest_lot
    largest = MAX_UNITS_PER_LINE // pack * pack
    quantity = min(times * int(assessment.order_quantity[index]), largest)
    rounding = f"{quantity // pack} packs of {pack}"
    pallet = terms.pallet_units
    if pallet is not None and pallet % pack == 0 and quantity % pallet >= _PALLET_SHARE * pallet:
        quantity = min((quantity // pallet + 1) * pallet, largest // pallet * pallet)
        rounding = f"{quantity // pallet} pallets of {pallet}"
    if terms.shelf_life_days is None:
        return Rounded(quantity, rounding)
    return _sellable(assessment, index, quantity, rounding, lot)


def _sellable(
    assessment: Assessment, index: int, quantity: int, rounding: str, lot: int
) -> Rounded:
    """Cut a wish to what should be sold before it expires; what is owed is always bought."""
    terms, position = assessment.terms[index], assessment.positions[index]
    assert terms.shelf_life_days is not None, "only goods that expire are cut"
    horizons = HorizonGrid.of([position.forecast.horizons])
    days = terms.lead_time.mean_days + terms.shelf_life_days
    expected = float(horizons.demand_over(np.array([days])).mean[0])
    most = floor(expected - position.inventory_position)
    if quantity <= most:
        return Rounded(quantity, rounding)
    what = f"the shelf life of {terms.shelf_life_days} days, in which {expected:.1f} are expected"
    if lot > most and position.inventory_position >= 0:
        return Rounded(lot, rounding, deferral=f"the smallest lot of {lot} outlasts {what}")
    quantity = max(lot, most // terms.pack_size * terms.pack_size)
    return Rounded(quantity, f"{quantity // terms.pack_size} packs of {terms.pack_size}", what)
