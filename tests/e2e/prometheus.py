"""A real Prometheus, from Debian's package, on services that run."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML
from tests.support import until
from tests.tidy.repository import ROOT

from restock_local.processes import end, free_port, spawn

IS_THERE = shutil.which("prometheus") is not None


class Asked:
    """Asks a Prometheus."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def query(self, query: str) -> list[Any]:
        """Return the series that a query leads to; fails where it is none."""
        answer = await self._http.get("/api/v1/query", params={"query": query})
        told = answer.json()
        assert told["status"] == "success", f"{query}: {told}"
        found: list[Any] = told["data"]["result"]
        return found


@asynccontextmanager
async def running(folder: Path, urls: Mapping[str, str]) -> AsyncIterator[Asked]:
    """Run Prometheus with the rules of the repository, looking at services every second."""
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [f"{ROOT}/deploy/observability/rules/*.yml"],
        "scrape_configs": [
            {
                "job_name": "restock",  # labels as in Compose and Helm
                "static_configs": [
                    {"targets": [url.removeprefix("http://")], "labels": {"service": name}}
                    for name, url in urls.items()
                ],
            }
        ],
    }
    written = folder / "prometheus.yml"
    with written.open("w") as file:
        YAML(typ="safe", pure=True).dump(config, file)
    port = free_port()
    process = spawn(
        [
            "prometheus",
            f"--config.file={written}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ],
        log=folder / "prometheus.log",
        environment={"PATH": "/usr/bin:/bin:/usr/local/bin"},
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:

            async def ready() -> bool:
                try:
                    return (await http.get("/-/ready")).is_success
                except httpx.TransportError:
                    return False

            await until(ready, what="Prometheus is ready", timeout_s=60)
            yield Asked(http)
    finally:
        await asyncio.shield(end(process, grace_s=5))


def always_answered(rule: str) -> str:
    """Return an alert's expression so that it tells 0 or 1 where it would tell nothing."""
    return re.sub(r"(?<=[\s)}\]])(>=|<=|==|>|<)(?=\s)", r"\1 bool", rule)
