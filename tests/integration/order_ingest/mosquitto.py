"""An MQTT broker of Debian's, for the tests that meet one."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from restock_local.processes import free_port

_BINARY = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
_PATIENCE_S = 10.0

needs_mosquitto = pytest.mark.skipif(_BINARY is None, reason="needs Debian's mosquitto")


@contextmanager
def mosquitto(folder: Path, port: int | None = None) -> Iterator[int]:
    """Run a broker that keeps its sessions in memory; yield its port."""
    assert _BINARY is not None, "tests that come here are skipped without it"
    port = port or free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([_BINARY, "-c", str(config)], stderr=log, stdout=log)
    try:
        _wait(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:

    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
