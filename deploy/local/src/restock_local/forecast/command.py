"""The `restock forecast` commands."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import aiohttp
import orjson
import typer
from rich.console import Console

from restock_local.session import ToldToEnd, run_session

FAILED = 2
_PICTURES = (".png", ".svg", ".pdf")

app = typer.Typer(help="Look at what the forecaster expects.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `plot` a command of its own, though it is the only one."""


@app.command("plot")
def plot_command(
    sku: Annotated[str, typer.Argument(help="Of what.")],
    location: Annotated[str, typer.Argument(help="Where.")],
    out: Annotated[Path, typer.Option(help="The picture: .png, .svg or .pdf.")],
    url: Annotated[
        str, typer.Option(envvar="RESTOCK_FORECASTER_URL", help="Where the forecaster answers.")
    ] = "http://127.0.0.1:8002",
) -> None:
    """Draw a forecast: what came, what is expected with its spread, and what it is made of."""
    console = Console(stderr=True)
    if out.suffix.lower() not in _PICTURES:
        raise typer.BadParameter(f"{out.name!r} ends in none of {', '.join(_PICTURES)}")
    try:
        from restock_local.forecast.picture import draw
    except ModuleNotFoundError as error:
        console.print(f"drawing needs {error.name}: install restock-local with its extra \\[plot]")
        raise typer.Exit(FAILED) from None
    try:
        forecast = run_session(_fetched(url, sku, location))
    except ToldToEnd as told:
        raise typer.Exit(told.exit_code) from None
    except (aiohttp.ClientError, TimeoutError) as error:
        console.print(f"no forecast from {url}: {error}")
        raise typer.Exit(FAILED) from None
    draw(forecast, out)
    console.print(f"{sku} at {location} as of {forecast['learned_until'][:10]}: {out}")


async def _fetched(url: str, sku: str, location: str) -> dict[str, Any]:
    """Return a forecast with all that there is to show of it."""
    path = f"{url.rstrip('/')}/v1/forecasts/{quote(sku, safe='')}/{quote(location, safe='')}"
    patience = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=patience) as http, http.get(path) as answer:
        body = orjson.loads(await answer.read())
        if not answer.ok:
            raise aiohttp.ClientError(body.get("detail", f"status {answer.status}"))
        return dict(body)
