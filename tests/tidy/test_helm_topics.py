"""The chart's list of topics is generated: helm reads no Python.

RESTOCK_UPDATE_DOCS=1 .venv/bin/pytest tests/tidy/test_helm_topics.py
"""

import json
import os

from tests.tidy.chart import CHART

from restock_common.contracts.topics import TOPICS


def test_the_charts_topics_are_those_of_the_code() -> None:
    path = CHART / "files" / "topics.yaml"
    lines = ["topics:"]
    for topic in TOPICS:
        config = topic.config(min_insync_replicas=1)
        del config["min.insync.replicas"]  # a value of the chart
        told = {"name": topic.name, "partitions": topic.partitions, "config": config}
        lines.append(f"  - {json.dumps(told)}")
    wanted = "\n".join(lines) + "\n"
    if os.environ.get("RESTOCK_UPDATE_DOCS") == "1":
        path.write_text(wanted)
    assert path.read_text() == wanted, "see the docstring of this file"
