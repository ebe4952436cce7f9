"""Fetches uv of a given version from PyPI into a folder, with what a bare Python 3.11 has.

Usage: python get_uv.py VERSION FOLDER. Puts the program at FOLDER/bin/uv.

pip is asked first, since it may be configured for a mirror. A Debian `python3` can come without
pip and ensurepip; then the wheel is fetched from PyPI directly and its digest checked.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

_INDEX = "https://pypi.org/simple/uv/"
_JSON = "application/vnd.pypi.simple.v1+json"  # PEP 691
_TIMEOUT_S = 120


def main(version: str, folder: Path) -> int:
    """Fetch uv by whichever way works; return the exit code."""
    program = folder / "bin" / "uv"
    shutil.rmtree(folder, ignore_errors=True)
    program.parent.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        try:
            wheel = download_by_pip(version, Path(scratch))
        except subprocess.CalledProcessError:
            wheel = download_directly(version, Path(scratch))
        with zipfile.ZipFile(wheel) as archive:
            member = f"uv-{version}.data/scripts/uv"
            with archive.open(member) as source, program.open("wb") as target:
                shutil.copyfileobj(source, target)
    program.chmod(0o755)
    return 0


def download_by_pip(version: str, folder: Path) -> Path:
    """Return the wheel that pip chose. Raises CalledProcessError where there is no pip."""
    wanted = ["--no-deps", "--only-binary=:all:", "--dest", str(folder), f"uv=={version}"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *wanted]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return next(folder.glob("uv-*.whl"))


def download_directly(version: str, folder: Path) -> Path:
    """Return the wheel for this machine, its digest checked."""
    files = json.loads(_get(_INDEX, accept=_JSON))["files"]
    machine = sysconfig.get_platform().partition("-")[2].replace("-", "_")
    libc = "musllinux" if "musl" in (sysconfig.get_config_var("SOABI") or "") else "manylinux"
    for file in files:
        name = file["filename"]
        if name.startswith(f"uv-{version}-") and name.endswith(f"{machine}.whl") and libc in name:
            content = _get(urllib.parse.urljoin(_INDEX, file["url"]), accept="*/*")
            if hashlib.sha256(content).hexdigest() != file["hashes"]["sha256"]:
                raise SystemExit(f"{name}: its content is not what PyPI lists")
            wheel = folder / str(name)
            wheel.write_bytes(content)
            return wheel
    raise SystemExit(f"PyPI has no uv {version} for {libc} on {machine}")


def _get(url: str, *, accept: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310 - https, above
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - as above
        content: bytes = answer.read()
        return content


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2])))
