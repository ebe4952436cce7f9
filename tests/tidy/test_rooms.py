"""The same rooms in every service, and guards on who may import what."""

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tidy.repository import (
    ROOT,
    SERVICES,
    WITHOUT_TABLES,
    manifest,
    members,
    package_of,
    parse,
    python_files,
    shown,
)

DRIVERS = {
    "aiokafka": "libs/common/src/restock_common/kafka",
    "asyncpg": "libs/common/src/restock_common/postgres",
    "aiomqtt": "services/order-ingest/src/order_ingest/stream",
    "faust": "services/forecaster/src/forecaster/stream",
}

every_service = pytest.mark.parametrize("service", SERVICES)


def imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return names


def room(package: Path, name: str) -> bool:
    """A room is a module, or a package where it has grown."""
    return (package / f"{name}.py").exists() or (package / name / "__init__.py").exists()


@every_service
def test_every_service_has_the_same_rooms(service: str) -> None:
    package = package_of(service)
    rooms = ("__main__", "api", "stream", "store", "settings", "handlers", "domain")
    assert [name for name in rooms if not room(package, name)] == []
    assert (package / "py.typed").exists()


@every_service
def test_tables_have_numbered_migrations(service: str) -> None:
    folder = package_of(service) / "migrations"
    scripts = sorted(path.name for path in folder.glob("*.sql")) if folder.exists() else []
    if service in WITHOUT_TABLES:
        assert scripts == []
    else:
        assert [name[:5] for name in scripts] == [f"{n:04}_" for n in range(1, len(scripts) + 1)]
        assert scripts


@pytest.mark.parametrize(("driver", "place"), DRIVERS.items())
def test_a_driver_has_one_importer(driver: str, place: str) -> None:
    importers = [
        shown(path)
        for path in python_files("libs", "services", "deploy", "benchmarks")
        if driver in imported(parse(path))
    ]
    assert importers, f"nobody imports {driver}"
    assert [path for path in importers if not path.startswith(place)] == []


def test_services_and_folders_agree() -> None:
    assert {path.name for path in (ROOT / "services").iterdir() if path.is_dir()} == set(SERVICES)


def test_every_package_says_what_it_is() -> None:
    for folder in members():
        project = manifest(folder)["project"]
        assert project["description"].strip(), folder
        assert project["requires-python"] == manifest(ROOT)["project"]["requires-python"]
        assert project["name"].startswith("restock-")


def test_every_package_ships_its_types() -> None:
    for folder in members():
        (package,) = manifest(folder)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
        assert (folder / package / "py.typed").exists()


def test_every_service_stands_under_the_import_contracts() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    packages = {service.replace("-", "_") for service in SERVICES}
    roots = set(contracts["importlinter"]["root_packages"].split())
    assert roots == {"restock_common", "restock_local"} | packages
    layers = contracts["importlinter:contract:services"]
    assert set(layers["containers"].split()) == packages
    assert layers["exhaustive"] == "True"


def test_a_layer_turned_upside_down_is_found(tmp_path: Path) -> None:
    """The linter itself is tried once: contracts that can never fail guard nothing."""
    config = (ROOT / ".importlinter").read_text()
    turned = config.replace("    handlers\n    domain\n", "    domain\n    handlers\n")
    assert turned != config
    path = tmp_path / "contracts.ini"
    path.write_text(turned)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--config",
            str(path),
            "--no-cache",
            "--contract",
            "services",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout
