"""restock.catalogue.v1: master data, compacted; the last record of an entity is its state."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import Field

from restock_common.contracts.event import Event
from restock_common.contracts.ledger import Components, Place, Shard
from restock_common.contracts.topics import CATALOGUE, Topic
from restock_common.units import Identifier, LocationId, PoolId, PositiveUnits, Sku, Text


class CatalogueEntity(Event):
    """One record of master data, keyed by `<kind>:<id>`."""

    topic: ClassVar[Topic] = CATALOGUE
    id_field: ClassVar[str]

    @property
    def entity_id(self) -> str:
        """Return the entity's own id."""
        return str(getattr(self, self.id_field))

    @property
    def key(self) -> str:
        """Return the kind and the id, so that kinds do not overwrite each other."""
        return f"{type(self).__name__}:{self.entity_id}"


class Product(CatalogueEntity):
    """What is sold: weight for the routes, supplier and pack for the orders.

    Attributes:
        components: What one of it is made of. Such a kit is sold and never stocked: an order for it
            takes its components, which are products and no kits themselves.
    """

    id_field: ClassVar[str] = "sku"

    sku: Sku
    name: Text = ""
    category: Text = ""
    supplier: Identifier
    weight_grams: Annotated[int, Field(gt=0, le=1_000_000)] = 500
    pack_size: PositiveUnits = 1
    minimum_order_quantity: PositiveUnits = 1
    unit_cost: Annotated[float, Field(ge=0)] = 0.0
    components: Components = ()


class Supplier(CatalogueEntity):
    """Who delivers, and what is believed of the lead time before the first receipt."""

    id_field: ClassVar[str] = "supplier"

    supplier: Identifier
    name: Text = ""
    lead_time_days_mean: Annotated[float, Field(gt=0, le=365)] = 3.0
    lead_time_days_sd: Annotated[float, Field(ge=0, le=365)] = 1.0
    review_period_days: Annotated[float, Field(gt=0, le=90)] = 1.0
    cycle_service_level: Annotated[float, Field(ge=0.5, lt=1)] = 0.95


class Location(CatalogueEntity):
    """A warehouse with its place on the map; it belongs to one pool."""

    id_field: ClassVar[str] = "location"

    location: LocationId
    pool: PoolId
    name: Text = ""
    place: Place


class Pool(CatalogueEntity):
    """The warehouses that serve one region, on one shard of the ledger."""

    id_field: ClassVar[str] = "pool"

    pool: PoolId
    shard: Shard
    name: Text = ""


class Vehicle(CatalogueEntity):
    """A vehicle with its home warehouse, its limits and its costs."""

    id_field: ClassVar[str] = "vehicle"

    vehicle: Identifier
    location: LocationId
    capacity_grams: Annotated[int, Field(gt=0)]
    speed_kmh: Annotated[float, Field(gt=0, le=130)] = 35.0
    shift_start_hour: Annotated[float, Field(ge=0, lt=24)] = 8.0
    shift_hours: Annotated[float, Field(gt=0, le=16)] = 9.0
    cost_per_km: Annotated[float, Field(ge=0)] = 0.4
    fixed_cost: Annotated[float, Field(ge=0)] = 30.0


@dataclass(slots=True)
class Catalogue:
    """The master data as it stands: a fold over the compacted topic."""

    products: dict[str, Product] = field(default_factory=dict)
    suppliers: dict[str, Supplier] = field(default_factory=dict)
    locations: dict[str, Location] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    vehicles: dict[str, Vehicle] = field(default_factory=dict)

    def apply(self, entity: Event) -> None:
        """Take one record in; the last one of an id wins, other events are passed over."""
        match entity:
            case Product():
                self.products[entity.sku] = entity
            case Supplier():
                self.suppliers[entity.supplier] = entity
            case Location():
                self.locations[entity.location] = entity
            case Pool():
                self.pools[entity.pool] = entity
            case Vehicle():
                self.vehicles[entity.vehicle] = entity
            case _:
                pass

    @classmethod
    def of(cls, entities: Iterable[Event]) -> "Catalogue":
        """Return the catalogue that these records make."""
        catalogue = cls()
        for entity in entities:
            catalogue.apply(entity)
        return catalogue
