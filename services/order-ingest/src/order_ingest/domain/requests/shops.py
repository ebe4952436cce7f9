"""What is said of shops."""

from typing import Annotated

from pydantic import Field

from order_ingest.domain.requests.base import Request
from restock_common.units import Identifier, Sku

MAX_SKUS = 20_000


class SkuTable(Request):
    """What a shop's variants are.

    Attributes:
        skus: By the shop's id of a variant, or `product:<id>`; null for what ships nothing.
    """

    skus: Annotated[dict[Identifier, Sku | None], Field(min_length=1, max_length=MAX_SKUS)]
