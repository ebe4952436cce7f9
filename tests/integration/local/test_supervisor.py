import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from tests.support import EPOCH, message, outgoing, publish, publish_raw, read_messages

from restock_common.contracts.catalogue import Pool
from restock_common.contracts.ledger import (
    CandidateLocation,
    OrderLine,
    OrderPlaced,
    Place,
    Sourcing,
)
from restock_common.contracts.topics import DEMAND
from restock_common.settings import KafkaSettings
from restock_local.folders import run_folder
from restock_local.platform.base import Platform
from restock_local.processes import ProcessFailed
from restock_local.quiet import NotQuiet, QuietWatch, until_quiet
from restock_local.supervisor import ServiceKind, Supervisor

ECHO = ServiceKind("echo-service")


class OneDatabase(Platform):
    """The session's platform, handing out the database of the test."""

    def __init__(self, platform: Platform, url: str) -> None:
        super().__init__(platform.broker, platform.databases)
        self._url = url

    async def new_database(self, name: str) -> str:  # noqa: ARG002 - there is only one
        return self._url


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with run_folder(tmp_path) as made:
        yield made


@pytest.fixture
def supervisor(
    platform: Platform, kafka: KafkaSettings, database_url: str, folder: Path
) -> Supervisor:
    return supervised(OneDatabase(platform, database_url), folder)


@pytest.fixture
async def echo(supervisor: Supervisor) -> AsyncIterator[Supervisor]:
    async with supervisor:
        yield supervisor


def supervised(
    platform: Platform, folder: Path, kind: ServiceKind = ECHO, **environment: str
) -> Supervisor:
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    return Supervisor(
        platform,
        folder,
        clock="replay",
        environment={"PYTHONPATH": path, **environment},
        services=[kind],
    )


def order(number: int, lines: int) -> OrderPlaced:
    return OrderPlaced(
        order=f"shop:{number}",
        customer="c",
        placed_at=EPOCH,
        destination=Place(latitude=1, longitude=2),
        lines=tuple(
            OrderLine(line=str(n), sku=f"sku-{n}", quantity=1) for n in range(1, lines + 1)
        ),
        sourcing=(
            Sourcing(
                pool="home", shard=0, locations=(CandidateLocation(location="here", distance_km=1),)
            ),
        ),
    )


async def demand_seen(kafka: KafkaSettings, orders: set[str]) -> list[str]:
    seen = [one.event for one in await read_messages(kafka, DEMAND)]
    return [one.order for one in seen if one.order in orders]


async def test_quiet_means_that_all_has_arrived(echo: Supervisor, kafka: KafkaSettings) -> None:
    async with QuietWatch(echo.urls, kafka, check=echo.check) as watch:
        await watch.until_quiet(timeout_s=30)
        for number in range(3):
            await publish(kafka, [order(number, lines=200)], partition=number)
            await publish(kafka, [Pool(pool="home", shard=0, name=f"version {number}")])
            await watch.until_quiet(timeout_s=30)
            assert len(await demand_seen(kafka, {f"shop:{number}"})) == 200


async def test_a_killed_service_is_waited_for_and_loses_nothing(
    echo: Supervisor, kafka: KafkaSettings
) -> None:
    orders = [order(number, lines=50) for number in range(100, 140)]
    await publish_raw(kafka, [outgoing(message(one), partition=1) for one in orders])
    echo.kill("echo-service")
    with pytest.raises(NotQuiet, match="echo-service does not answer"):
        await until_quiet(echo.urls, kafka, timeout_s=0.2, check=echo.check)

    quiet = asyncio.create_task(until_quiet(echo.urls, kafka, timeout_s=60, check=echo.check))
    await echo.restart("echo-service")
    await quiet
    assert len(await demand_seen(kafka, {one.order for one in orders})) == 40 * 50


async def test_what_nobody_reads_is_not_quiet(kafka: KafkaSettings) -> None:
    with pytest.raises(NotQuiet, match=r"nobody reads restock\.ledger\.v1/0"):
        await until_quiet({}, kafka, timeout_s=0.1)


async def test_leaving_stops_every_process(supervisor: Supervisor, folder: Path) -> None:
    async with supervisor:
        mine = children("echo_service")
        assert len(mine) == 1
    assert not any(psutil.pid_exists(one.pid) for one in mine)
    assert "stopped" in supervisor.log("echo-service").read_text()


async def test_an_early_end_is_reported_with_its_log(
    platform: Platform, kafka: KafkaSettings, database_url: str, folder: Path
) -> None:
    own = OneDatabase(platform, database_url)
    with pytest.raises(ProcessFailed, match="No module named no_such_service"):
        await supervised(own, folder, ServiceKind("no-such-service")).start()


async def test_a_wrong_setting_is_named(
    platform: Platform, kafka: KafkaSettings, database_url: str, folder: Path
) -> None:
    own = OneDatabase(platform, database_url)
    with pytest.raises(ProcessFailed, match=r"ended with 2.*\n.*RESTOCK_LOG_LEVEL.*'loud'"):
        await supervised(own, folder, RESTOCK_LOG_LEVEL="loud").start()


def children(module: str) -> list[psutil.Process]:
    offspring = psutil.Process().children(recursive=True)
    return [process for process in offspring if module in process.cmdline()]
