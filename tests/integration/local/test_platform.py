import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.support import publish, read_messages, until

from restock_common.contracts.catalogue import Pool
from restock_common.contracts.topics import CATALOGUE, TOPICS
from restock_common.errors import Transient
from restock_common.kafka import log_bounds
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition
from restock_local.folders import run_folder
from restock_local.platform.base import Platform, declare_topics
from restock_local.platform.choose import choose

LEFT_ALONE = """
import asyncio, sys
from pathlib import Path
from restock_local.folders import run_folder
from restock_local.platform.choose import choose

async def main() -> None:
    with run_folder(Path(sys.argv[1])) as folder:
        async with choose("embedded", folder):
            print("started", flush=True)
            await asyncio.sleep(3600)

asyncio.run(main())
"""


def offspring(of: int) -> set[psutil.Process]:
    return set(psutil.Process(of).children(recursive=True))


def content(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def start_alone(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", LEFT_ALONE, str(folder)], stdout=subprocess.PIPE)


async def gone(processes: set[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


async def test_leaving_the_embedded_platform_leaves_nothing(tmp_path: Path) -> None:
    before = offspring(os.getpid())
    with run_folder(tmp_path) as folder:
        async with choose("embedded", folder) as platform:
            await declare_topics(platform.kafka)
            database = Database(await platform.new_database("one"))
            await database.open()
            started = offspring(os.getpid()) - before
            info = platform.info()
            # It is left while a client is connected, as it is when a service hangs.
        assert await gone(started)
        assert len(started) > 2
        await database.close()
    assert content(tmp_path) == []
    assert info["broker"].startswith("tansu ")
    assert info["broker"].endswith(" (embedded)")
    assert info["database"].startswith("PostgreSQL ")


async def test_a_start_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = offspring(os.getpid())
    platform = choose("embedded", tmp_path)

    async def no_answer() -> None:
        raise Transient("the test says so")

    monkeypatch.setattr(platform.broker, "start", no_answer)
    with pytest.raises(Transient, match="the test says so"):
        async with platform:
            pass
    assert await gone(offspring(os.getpid()) - before)


async def test_nothing_survives_a_sigkill_of_its_parent(tmp_path: Path) -> None:
    parent = start_alone(tmp_path)
    assert parent.stdout is not None
    line = await asyncio.to_thread(parent.stdout.readline)
    started = offspring(parent.pid)
    assert line == b"started\n"
    assert len(started) > 2

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    await until(lambda: gone(started), what="the broker and the database end")
    assert len(content(tmp_path)) == 1
    with run_folder(tmp_path) as folder:
        assert content(tmp_path) == [folder]  # the next run removes what was left


def test_a_run_leaves_the_folder_of_another_one_alone(tmp_path: Path) -> None:
    with run_folder(tmp_path) as one, run_folder(tmp_path) as other:
        assert one != other
        assert set(tmp_path.iterdir()) == {one, other}
    assert content(tmp_path) == []


async def test_a_wiped_broker_is_empty_and_reached_as_before(
    platform: Platform, kafka: KafkaSettings
) -> None:
    await publish(kafka, [Pool(pool="north", shard=0)])
    await platform.broker.wipe()
    await declare_topics(kafka)
    partitions = [Partition(t.name, n) for t in TOPICS for n in range(t.partitions)]
    bounds = await log_bounds(kafka, partitions)
    assert all(begin == end for begin, end in bounds.values())


@pytest.mark.apache
async def test_a_restarted_broker_has_its_log_again(
    platform: Platform, kafka: KafkaSettings
) -> None:
    pools = [Pool(pool="north", shard=0), Pool(pool="south", shard=1)]
    await publish(kafka, pools)
    await platform.broker.restart()
    assert [one.event for one in await read_messages(kafka, CATALOGUE)][-2:] == pools


def test_an_unknown_platform_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'moon' is not a platform; known: auto, embedded"):
        choose("moon", tmp_path)
