"""A platform that may be broken: other tests' broker and database are left alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from restock_local.platform.base import Platform
from restock_local.platform.choose import choose


@pytest.fixture(scope="session")
async def platform(broker_choice: str, run_directory: Path) -> AsyncIterator[Platform]:
    """Run a broker and PostgreSQL for the tests of this folder."""
    folder = run_directory / "faults"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        # A broker that lives for seconds spends half of its start on compiling for a longer life.
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
        async with choose(broker_choice, folder) as started:
            yield started
