"""A ledger on a real broker and a real database."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.stock_ledger.harness import Ledger, open_ledger

from restock_common.settings import KafkaSettings


@pytest.fixture
async def ledger(kafka: KafkaSettings, database_url: str) -> AsyncIterator[Ledger]:
    """Return a ledger that reads."""
    async with open_ledger(kafka, database_url) as made:
        await made.stream.start()
        await made.ready()
        yield made
