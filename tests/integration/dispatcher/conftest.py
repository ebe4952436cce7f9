"""One dispatcher for the tests of a module; each of them has a warehouse of its own."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.dispatcher.harness import Dispatcher, dispatcher

from restock_common.settings import KafkaSettings
from restock_local.platform.base import Platform


@pytest.fixture(scope="module")
async def running(platform: Platform, kafka: KafkaSettings) -> AsyncIterator[Dispatcher]:
    """Run one dispatcher."""
    database_url = await platform.new_database("test_dispatch")
    async with dispatcher(kafka, database_url) as started:
        yield started
    await platform.databases.drop_database("test_dispatch")
