"""docs/operations.md is kept in step with the code: its tables are generated.

RESTOCK_UPDATE_DOCS=1 .venv/bin/pytest tests/tidy/test_operations.py
"""

import os
import re
from collections.abc import Callable, Mapping

import pytest
from prometheus_client import REGISTRY
from tests.tidy.metrics import known_metrics
from tests.tidy.repository import ROOT, SERVICES
from tests.tidy.settings_of import Variable, variables, variables_of

from restock_common.contracts.topics import TOPICS, Topic
from restock_common.settings import ServiceSettings

PAGE = ROOT / "docs" / "operations.md"


def topics() -> str:
    lines = [
        "| topic | key | partitions | kept | published by |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {t.name} | {t.key} | {t.partitions} | {kept(t)} | {t.published_by} |" for t in TOPICS
    ]
    return "\n".join(lines)


def kept(topic: Topic) -> str:
    if topic.cleanup.value == "compact":
        return "the last record of each key"
    return "for ever" if topic.retention is None else f"{topic.retention.days} days"


def metrics() -> str:
    known_metrics()
    lines = ["| metric | kind | meaning |", "| --- | --- | --- |"]
    for metric in sorted(REGISTRY.collect(), key=lambda metric: metric.name):
        if metric.name.startswith("restock_"):
            name = metric.name + ("_total" if metric.type == "counter" else "")
            lines.append(f"| `{name}` | {metric.type} | {metric.documentation} |")
    return "\n".join(lines)


def settings() -> str:
    parts = [table(variables(ServiceSettings))]
    for service in SERVICES:
        own = {name: v for name, v in variables_of(service).items() if v.own}
        if own:
            parts.append(f"{service} reads these as well:\n\n{table(own)}")
    return "\n\n".join(parts)


def table(rows: Mapping[str, Variable]) -> str:
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, variable in rows.items():
        default = (
            "required"
            if variable.required
            else (f"`{variable.default}`" if variable.default else "")
        )
        lines.append(f"| `{name}` | {default} | {variable.meaning} |")
    return "\n".join(lines)


BLOCKS: dict[str, Callable[[], str]] = {"topics": topics, "metrics": metrics, "settings": settings}


def block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name}: .*? -->\n)(.*?)(<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_generated_table_is_what_the_code_says(name: str) -> None:
    page = PAGE.read_text()
    wanted = f"\n{BLOCKS[name]()}\n\n"
    if os.environ.get("RESTOCK_UPDATE_DOCS") == "1":
        page = block(name).sub(lambda found: found[1] + wanted + found[3], page)
        PAGE.write_text(page)
    found = block(name).search(page)
    assert found is not None
    assert found[2] == wanted, "see the docstring of this file"


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_is_explained(service: str) -> None:
    assert [name for name, variable in variables_of(service).items() if not variable.meaning] == []


@pytest.mark.parametrize("service", SERVICES)
def test_one_variable_means_one_thing(service: str) -> None:
    """A service may not give a common variable another meaning or default."""
    common = variables(ServiceSettings)
    mine = variables_of(service)
    assert {name: mine[name] for name in common} == common


def test_every_decision_has_its_four_parts() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text()
        parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Alternatives"], page.name
        assert text.startswith(f"# {int(page.name[:4])}. "), page.name


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []
