"""Master data, and the time of a replay."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field

from order_ingest.domain.requests.base import MAX_CATALOGUE_ITEMS, Request
from restock_common.contracts.catalogue import CatalogueEntity
from restock_common.units import Timestamp

EntityT = TypeVar("EntityT", bound=CatalogueEntity)


class ClockRequest(Request):
    """Everything before `until` has been sent."""

    until: Timestamp


class EntityBatch(Request, Generic[EntityT]):
    """Up to 5,000 entities of one kind, taken all or none."""

    items: Annotated[tuple[EntityT, ...], Field(min_length=1, max_length=MAX_CATALOGUE_ITEMS)]
