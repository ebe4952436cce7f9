"""Schemathesis over the whole description: no 5xx, no answer outside what is documented.

`RESTOCK_SOAK=1` sends 5,000 requests and more, else as many as fit in 20 s.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

import httpx
import pytest
from tests.integration.order_ingest.sample import Ingest

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(1800)]

SOAK = os.environ.get("RESTOCK_SOAK") == "1"
MIN_REQUESTS = 5_000 if SOAK else 50
"""In 20 s also a busy machine sends as many: else nothing was tried."""
EXTENT = ["--max-examples", "150"] if SOAK else ["--max-examples", "10", "--max-time", "20"]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)


async def requests_taken(ingest: Ingest) -> int:
    """Return how many requests the doors have answered, by the service's own count."""
    async with httpx.AsyncClient(base_url=ingest.url) as http:
        told = (await http.get("/metrics")).text
    counted = r'^restock_http_\w+_count\{[^}]*route="/v1/[^}]*\} (\S+)$'
    found = re.findall(counted, told, re.MULTILINE)
    return int(sum(map(float, found)))


async def test_every_answer_is_documented(ingest: Ingest, tmp_path: Path) -> None:
    before = await requests_taken(ingest)
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "schemathesis",
        "run",
        f"{ingest.url}/openapi.json",
        *("--header", f"X-API-Key: {ingest.http.headers['X-API-Key']}"),
        *("--checks", ",".join(CHECKS)),
        *("--phases", "examples,coverage,fuzzing"),
        *("--seed", "4", "--generation-database", "none", "--warnings", "off", "--no-color"),
        *EXTENT,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()[:6000]
    assert await requests_taken(ingest) - before >= MIN_REQUESTS
