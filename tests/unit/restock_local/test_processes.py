import asyncio
import signal
import sys
from pathlib import Path

import psutil

from restock_local.processes import end, exit_status, finished, free_port, last_lines, spawn

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("ready", flush=True)
time.sleep(600)
"""


async def ready(log: Path) -> None:
    async with asyncio.timeout(30):
        while "ready" not in last_lines(log):  # noqa: ASYNC110 - a file is no event
            await asyncio.sleep(0.02)


async def test_what_will_not_end_is_killed_with_what_it_started(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = spawn([sys.executable, "-c", STUBBORN], log=log)
    await ready(log)
    session = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
    assert len(session) == 2
    await end(process, grace_s=0.1)
    assert exit_status(process) == -signal.SIGKILL
    _, left = psutil.wait_procs(session, timeout=10)
    assert left == []


async def test_the_exit_code_is_told_as_often_as_asked(tmp_path: Path) -> None:
    process = spawn([sys.executable, "-c", "raise SystemExit(7)"], log=tmp_path / "log")
    assert await finished(process, timeout_s=30) == 7
    assert exit_status(process) == 7
    await end(process, grace_s=0)
    assert exit_status(process) == 7


async def test_a_process_that_goes_on_has_no_exit_code(tmp_path: Path) -> None:
    process = spawn(["sleep", "600"], log=tmp_path / "log")
    assert await finished(process, timeout_s=0.1) is None
    await end(process, grace_s=10)
    assert exit_status(process) == -signal.SIGTERM


async def test_its_environment_is_the_one_given(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = spawn(
        ["/usr/bin/env"], log=log, environment={"PATH": "/usr/bin:/bin", "ONLY": "this"}
    )
    await finished(process, timeout_s=30)
    assert set(last_lines(log).splitlines()) == {"PATH=/usr/bin:/bin", "ONLY=this"}


def test_the_end_of_a_log_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_lines(log) == "(no log)"
    log.write_text("\n".join(str(n) for n in range(100)))
    assert last_lines(log, count=2) == "98\n99"


def test_a_port_is_given_once() -> None:
    assert len({free_port() for _ in range(50)}) == 50
