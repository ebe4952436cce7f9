"""The command over a small file, and the clairvoyant against every way of ordering."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from replenisher.domain.policies.protocol import Costs
from restock_local.backtest import files
from restock_local.cli import app
from restock_local.simulate import clairvoyant
from restock_local.simulate.setting import Setting, make_setting


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(1)
    lines = ["sku,location,date,quantity,price"]
    for day in range(130):
        for sku in range(4):
            units = int(random.poisson(sku + 0.5))
            if units:
                when = date(2025, 1, 1) + timedelta(days=day)
                lines.append(f"sku-{sku},north,{when},{units},{sku + 2}")
    path = tmp_path_factory.mktemp("simulate") / "history.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(history: Path, *more: str) -> bytes:
    told = CliRunner().invoke(app, ["simulate", "policy", "--demand", str(history), *more])
    assert told.exit_code == 0, told.output
    return told.stdout_bytes


def test_the_command_tells_every_policy_and_the_same_for_the_same_seed(
    history: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    line = run(history, "--seed", "3", "--html", str(page), "--json", "-")
    figures = orjson.loads(line)
    assert {"moving-average", "least-cost", "fill-rate"} <= figures["policies"].keys()
    for one in figures["policies"].values():
        parts = ("holding_cost", "ordering_cost", "shortage_cost", "write_off_cost")
        assert one["cost"] == pytest.approx(sum(one[part] for part in parts))
        assert 0 <= one["fill_rate"] <= 1
    assert "<polyline" in page.read_text()
    assert run(history, "--seed", "3", "--json", "-") == line


def test_too_short_a_history_is_refused(history: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.csv"
    short.write_text("\n".join(history.read_text().splitlines()[:200]))
    told = CliRunner().invoke(app, ["simulate", "policy", "--demand", str(short)])
    assert told.exit_code != 0


def short_setting(history: Path, *, lost_sales: bool) -> Setting:
    setting = make_setting(files.load(history), seed=2, ratio=4.0, lost_sales=lost_sales)
    end = setting.start + 40
    return replace(
        setting,
        demand=setting.demand[:1, :end] + 1,
        lead_days=setting.lead_days[:1, :end],
        initial=setting.initial[:1],
        costs=Costs(
            np.full(1, 6.0),
            np.full(1, 2.0),
            np.full(1, 0.1),
            np.full(1, 0.0 if lost_sales else 0.4),
            np.full(1, 3.0 if lost_sales else 0.0),
        ),
    )


@pytest.mark.parametrize("lost_sales", [False, True])
def test_nobody_does_better_than_the_clairvoyant(history: Path, lost_sales: bool) -> None:
    setting = short_setting(history, lost_sales=lost_sales)
    demand = setting.demand[0, setting.start :]
    total = demand.cumsum()
    left = np.diff(np.maximum(total - setting.initial[0], 0), prepend=0)
    shelf = np.maximum(setting.initial[0] - total, 0).sum() * 0.1
    days = len(demand)
    reviews = np.array(setting.reviews) - setting.start
    arrivals = reviews + setting.lead_days[0, setting.start :][reviews]
    arrivals = np.unique(arrivals[arrivals < days])
    best = np.inf
    for count in range(len(arrivals) + 1):
        for chosen in combinations(arrivals.tolist(), count):
            cost = 6.0 * count + shelf
            for day, units in enumerate(left.tolist()):
                ways = [0.1 * (day - one) for one in chosen if one <= day]
                ways += [0.4 * (min([c for c in chosen if c > day] + [days]) - day)]
                if lost_sales:
                    ways[-1] = 3.0
                cost += units * min(ways)
            best = min(best, cost)
    assert clairvoyant.least_cost(setting)[0] == pytest.approx(best)
