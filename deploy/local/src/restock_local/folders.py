"""Where local state lives: one folder a run, gone when the run ends."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "run-"
_LOCK = "lock"
_UNFINISHED = "."


def project_folder() -> Path:
    """Return the root of the checkout that this package runs from."""
    return Path(__file__).resolve().parents[4]


def state_folder() -> Path:
    """Return the one folder that local state is kept in: `.restock/` of the project."""
    return project_folder() / ".restock"


@contextmanager
def run_folder(parent: Path) -> Iterator[Path]:
    """Make a folder for one run and remove it at the end.

    What runs that were killed have left behind is removed first: each run holds a lock on its
    folder, and the kernel gives the locks of the dead back.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for stale in parent.glob(f"{_PREFIX}*"):
        _remove_unless_held(stale)
    new = Path(tempfile.mkdtemp(prefix=_UNFINISHED + _PREFIX, dir=parent))
    lock = os.open(new / _LOCK, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder = parent / new.name.removeprefix(_UNFINISHED)
    new.rename(folder)  # seen by other runs only now that it is held
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_unless_held(folder: Path) -> None:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return  # another run is removing it at this moment
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
