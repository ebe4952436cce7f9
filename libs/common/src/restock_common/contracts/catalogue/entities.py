"""restock.catalogue.v1: master data, compacted; the last record of an entity is its state.

What carries an `effective_from` is known before that day (UTC) and in effect from it: each day's
version is a record of its own, so that plans survive compaction beside what is in effect.
"""

from datetime import date, time
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from restock_common.contracts.event import Contract, Event
from restock_common.contracts.ledger import Components, Place, Shard
from restock_common.contracts.topics import CATALOGUE, Topic
from restock_common.units import Identifier, LocationId, PoolId, PositiveUnits, Sku, Text, Units

KEY_SEPARATOR = "\x1f"
"""No identifier can hold it, so no two entities share a key."""

Money = Annotated[float, Field(ge=0)]
Days = Annotated[int, Field(gt=0, le=36_500)]
Weekdays = Annotated[tuple[Annotated[int, Field(ge=0, le=6)], ...], Field(max_length=7)]
"""0 is Monday."""
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1, two letters."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""ISO 4217."""
Barcodes = Annotated[tuple[Identifier, ...], Field(max_length=50)]

Skills = Annotated[tuple[Identifier, ...], Field(max_length=20)]


class CatalogueEntity(Event):
    """One record of master data, keyed by `<kind>:<id>` and, where it has one, its version."""

    topic: ClassVar[Topic] = CATALOGUE
    id_field: ClassVar[str]

    @property
    def entity_id(self) -> str:
        """Return the entity's own id."""
        return str(getattr(self, self.id_field))

    @property
    def versions(self) -> tuple[str, ...]:
        """Return what tells records of one id apart; empty where an id has one record."""
        return ()

    @property
    def key(self) -> str:
        """Return kind, id and version, so that kinds and versions do not overwrite each other."""
        return KEY_SEPARATOR.join((f"{type(self).__name__}:{self.entity_id}", *self.versions))

    @property
    def partition_key(self) -> str | None:
        """Return what the partition follows from where it is not the key."""
        return None


class DatedEntity(CatalogueEntity):
    """Master data that can be told ahead of the day on which it takes effect.

    Attributes:
        effective_from: The first day (UTC) on which it counts; without one it has always counted.
    """

    effective_from: date | None = None

    @property
    def versions(self) -> tuple[str, ...]:
        """Return the first day."""
        return () if self.effective_from is None else (self.effective_from.isoformat(),)

    @property
    def since(self) -> date:
        """Return the first day on which it counts."""
        return self.effective_from or date.min


class Product(DatedEntity):
    """What is sold: weight for the routes, supplier and pack for the orders.

    Attributes:
        components: What one of it is made of. Such a kit is sold and never stocked: an order for it
            takes its components, which are products and no kits themselves.
        barcodes: What scanners read off it; a GTIN in whichever of its lengths.
        unit_price: The regular price; `Price` plans others.
        shelf_life_days: From receipt until it can no longer be sold.
        volume_cubic_cm: Of one unit; 0 where nobody has measured.
        needs: What the vehicle that brings it must have, such as `cold`.
    """

    id_field: ClassVar[str] = "sku"

    sku: Sku
    name: Text = ""
    category: Text = ""
    supplier: Identifier
    weight_grams: Annotated[int, Field(gt=0, le=1_000_000)] = 500
    volume_cubic_cm: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    needs: Skills = ()
    pack_size: PositiveUnits = 1
    minimum_order_quantity: PositiveUnits = 1
    unit_cost: Annotated[float, Field(ge=0)] = 0.0
    components: Components = ()
    barcodes: Barcodes = ()
    unit_price: Money | None = None
    shelf_life_days: Days | None = None


class Supplier(DatedEntity):
    """Who delivers, and what is believed of the lead time before the first receipt."""

    id_field: ClassVar[str] = "supplier"

    supplier: Identifier
    name: Text = ""
    lead_time_days_mean: Annotated[float, Field(gt=0, le=365)] = 3.0
    lead_time_days_sd: Annotated[float, Field(ge=0, le=365)] = 1.0
    review_period_days: Annotated[float, Field(gt=0, le=90)] = 1.0
    cycle_service_level: Annotated[float, Field(ge=0.5, lt=1)] = 0.95


class PriceBreak(Contract):
    """From so many units on, each costs so much."""

    from_units: PositiveUnits
    unit_cost: Money


class SupplierTerms(DatedEntity):
    """On what terms a supplier sells: all its goods, or one sku, which then goes before.

    What is left out is as the supplier's or the product's record has it.

    Attributes:
        terms: Their id; one for each supplier and sku.
        sku: Which goods; all of the supplier's where it is not told.
        unit_cost: Of one unit, in `currency`.
        price_breaks: Lower costs from some quantity on, ascending.
        pack_size: Units are bought in multiples of it.
        pallet_units: Units of a full pallet.
        truck_units: Units of a full truck.
        minimum_order_quantity: Units of a sku on one order.
        minimum_order_value: Of a whole order.
        fixed_order_cost: Of each order, whatever is on it.
        weekly_budget: What may be ordered in a week.
        lead_time_days_mean: Believed before receipts teach better.
        lead_time_days_sd: Likewise.
        order_weekdays: On which orders are taken; all where none is told.
        cut_off: Until when on such a day (UTC).
        shelf_life_days: What is left of it on arrival.
    """

    id_field: ClassVar[str] = "terms"

    terms: Identifier
    supplier: Identifier
    sku: Sku | None = None
    currency: Currency | None = None
    unit_cost: Money | None = None
    price_breaks: Annotated[tuple[PriceBreak, ...], Field(max_length=20)] = ()
    pack_size: PositiveUnits | None = None
    pallet_units: PositiveUnits | None = None
    truck_units: PositiveUnits | None = None
    minimum_order_quantity: PositiveUnits | None = None
    minimum_order_value: Money | None = None
    fixed_order_cost: Money | None = None
    weekly_budget: Money | None = None
    lead_time_days_mean: Annotated[float, Field(gt=0, le=365)] | None = None
    lead_time_days_sd: Annotated[float, Field(ge=0, le=365)] | None = None
    order_weekdays: Weekdays = ()
    cut_off: time | None = None
    shelf_life_days: Days | None = None

    @model_validator(mode="after")
    def _breaks_ascend(self) -> "SupplierTerms":
        starts = [one.from_units for one in self.price_breaks]
        if starts != sorted(set(starts)):
            raise ValueError(f"price_breaks {starts} do not ascend")
        return self


class Location(DatedEntity):
    """A warehouse with its place on the map; it belongs to one pool.

    Attributes:
        country: Whose holidays it keeps.
        closed_weekdays: On which nothing is sold: such a day is no day without demand.
        storage_capacity_units: What it can hold.
    """

    id_field: ClassVar[str] = "location"

    location: LocationId
    pool: PoolId
    name: Text = ""
    place: Place
    country: Country | None = None
    closed_weekdays: Weekdays = ()
    storage_capacity_units: Units | None = None


class Pool(CatalogueEntity):
    """The warehouses that serve one region, on one shard of the ledger; it never moves."""

    id_field: ClassVar[str] = "pool"

    pool: PoolId
    shard: Shard
    name: Text = ""


class SeriesValue(CatalogueEntity):
    """One day's value of an external series: weather, a market's trend."""

    id_field: ClassVar[str] = "series"

    series: Identifier
    day: date
    value: float

    @property
    def versions(self) -> tuple[str, ...]:
        """Return the day."""
        return (self.day.isoformat(),)
