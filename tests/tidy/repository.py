"""Where the repository's files are."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SERVICES = ("order-ingest", "stock-ledger", "forecaster", "replenisher", "dispatcher")
WITHOUT_TABLES = frozenset({"forecaster"})
"""Services that keep their state elsewhere than in PostgreSQL."""

_CODE = ("libs", "services", "deploy", "tests", "benchmarks")
_TEXT_SUFFIXES = {".py", ".md", ".sql", ".toml", ".yml", ".yaml", ".json", ".sh", ""}


def package_of(service: str) -> Path:
    """Return the folder of a service's code."""
    return ROOT / "services" / service / "src" / service.replace("-", "_")


def python_files(*folders: str) -> Iterator[Path]:
    """Yield the Python files of these folders (of all code where none is named)."""
    for folder in folders or _CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "__pycache__" not in path.parts and ".venv" not in path.parts:
                yield path


def text_files() -> Iterator[Path]:
    """Yield everything that people write, but not locks, licences and folders of tools."""
    for path in sorted(ROOT.iterdir()):
        if path.name in {"uv.lock", "LICENSE", ".git"}:
            continue
        if path.is_file() and path.suffix in _TEXT_SUFFIXES:
            yield path
        elif path.name in {*_CODE, "docs", ".ci"}:
            for inner in sorted(path.rglob("*")):
                hidden = {"__pycache__", ".venv", "egg-info"} & set(inner.parts)
                if inner.is_file() and inner.suffix in _TEXT_SUFFIXES and not hidden:
                    yield inner


def parse(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(), filename=str(path))


def shown(path: Path) -> str:
    """Return a path as people say it."""
    return str(path.relative_to(ROOT))


def manifest(folder: Path) -> dict[str, Any]:
    """Return a package's pyproject.toml."""
    return tomllib.loads((folder / "pyproject.toml").read_text())


def members() -> list[Path]:
    """Return the folders of the workspace's members."""
    patterns = manifest(ROOT)["tool"]["uv"]["workspace"]["members"]
    return sorted(folder for pattern in patterns for folder in ROOT.glob(pattern))
