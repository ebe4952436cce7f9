"""Ctrl-C in the middle of a demo leaves no process and no folder behind."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.support import run_folder_of

pytestmark = pytest.mark.e2e


def test_an_interrupted_demo_stops_and_removes_everything() -> None:
    demo = subprocess.Popen(
        [Path(sys.executable).with_name("restock"), "demo", "--days", "9", "--orders-per-day", "9"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert demo.stdout is not None
    shown = []
    for line in demo.stdout:
        shown.append(line)
        if line.startswith("2017-01-01"):
            break
    children = psutil.Process(demo.pid).children(recursive=True)
    folder = run_folder_of(psutil.Process(demo.pid))
    assert len(children) >= 7, shown  # a broker, a database server and five services
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert "Interrupted: everything has been stopped and removed." in rest
    assert [child for child in children if _alive(child)] == []
    assert not folder.exists()


def _alive(process: psutil.Process) -> bool:
    """Return whether a process runs; one that ended but was not reaped by init does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
