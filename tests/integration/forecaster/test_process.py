"""Killed, stopped, robbed of its disk, joined by another: what is published stays the same."""

import asyncio
import os
import secrets
import shutil
from pathlib import Path
from random import Random

import pytest
from tests.integration.forecaster.harness import (
    ADMIN_KEY,
    SKUS,
    Log,
    expected,
    published,
    quiet,
    sites_noted,
    started,
    undisturbed,
    written_down,
)
from tests.support import read_messages, until

from restock_common.contracts.topics import DEAD_LETTERS
from restock_common.settings import KafkaSettings
from restock_local.platform.base import Platform, declare_topics

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def log(kafka: KafkaSettings) -> Log:
    """Return the module's one log, which its tests carry on."""
    return Log(kafka)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the module's processes keep their tables in."""
    return tmp_path_factory.mktemp("forecaster")


def _seed() -> int:
    """Return what the moment of the kill is drawn by: RESTOCK_FAULTS_SEED, or a new one, shown."""
    seed = int(os.environ.get("RESTOCK_FAULTS_SEED") or secrets.randbelow(1_000_000))
    print(f"RESTOCK_FAULTS_SEED={seed}")
    return seed


async def test_killed_in_the_middle_it_publishes_what_an_undisturbed_one_would(
    kafka: KafkaSettings, log: Log, disk: Path
) -> None:
    async with started(kafka, disk) as first:
        await first.ready()
        await log.ask(0)
        await log.advance(0.5)
        await log.advance(1)
        await quiet(kafka, [first])
        before = await first.taken()
        chance = Random(_seed())
        moment = before + chance.randrange(1, len(SKUS) // 2)
        await log.ask(1)
        await log.spoil(1)
        await log.advance(2)

        async def in_the_middle() -> bool:
            return await first.taken() >= moment

        await until(in_the_middle, what="the second day has begun", every_s=0.002)
        await asyncio.sleep(chance.uniform(0, 0.3))  # the day's close and checkpoints may be on
        await first.kill()
    async with started(kafka, disk) as second:
        await log.ask(2)
        await log.advance(3)
        await quiet(kafka, [second])
        assert await published(kafka) == await expected(kafka)
        assert await second.stop() == 0
    assert await written_down(kafka) == (await undisturbed(kafka)).state
    letters = {one.id: one.event for one in await read_messages(kafka, DEAD_LETTERS)}
    (letter,) = letters.values()
    assert (letter.consumer, letter.source_partition) == ("forecaster", 1)
    assert letter.field == "header ce_id"


async def test_without_its_disk_it_is_restored_from_the_changelog(
    kafka: KafkaSettings, log: Log, disk: Path
) -> None:
    shutil.rmtree(disk)
    async with started(kafka, disk) as process:
        await quiet(kafka, [process])
        answer = (await process.client.get(f"/v1/forecasts/{SKUS[0]}")).json()
        assert [one["location"] for one in answer] == ["north", "south"]
        assert {one["learned_until"] for one in answer} == {"2017-01-05T00:00:00Z"}
        await log.plan()
        place = f"/v1/overrides/{SKUS[0]}/north/fair"
        set_ = {
            "first_day": "2017-01-06",
            "last_day": "2017-01-07",
            "units_per_day": 50,
            "by": "ada",
            "reason": "a fair",
        }
        answer = await process.client.put(place, json=set_, headers={"X-API-Key": ADMIN_KEY})
        assert answer.status_code == 202

        async def noted() -> bool:
            shown = (await process.client.get(f"/v1/forecasts/{SKUS[0]}/north")).json()
            days = {one["date"]: one["mean"] for one in shown["fan"]}
            return days["2017-01-06"] == 50 and await sites_noted(kafka)

        await until(noted, what="the override and the catalogue are on the log")
        await log.ask(3)
        await log.advance(4)
        await quiet(kafka, [process])
        assert await published(kafka) == await expected(kafka)
        metrics = (await process.client.get("/metrics")).text
        assert "restock_checkpoint_seconds_count" in metrics
        assert await process.stop() == 0
    assert await written_down(kafka) == (await undisturbed(kafka)).state


async def test_two_share_the_partitions_and_take_over_from_each_other(
    kafka: KafkaSettings, log: Log, disk: Path, tmp_path: Path
) -> None:
    async with started(kafka, disk) as first, started(kafka, tmp_path) as second:

        async def shared() -> bool:
            mine, others = await first.offsets() or {}, await second.offsets() or {}
            return bool(mine) and bool(others) and len(mine) + len(others) == 4

        await until(shared, what="both have partitions", timeout_s=60)
        await log.ask(4)
        await log.advance(5)
        await quiet(kafka, [first, second])
        await log.ask(5)
        await first.kill()
        await log.advance(6)
        await quiet(kafka, [second])
        assert await published(kafka) == await expected(kafka)
        assert await second.stop() == 0
    assert await written_down(kafka) == (await undisturbed(kafka)).state


async def test_a_log_that_its_state_was_not_learned_from_is_refused(
    platform: Platform, kafka: KafkaSettings, disk: Path
) -> None:
    await platform.broker.wipe()
    await declare_topics(kafka)
    other = Log(kafka)
    await other.ask(0)
    await other.advance(1)
    async with started(kafka, disk, stderr=asyncio.subprocess.PIPE) as process:
        _, errors = await process.process.communicate()
        assert process.process.returncode == 1
        assert b"LogMismatch" in errors
        assert b"the log was cut or replaced" in errors
