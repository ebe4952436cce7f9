"""What a simulation is set in: costs, lead times, initial stock; the same for all who are tried."""

from dataclasses import dataclass

import numpy as np

from forecaster.domain.learner import HORIZONS_DAYS, Forecast
from replenisher.domain.lead_times import LeadTimeBook, LeadTimes
from replenisher.domain.policies.protocol import Costs
from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray, HorizonGrid
from replenisher.domain.simulation import KEEPS_FOR_EVER, World
from restock_local.backtest.dataset import Dataset

WARM_UP_DAYS = 56
REVIEW_DAYS = 7
SUPPLIERS = 20
LEAD_DAYS = (3, 14)
INITIAL_DAYS = 28.0
_COST_SHARE = 0.7
_HOLDING_A_YEAR = 0.25
_LOT_DAYS = 14.0
_YEAR_DAYS = 365.0
_SUPPLIER_WEIGHT, _SKU_WEIGHT = 5.0, 20.0


@dataclass(frozen=True, slots=True)
class Setting:
    """All but the planner.

    Attributes:
        demand: (n, days) units asked for.
        start: The first column that is played; before it there is only history.
        review_days: Between two reviews.
        lead_days: (n, days) whole days that an order placed on each day takes.
        supplier: (n,) Who delivers.
        catalogue: (suppliers,) The lead times that are believed before the first receipt.
        initial: (n,) units.
        costs: In money.
        lost_sales: Whether what is not there is lost, not owed.
        cycle_service_level: (n,) Target.
        fill_rate: (n,) Target.
        cover_days: How long one order lasts where no cost says it.
        shelf_life_days: (n,)
    """

    demand: IntArray
    start: int
    review_days: int
    lead_days: IntArray
    supplier: IntArray
    catalogue: LeadTimes
    initial: IntArray
    costs: Costs
    lost_sales: bool
    cycle_service_level: FloatArray
    fill_rate: FloatArray
    cover_days: float
    shelf_life_days: IntArray

    @property
    def days(self) -> int:
        """Return how many columns there are."""
        return int(self.demand.shape[1])

    @property
    def reviews(self) -> range:
        """Return the columns on whose mornings orders are placed."""
        return range(self.start, self.days, self.review_days)

    def world(self) -> World:
        """Return what comes from outside, from the first day that is played."""
        return World(
            demand=self.demand[:, self.start :],
            lead_days=self.lead_days[:, self.start :],
            initial=self.initial,
            shelf_life_days=self.shelf_life_days,
            costs=self.costs,
            lost_sales=self.lost_sales,
        )

    def lead_time_book(self) -> LeadTimeBook:
        """Return what is known of lead times before the first receipt."""
        return LeadTimeBook.new(self.supplier, self.catalogue, _SUPPLIER_WEIGHT, _SKU_WEIGHT)


def make_setting(
    data: Dataset,
    *,
    seed: int,
    ratio: float,
    lost_sales: bool,
    fill_rate: float = 0.95,
    start: int = WARM_UP_DAYS,
    review_days: int = REVIEW_DAYS,
    shelf_life_days: int = KEEPS_FOR_EVER,
) -> Setting:
    """Return a setting over a data set, by what is known at its start alone.

    A unit costs 70 % of its mean price (1 where none is known), a year of holding it a quarter of
    that. An order line costs what makes the economic lot of the median sku last two weeks. A unit
    owed for a day costs `ratio` times the holding; where sales are lost, one that cannot be served
    costs what a unit owed over a mean lead time and review period would.

    Each supplier's lead times are drawn evenly between two bounds of its own within 3 to 14 days;
    the catalogue believes a week, give or take two days, of every one.

    Args:
        data: The demand.
        seed: Draws suppliers and lead times.
        ratio: b / h.
        lost_sales: Whether what is not there is lost.
        fill_rate: Target of all skus.
        start: The first column that is played.
        review_days: Between two reviews.
        shelf_life_days: Of all skus.
    """
    random = np.random.default_rng(seed)
    n, days = data.units.shape
    supplier: IntArray = random.integers(0, SUPPLIERS, size=(n,), dtype=np.int64)
    bounds = np.sort(random.integers(LEAD_DAYS[0], LEAD_DAYS[1] + 1, (SUPPLIERS, 2)), axis=1)
    low, high = bounds[supplier, 0], bounds[supplier, 1]
    lead_days = random.integers(low[:, None], high[:, None] + 1, (n, days))
    known = data.units[:, :start]
    rate = known.mean(axis=1)
    costs = _costs(data, start, rate, ratio, review_days, lost_sales=lost_sales)
    return Setting(
        demand=np.round(data.units).astype(np.int64),
        start=start,
        review_days=review_days,
        lead_days=lead_days,
        supplier=supplier,
        catalogue=LeadTimes(np.full(SUPPLIERS, 7.0), np.full(SUPPLIERS, 2.0)),
        initial=np.ceil(rate * INITIAL_DAYS).astype(np.int64),
        costs=costs,
        lost_sales=lost_sales,
        cycle_service_level=np.full(n, ratio / (ratio + 1)),
        fill_rate=np.full(n, fill_rate),
        cover_days=_LOT_DAYS,
        shelf_life_days=np.full(n, shelf_life_days),
    )


def _costs(
    data: Dataset,
    start: int,
    rate: FloatArray,
    ratio: float,
    review_days: int,
    *,
    lost_sales: bool,
) -> Costs:
    sold, paid = data.units[:, :start].sum(axis=1), data.sales[:, :start].sum(axis=1)
    price = np.where((sold > 0) & (paid > 0), paid / np.maximum(sold, 1e-9), 1.0)
    unit = _COST_SHARE * price
    holding = unit * _HOLDING_A_YEAR / _YEAR_DAYS
    order = float(np.median(holding * rate)) * _LOT_DAYS**2 / 2
    owed = ratio * holding
    wait_days = sum(LEAD_DAYS) / 2 + review_days
    none = np.zeros_like(unit)
    return Costs(
        order=np.full(len(unit), order),
        unit=unit,
        holding=holding,
        backorder=none if lost_sales else owed,
        lost_sale=owed * wait_days if lost_sales else none,
    )


def grid_of(forecast: Forecast) -> HorizonGrid:
    """Return a forecast of all series as the replenisher takes it."""
    n, k = forecast.mean.shape
    first = np.zeros((n, 1))
    return HorizonGrid(
        days=np.tile(np.array([0.0, *HORIZONS_DAYS]), (n, 1)),
        mean=np.concatenate([first, forecast.mean], axis=1),
        size=np.concatenate([first + 1.0, forecast.size], axis=1),
        count=np.full(n, k + 1, dtype=np.intp),
    )
