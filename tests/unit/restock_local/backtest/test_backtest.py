"""restock backtest over a small file: what it reads, what it refuses, what it tells."""

from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pytest
from typer.testing import CliRunner

from forecaster.domain.loss import LEVELS
from restock_local.backtest import files, scores
from restock_local.backtest.scores import Told
from restock_local.cli import app


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a year's fifth of three skus, one of them promoted, one out of stock at times."""
    random = np.random.default_rng(1)
    lines = []
    for number, mean in enumerate((0.6, 3.0, 9.0)):
        for day in range(105):
            promoted = number == 1 and day % 28 < 7
            out = number == 2 and day % 11 == 0
            quantity = 0 if out else int(random.poisson(mean * (2 if promoted else 1)))
            if quantity or out:
                date = (pd.Timestamp("2025-01-01") + pd.Timedelta(days=day)).date()
                price = 1.5 if promoted else 2.0
                lines.append((f"sku-{number}", "north", date, quantity, price, promoted, out))
    names = ["sku", "location", "date", "quantity", "price", "promotion", "stockout"]
    path = tmp_path_factory.mktemp("history") / "history.csv"
    pd.DataFrame(lines, columns=names).to_csv(path, index=False)
    return path


def test_a_file_is_read(history: Path) -> None:
    data = files.load(history, country="US")
    assert [key.sku for key in data.keys] == ["sku-0", "sku-1", "sku-2"]
    assert data.units.shape == (3, 105)
    assert data.away[2, 0] == 1
    assert data.display[1, :7].tolist() == [1.0] * 7
    assert data.discount[1].max() == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("quantity", "-1", r"line 3: quantity is '?-1"),
        ("date", "soon", r"line 3: date is 'soon'"),
        ("stockout", "7", r"line 3: stockout is '?7"),
    ],
)
def test_a_wrong_line_is_named(
    history: Path, tmp_path: Path, column: str, value: str, told: str
) -> None:
    frame = pd.read_csv(history).astype(object)
    frame.loc[1, column] = value
    frame.to_csv(tmp_path / "wrong.csv", index=False)
    with pytest.raises(ValueError, match=told):
        files.load(tmp_path / "wrong.csv")


def test_figures_and_page_are_written(history: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    told = ["--learner", "exponentially-weighted", "--json", "-", "--html", str(page)]
    done = CliRunner().invoke(app, ["backtest", str(history), *told])
    assert done.exit_code == 0, done.output
    figures = orjson.loads(done.stdout)
    assert figures["scored"] == 3
    assert figures["reference"] == "seasonal-naive"
    assert 0 < figures["spl_7"] < figures["reference_spl_7"]
    assert figures["ratio_7_interval"][0] <= figures["ratio_7"] <= figures["ratio_7_interval"][1]
    assert {f"coverage_{level}_{days}" for level in (90, 95, 99) for days in (7, 14)} <= set(
        figures
    )
    assert "beats seasonal naive" in page.read_text()


def test_an_unknown_method_is_refused(history: Path) -> None:
    done = CliRunner().invoke(app, ["backtest", str(history), "--learner", "oracle"])
    assert done.exit_code == 2
    assert "oracle" in done.output


def test_pinball_loss_is_scaled_by_what_is_usual() -> None:
    units = np.tile([0.0, 4.0, 1.0, 3.0, 2.0, 5.0, 6.0], (1, 12)) + np.arange(84) / 10
    seen = scores.truth(units, [70])
    right = np.repeat(seen.totals[..., None], len(LEVELS), -1)
    assert scores.scaled_losses(seen, Told(seen.totals, right)).tolist() == [[0.0, 0.0]]
    over = scores.scaled_losses(
        seen, Told(seen.totals, right + seen.scales[0][None, None, :, None])
    )
    assert over[0] == pytest.approx((1 - LEVELS).mean())
