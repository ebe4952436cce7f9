import pytest
from rich.console import Console
from tests.e2e.small import SMALL, RunSmall

from restock_local.demo.figures import Figures
from restock_local.demo.run import Disturb, run_demo
from restock_local.folders import run_folder, state_folder


@pytest.fixture(scope="session")
def run_small() -> RunSmall:
    """Return what runs a small demo on the embedded platform, in a folder of its own."""

    async def run(disturb: Disturb | None) -> Figures:
        with run_folder(state_folder() / "tests") as folder:
            return await run_demo(SMALL, folder, Console(quiet=True), disturb=disturb)

    return run


@pytest.fixture(scope="session")
async def undisturbed(run_small: RunSmall) -> Figures:
    """Return the figures of a small demo that nobody disturbed."""
    return await run_small(None)
