"""What people ask the ledger: names that cannot be are told so, and never reach the database."""

from typing import Any, cast

import httpx
import pytest

from stock_ledger.api import Queries, create_api
from stock_ledger.api.schema import AvailabilityAnswer, StockAnswer

UNITS = (
    *("on_hand", "reserved", "held", "damaged", "quality_hold", "in_transit", "backordered"),
    "safety_buffer",
)


class Asked:
    """Answers with what it was asked."""

    async def stock(self, skus: list[str], _channel: str | None = None) -> list[dict[str, Any]]:
        level: dict[str, Any] = dict.fromkeys(UNITS, 0)
        return [
            {"sku": sku, "location": "n1", "pool": "north", "shard": 0, **level, "available": 2}
            for sku in skus
        ]

    async def order(self, order: str) -> dict[str, Any] | None:
        return None if order == "none" else {"order": order}


class Free:
    """Everything costs nothing."""

    def unit_cost(self, _sku: str) -> float:
        return 0.0


async def get(path: str) -> httpx.Response:
    transport = httpx.ASGITransport(create_api(cast("Queries", Asked()), Free()))
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as http:
        return await http.get(path)


async def test_names_may_hold_what_addresses_can() -> None:
    assert (await get("/v1/orders/shop:1/2")).json() == {"order": "shop:1/2"}
    assert (await get("/v1/stock/tea%20%E2%82%AC")).json()["levels"][0]["sku"] == "tea €"
    assert (await get("/v1/orders/none")).status_code == 404


@pytest.mark.parametrize(
    "path", ["/v1/stock/%00", "/v1/orders/a%00b", f"/v1/stock/{'x' * 200}", "/v1/orders/%20"]
)
async def test_a_name_that_cannot_be_is_refused(path: str) -> None:
    answer = await get(path)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert path.split("/")[2].removesuffix("s").replace("stock", "sku") in answer.json()["detail"]


async def test_availability_is_told_for_many_skus_at_once_as_the_document_says() -> None:
    transport = httpx.ASGITransport(create_api(cast("Queries", Asked()), Free()))
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as http:
        skus = [f"sku {n}" for n in range(1000)]
        told = await http.post("/v1/availability", json={"skus": skus})
        few = await http.get("/v1/availability", params={"sku": ["a", "b"], "pool": "south"})
        many = await http.post("/v1/availability", json={"skus": [*skus, "one more"]})
    answer = AvailabilityAnswer.model_validate(told.json())
    assert answer.availability["sku 7"].locations == {"n1": 2}
    assert len(answer.availability) == 1000
    assert few.json()["availability"]["a"] == {"available": 0, "locations": {}}
    assert many.status_code == 422
    StockAnswer.model_validate((await get("/v1/stock/tea")).json())
