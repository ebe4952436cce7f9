"""A forecast as a picture: drawn from what the forecaster answers, and the same each time."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.unit.forecaster.sample import Shards, midnight, overridden, take_all
from typer.testing import CliRunner

from forecaster import handlers
from forecaster.api.views import whole_view_of
from forecaster.domain.state import PartitionState
from restock_local.cli import app

picture = pytest.importorskip("restock_local.forecast.picture", reason="the extra [plot]")


@pytest.fixture(scope="module")
def forecast() -> dict[str, Any]:
    """Return a forecast with an override and a day out of stock."""
    shards, state = Shards(), PartitionState(0)
    for day in range(20):
        take_all(state, [shards.asks(day, "tea", 1 + day % 4)])
        if day == 10:
            take_all(state, shards.out_of_stock(10.2, 10.9, "tea"))
        take_all(state, shards.time(midnight(day + 1)))
    take_all(state, [overridden(22)])
    (one,) = handlers.current(state, "tea")
    return dict(orjson.loads(whole_view_of(state, one).model_dump_json()))


def test_it_names_what_it_shows(forecast: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "tea.svg"
    picture.draw(forecast, out)
    first = out.read_bytes()
    picture.draw(forecast, out)
    assert out.read_bytes() == first
    drawn = first.decode()
    told = ["tea at north", "out of stock or closed", "the model's own", "override o-1"]
    for words in [*told, *(one["feature"] for one in forecast["explanation"])]:
        assert f"<!-- {words}" in drawn or words in drawn, words


def test_a_key_that_has_never_sold_is_drawn_too(forecast: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "new.png"
    picture.draw({**forecast, "history": [], "explanation": [], "override": None}, out)
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_no_known_kind_is_refused() -> None:
    answer = CliRunner().invoke(app, ["forecast", "plot", "tea", "north", "--out", "tea.gif"])
    assert answer.exit_code == 2
    assert "tea.gif" in answer.output


def test_a_forecaster_that_does_not_answer_is_named(tmp_path: Path) -> None:
    place = ["--out", str(tmp_path / "tea.png"), "--url", "http://127.0.0.1:1"]
    answer = CliRunner().invoke(app, ["forecast", "plot", "tea", "north", *place])
    assert answer.exit_code == 2
    assert "no forecast from http://127.0.0.1:1" in answer.output
