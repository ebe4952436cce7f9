"""`restock contracts`: the documents from the code."""

import typer
from rich.console import Console

from restock_local.folders import project_folder

BROKEN = 1

app = typer.Typer(help="The contracts as documents.", no_args_is_help=True)


@app.callback()
def _contracts() -> None:
    """Keep `write` a command of its own, though it is the only one."""


@app.command("write")
def write_command() -> None:
    """Write OpenAPI, AsyncAPI and event schemas to docs/contracts.

    Writes nothing, and ends with 1, where an event would break readers of its committed version.
    """
    from restock_local.contracts.files import broken, write  # other commands do without services

    console = Console(highlight=False, soft_wrap=True)
    folder = project_folder() / "docs" / "contracts"
    found = list(broken(folder))
    for name, one in found:
        console.print(f"{name}: {one}", style="red", markup=False)
    if found:
        console.print("Give the event a new version and an upcaster: see docs/contracts.md.")
        raise typer.Exit(BROKEN)
    for path in write(folder):
        console.print(path, markup=False)
