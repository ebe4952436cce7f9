"""A ledger under load on a platform that may be broken."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.faults.stock_ledger.run import Run, under_load

from restock_common.settings import KafkaSettings
from restock_local.platform.base import Platform, declare_topics


@pytest.fixture
async def kafka(platform: Platform) -> KafkaSettings:
    """Return how to reach a broker on which every topic is there, and empty."""
    await platform.broker.wipe()
    await declare_topics(platform.kafka)
    return platform.kafka


@pytest.fixture
async def run(
    platform: Platform, kafka: KafkaSettings, database_url: str, tmp_path: Path
) -> AsyncIterator[Run]:
    """Return a ledger under load."""
    async with under_load(platform, database_url, tmp_path / "ledger.log") as started:
        yield started
