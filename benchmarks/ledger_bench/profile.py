"""A profile of the writer by py-spy, where that is on the PATH; it slows the writer down."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from restock_local.processes import ProcessFailed

_SAMPLES_A_SECOND = 100
_LONGEST_S = 36_000
_PATIENCE_S = 60


@contextmanager
def profiled(pid: int, path: Path | None) -> Iterator[None]:
    """Sample the stacks of a process meanwhile, and write them in speedscope's format.

    Args:
        pid: Whose.
        path: Where to; None samples nothing.

    Raises:
        ProcessFailed: py-spy is not there, or wrote nothing.
    """
    if path is None:
        yield
        return
    spy = shutil.which("py-spy")
    if spy is None:
        raise ProcessFailed("py-spy is not on the PATH, so there is no profile")
    asked = ["--pid", str(pid), "--rate", str(_SAMPLES_A_SECOND), "--duration", str(_LONGEST_S)]
    process = subprocess.Popen(
        [spy, "record", *asked, "--format", "speedscope", "--output", str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=_PATIENCE_S)
    if not path.exists():
        raise ProcessFailed(f"py-spy ended with {process.returncode} and wrote nothing")
