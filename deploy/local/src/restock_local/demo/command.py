"""`restock demo`: the command and its exit codes."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console

from restock_local.demo.calendar import MAX_DAYS
from restock_local.folders import run_folder, state_folder
from restock_local.platform.choose import PLATFORMS
from restock_local.session import ToldToEnd, run_session

if TYPE_CHECKING:
    from restock_local.demo.figures import Figures
    from restock_local.demo.run import Options


def demo(
    days: Annotated[
        int, typer.Option(min=1, max=MAX_DAYS, help="Event days to replay, from 2017-01-01.")
    ] = 28,
    seed: Annotated[int, typer.Option(help="The same seed gives the same business figures.")] = 1,
    json_path: Annotated[
        str | None,
        typer.Option("--json", metavar="PATH", help="Write the figures there; - is stdout."),
    ] = None,
    orders_per_day: Annotated[
        int | None, typer.Option(min=1, help="Replay at most so many orders of each day.")
    ] = None,
    platform: Annotated[
        str, typer.Option(help=f"Broker: auto, {', '.join(PLATFORMS)}.")
    ] = "embedded",
) -> None:
    """Replay real orders through all five services and show what became of them."""
    # pandas takes a second to import: other commands do without it.
    from restock_local.demo.run import DemoFailed, Options
    from restock_local.demo.screen import show_figures

    console = Console(stderr=json_path == "-")
    options = Options(days=days, seed=seed, orders_per_day=orders_per_day, platform=platform)
    try:
        figures = run_session(_run(options, console))
    except ToldToEnd as told:
        what = "Interrupted" if told.by_keyboard else "Told to end"
        console.print(f"{what}: everything has been stopped and removed.")
        raise typer.Exit(told.exit_code) from None
    except (DemoFailed, ValueError) as error:
        console.print(
            f"The demo failed: {error}", style="red", markup=False, highlight=False, soft_wrap=True
        )
        console.print("Everything has been stopped and removed.")
        raise typer.Exit(1) from None
    show_figures(console, figures)
    _write(figures, json_path)
    if not figures.sound:
        raise typer.Exit(1)


async def _run(options: "Options", console: Console) -> "Figures":
    from restock_local.demo.run import run_demo

    with run_folder(state_folder()) as folder:
        return await run_demo(options, folder, console)


def _write(figures: "Figures", json_path: str | None) -> None:
    if json_path is None:
        return
    layout = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    written = orjson.dumps(figures.as_json(), option=layout)
    if json_path == "-":
        sys.stdout.buffer.write(written)
    else:
        Path(json_path).write_bytes(written)
