"""What the API answers before anything is decided: nothing runs behind it here."""

import httpx
import pytest
from tests.unit.order_ingest.sample import SEAL, customers

from order_ingest.api import KeyRing, Limit, Limits, create_api
from order_ingest.handlers import Clock, Desk, Door, Keys, Outlet
from order_ingest.store import (
    PostgresAnswers,
    PostgresKeys,
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

    async def read_to_now(self) -> None:
        return None


def client(*, replay: bool = True, burst: int = 100) -> httpx.AsyncClient:
    database = Database("postgresql://nowhere")
    door = Door(
        desk=Desk(
            master_data=Unread(),
            clock=Clock(replay=replay),
            outlet=Outlet(Producer(KafkaSettings()), PostgresSpool(database), patience_s=1),
        ),
        database=database,
        book=PostgresOrderBook(),
        register=PostgresRegister(),
        customers=customers(database),
        room=PostgresWaitingRoom(SEAL),
        seal=SEAL,
    )
    bootstrap = {KEY: "shop", "another-key": "other"}
    keys = Keys(database, PostgresKeys(), bootstrap, cache_s=1)
    ring = KeyRing(keys, by_key=Limit(1, burst), by_address=Limit(1, 2 * burst))
    api = create_api(door, keys, ring, PostgresAnswers(database, SEAL), Limits())
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport, base_url="http://door", headers={"X-API-Key": KEY}
    )


async def test_whose_a_key_is() -> None:
    async with client() as http:
        told = (await http.get("/v1/whoami", headers={"X-API-Key": "another-key"})).json()
        assert (told["shop"], "orders" in told["actions"]) == ("other", True)
        assert (await http.get("/v1/whoami", headers={"X-API-Key": "wrong-key"})).status_code == 401


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


async def test_too_many_requests_with_one_key_are_told_when_to_come_again() -> None:
    async with client(burst=3) as http:
        answers = [await http.post("/v1/orders", json={}) for _ in range(5)]
        assert [one.status_code for one in answers] == [422, 422, 422, 429, 429]
        late = answers[3]
        assert late.headers["content-type"] == "application/problem+json"
        assert late.headers["retry-after"] == "1"
        assert late.headers["ratelimit"] == '"key";r=0;t=3'
        assert late.headers["ratelimit-policy"] == '"key";q=3;w=3'
        other = await http.post("/v1/orders", json={}, headers={"X-API-Key": "another-key"})
        assert other.status_code == 422, "the other shop has a limit of its own"


async def test_whoever_guesses_keys_is_slowed_down() -> None:
    async with client(burst=20) as http:
        guesses = [
            await http.post("/v1/orders", json={}, headers={"X-API-Key": f"guess-{n}"})
            for n in range(60)
        ]
        statuses = [one.status_code for one in guesses]
        assert statuses.count(401) == 2
        assert statuses[-1] == 429
        assert guesses[-1].headers["ratelimit-policy"] == '"address";q=40;w=40'


async def test_a_body_that_is_nested_too_deep_is_refused() -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client().post("/v1/orders", content=b"[" * 100_000, headers=headers)
    assert answer.status_code == 400
    assert "nested deeper" in answer.json()["detail"]
