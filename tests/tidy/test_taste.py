"""Taste as a test: small files, small functions, nothing left for later, nothing of one machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tidy.repository import ROOT, parse, python_files, shown, text_files

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 80
MAX_LINE_CHARACTERS = 100

# Put together here, so that this file does not find itself.
LEFT_FOR_LATER = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
MACHINE_PATHS = re.compile(
    "|".join(
        [
            r"/home/" + r"\w",
            "/ro" + "ot/(?!.cache/uv)",
            "/wo" + "rk/",
            "/Us" + "ers/",
            "/tmp/" + "exp",
        ]
    )
)
REGISTRY_HOSTS = re.compile(
    "|".join(["arti" + "factory", "ne" + r"xus\.", r"\.co" + r"rp\b", r"\.intern" + r"al\b"])
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{shown(path)}:{number}: {line.strip()}"
        for path in text_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]


def test_the_walk_finds_the_code() -> None:
    found = {shown(path) for path in python_files()}
    assert len(found) > 100
    assert "libs/common/src/restock_common/units.py" in found
    assert {"Dockerfile", "README.md"} <= {shown(path) for path in text_files()}


def test_files_are_small() -> None:
    sizes = {shown(path): len(path.read_text().splitlines()) for path in python_files()}
    assert {path: size for path, size in sizes.items() if size > MAX_FILE_LINES} == {}


def test_functions_are_small() -> None:
    long = [
        f"{shown(path)}: {node.name} has {length} lines"
        for path in python_files()
        for node in functions(parse(path))
        if (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_nothing_is_left_for_later() -> None:
    assert lines_with(LEFT_FOR_LATER) == []


def test_nothing_is_a_stub() -> None:
    stubs = [
        f"{shown(path)}:{node.lineno}"
        for path in python_files("libs", "services", "deploy")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Name) and node.id == "NotImplementedError"
    ]
    assert stubs == []


def test_no_path_of_somebodys_machine() -> None:
    assert lines_with(MACHINE_PATHS) == []


def test_no_host_of_somebodys_registry() -> None:
    assert lines_with(REGISTRY_HOSTS) == []


def test_the_lock_names_the_public_index_alone() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text()))
    assert hosts <= {"pypi.org", "files.pythonhosted.org"}


@pytest.mark.parametrize("name", ["now", "utcnow", "today", "monotonic", "uuid4", "random"])
def test_domains_ask_neither_clock_nor_dice(name: str) -> None:
    asked = [
        f"{shown(path)}:{node.lineno}"
        for path in python_files("services")
        if "domain" in path.parts
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
    ]
    assert asked == []


def test_every_suppression_has_its_reason() -> None:
    """`noqa: CODE - why`, so that a reader can judge whether it still holds."""
    bare = [
        f"{shown(path)}:{number}"
        for path in python_files("libs", "services", "deploy")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"#\s*noqa(?!: [A-Z0-9, ]+ - \w)", line)
    ]
    assert bare == []


def test_text_ends_with_one_line_end() -> None:
    ragged = [
        shown(path)
        for path in text_files()
        if (text := path.read_text()) and (not text.endswith("\n") or text.endswith("\n\n"))
    ]
    assert ragged == []


def test_test_files_hold_tests() -> None:
    empty = [
        shown(path)
        for path in python_files("tests")
        if path.name.startswith("test_")
        and not any(node.name.startswith("test_") for node in functions(parse(path)))
        and ".TestCase" not in path.read_text()
    ]
    assert empty == []


def test_python_files_say_what_they_are() -> None:
    silent = [
        shown(path)
        for path in python_files("libs", "services", "deploy", "benchmarks")
        if path.read_text().strip() and ast.get_docstring(parse(path)) is None
    ]
    assert silent == []


def test_no_file_is_in_the_way_of_another_case() -> None:
    names = [shown(path).lower() for path in text_files()]
    assert len(names) == len(set(names))


def test_the_root_holds_what_the_architecture_names() -> None:
    wanted = [
        "README.md",
        "Makefile",
        "Dockerfile",
        "docker-compose.yml",
        "LICENSE",
        "CHANGELOG.md",
    ]
    assert [name for name in wanted if not Path(ROOT, name).exists()] == []
