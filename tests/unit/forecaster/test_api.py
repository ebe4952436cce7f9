"""The window on current forecasts."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.unit.forecaster.sample import Shards, midnight, take_all

from forecaster import api, handlers
from forecaster.handlers import PartitionState


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    shards, state = Shards(), PartitionState(0)
    sent = [shards.asks(0, "tea", 30), shards.asks(0, "tea", 2, location="south")]
    take_all(state, [*sent, *shards.time(midnight(1))])
    app = api.build(lambda sku: handlers.current(state, sku))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def test_forecasts_come_by_location_with_quantiles(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/forecasts/tea")
    assert answer.status_code == 200
    north, south = answer.json()
    assert (north["location"], south["location"]) == ("north", "south")
    assert north["learned_until"] == "2017-01-03T00:00:00Z"
    week = north["horizons"][2]
    assert week["days"] == 7
    levels = list(week["quantiles"])
    assert levels == ["0.5", "0.8", "0.9", "0.95", "0.99"]
    assert list(week["quantiles"].values()) == sorted(week["quantiles"].values())
    assert 0 < week["mean"] < week["quantiles"]["0.99"]


async def test_a_sku_never_asked_for_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/forecasts/ale")
    assert answer.status_code == 404
    assert "ale" in answer.json()["detail"]
