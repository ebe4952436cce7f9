"""The Dockerfile's own steps, run in folders, and each service started from what they make.

No engine is needed: what differs from an image is the base underneath.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.tidy.repository import ROOT, SERVICES, WITHOUT_TABLES, members
from tests.tidy.test_images import DOCKERFILE, SYSTEM_STORE, uv

from restock_common.settings import KafkaSettings
from restock_local.folders import run_folder
from restock_local.platform.base import Platform
from restock_local.platform.embedded import unprivileged
from restock_local.processes import end, exit_status, spawn
from restock_local.supervisor import ServiceKind, Supervisor

_SOURCE = ("pyproject.toml", "uv.lock", "README.md", "libs", "services")


class FromImages(Supervisor):
    """Starts each service as its image does: by the launcher, as nobody, with no other program."""

    def images(self, folder: Path) -> "FromImages":
        self._images = folder
        return self

    async def _environment(self, kind: ServiceKind) -> dict[str, str]:
        environment = await super()._environment(kind)
        if not kind.has_database:  # a volume, which an engine gives to the image's user
            os.chmod(environment["RESTOCK_DATA_DIR"], 0o777)
        return environment

    def _spawn(self, name: str) -> None:
        app = self._images / name / "app"
        own = {k: v for k, v in self._environments[name].items() if k.startswith("RESTOCK_")}
        program, launcher = entrypoint(app)
        path = f"{app}/.venv/bin:{self._images}/tools"
        self._processes[name] = spawn(
            [app / ".venv" / "bin" / program, launcher],
            log=self.log(name),
            environment={**own, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            privileges=unprivileged("+dac_read_search"),
        )

    async def end_each(self) -> dict[str, int | None]:
        """Tell each to end; return their exit codes."""
        codes = {}
        for name, process in self._processes.items():
            process.terminate()
            process.wait(20)
            codes[name] = exit_status(process)
        return codes


def entrypoint(app: Path) -> tuple[str, Path]:
    (found,) = re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)
    program, launcher = json.loads(found)
    return program, app / Path(launcher).relative_to("/app")


def steps(service: str, place: Path) -> str:
    """Return the build stage's commands that make /app, for these folders."""
    stage = DOCKERFILE[: DOCKERFILE.index("\nFROM python", DOCKERFILE.index(" AS build"))]
    joined = stage.replace("\\\n", " ")
    commands = [
        re.sub(r"--mount=\S+ ", "", line.removeprefix("RUN "))
        for line in joined.splitlines()
        if line.startswith("RUN ") and "pip install" not in line
    ]
    assert len(commands) == 4, "the check of SERVICE, two syncs, the launcher with the bill"
    return "\n".join(
        ["set -eu", f"SERVICE={service}", *commands],
    ).replace("/app", shlex.quote(str(place / "app")))


def build(service: str, place: Path, command: str) -> Path:
    source = place / "src"
    for name in _SOURCE[:3]:
        source.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source)
    for member in members():
        folder = source / member.relative_to(ROOT)
        folder.mkdir(parents=True)
        shutil.copy(member / "pyproject.toml", folder)
    ignore = shutil.ignore_patterns("__pycache__")
    for copied in ("libs/common", f"services/{service}"):
        shutil.copytree(ROOT / copied, source / copied, dirs_exist_ok=True, ignore=ignore)
    (place / "app").mkdir()
    done = subprocess.run(
        ["sh", "-c", steps(service, place)],
        cwd=source,
        env={
            **{name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
            "PATH": f"{Path(command).parent}:{os.environ['PATH']}",
            "UV_PROJECT_ENVIRONMENT": str(place / "app" / ".venv"),
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
            # as deploy/local/install: a proxy's own certificate stands in the system's store
            **({"UV_SYSTEM_CERTS": "true"} if SYSTEM_STORE.exists() else {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(source)  # the final stage has nothing of it
    return place / "app"


@pytest.fixture(scope="module")
def images(run_directory: Path) -> Iterator[Path]:
    command = uv()
    if command is None:
        pytest.skip("uv is not where deploy/local/install looks for it")
    with run_folder(run_directory / "images") as folder:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda name: build(name, folder / name, command), SERVICES))
        starter = shutil.which("setpriv")
        assert starter is not None, "util-linux has it"
        (folder / "tools").mkdir()
        (folder / "tools" / "setpriv").symlink_to(starter)
        yield folder


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_its_service_and_no_other(images: Path, service: str) -> None:
    (packages,) = (images / service / "app" / ".venv").glob("lib/python3*/site-packages")
    found = {name for name in SERVICES if (packages / name.replace("-", "_")).exists()}
    assert found == {service}
    assert list((packages / "restock_common" / "migrations").glob("*.sql"))
    assert not (packages / "pytest").exists()


@pytest.mark.parametrize("service", SERVICES)
def test_the_bill_of_materials_names_what_is_installed(images: Path, service: str) -> None:
    app = images / service / "app"
    bill = json.loads((app / "sbom.cdx.json").read_text())
    told = {(one["name"].replace("-", "_"), one["version"]) for one in bill["components"]}
    installed = set()
    for folder in (app / ".venv").glob("lib/python3*/site-packages/*.dist-info"):
        name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
        installed.add((name.lower().replace(".", "_").replace("-", "_"), version))
    ours = {one for one in installed if one[0].startswith("restock_")}
    assert {(name.lower().replace(".", "_"), version) for name, version in told} >= installed - ours
    assert bill["bomFormat"] == "CycloneDX"


async def test_each_service_starts_from_its_folder_as_nobody_and_ends_in_order(
    images: Path, kafka: KafkaSettings, platform: Platform
) -> None:
    with run_folder(images) as folder:
        running = FromImages(platform, folder, clock="live").images(images)
        try:
            await running.start()
            codes = await running.end_each()
            assert codes == dict.fromkeys(SERVICES, 0)
        finally:
            for process in running._processes.values():
                await end(process, grace_s=0)
            for name in running._environments:
                if name not in WITHOUT_TABLES:
                    await platform.databases.drop_database(name.replace("-", "_"))


def test_only_python_is_left_of_the_base_image(tmp_path: Path) -> None:
    root, target = tmp_path / "root", tmp_path / "image"
    for name in ("usr/bin/sh", "usr/bin/apt", "usr/lib/libc.so", "usr/lib/apt/http", "etc/shadow"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    for name in ("bin/python3.11", "bin/python3.11-config", "bin/pip", "lib/python3.11/os.py"):
        (root / "usr/local" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "usr/local" / name).touch()
    (root / "usr/local/bin/python3").symlink_to("python3.11")
    (root / "bin").symlink_to("usr/bin")
    script = ROOT / "deploy" / "images" / "only_python.py"
    subprocess.run([sys.executable, script, root, target], check=True)
    kept = {str(path.relative_to(target)) for path in target.rglob("*") if not path.is_dir()}
    assert kept == {
        "bin",
        "usr/lib/libc.so",
        "usr/local/bin/python3",
        "usr/local/bin/python3.11",
        "usr/local/lib/python3.11/os.py",
    }
