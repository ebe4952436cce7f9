"""What exists, as the ledger is told it."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from pydantic_core import to_json

from restock_common.contracts.catalogue import CatalogueEntity, Location, Product
from restock_common.contracts.ledger import AssortmentListed, ListedLocation

MAX_LISTED = 5_000
MAX_LISTED_BYTES = 900_000
"""Names can be 128 characters of four bytes each: 5,000 of them would not fit in a record."""

ListedT = TypeVar("ListedT", str, ListedLocation)


def listings(entities: Sequence[CatalogueEntity]) -> Iterator[AssortmentListed]:
    """Yield what the ledger is told of master data that is written: its products and locations.

    Not of kits: they stand on no shelf, and orders for them name their components.
    """
    skus = [
        entity.sku for entity in entities if isinstance(entity, Product) and not entity.components
    ]
    for some_skus in _parts(skus):
        yield AssortmentListed(skus=some_skus)
    locations = [
        ListedLocation(location=entity.location, pool=entity.pool)
        for entity in entities
        if isinstance(entity, Location)
    ]
    for some_locations in _parts(locations):
        yield AssortmentListed(locations=some_locations)


def _parts(items: Sequence[ListedT]) -> Iterator[tuple[ListedT, ...]]:
    """Cut where a message has enough, by number or by bytes."""
    part: list[ListedT] = []
    part_bytes = 0
    for item in items:
        item_bytes = len(to_json(item)) + 1
        if part and (len(part) == MAX_LISTED or part_bytes + item_bytes > MAX_LISTED_BYTES):
            yield tuple(part)
            part, part_bytes = [], 0
        part.append(item)
        part_bytes += item_bytes
    if part:
        yield tuple(part)
