"""The service as it is run: a process with its doors."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest
from tests.support import publish, until
from tests.unit.stock_ledger.building import counted, order

from restock_common.settings import KafkaSettings

pytestmark = pytest.mark.kafka


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_process_serves_and_ends_in_order(
    kafka: KafkaSettings, database_url: str, tmp_path: Path
) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "RESTOCK_DATABASE_URL": database_url,
        "RESTOCK_KAFKA_BOOTSTRAP": kafka.kafka_bootstrap,
        "RESTOCK_KAFKA_IDEMPOTENT": str(kafka.kafka_idempotent),
        "RESTOCK_KAFKA_SESSION_TIMEOUT_MS": str(kafka.kafka_session_timeout_ms),
        "RESTOCK_HTTP_PORT": str(port),
    }
    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "stock_ledger", env=environment, stdout=log, stderr=log
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as door:

            async def ready() -> bool:
                try:
                    return (await door.get("/health/ready")).is_success
                except httpx.TransportError:
                    return False

            await until(ready, what="the process is ready")
            placed = order("shop:1/2", ("tea", 2))
            await publish(kafka, [counted("c", "n1", ("tea", 3)), placed], partition=0)

            async def booked() -> bool:
                return (await door.get("/v1/orders/shop:1/2")).is_success

            await until(booked, what="the order is in the books")
            (level,) = (await door.get("/v1/stock/tea")).json()["levels"]
            assert (level["on_hand"], level["reserved"], level["available"]) == (3, 2, 1)
            assert (await door.get("/v1/figures")).json()["orders"] == 1
            shards = (await door.get("/v1/shards")).json()["shards"]
            assert [shard["next_offset"] for shard in shards] == [2, 0, 0, 0]
            missing = await door.get("/v1/orders/none")
            assert missing.status_code == 404
            assert missing.headers["content-type"] == "application/problem+json"
            assert "'none'" in missing.json()["detail"]
            metrics = (await door.get("/metrics")).text
            assert "restock_ledger_reservations_total 1.0" in metrics
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0, (tmp_path / "log").read_text()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
