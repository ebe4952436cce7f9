"""The dashboards in deploy/observability are what the code makes, on metrics that there are.

RESTOCK_UPDATE_GOLDEN=1 .venv/bin/pytest tests/tidy/test_dashboards.py
"""

import os

import pytest
from tests.tidy.metrics import known_metrics
from tests.tidy.repository import ROOT
from tests.tidy.test_alerts import names_in

from restock_local.dashboards import BOARDS, as_json
from restock_local.dashboards.model import Board

FOLDER = ROOT / "deploy" / "observability" / "dashboards"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_a_dashboard_is_what_the_code_makes(board: Board) -> None:
    path = FOLDER / f"{board.uid}.json"
    if os.environ.get("RESTOCK_UPDATE_GOLDEN") == "1":
        path.write_text(as_json(board))
    assert path.read_text() == as_json(board), "see the docstring of this file"


def test_there_are_no_others() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(one.uid for one in BOARDS)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_query_is_on_metrics_that_there_are(board: Board) -> None:
    for charts in board.rows.values():
        for chart in charts:
            for query in chart.queries.values():
                assert names_in(query), query
                assert names_in(query) <= known_metrics(), query
