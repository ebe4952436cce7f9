"""A ledger under load on a platform that may be broken."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.faults.stock_ledger.run import Run, under_load

from restock_common.settings import KafkaSettings
from restock_local.platform.base import Platform, declare_topics
from restock_local.processes import last_lines


@pytest.fixture
async def kafka(platform: Platform) -> KafkaSettings:
    """Return how to reach a broker on which every topic is there, and empty."""
    await platform.broker.wipe()
    await declare_topics(platform.kafka)
    return platform.kafka


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    """Return the folder for processes' logs, whose ends are shown where the test fails."""
    yield tmp_path
    for log in sorted(tmp_path.glob("*.log")):
        print(f"{log.name}:\n{last_lines(log)}")


@pytest.fixture
async def run(
    platform: Platform, kafka: KafkaSettings, database_url: str, logs: Path
) -> AsyncIterator[Run]:
    """Return a ledger under load."""
    async with under_load(platform, database_url, logs / "ledger.log") as started:
        yield started
