"""Each test of the replenisher begins on empty topics: watermarks only ever rise."""

import pytest

from restock_common.settings import KafkaSettings
from restock_local.platform.base import Platform, declare_topics


@pytest.fixture
async def topics(platform: Platform) -> KafkaSettings:
    """Return how to reach a broker whose topics are all there, and empty."""
    await platform.broker.wipe()
    await declare_topics(platform.kafka)
    return platform.kafka
