"""The broker and the database that tests meet: real ones, chosen by RESTOCK_TEST_BROKER."""

import os
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog

from restock_common.settings import KafkaSettings
from restock_local.folders import run_folder, state_folder
from restock_local.platform.base import Platform, declare_topics
from restock_local.platform.choose import choose, resolve

_ROOT = Path(__file__).parent
_ORDER = ("tidy", "unit", "property", "contracts", "integration", "e2e", "faults")
# What whoever starts a service has to give it: without a key, dead letters hold nothing.
os.environ.setdefault("RESTOCK_DEAD_LETTER_KEYS", f"test={b64encode(bytes(range(32))).decode()}")

_BROKER = os.environ.get("RESTOCK_TEST_BROKER", "auto")
_PLATFORM = pytest.StashKey[dict[str, str]]()
_TOLD = "platform"


@pytest.fixture(scope="session")
def run_directory() -> Iterator[Path]:
    """Return a folder for what this run starts; gone at the end."""
    with run_folder(state_folder() / "tests") as folder:
        yield folder


@pytest.fixture(scope="session")
def broker_choice() -> str:
    """Return which platform was asked for."""
    return _BROKER


@pytest.fixture(scope="session")
async def platform(run_directory: Path, pytestconfig: pytest.Config) -> AsyncIterator[Platform]:
    """Run a broker and PostgreSQL for the session."""
    async with choose(_BROKER, run_directory) as started:
        pytestconfig.stash[_PLATFORM] = started.info()
        yield started


@pytest.fixture(scope="session")
def broker(platform: Platform) -> KafkaSettings:
    """Return how to reach the session's broker; what is on it is nobody's promise."""
    return platform.kafka


@pytest.fixture(scope="module")
async def kafka(platform: Platform) -> KafkaSettings:
    """Return how to reach a broker on which every topic is there, and empty."""
    await platform.broker.wipe()
    await declare_topics(platform.kafka)
    return platform.kafka


@pytest.fixture
async def database_url(platform: Platform) -> AsyncIterator[str]:
    """Return the URL of a new, empty database; dropped after the test."""
    name = f"test_{uuid4().hex}"
    yield await platform.new_database(name)
    await platform.databases.drop_database(name)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Undo what a command run in this process made of the logs: its streams are closed by now."""
    yield
    structlog.reset_defaults()


def pytest_report_header() -> str:
    """Say which broker the tests will meet."""
    return f"RESTOCK_TEST_BROKER={_BROKER}: {resolve(_BROKER)}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that reports, where there are several, what this one has run on."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told[_TOLD] = session.config.stash.get(_PLATFORM, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Note what a process that ran a part of the tests has told."""
    node.config.stash.setdefault(_PLATFORM, {}).update(
        getattr(node, "workeroutput", {}).get(_TOLD, {})
    )


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what the tests have run on."""
    for part, description in config.stash.get(_PLATFORM, {}).items():
        terminalreporter.write_line(f"{part}: {description}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what fails fast first, and skip what the chosen broker cannot do."""
    items.sort(key=_place)
    if resolve(_BROKER) == "embedded":
        reason = "needs Apache Kafka: the embedded broker keeps its log in memory"
        for item in items:
            if item.get_closest_marker("apache"):
                item.add_marker(pytest.mark.skip(reason=reason))


def _place(item: pytest.Item) -> int:
    kind = item.path.relative_to(_ROOT).parts[0]
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
