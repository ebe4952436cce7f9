"""docker-compose.yml and .env.example, checked where no engine is."""

import json
import os
import re
import shutil
import subprocess
import textwrap
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML
from tests.tidy.repository import ROOT, SERVICES, WITHOUT_TABLES
from tests.tidy.settings_of import Variable, settings_of, variables, variables_of

from restock_common.settings import ServiceSettings

COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
EXAMPLE = ROOT / ".env.example"
MARK = "# ==== Settings of the services: generated from the code ===="
JOBS = {"topics"}
PLATFORM = {"kafka", "postgres"}
OBSERVABILITY = {
    "prometheus",
    "grafana",
    "tempo",
    "otel-collector",
    "kafka-exporter",
    "postgres-exporter",
}
LOCAL = {
    "RESTOCK_DEAD_LETTER_KEYS": "local=Zm9yIHRyeWluZyBvbiB0aGlzIG1hY2hpbmUgYWxvbmU=",
    "RESTOCK_API_KEYS": "demo=demo-key",
    "RESTOCK_TOKEN_SECRET": "customers are called otherwise elsewhere",
    "RESTOCK_MASTER_KEYS": "local=Zm9yIHRyeWluZyBvbiB0aGlzIG1hY2hpbmUgYWxvbmU=",
}
"""What a service does not start without, for trying on one machine."""

FIXED = {
    "RESTOCK_KAFKA_BOOTSTRAP",
    "RESTOCK_HTTP_HOST",
    "RESTOCK_HTTP_PORT",
    "RESTOCK_DATABASE_URL",
    "RESTOCK_DATA_DIR",
}

every_service = pytest.mark.parametrize("service", SERVICES)


def test_compose_is_what_the_specification_says() -> None:
    spec = find_spec("check_jsonschema")
    assert spec is not None
    assert spec.origin is not None
    vendored = Path(spec.origin).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(vendored.read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []


def test_compose_runs_the_services_and_what_they_stand_on() -> None:
    assert set(COMPOSE["services"]) == set(SERVICES) | JOBS | PLATFORM | OBSERVABILITY | {"demo"}


def test_each_profile_is_told_in_the_example() -> None:
    profiles = {name: set(one["profiles"]) for name, one in COMPOSE["services"].items()}
    assert profiles == {
        **{key: {"core"} for key in {*SERVICES, *JOBS, *PLATFORM}},
        **{key: {"observability"} for key in OBSERVABILITY},
        "demo": {"demo"},
    }
    assert "COMPOSE_PROFILES=core\n" in EXAMPLE.read_text()


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
def test_a_service_is_given_every_variable_that_it_reads_and_no_other(service: str) -> None:
    given = set(COMPOSE["services"][service]["environment"])
    unused = {"RESTOCK_DATABASE_URL"} if service in WITHOUT_TABLES else set()
    assert given == set(variables_of(service)) - unused, "in docker-compose.yml, without a value"


def test_what_has_to_be_given_names_where_it_is_told() -> None:
    for name, one in COMPOSE["services"].items():
        for variable, value in one.get("environment", {}).items():
            if any(word in variable for word in ("PASSWORD", "SECRET", "_KEYS")) and value:
                assert ":?copy .env.example to .env}" in value, f"{name} {variable}"


def test_everything_that_goes_on_is_watched() -> None:
    for name in PLATFORM | {"prometheus", "grafana"}:
        assert COMPOSE["services"][name]["healthcheck"]["test"][0] == "CMD"
    for name in SERVICES:  # the image brings its own
        assert "healthcheck" not in COMPOSE["services"][name]


def test_foreign_images_are_pinned() -> None:
    for name in PLATFORM | OBSERVABILITY:
        _, _, tag = COMPOSE["services"][name]["image"].partition(":")
        assert re.match(r"v?\d+\.\d+", tag), f"{name} is not pinned: {tag!r}"


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
        if not volume.startswith("./")
    }
    assert mounted == set(COMPOSE["volumes"])


def test_what_is_mounted_from_here_is_there_and_read_only() -> None:
    """Dashboards are the only folder that may not be there yet: the engine makes an empty one."""
    for one in COMPOSE["services"].values():
        for volume in one.get("volumes", []):
            if volume.startswith("./"):
                source, _, mode = volume.removeprefix("./").split(":")
                assert mode == "ro"
                assert (ROOT / source).exists() or source == "deploy/observability/dashboards"


def test_the_configurations_of_what_watches_are_sound() -> None:
    for path in (ROOT / "deploy" / "compose").rglob("*.y*ml"):
        assert isinstance(YAML(typ="safe").load(path), dict), path
    scraped = YAML(typ="safe").load(ROOT / "deploy" / "compose" / "prometheus.yml")
    (restock,) = [one for one in scraped["scrape_configs"] if one["job_name"] == "restock"]
    told = {target for one in restock["static_configs"] for target in one["targets"]}
    assert told == {f"{service}:8000" for service in SERVICES}
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on the PATH")
    done = subprocess.run(
        [promtool, "check", "config", "--syntax-only", ROOT / "deploy/compose/prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_doors_listen_on_this_machine_only() -> None:
    ports = [port for s in COMPOSE["services"].values() for port in s.get("ports", [])]
    assert len(ports) == len(set(ports)) == len(SERVICES) + 3
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def sections() -> str:
    """Return the settings' part of .env.example: each as a comment, with meaning and default."""
    parts = []
    common = variables(ServiceSettings)
    parts.append(("Read by every service", common))
    parts += [(f"Read by {one}", own(one)) for one in SERVICES if own(one)]
    return "\n".join(section(title, rows) for title, rows in parts)


def own(service: str) -> dict[str, Variable]:
    return {name: one for name, one in variables_of(service).items() if one.own}


def section(title: str, rows: dict[str, Variable]) -> str:
    lines = [f"# ---- {title} ----", ""]
    for name, one in rows.items():
        lines += textwrap.wrap(one.meaning, 98, initial_indent="# ", subsequent_indent="# ")
        if name in FIXED:
            lines.append("# Given by docker-compose.yml, whatever stands here.")
        value = LOCAL.get(name)
        lines.append(f"# {name}={one.default}" if value is None else f"{name}={value}")
        lines.append("")
    return "\n".join(lines)


def test_the_example_explains_every_setting() -> None:
    """RESTOCK_UPDATE_DOCS=1 .venv/bin/pytest tests/tidy/test_compose.py"""
    text = EXAMPLE.read_text()
    head = text[: text.index(MARK)]
    wanted = f"{head}{MARK}\n\n{sections()}"
    if os.environ.get("RESTOCK_UPDATE_DOCS") == "1":
        EXAMPLE.write_text(wanted)
        text = wanted
    assert text == wanted, "see the docstring of this test"


def test_every_variable_of_compose_is_in_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    told = set(re.findall(r"^(?:# )?(\w+)=", EXAMPLE.read_text(), re.MULTILINE))
    assert used <= told


@every_service
def test_a_service_takes_the_examples_values(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("RESTOCK_"):
            monkeypatch.delenv(name)
    for name, value in re.findall(r"^(\w+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE):
        monkeypatch.setenv(name, value)
    settings_of(service)()
