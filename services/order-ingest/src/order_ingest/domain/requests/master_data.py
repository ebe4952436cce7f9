"""Master data, and the time of a replay."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field, model_validator

from order_ingest.domain.requests.base import MAX_CATALOGUE_ITEMS, Request
from restock_common.contracts.catalogue import (
    Carrier,
    CatalogueEntity,
    Location,
    Pool,
    Product,
    SeriesValue,
    Supplier,
    SupplierTerms,
    Vehicle,
)
from restock_common.contracts.promotions import Price, Promotion
from restock_common.units import Timestamp

EntityT = TypeVar("EntityT", bound=CatalogueEntity)

MAX_WHOLE_CATALOGUE_ITEMS = 100_000

KINDS: dict[str, type[CatalogueEntity]] = {
    "pools": Pool,
    "locations": Location,
    "suppliers": Supplier,
    "products": Product,
    "terms": SupplierTerms,
    "vehicles": Vehicle,
    "carriers": Carrier,
    "series": SeriesValue,
    "promotions": Promotion,
    "prices": Price,
}
"""The entities by the name that they have in addresses; a kind stands after those it refers to."""


class ClockRequest(Request):
    """Everything before `until` has been sent."""

    until: Timestamp


class EntityBatch(Request, Generic[EntityT]):
    """Up to 5,000 entities of one kind, taken all or none."""

    items: Annotated[tuple[EntityT, ...], Field(min_length=1, max_length=MAX_CATALOGUE_ITEMS)]


class CatalogueRequest(Request):
    """Master data of every kind, up to 100,000 entities, taken all or none."""

    pools: tuple[Pool, ...] = ()
    locations: tuple[Location, ...] = ()
    suppliers: tuple[Supplier, ...] = ()
    products: tuple[Product, ...] = ()
    terms: tuple[SupplierTerms, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    series: tuple[SeriesValue, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    prices: tuple[Price, ...] = ()

    @model_validator(mode="after")
    def _holds_something_but_not_too_much(self) -> "CatalogueRequest":
        count = sum(len(getattr(self, name)) for name in KINDS)
        if not 1 <= count <= MAX_WHOLE_CATALOGUE_ITEMS:
            raise ValueError(f"holds {count} entities, not 1 to {MAX_WHOLE_CATALOGUE_ITEMS}")
        return self
