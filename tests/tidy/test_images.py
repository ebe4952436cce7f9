"""The Dockerfile, checked where no engine is."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.tidy.repository import ROOT, SERVICES, manifest, members

DOCKERFILE = (ROOT / "Dockerfile").read_text()
RECIPE_OPTIONS = ["--locked", "--no-dev", "--no-editable"]


SYSTEM_STORE = Path("/etc/ssl/certs/ca-certificates.crt")


def uv() -> str | None:
    """Return the uv that made the environment, as deploy/local/install finds it."""
    fetched = ROOT / ".restock" / "uv" / "bin" / "uv"
    return shutil.which("uv") or (str(fetched) if fetched.exists() else None)


def test_the_linter_has_nothing_to_say() -> None:
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "hadolint", "--no-color", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_recipe_knows_every_service_and_no_other() -> None:
    (choices,) = re.findall(r"case .*? in \\\n\s+(.*?)\) ;;", DOCKERFILE)
    assert tuple(choices.split(" | ")) == SERVICES
    assert "# SERVICE: " + " | ".join(SERVICES) in DOCKERFILE


def test_the_recipe_copies_every_manifest_that_the_lock_spans() -> None:
    copied = re.findall(r"^COPY (\S+)/pyproject\.toml", DOCKERFILE, re.MULTILINE)
    assert sorted(ROOT / folder for folder in copied) == members()


def test_the_build_context_holds_what_is_copied() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line[1:] for line in ignored if line.startswith("!")]
    assert "*" in ignored
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert any(source == name or source.startswith(f"{name}/") for name in kept), source


def test_the_recipe_installs_with_the_options_that_are_tried_here() -> None:
    (last,) = re.findall(r"uv sync (.* --no-editable)$", DOCKERFILE, re.MULTILINE)
    assert set(RECIPE_OPTIONS) <= set(last.split())


def test_uv_is_one_version_everywhere() -> None:
    (image,) = re.findall(r"ARG UV_VERSION=(\S+)", DOCKERFILE)
    (local,) = re.findall(r"UV_VERSION := (\S+)", (ROOT / "Makefile").read_text())
    assert image == local


def test_the_image_runs_as_nobody_in_particular_and_stops_on_sigterm() -> None:
    final = DOCKERFILE[DOCKERFILE.index(" AS final") :]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert re.search(r"^STOPSIGNAL SIGTERM$", final, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["', final, re.MULTILINE), "a shell would swallow SIGTERM"
    assert re.search(r"^HEALTHCHECK ", final, re.MULTILINE)
    assert "pip install" not in final
    assert "/root/.cache/uv" not in final


def test_every_base_image_is_pinned() -> None:
    (version,) = re.findall(r"^ARG PYTHON_VERSION=(.+)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"3\.\d+\.\d+", version)
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert set(bases) == {"python:${PYTHON_VERSION}-slim-bookworm", "scratch"}
    assert version.rpartition(".")[0] >= manifest(ROOT)["project"]["requires-python"][2:]
