"""The whole chain, small: five processes on the embedded platform, real orders through the door."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from restock_local.demo.figures import Figures

pytestmark = pytest.mark.e2e

PROMISED = {
    "orders_sent",
    "orders_ledgered",
    "orders_lost",
    "duplicates_sent",
    "duplicates_applied",
    "lines_reserved",
    "lines_backordered",
    "lines_served_by_another_pool",
    "units_oversold",
    "demand_events",
    "forecasts",
    "purchase_orders",
    "receipts",
    "routes",
    "shipments_delivered",
    "wall_s",
    "orders_per_s",
    "platform",
}


def test_every_order_travels_the_whole_way(undisturbed: Figures) -> None:
    assert undisturbed.faults == {}
    assert undisturbed.orders_sent == undisturbed.orders_ledgered == 120
    assert undisturbed.duplicates_sent > 0
    assert undisturbed.dead_letters == 0


@pytest.mark.parametrize(
    "figure",
    [
        "lines_reserved",
        "lines_backordered",
        "lines_served_by_another_pool",
        "demand_events",
        "forecasts",
        "purchase_orders",
        "receipts",
        "routes",
        "shipments_delivered",
    ],
)
def test_each_service_did_its_part(undisturbed: Figures, figure: str) -> None:
    assert getattr(undisturbed, figure) > 0


def test_the_command_writes_the_same_figures_for_the_same_seed(undisturbed: Figures) -> None:
    command = [str(Path(sys.executable).with_name("restock")), "demo", "--json", "-"]
    options = ["--days", "2", "--seed", "1", "--orders-per-day", "60"]
    done = subprocess.run([*command, *options], capture_output=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr.decode()
    written = orjson.loads(done.stdout)
    assert written.keys() >= PROMISED
    business = undisturbed.business()
    assert {name: written[name] for name in business} == business
    assert b"Sound: all 120 orders are in the ledger" in done.stderr
