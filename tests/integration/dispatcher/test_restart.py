"""A wave that was due when the service ended is planned when it is back."""

import pytest
from tests.integration.dispatcher.harness import Warehouse, at, dispatcher
from tests.support import publish, until

from restock_common.contracts.dispatch import RoutePlanned
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import FULFILMENT
from restock_common.settings import KafkaSettings

pytestmark = pytest.mark.kafka


async def test_a_restart_finds_the_wave_that_was_due(
    kafka: KafkaSettings, database_url: str
) -> None:
    here = Warehouse("restarted")
    await publish(kafka, here.catalogue(), partition=0)
    async with dispatcher(kafka, database_url, plans=False) as running:
        records = [here.allocated("a"), here.tell(TimeAdvanced(until=at(0)), at(0))]
        await publish(kafka, records, partition=here.partition, topic=FULFILMENT)

        async def due() -> bool:
            return (await running.planner.progress()).pending == 1

        await until(due, what="the wave is due")
        assert await running.dispatch_events(here) == []
    async with dispatcher(kafka, database_url) as running:
        await running.quiet()
        [route] = await running.dispatch_events(here)
        assert isinstance(route, RoutePlanned)
