"""The service as its own process, with a small catalogue."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.integration.order_ingest.sample import CATALOGUE, Ingest

from restock_common.kafka import Producer
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings
from restock_local.platform.base import Platform
from restock_local.supervisor import ServiceKind, Supervisor


@pytest.fixture(scope="module")
def ingest_environment() -> dict[str, str]:
    """Return what the service is told beside the usual; a module may have its own."""
    return {}


@pytest.fixture(scope="module")
async def ingest(
    request: pytest.FixtureRequest,
    platform: Platform,
    kafka: KafkaSettings,
    tmp_path_factory: pytest.TempPathFactory,
    ingest_environment: dict[str, str],
) -> AsyncIterator[Ingest]:
    """Run order-ingest with the clock that the module asks for, and load the catalogue."""
    folder = tmp_path_factory.mktemp("order-ingest")
    service = ServiceKind("order-ingest")
    supervisor = Supervisor(
        platform,
        folder,
        clock=getattr(request.module, "CLOCK", "replay"),
        environment={
            "RESTOCK_CLOCK_TICK_S": "0.2",
            "RESTOCK_BODY_TIMEOUT_S": "1",
            **ingest_environment,
        },
        services=[service],
    )
    async with supervisor:
        url = supervisor.urls[service.name]
        headers = {"X-API-Key": supervisor.api_key}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
            for kind, items in CATALOGUE.items():
                answer = await http.put(f"/v1/{kind}:batch", json={"items": items})
                assert answer.status_code == 202, answer.text
            database_url = supervisor.database_url(service.name)
            yield Ingest(http, kafka, url, database_url=database_url)
    await platform.databases.drop_database(service.module)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Return a database of the door's own, with its tables and nothing in them."""
    opened = Database(database_url)
    await opened.open()
    await opened.migrate(["restock_common", "order_ingest"])
    yield opened
    await opened.close()


@pytest.fixture
async def producer(kafka: KafkaSettings) -> AsyncIterator[Producer]:
    """Return what publishes on the module's broker."""
    started = Producer(kafka)
    await started.start()
    yield started
    await started.stop()
