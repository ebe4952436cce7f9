"""The Dockerfile and docker-compose.yml, checked where no engine is."""

import json
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML
from tests.tidy.repository import ROOT, SERVICES, manifest, members
from tests.tidy.settings_of import variables_of

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
RECIPE_OPTIONS = ["--locked", "--no-dev", "--no-editable"]
JOBS = {"topics"}
PLATFORM = {"kafka", "postgres"}

every_service = pytest.mark.parametrize("service", SERVICES)


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
    assert set(bases) == {"python:${PYTHON_VERSION}-slim-bookworm"}
    assert version.rpartition(".")[0] >= manifest(ROOT)["project"]["requires-python"][2:]


def test_the_recipes_steps_make_an_environment_of_one_service(tmp_path: Path) -> None:
    """The recipe's `uv sync`, from the same files; from the cache where that holds them."""
    command = uv()
    if command is None:
        pytest.skip("uv is not where deploy/local/install looks for it")
    service, package = "stock-ledger", "restock-stock-ledger"
    for name in ("pyproject.toml", "uv.lock", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    for member in members():
        folder = tmp_path / member.relative_to(ROOT)
        folder.mkdir(parents=True)
        shutil.copy(member / "pyproject.toml", folder)
    ignore = shutil.ignore_patterns("__pycache__")
    for source in ("libs/common", f"services/{service}"):
        shutil.copytree(ROOT / source, tmp_path / source, dirs_exist_ok=True, ignore=ignore)
    environment = tmp_path / "environment"
    done = subprocess.run(
        [command, "sync", *RECIPE_OPTIONS, "--package", package],
        cwd=tmp_path,
        env={
            **{name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
            "UV_PROJECT_ENVIRONMENT": str(environment),
            "UV_PYTHON_DOWNLOADS": "never",
            # as deploy/local/install: a proxy's own certificate stands in the system's store
            **({"UV_SYSTEM_CERTS": "true"} if SYSTEM_STORE.exists() else {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (packages,) = environment.glob("lib/python3*/site-packages")
    assert (packages / "stock_ledger" / "__main__.py").exists()
    assert list((packages / "restock_common" / "migrations").glob("*.sql"))
    assert not (packages / "forecaster").exists()
    assert not (packages / "pytest").exists()


def test_compose_is_what_the_specification_says() -> None:
    spec = find_spec("check_jsonschema")
    assert spec is not None
    assert spec.origin is not None
    vendored = Path(spec.origin).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(vendored.read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []


def test_compose_runs_the_services_and_what_they_stand_on() -> None:
    assert set(COMPOSE["services"]) == set(SERVICES) | JOBS | PLATFORM


@every_service
def test_a_service_is_built_from_the_recipe_with_its_own_name(service: str) -> None:
    declared = COMPOSE["services"][service]
    assert declared["build"]["args"] == {"SERVICE": service}
    assert declared["image"].startswith(f"restock/{service}:")


@every_service
def test_a_service_starts_after_what_it_stands_on(service: str) -> None:
    after = {k: v["condition"] for k, v in COMPOSE["services"][service]["depends_on"].items()}
    assert after["topics"] == "service_completed_successfully"
    assert after["postgres"] == "service_healthy"
    assert COMPOSE["services"]["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"


@every_service
def test_a_service_is_confined(service: str) -> None:
    declared = COMPOSE["services"][service]
    assert declared["read_only"] is True
    assert declared["cap_drop"] == ["ALL"]
    assert declared["restart"] == "unless-stopped"


@every_service
def test_every_variable_is_one_that_the_service_reads(service: str) -> None:
    given = set(COMPOSE["services"][service]["environment"])
    known = variables_of(service)
    assert given <= set(known), "a typing error would silently leave the default"
    required = {name for name, variable in known.items() if variable.required}
    assert required <= given
    assert {"RESTOCK_KAFKA_BOOTSTRAP", "RESTOCK_HTTP_HOST"} <= given


def test_everything_that_goes_on_is_watched() -> None:
    for name in PLATFORM:
        assert COMPOSE["services"][name]["healthcheck"]["test"][0] == "CMD"
    for name in SERVICES:  # the image brings its own
        assert "healthcheck" not in COMPOSE["services"][name]


def test_foreign_images_are_pinned() -> None:
    for name in PLATFORM:
        _, _, tag = COMPOSE["services"][name]["image"].partition(":")
        assert re.match(r"\d+\.\d+", tag), f"{name} is not pinned: {tag!r}"


def test_every_database_is_created() -> None:
    created = set(re.findall(r"CREATE DATABASE (\w+);", COMPOSE["configs"]["databases"]["content"]))
    wanted = set()
    for service in SERVICES:
        url = COMPOSE["services"][service]["environment"].get("RESTOCK_DATABASE_URL")
        if url is not None:
            wanted.add(url.rpartition("/")[2])
            assert wanted >= {service.replace("-", "_")}, "each service has its own"
    assert created == wanted


def test_what_must_last_lies_on_named_volumes() -> None:
    mounted = {
        volume.partition(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", [])
    }
    assert mounted == set(COMPOSE["volumes"])


def test_doors_listen_on_this_machine_only() -> None:
    ports = [port for s in COMPOSE["services"].values() for port in s.get("ports", [])]
    assert len(ports) == len(set(ports)) == len(SERVICES) + 1
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
