"""A history file: CSV or Parquet with sku, location, date, quantity; optionally more.

`price` is what a unit cost on average, `promotion` a number in [0, 1] or true or false, `stockout`
the share of the day on which it could not be bought. Several lines of one day add up. What is
wrong with a file is told before anything runs.
"""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from forecaster.domain.covariates import Site
from forecaster.domain.learner import Key
from restock_local.backtest.dataset import Dataset, FloatArray

_NEEDED = ("sku", "location", "date", "quantity")
_EPOCH = pd.Timestamp(date(1970, 1, 1))


def load(path: Path, *, country: str = "") -> Dataset:
    """Return the series of a history file; days that are not in it brought nothing.

    Args:
        path: A .csv or .parquet file.
        country: Whose holidays its locations keep.

    Raises:
        ValueError: The file is not such a history; the message names line and column.
    """
    if path.suffix not in {".csv", ".parquet"}:
        raise ValueError(f"{path.name} is neither .csv nor .parquet")
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    missing = [name for name in _NEEDED if name not in frame]
    if missing:
        raise ValueError(f"{path.name} has no column {', '.join(missing)}")
    if frame.empty:
        raise ValueError(f"{path.name} holds no line")
    lines = _checked(frame, path.name)
    first = int(lines["day"].min())
    keys = tuple(
        Key(sku, location)
        for sku, location in sorted(set(zip(lines["sku"], lines["location"], strict=True)))
    )
    place = {key: row for row, key in enumerate(keys)}
    rows = np.array(
        [place[Key(*pair)] for pair in zip(lines["sku"], lines["location"], strict=True)]
    )
    columns = lines["day"].to_numpy() - first
    shape = (len(keys), int(columns.max()) + 1)
    units, sales = np.zeros(shape), np.zeros(shape)
    promoted, away = np.zeros(shape), np.zeros(shape)
    np.add.at(units, (rows, columns), lines["quantity"].to_numpy(np.float64))
    np.add.at(sales, (rows, columns), (lines["quantity"] * lines["price"]).to_numpy(np.float64))
    np.maximum.at(promoted, (rows, columns), lines["promotion"].to_numpy(np.float64))
    np.maximum.at(away, (rows, columns), lines["stockout"].to_numpy(np.float64))
    discount = _discounts(units, sales)
    site = Site(country=country)
    return Dataset(
        name=path.name,
        keys=keys,
        first_day=first,
        units=units,
        discount=discount,
        sales=sales,
        rebates=sales * discount / np.maximum(1 - discount, 1e-3),
        away=away,
        display=promoted,
        mailing=np.zeros(shape),
        categories={},
        sites={key.location: site for key in keys},
        groups={("category", ""): units.sum(0)},
    )


def _checked(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    days = pd.to_datetime(frame["date"], errors="coerce")
    lines = pd.DataFrame(
        {
            "sku": frame["sku"].astype(str),
            "location": frame["location"].astype(str),
            "day": (days - _EPOCH).dt.days,
            "quantity": pd.to_numeric(frame["quantity"], errors="coerce"),
        }
    )
    lines["price"] = (
        pd.to_numeric(frame["price"], errors="coerce").fillna(0) if "price" in frame else 0.0
    )
    for column in ("promotion", "stockout"):
        told = frame[column] if column in frame else pd.Series(0.0, frame.index)
        named = told.replace({"True": 1, "False": 0, "true": 1, "false": 0})
        lines[column] = pd.to_numeric(named, errors="coerce").fillna(0).astype(float)
    wrong = {
        "date": lines["day"].isna(),
        "quantity": lines["quantity"].isna() | (lines["quantity"] < 0),
        "price": lines["price"] < 0,
        "promotion": ~lines["promotion"].between(0, 1),
        "stockout": ~lines["stockout"].between(0, 1),
    }
    for column, bad in wrong.items():
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            raise ValueError(f"{name}, line {at + 2}: {column} is {str(frame[column].iloc[at])!r}")
    return lines.astype({"day": int})


def _discounts(units: FloatArray, sales: FloatArray) -> FloatArray:
    """Return how far each day's price lies below the highest of the eight weeks before."""
    price = np.where(units > 0, sales / np.maximum(units, 1e-9), 0.0)
    found = np.zeros_like(price)
    for column in range(1, price.shape[1]):
        regular = price[:, max(column - 56, 0) : column].max(1)
        known = (regular > 0) & (price[:, column] > 0)
        found[:, column] = np.where(
            known, np.clip(1 - price[:, column] / np.maximum(regular, 1e-9), 0, 0.99), 0.0
        )
    return found
