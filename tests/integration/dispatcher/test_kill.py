"""The service is killed in the middle of a search: nothing is lost, and nothing leaves twice."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from tests.integration.dispatcher.harness import Warehouse, at
from tests.support import publish, read_messages, until

from restock_common.contracts.dispatch import RoutePlanned, ShipmentUnserved
from restock_common.contracts.event import Event
from restock_common.contracts.ledger import ShipmentDispatched, TimeAdvanced
from restock_common.contracts.topics import DISPATCH, FULFILMENT, LEDGER, Topic
from restock_common.settings import KafkaSettings
from restock_local.processes import free_port

pytestmark = pytest.mark.kafka

PARCELS = 240


@asynccontextmanager
async def process(
    kafka: KafkaSettings, database_url: str, log: Path, **settings: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """Run the service, ready; killed at the end."""
    port = free_port()
    own = {
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP": kafka.kafka_bootstrap,
        "KAFKA_IDEMPOTENT": str(kafka.kafka_idempotent),
        "KAFKA_SESSION_TIMEOUT_MS": str(kafka.kafka_session_timeout_ms),
        "HTTP_PORT": str(port),
        "SOLVER_WORKERS": "1",
        **settings,
    }
    with log.open("ab") as output:
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "dispatcher",
            env={**os.environ, **{f"RESTOCK_{name}": value for name, value in own.items()}},
            stdout=output,
            stderr=output,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as door:

            async def ready() -> bool:
                assert running.returncode is None, f"it ended: see {log}"
                try:
                    return (await door.get("/health/ready")).is_success
                except httpx.TransportError:
                    return False

            await until(ready, what="the service is ready", timeout_s=60)
            yield running, door
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


def worked_s(service: int) -> float:
    """Return the processor time that the solvers of a service have taken: seconds."""
    solvers = psutil.Process(service).children(recursive=True)
    return float(sum(solver.cpu_times().user for solver in solvers))


async def events_on(kafka: KafkaSettings, topic: Topic) -> list[Event]:
    """Return what was published, each event once: a relay may repeat itself."""
    return list({one.id: one.event for one in await read_messages(kafka, topic)}.values())


async def test_killed_while_it_searches_it_plans_each_shipment_once(
    kafka: KafkaSettings, database_url: str, tmp_path: Path
) -> None:
    here = Warehouse("cut")
    await publish(kafka, here.catalogue(vans=6), partition=0)
    names = [str(number) for number in range(PARCELS)]
    parcels = [
        here.allocated(name, latitude=40 + (n % 17) / 150, longitude=-83 - (n % 19) / 150)
        for n, name in enumerate(names)
    ]
    tick = here.tell(TimeAdvanced(until=at(0)), at(0))
    gone = here.tell(TimeAdvanced(until=at(20)), at(20))
    log = tmp_path / "dispatcher.log"
    long_search = {"SOLVER_SECONDS": "60"}
    async with process(kafka, database_url, log, **long_search) as (service, _):
        idle_s = worked_s(service.pid)
        await publish(kafka, [*parcels, tick], partition=here.partition, topic=FULFILMENT)

        async def busy() -> bool:
            return worked_s(service.pid) > idle_s + 0.3

        await until(busy, what="the solver is at work")
        workers = psutil.Process(service.pid).children(recursive=True)
        service.kill()
        await service.wait()
        left = await asyncio.to_thread(psutil.wait_procs, workers, 10)
        assert left[1] == [], "a search goes on without its service"
    assert await read_messages(kafka, DISPATCH) == []

    async with process(kafka, database_url, log, SOLVER_SECONDS="1") as (_, door):

        async def planned() -> bool:
            waves = (await door.get("/v1/waves", params={"location": "cut"})).json()["waves"]
            return all(one["planned"] for one in waves if one["closed_at"])

        await until(planned, what="the wave is planned", timeout_s=60)
        await publish(kafka, [gone], partition=here.partition, topic=FULFILMENT)

        async def left_all() -> bool:
            told = await events_on(kafka, LEDGER)
            away = Counter(one.allocation for one in told if isinstance(one, ShipmentDispatched))
            assert max(away.values(), default=1) == 1, "something has left twice"
            events = await events_on(kafka, DISPATCH)
            on_route = Counter(
                stop.allocation
                for one in events
                if isinstance(one, RoutePlanned)
                for stop in one.stops
            )
            waiting = {one.allocation for one in events if isinstance(one, ShipmentUnserved)}
            assert max(on_route.values(), default=1) == 1, "something is on two routes"
            assert not waiting & set(on_route)
            everything = {here.allocation(name) for name in names}
            return set(away) == set(on_route) and set(on_route) | waiting == everything

        await until(left_all, what="all that was planned has left", timeout_s=30)
