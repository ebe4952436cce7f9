"""A rig on the session's broker and a new database."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.restock_common.rig import Rig, prepare

from restock_common.kafka import Producer
from restock_common.postgres import Database, PostgresInbox
from restock_common.settings import KafkaSettings


@pytest.fixture
async def rig(kafka: KafkaSettings, database_url: str) -> AsyncIterator[Rig]:
    """Return what streams are made from."""
    database = Database(database_url)
    await prepare(database)
    producer = Producer(kafka)
    await producer.start()
    yield Rig(kafka, database, PostgresInbox(database, keep_journal=True), producer)
    await producer.stop()
    await database.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Return a database without tables, opened."""
    database = Database(database_url)
    await database.open()
    yield database
    await database.close()
