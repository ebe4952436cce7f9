"""Master data: what it refers to is there, and what the ledger has booked stays."""

from collections.abc import Mapping, Sequence

from order_ingest.domain.checks.common import reference, refuse
from order_ingest.domain.findings import Conflict, Finding
from restock_common.contracts.catalogue import (
    Catalogue,
    CatalogueEntity,
    Location,
    Pool,
    Product,
    Vehicle,
)
from restock_common.errors import shown


def check_entities(entities: Sequence[CatalogueEntity], catalogue: Catalogue, at: str = "") -> None:
    """Raise where master data refers to what is not there, or moves what must stay.

    Args:
        entities: What is to be written, all or none.
        catalogue: What is there.
        at: Where the entities stand in the input; `{}` is replaced by the number of each.

    Raises:
        Refused: A supplier, pool or location is not known; or a kit's component is not, or is a
            kit itself.
        Conflict: A pool would change its shard, a location its pool, or a product would become a
            kit: the ledger has booked stock there, which does not move with a line of master data.
    """
    together = {entity.entity_id: entity for entity in entities}
    written: dict[str, CatalogueEntity] = {}
    findings: list[Finding] = []
    for number, entity in enumerate(entities):
        place = at.format(number)
        findings += _references(entity, catalogue, place)
        if isinstance(entity, Product):
            findings += _components(entity, together, catalogue, place)
        _check_stays(written.get(entity.entity_id) or _before(entity, catalogue), entity)
        written[entity.entity_id] = entity
    refuse(findings)


def _references(entity: CatalogueEntity, catalogue: Catalogue, at: str) -> list[Finding]:
    match entity:
        case Product():
            return reference(f"{at}supplier", entity.supplier, catalogue.suppliers)
        case Location():
            return reference(f"{at}pool", entity.pool, catalogue.pools)
        case Vehicle():
            return reference(f"{at}location", entity.location, catalogue.locations)
        case _:
            return []


def _components(
    kit: Product, together: Mapping[str, CatalogueEntity], catalogue: Catalogue, at: str
) -> list[Finding]:
    """Find components that are not known, here or in what is written with them, or are kits."""
    findings = []
    for index, component in enumerate(kit.components):
        found = together.get(component.sku) or catalogue.products.get(component.sku)
        field = f"{at}components.{index}.sku"
        if not isinstance(found, Product):
            findings.append(Finding(field, "is not in the catalogue", shown(component.sku)))
        elif found.components:
            findings.append(Finding(field, "is a kit itself", shown(component.sku)))
    return findings


def _before(entity: CatalogueEntity, catalogue: Catalogue) -> CatalogueEntity | None:
    match entity:
        case Pool():
            return catalogue.pools.get(entity.pool)
        case Location():
            return catalogue.locations.get(entity.location)
        case Product():
            return catalogue.products.get(entity.sku)
        case _:
            return None


def _check_stays(before: CatalogueEntity | None, after: CatalogueEntity) -> None:
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
        case _:
            pass
