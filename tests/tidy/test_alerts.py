"""Alert rules: well formed, tested by promtool, on metrics that the code has, with a runbook."""

import re
import shutil
import subprocess
from typing import Any

import prometheus_client
import pytest
from ruamel.yaml import YAML
from tests.tidy.repository import ROOT

from restock_common import telemetry

RULES = ROOT / "deploy" / "observability" / "rules"
FILES = sorted(path for path in RULES.glob("*.yml") if not path.name.endswith(".test.yml"))


def alerts() -> list[dict[str, Any]]:
    documents = [YAML(typ="safe").load(path) for path in FILES]
    return [rule for one in documents for group in one["groups"] for rule in group["rules"]]


def anchors() -> set[str]:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in headings}


def test_every_alert_is_on_metrics_that_there_are() -> None:
    assert telemetry.LEDGER_DRIFTS
    known = {family.name for family in prometheus_client.REGISTRY.collect()}
    named = {name for one in alerts() for name in re.findall(r"restock_\w+", one["expr"])}
    assert named
    assert {name for name in named if name not in known} == set()


def test_every_alert_leads_to_its_runbook() -> None:
    for one in alerts():
        page, _, anchor = one["annotations"]["runbook"].partition("#")
        assert page == "docs/operations.md"
        assert anchor in anchors(), one["alert"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Prometheus)")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_rule_does_what_it_says(path: Any) -> None:
    for command in (["check", "rules", path.name], ["test", "rules", f"{path.stem}.test.yml"]):
        done = subprocess.run(
            ["promtool", *command], cwd=RULES, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
