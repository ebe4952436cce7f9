"""What the API answers before anything is decided: nothing runs behind it here."""

import httpx
import pytest

from order_ingest.api import Limits, create_api
from order_ingest.handlers import Clock, Door, Outlet
from order_ingest.store import (
    PostgresAnswers,
    PostgresOrderBook,
    PostgresRegister,
    PostgresSpool,
    PostgresWaitingRoom,
)
from restock_common.contracts.catalogue import Catalogue
from restock_common.kafka import Producer
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings

KEY = "a-good-key"


class Unread:
    """Master data that has not been read yet."""

    catalogue = Catalogue()

    def not_ready(self) -> str | None:
        return "the catalogue is being read"


def client(*, replay: bool = True) -> httpx.AsyncClient:
    database = Database("postgresql://nowhere")
    door = Door(
        master_data=Unread(),
        clock=Clock(replay=replay),
        database=database,
        book=PostgresOrderBook(),
        register=PostgresRegister(),
        outlet=Outlet(Producer(KafkaSettings()), PostgresSpool(database), patience_s=1),
        room=PostgresWaitingRoom(),
    )
    api = create_api(
        door, {KEY: "shop", "another-key": "other"}, PostgresAnswers(database), Limits()
    )
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport, base_url="http://door", headers={"X-API-Key": KEY}
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/orders/1/cancel", {}),
        ("PUT", "/v1/pools/p", {"shard": 0}),
        ("POST", "/v1/orders/1/amendments", {"revision": 1, "lines": []}),
        ("DELETE", "/v1/holds/h", None),
        ("PUT", "/v1/policies/a%2Fb/l", {}),
        ("POST", "/v1/transfers/t/shipments", {"shipment": "s", "shipped_at": "2017-01-01T00:00Z"}),
        ("DELETE", "/v1/transfers/t", None),
        (
            "POST",
            "/v1/counts",
            {
                "count": "c",
                "location": "l",
                "counted_at": "2017-01-01T00:00:00Z",
                "lines": [{"sku": "s", "quantity": 1}],
            },
        ),
    ],
)
async def test_before_the_catalogue_is_read_the_sender_is_told_to_come_again(
    method: str, path: str, body: object
) -> None:
    answer = await client().request(method, path, json=body)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "catalogue" in answer.json()["detail"]


async def test_a_fault_of_ours_is_a_problem_without_its_inside() -> None:
    """The producer was never started: an assertion fails behind the door."""
    answer = await client().post("/v1/clock", json={"until": "2017-01-01T00:00:00Z"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "producer" not in answer.text


async def test_a_live_clock_has_no_door() -> None:
    answer = await client(replay=False).post("/v1/clock", json={})
    assert answer.status_code == 404


@pytest.mark.parametrize("key", [KEY[:-1], KEY + "x", KEY.upper(), ""])
async def test_keys_are_compared_whole(key: str) -> None:
    answer = await client().post("/v1/orders", json={}, headers={"X-API-Key": key})
    assert answer.status_code == 401
