"""`restock explain`: the sum behind a purchase order, asked of a running replenisher."""

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

import aiohttp
import orjson
import typer
from rich.console import Console
from rich.table import Table

from restock_local.session import ToldToEnd, run_session

FAILED = 2
_FILE_WIDTH = 160


def explain(
    proposal: Annotated[str, typer.Argument(help="A purchase order's id.")],
    url: Annotated[
        str,
        typer.Option(envvar="RESTOCK_REPLENISHER_URL", help="Where the replenisher answers."),
    ] = "http://127.0.0.1:8003",
) -> None:
    """Show why a purchase order is as it is: policy, inputs, formula, rounding, what bound it."""
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    try:
        order = run_session(_fetched(url, proposal))
    except ToldToEnd as told:
        raise typer.Exit(told.exit_code) from None
    except (aiohttp.ClientError, TimeoutError) as error:
        console.print(f"the replenisher at {url} does not answer: {error}")
        raise typer.Exit(FAILED) from None
    if order is None:
        console.print(f"there is no purchase order {proposal!r}")
        raise typer.Exit(FAILED)
    console.print(
        f"{order['purchase_order']}: {order['state']}, of {order['supplier']} for"
        f" {order['location']}, worth {order['value']:.2f}, {order['placed_at']}",
        highlight=False,
    )
    for line in order["lines"]:
        console.print(_table(line))


async def _fetched(url: str, proposal: str) -> dict[str, Any] | None:
    """Return a purchase order with its lines; None where there is none."""
    path = f"{url.rstrip('/')}/v1/proposals/{quote(proposal, safe='')}"
    patience = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=patience) as http, http.get(path) as answer:
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        answer.raise_for_status()
        found: dict[str, Any] = orjson.loads(await answer.read())
        return found


def _table(line: dict[str, Any]) -> Table:
    reason = line["reason"]
    table = Table(title=f"{line['sku']}: {line['quantity']} units", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row("need", f"{line['need']}, revision {line['need_revision']}")
    for name, value in reason.items():
        if value is None or name == "alternative":
            continue
        table.add_row(name.replace("_", " "), str(value))
    other = reason.get("alternative")
    if other:
        table.add_row(
            "next best",
            f"{other['quantity']} units: expected cost {other['expected_cost']:.4f}, instead of "
            f"{other['chosen_expected_cost']:.4f}",
        )
    return table
