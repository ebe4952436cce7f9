"""Master data: what it refers to is there, and what the ledger has booked stays."""

from collections.abc import Iterator, Mapping, Sequence

from order_ingest.domain.checks.common import refuse
from order_ingest.domain.findings import Conflict, Finding
from restock_common.contracts.catalogue import (
    Catalogue,
    CatalogueEntity,
    DatedEntity,
    Location,
    Pool,
    Product,
    Supplier,
    SupplierTerms,
    Vehicle,
    barcode_of,
)
from restock_common.contracts.promotions import Price, Promotion
from restock_common.errors import shown

Together = Mapping[tuple[type[CatalogueEntity], str], Sequence[CatalogueEntity]]
"""What is written at once, by kind and id."""

_REFERENCES: dict[type[CatalogueEntity], tuple[tuple[str, type[CatalogueEntity]], ...]] = {
    Product: (("supplier", Supplier),),
    SupplierTerms: (("supplier", Supplier), ("sku", Product)),
    Location: (("pool", Pool),),
    Vehicle: (("location", Location),),
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
            kit itself; a barcode is another product's; a supplier has other terms for the sku.
        Conflict: A pool would change its shard, a location its pool, or a product would become a
            kit: the ledger has booked stock there, which does not move with a line of master data.
    """
    together: dict[tuple[type[CatalogueEntity], str], list[CatalogueEntity]] = {}
    for entity in entities:
        together.setdefault((type(entity), entity.entity_id), []).append(entity)
    written: dict[tuple[type[CatalogueEntity], str], list[CatalogueEntity]] = {}
    owners = _Owners(catalogue)
    findings: list[Finding] = []
    for place, entity in zip(places or [""] * len(entities), entities, strict=True):
        findings += _references(entity, together, catalogue, place)
        findings += owners.take(entity, place)
        if isinstance(entity, Product):
            findings += _components(entity, together, catalogue, place)
        versions = written.setdefault((type(entity), entity.entity_id), [])
        for before in (*catalogue.versions(type(entity), entity.entity_id), *versions):
            _check_stays(before, entity)
        versions.append(entity)
    refuse(findings)


def in_effect_now(entity: CatalogueEntity, catalogue: Catalogue) -> CatalogueEntity:
    """Return what is told without a day as the version that it changes: the one in effect."""
    if isinstance(entity, DatedEntity) and entity.effective_from is None:
        before = catalogue.in_effect(type(entity), entity.entity_id)
        if isinstance(before, DatedEntity) and before.effective_from is not None:
            return entity.model_copy(update={"effective_from": before.effective_from})
    return entity


class _Owners:
    """Whose a barcode is, and which terms a supplier has for a sku: one each."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._barcodes: dict[str, str] = {}
        self._terms: dict[tuple[str, str | None], str] = {}
        self._known: dict[tuple[str, str | None], str] | None = None

    def take(self, entity: CatalogueEntity, at: str) -> list[Finding]:
        """Find what has another owner, there or in what is written with it."""
        match entity:
            case Product():
                return list(self._of_product(entity, at))
            case SupplierTerms():
                return self._of_terms(entity, at)
            case _:
                return []

    def _of_product(self, product: Product, at: str) -> Iterator[Finding]:
        for index, barcode in enumerate(product.barcodes):
            read = barcode_of(barcode)
            owner = self._barcodes.setdefault(read, product.sku)
            for other in (owner, self._catalogue.skus_by_barcode.get(read, product.sku)):
                if other != product.sku:
                    reason = f"is a barcode of {shown(other)!r}"
                    yield Finding(f"{at}barcodes.{index}", reason, shown(barcode))
                    break

    def _of_terms(self, terms: SupplierTerms, at: str) -> list[Finding]:
        if self._known is None:
            known = self._catalogue.terms.values()
            self._known = {(one.supplier, one.sku): one.terms for one in known}
        pair = (terms.supplier, terms.sku)
        owner = self._terms.setdefault(pair, terms.terms)
        for other in (owner, self._known.get(pair, terms.terms)):
            if other != terms.terms:
                reason = f"has these terms already: {shown(other)!r}"
                return [Finding(f"{at}supplier", reason, shown(terms.supplier))]
        return []


def _references(
    entity: CatalogueEntity, together: Together, catalogue: Catalogue, at: str
) -> list[Finding]:
    findings = []
    for field, kind in _REFERENCES.get(type(entity), ()):
        name = getattr(entity, field)
        if name is not None and (kind, name) not in together and not catalogue.knows(kind, name):
            findings.append(Finding(f"{at}{field}", "is not in the catalogue", shown(name)))
    return findings


def _components(
    kit: Product, together: Together, catalogue: Catalogue, at: str
) -> Iterator[Finding]:
    """Find components that are not known, here or in what is written with them, or are kits."""
    for index, component in enumerate(kit.components):
        found = (
            *together.get((Product, component.sku), ()),
            *catalogue.versions(Product, component.sku),
        )
        field = f"{at}components.{index}.sku"
        if not found:
            yield Finding(field, "is not in the catalogue", shown(component.sku))
        elif any(isinstance(one, Product) and one.components for one in found):
            yield Finding(field, "is a kit itself", shown(component.sku))


def _check_stays(before: CatalogueEntity, after: CatalogueEntity) -> None:
    match before, after:
        case Pool(shard=old), Pool(shard=new) if old != new:
            raise Conflict(
                f"pool {after.entity_id!r} is on shard {old} and cannot move to {new}",
                field="shard",
            )
        case Location(pool=home), Location(pool=other) if home != other:
            raise Conflict(
                f"location {after.entity_id!r} is of pool {home!r} and cannot move to {other!r}",
                field="pool",
            )
        case Product(components=()), Product(components=components) if components:
            raise Conflict(
                f"product {after.entity_id!r} may have been stocked and cannot become a kit",
                field="components",
            )
        case Product(), Product() if (
            before.since > after.since and before.components and not after.components
        ):
            raise Conflict(
                f"product {after.entity_id!r} is planned to be a kit from {before.since}",
                field="components",
            )
        case _:
            pass
