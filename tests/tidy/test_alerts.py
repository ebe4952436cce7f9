"""Alert rules: well formed, tested by promtool, on metrics that the code has, with a runbook."""

import re
import shutil
import subprocess
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.tidy.metrics import known_metrics
from tests.tidy.repository import ROOT

RULES = ROOT / "deploy" / "observability" / "rules"
FILES = sorted(RULES.glob("*.yml"))


def rules() -> list[dict[str, Any]]:
    documents = [YAML(typ="safe").load(path) for path in FILES]
    return [rule for one in documents for group in one["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [one for one in rules() if "alert" in one]


def names_in(query: str) -> set[str]:
    return set(re.findall(r"\b(?:restock[_:]|process_|up(?=\{))[\w:]*", query))


def anchors() -> set[str]:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in headings}


def test_every_rule_is_on_metrics_that_there_are() -> None:
    recorded = {one["record"] for one in rules() if "record" in one}
    named = {name for one in rules() for name in names_in(one["expr"])}
    assert named
    assert named - known_metrics() - recorded == set()


def test_every_alert_leads_to_its_runbook() -> None:
    for one in alerts():
        page, _, anchor = one["annotations"]["runbook"].partition("#")
        assert page == "docs/operations.md"
        assert anchor in anchors(), one["alert"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Prometheus)")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_rule_does_what_it_says(path: Any) -> None:
    for command in (
        ["check", "rules", path.name],
        ["test", "rules", f"tests/{path.stem}.test.yml"],
    ):
        done = subprocess.run(
            ["promtool", *command], cwd=RULES, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
