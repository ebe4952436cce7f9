"""Master data: told to the ledger first, then written."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from order_ingest.domain import checks
from order_ingest.domain.assortment import listings
from order_ingest.domain.checks import Known
from order_ingest.handlers.desk import Desk
from order_ingest.handlers.ports import Accepted
from restock_common.contracts.catalogue import CatalogueEntity
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.topics import SHARDS
from restock_common.kafka import partition_of
from restock_common.transact import Outgoing

_AT_ONCE, _PUBLISHED_AT_ONCE = 500, 5_000


class Entities:
    """The door for master data.

    Args:
        desk: What it stands on.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._writing = asyncio.Lock()

    async def put(
        self, entities: Sequence[CatalogueEntity], *, places: Sequence[str] = ()
    ) -> list[Accepted]:
        """Write master data, all or none; what follows here sees it at once.

        The ledger is told of products and locations before the catalogue is: so it never meets
        one in an order, through whichever door, that it has not been told of. Where the second
        fails, it knows of something that nobody can order yet.

        Args:
            entities: What is to be written. One without a day changes the version in effect.
            places: Where each stands in the input.

        Raises:
            Refused: Something refers to what is not there.
            Conflict: What the ledger has booked would move.
            Transient: Nothing is promised: send it again.
        """
        async with self._writing:  # two writers of one pool: the second sees the first
            known = await self._desk.check(
                lambda known: checks.check_entities(
                    _meant(entities, known), known.catalogue, places
                )
            )
            entities = _meant(entities, known)
            await self._desk.publish(list(self._listings(entities)))
            accepted, entries = [], []
            for number, entity in enumerate(entities, 1):
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)  # who asks for one order does not wait for all of these
                event_id = derive_id(entity.key, entity.model_dump_json())
                entries.append(self._entry(event_id, entity, known.now))
                accepted.append(Accepted(_kind_of(entity), entity.entity_id, event_id))
            for start in range(0, len(entries), _PUBLISHED_AT_ONCE):
                await self._desk.publish(entries[start : start + _PUBLISHED_AT_ONCE])
            for entity in entities:
                known.catalogue.apply(entity)
        return accepted

    def _entry(self, event_id: str, entity: CatalogueEntity, now: datetime) -> Outgoing:
        partition = None
        if entity.partition_key is not None:
            partition = partition_of(entity.topic.name, entity.partition_key.encode())
        return self._desk.entry(event_id, entity, partition, time=now)

    def _listings(self, entities: Sequence[CatalogueEntity]) -> Iterator[Outgoing]:
        for event in listings(entities):
            said = event.model_dump_json()
            for shard in range(SHARDS):
                yield self._desk.entry(derive_id("assortment-listed", shard, said), event, shard)


def _meant(entities: Sequence[CatalogueEntity], known: Known) -> list[CatalogueEntity]:
    return [checks.in_effect_now(one, known.catalogue) for one in entities]


def _kind_of(entity: CatalogueEntity) -> str:
    """Return what an entity's kind is called in answers: `supplier_terms`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(entity).__name__).lower()
