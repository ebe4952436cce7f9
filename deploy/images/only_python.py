"""Gathers what a Python program needs of a base image, and no other program: not even a shell.

Usage: python only_python.py ROOT TARGET. Whoever breaks into a service finds nothing else to run.
"""

import shutil
import sys
from pathlib import Path

LINKS = ("lib", "lib64", "bin", "sbin")
"""Of a merged /usr: the dynamic loader is looked for below /lib64."""

KEPT = (
    "etc/group",
    "etc/ld.so.cache",
    "etc/localtime",
    "etc/nsswitch.conf",
    "etc/os-release",
    "etc/passwd",
    "etc/ssl",
    "usr/lib",
    "usr/lib64",
    "usr/local/bin/python3*",
    "usr/local/lib",
    "usr/share/ca-certificates",
    "usr/share/zoneinfo",
    "var/lib/dpkg/status*",  # what scanners read the base image's packages from
    "var/lib/restock",
)
DROPPED = (
    "usr/lib/apt",
    "usr/lib/dpkg",
    "usr/local/bin/*-config",
    "usr/local/lib/python*/ensurepip",
    "usr/local/lib/python*/idlelib",
    "usr/local/lib/python*/site-packages/*",
)


def main(root: Path, target: Path) -> int:
    """Copy it from one root to another; return the exit code."""
    for name in LINKS:
        link = root / name
        if link.is_symlink():
            _copy(link, target / name)
    for pattern in KEPT:
        for path in root.glob(pattern):
            _copy(path, target / path.relative_to(root))
    for pattern in DROPPED:
        for path in target.glob(pattern):
            _remove(path)
    (target / "tmp").mkdir(mode=0o1777)
    (target / "tmp").chmod(0o1777)
    return 0


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.copytree(path, target, symlinks=True)
    else:
        shutil.copy2(path, target, follow_symlinks=False)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
