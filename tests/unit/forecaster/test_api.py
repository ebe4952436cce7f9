"""The window on current forecasts, and what planners may do through it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from tests.unit.forecaster.sample import Shards, midnight, overridden, take_all

from forecaster import api
from forecaster.domain.state import PartitionState
from restock_common.contracts.demand import ForecastOverridden, OverrideWithdrawn

KEY = {"X-API-Key": "a planner's key"}
PERIOD = {"first_day": "2017-01-03", "last_day": "2017-01-09", "by": "ada", "reason": "a fair"}


@pytest.fixture
def state() -> PartitionState:
    """Return a partition after a day with tea at two locations."""
    shards, found = Shards(), PartitionState(0)
    sent = [shards.asks(0, "tea", 30), shards.asks(0, "tea", 2, location="south")]
    take_all(found, [*sent, *shards.time(midnight(1))])
    return found


@pytest.fixture
def written() -> list[ForecastOverridden | OverrideWithdrawn]:
    """Return what planners have said."""
    return []


@pytest.fixture
async def client(state: PartitionState, written: list[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async def write(event: ForecastOverridden | OverrideWithdrawn) -> None:
        written.append(event)

    app = api.build(lambda: [state], write, admin_key=SecretStr(KEY["X-API-Key"]))
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


async def test_one_forecast_comes_with_all_that_there_is_to_show(
    client: httpx.AsyncClient,
) -> None:
    shown = (await client.get("/v1/forecasts/tea/north")).json()
    assert shown["model"] == "global-mixture"
    assert shown["learned_days"] == 1
    assert shown["last_demand_on"] == "2017-01-02"
    assert [one["units"] for one in shown["history"]] == [30.0]
    assert [one["days"] for one in shown["horizons"]] == [1, 3, 7, 14, 28, 56, 112]
    assert len(shown["fan"]) == 112
    assert shown["fan"][0]["date"] == "2017-01-03"
    two_weeks = sum(one["mean"] for one in shown["fan"][:14])
    assert two_weeks == pytest.approx(shown["horizons"][3]["mean"])
    assert sum(one["units"] for one in shown["explanation"]) == pytest.approx(two_weeks, rel=0.01)
    assert shown["overrides"] == []
    assert (await client.get("/v1/forecasts/tea/nowhere")).status_code == 404


async def test_an_override_is_written_to_the_log(
    client: httpx.AsyncClient, written: list[Any]
) -> None:
    place = "/v1/overrides/tea/north/fair"
    answer = await client.put(place, json={**PERIOD, "units_per_day": 12}, headers=KEY)
    assert answer.status_code == 202
    answer = await client.delete(f"{place}?by=bob&reason=rain", headers=KEY)
    assert answer.status_code == 202
    put, withdrawn = written
    assert (put.override, put.by, put.reason, put.units_per_day) == ("fair", "ada", "a fair", 12)
    assert (withdrawn.override, withdrawn.by, withdrawn.reason) == ("fair", "bob", "rain")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({}, "units_per_day"),
        ({"units_per_day": 1, "factor": 2}, "units_per_day"),
        ({"factor": -1}, "factor"),
        ({"factor": 2, "last_day": "2017-09-01"}, "last_day"),
        ({"factor": 2, "first_day": "2016-01-01", "last_day": "2016-01-02"}, "last_day"),
        ({"factor": 2, "reason": ""}, "reason"),
    ],
)
async def test_an_override_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, written: list[Any], changed: dict[str, Any], field: str
) -> None:
    answer = await client.put(
        "/v1/overrides/tea/north/fair", json={**PERIOD, **changed}, headers=KEY
    )
    assert answer.status_code == 422
    assert field in answer.text
    assert written == []


async def written_nowhere(_: ForecastOverridden | OverrideWithdrawn) -> None:
    raise AssertionError("nothing is written without a key")


async def test_nobody_sets_anything_without_the_key(client: httpx.AsyncClient) -> None:
    place, body = "/v1/overrides/tea/north/fair", {**PERIOD, "factor": 2}
    assert (await client.put(place, json=body)).status_code == 401
    wrong = {"X-API-Key": "guessed"}
    assert (await client.put(place, json=body, headers=wrong)).status_code == 401
    assert (await client.delete(f"{place}?by=ada", headers=wrong)).status_code == 401
    off = httpx.ASGITransport(api.build(list, written_nowhere))
    async with httpx.AsyncClient(transport=off, base_url="http://test") as without:
        assert (await without.put(place, json=body, headers=KEY)).status_code == 403


async def test_what_was_set_is_shown_beside_what_the_model_says(
    client: httpx.AsyncClient, state: PartitionState
) -> None:
    take_all(state, [overridden(2)])
    shown = (await client.get("/v1/forecasts/tea/north")).json()
    assert shown["override"] == "o-1"
    assert [one["mean"] for one in shown["fan"][1:5]] == [10.0] * 4
    assert shown["fan"][0]["mean"] == shown["fan"][0]["model_mean"]
    (listed,) = (await client.get("/v1/overrides/tea/north")).json()
    assert (listed["by"], listed["reason"]) == ("ada", "a fair in town")
    assert listed["last_day"] == "2017-01-07"
