"""The master data as it stands: a fold over the compacted topic, moved on day by day."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar, cast

from restock_common.contracts.catalogue.entities import (
    CatalogueEntity,
    DatedEntity,
    Location,
    Pool,
    Product,
    SeriesValue,
    Supplier,
    SupplierTerms,
)
from restock_common.contracts.catalogue.fleet import Carrier, Vehicle
from restock_common.contracts.event import Event

EntityT = TypeVar("EntityT", bound=CatalogueEntity)

_GTIN_DIGITS = 14
_GTIN_LENGTHS = frozenset({8, 12, 13, 14})

_NAMES: Mapping[type[CatalogueEntity], str] = {
    Product: "products",
    Supplier: "suppliers",
    SupplierTerms: "terms",
    Location: "locations",
    Pool: "pools",
    Vehicle: "vehicles",
    Carrier: "carriers",
}


def barcode_of(text: str) -> str:
    """Return a barcode in the form it is compared in: a GTIN has 14 digits, whatever was read."""
    if text.isascii() and text.isdigit() and len(text) in _GTIN_LENGTHS:
        return text.zfill(_GTIN_DIGITS)
    return text


@dataclass(slots=True)
class Catalogue:
    """What is in effect on a day, and what is planned for later.

    Attributes:
        products: In effect, by sku.
        suppliers: In effect, by id.
        terms: In effect, by id.
        locations: In effect, by id.
        pools: By id.
        vehicles: In effect, by id.
        carriers: In effect, by id.
        series: Values of external series by name and day, days to come among them.
        skus_by_barcode: Of the products in effect; see `barcode_of`.
        planned: Versions that take effect later, by kind and id, then by their day.
        as_of: The day that has come.
        changes: How many records have taken effect: who keeps what follows from them looks again.
    """

    products: dict[str, Product] = field(default_factory=dict)
    suppliers: dict[str, Supplier] = field(default_factory=dict)
    terms: dict[str, SupplierTerms] = field(default_factory=dict)
    locations: dict[str, Location] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    vehicles: dict[str, Vehicle] = field(default_factory=dict)
    carriers: dict[str, Carrier] = field(default_factory=dict)
    series: dict[str, dict[date, float]] = field(default_factory=dict)
    skus_by_barcode: dict[str, str] = field(default_factory=dict)
    planned: dict[tuple[type[DatedEntity], str], dict[date, DatedEntity]] = field(
        default_factory=dict
    )
    as_of: date = date.min
    changes: int = 0
    _next_change: date = date.max

    def apply(self, entity: Event) -> None:
        """Take one record in; the last one of an id and day wins, other events are passed over."""
        match entity:
            case DatedEntity() if entity.since > self.as_of:
                days = self.planned.setdefault((type(entity), entity.entity_id), {})
                days[entity.since] = entity
                self._next_change = min(self._next_change, entity.since)
            case DatedEntity():
                before = self.in_effect(type(entity), entity.entity_id)
                if not isinstance(before, DatedEntity) or before.since <= entity.since:
                    self._put(entity)
            case SeriesValue():
                self.series.setdefault(entity.series, {})[entity.day] = entity.value
            case Pool():
                self._put(entity)
            case _:
                pass

    def advance(self, today: date) -> None:
        """Let take effect what is planned up to a day; days do not go back."""
        self.as_of = max(self.as_of, today)
        if self.as_of < self._next_change:
            return
        self._next_change = date.max
        for place, days in list(self.planned.items()):
            for day in sorted(days):
                if day <= self.as_of:
                    self.apply(days.pop(day))
            if days:
                self._next_change = min(self._next_change, *days)
            else:
                del self.planned[place]

    def in_effect(self, kind: type[EntityT], entity_id: str) -> EntityT | None:
        """Return the version of an entity that counts today."""
        return cast("EntityT | None", self._of(kind).get(entity_id))

    def versions(self, kind: type[EntityT], entity_id: str) -> Iterator[EntityT]:
        """Yield all that is known of an entity: what is in effect, then what is planned."""
        found = self.in_effect(kind, entity_id)
        if found is not None:
            yield found
        if issubclass(kind, DatedEntity):
            later = self.planned.get((kind, entity_id), {})
            yield from cast("Iterable[EntityT]", later.values())

    def knows(self, kind: type[CatalogueEntity], entity_id: str) -> bool:
        """Return whether an entity is there, or will be."""
        return any(True for _ in self.versions(kind, entity_id))

    @classmethod
    def of(cls, entities: Iterable[Event], *, as_of: date = date.min) -> "Catalogue":
        """Return the catalogue that these records make on a day."""
        catalogue = cls(as_of=as_of)
        for entity in entities:
            catalogue.apply(entity)
        return catalogue

    def _of(self, kind: type[CatalogueEntity]) -> dict[str, Any]:
        name = _NAMES.get(kind)
        found: dict[str, Any] = {} if name is None else getattr(self, name)
        return found

    def _put(self, entity: CatalogueEntity) -> None:
        self.changes += 1
        entities = self._of(type(entity))
        if isinstance(entity, Product):
            before = entities.get(entity.sku)
            for barcode in () if before is None else before.barcodes:
                if self.skus_by_barcode.get(barcode_of(barcode)) == entity.sku:
                    del self.skus_by_barcode[barcode_of(barcode)]
            self.skus_by_barcode.update({barcode_of(one): entity.sku for one in entity.barcodes})
        entities[entity.entity_id] = entity
