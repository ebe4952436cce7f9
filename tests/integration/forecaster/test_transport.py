"""What Faust drops while it restores a table must come again, also before the first commit."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import faust
import pytest
from tests.integration.forecaster.harness import PARTITIONS, Log
from tests.support import until

from forecaster.stream.faust_app import add_agent, new_app, new_table
from restock_common.kafka import log_bounds
from restock_common.settings import KafkaSettings

pytestmark = pytest.mark.kafka


async def test_a_seek_to_what_was_committed_goes_to_the_beginning_where_nothing_was(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    log = Log(kafka)
    await log.ask(0)
    await log.advance(1)
    records = sum(end for _, end in (await log_bounds(kafka, PARTITIONS)).values())
    seen: Counter[tuple[int, int]] = Counter()

    async def never_acknowledge(stream: faust.Stream[Any]) -> None:
        async for event in stream.noack().events():
            seen[event.message.partition, event.message.offset] += 1

    async def each_seen(times: int) -> bool:
        return len(seen) == records and min(seen.values()) >= times

    app = new_app(kafka, tmp_path)
    new_table(app, kafka)
    add_agent(app, never_acknowledge)
    running = asyncio.create_task(app.start())
    try:
        await until(lambda: each_seen(1), what="every record is seen", timeout_s=60)
        await app.consumer.perform_seek()
        await until(lambda: each_seen(2), what="every record is seen again")
    finally:
        await app.stop()
        await running
    assert len(seen) == records
    assert min(seen.values()) >= 2
