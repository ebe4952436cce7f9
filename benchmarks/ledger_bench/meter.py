"""What the processes of a run use: memory of the one measured, processor time of each part."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

_MIB = 1024 * 1024
_PARTS = {"postgres": ("postgres", "-D"), "broker": ("kafka.Kafka",)}
"""What stands in the command line of a part's first process."""


class Meter:
    """Reads what the kernel knows of the writer, the database server and the broker.

    The latter two are found among the processes that this one has started; where a container
    engine runs them, nothing is known of them.

    Args:
        writer: The process id of the ledger, or of whoever writes in its place.
    """

    def __init__(self, writer: int) -> None:
        self._writer = psutil.Process(writer)
        self._parts = {name: _find(words) for name, words in _PARTS.items()}

    def rss_mb(self) -> float:
        """Return the memory that the writer holds now."""
        return float(self._writer.memory_info().rss) / _MIB

    def rss_peak_mb(self) -> float:
        """Return the most that it has ever held."""
        status = Path(f"/proc/{self._writer.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def cpu_s(self) -> dict[str, float]:
        """Return the processor time that each part has used so far."""
        used = {"writer": _used_s(self._writer)}
        for name, process in self._parts.items():
            if process is not None:
                used[name] = sum(_used_s(one) for one in _family(process))
        return used


def _find(words: tuple[str, ...]) -> psutil.Process | None:
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            line = process.cmdline()
            if all(any(word in part for part in line) for word in words):
                return process
    return None


def _family(process: psutil.Process) -> Iterator[psutil.Process]:
    yield process
    yield from process.children(recursive=True)


def _used_s(process: psutil.Process) -> float:
    """Return what a process has used, with its children that have ended."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
