"""Master data: what it refers to is there, and what the ledger has booked stays."""

from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import date

from order_ingest.domain.checks.common import refuse
from order_ingest.domain.checks.owners import Owners
from order_ingest.domain.findings import Conflict, Finding, not_in_catalogue
from restock_common.contracts.catalogue import (
    Carrier,
    Catalogue,
    CatalogueEntity,
    DatedEntity,
    Location,
    Pool,
    Product,
    Supplier,
    SupplierTerms,
    Vehicle,
)
from restock_common.contracts.promotions import Price, Promotion
from restock_common.errors import shown

Named = tuple[type[CatalogueEntity], str]
"""An entity by its kind and id, whatever its version."""

_REFERENCES: dict[type[CatalogueEntity], tuple[tuple[str, type[CatalogueEntity]], ...]] = {
    Product: (("supplier", Supplier),),
    SupplierTerms: (("supplier", Supplier), ("sku", Product)),
    Location: (("pool", Pool),),
    Vehicle: (("location", Location),),
    Carrier: (("location", Location),),
    Promotion: (("sku", Product), ("location", Location)),
    Price: (("sku", Product), ("location", Location)),
}
"""The fields that name another entity, and its kind."""


def check_entities(
    entities: Sequence[CatalogueEntity], catalogue: Catalogue, places: Sequence[str] = ()
) -> None:
    """Raise where master data refers to what is not there, or moves what must stay.

    What is planned for later is there; so is what is written with it.

    Args:
        entities: What is to be written, all or none.
        catalogue: What is there.
        places: Where each stands in the input, such as `items.0.`; nowhere, where none is told.

    Raises:
        Refused: A supplier, sku, pool or location is not known; a kit's component is not, or is a
            kit itself; on some day from now on a barcode is another product's, or a supplier has
            other terms for the sku.
        Conflict: A pool would change its shard, a location its pool, or a product would become a
            kit: the ledger has booked stock there, which does not move with a line of master data.
    """
    together = {(type(entity), entity.entity_id) for entity in entities}
    kits = {one.sku for one in entities if isinstance(one, Product) and one.components}
    before: dict[Named, _Before] = {}
    owners = Owners(catalogue, entities)
    findings: list[Finding] = []
    placed = zip(places or [""] * len(entities), entities, strict=True)
    for number, (place, entity) in enumerate(placed):
        findings += _references(entity, together, catalogue, place)
        findings += owners.findings(number, place)
        if isinstance(entity, Product):
            findings += _components(entity, together, kits, catalogue, place)
        named = (type(entity), entity.entity_id)
        if named not in before:
            before[named] = _Before(catalogue.versions(*named))
        before[named].check(entity)
        before[named].add(entity)
    refuse(findings)


def in_effect_now(entity: CatalogueEntity, catalogue: Catalogue) -> CatalogueEntity:
    """Return what is told without a day as the version that it changes: the one in effect."""
    if isinstance(entity, DatedEntity) and entity.effective_from is None:
        before = catalogue.in_effect(type(entity), entity.entity_id)
        if isinstance(before, DatedEntity) and before.effective_from is not None:
            return entity.model_copy(update={"effective_from": before.effective_from})
    return entity


def _references(
    entity: CatalogueEntity, together: Set[Named], catalogue: Catalogue, at: str
) -> list[Finding]:
    findings = []
    for field, kind in _REFERENCES.get(type(entity), ()):
        name = getattr(entity, field)
        if name is not None and (kind, name) not in together and not catalogue.knows(kind, name):
            findings.append(not_in_catalogue(f"{at}{field}", name))
    return findings


def _components(
    kit: Product, together: Set[Named], kits: Set[str], catalogue: Catalogue, at: str
) -> Iterator[Finding]:
    """Find components that are not known, here or in what is written with them, or are kits."""
    for index, component in enumerate(kit.components):
        field = f"{at}components.{index}.sku"
        known = list(catalogue.versions(Product, component.sku))
        if not known and (Product, component.sku) not in together:
            yield not_in_catalogue(field, component.sku)
        elif component.sku in kits or any(one.components for one in known):
            yield Finding(field, "is a kit itself", shown(component.sku))


class _Before:
    """What the versions of one entity have settled, however many they are."""

    def __init__(self, versions: Iterable[CatalogueEntity]) -> None:
        self._last: CatalogueEntity | None = None
        self._plain = False
        self._kit_since: date | None = None
        for version in versions:
            self.add(version)

    def add(self, version: CatalogueEntity) -> None:
        """Take one more version in."""
        self._last = version
        if isinstance(version, Product):
            if not version.components:
                self._plain = True
            elif self._kit_since is None or version.since > self._kit_since:
                self._kit_since = version.since

    def check(self, after: CatalogueEntity) -> None:
        """Raise Conflict where a version would move what the ledger has booked."""
        match self._last, after:
            case Pool(shard=old), Pool(shard=new) if old != new:
                raise Conflict(
                    f"pool {after.entity_id!r} is on shard {old} and cannot move to {new}",
                    field="shard",
                )
            case Location(pool=home), Location(pool=other) if home != other:
                raise Conflict(
                    f"location {after.entity_id!r} is of pool {home!r} and cannot move to"
                    f" {other!r}",
                    field="pool",
                )
            case Product(), Product(components=components):
                self._check_kit(after.entity_id, after.since, is_kit=bool(components))
            case _:
                pass

    def _check_kit(self, sku: str, since: date, *, is_kit: bool) -> None:
        if is_kit and self._plain:
            raise Conflict(
                f"product {sku!r} may have been stocked and cannot become a kit",
                field="components",
            )
        if not is_kit and self._kit_since is not None and self._kit_since > since:
            raise Conflict(
                f"product {sku!r} is planned to be a kit from {self._kit_since}",
                field="components",
            )
