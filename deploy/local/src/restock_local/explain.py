"""`restock explain`: the sum behind a purchase order, asked of a running replenisher."""

from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from rich.console import Console
from rich.table import Table

_PATIENCE_S = 10.0
_FILE_WIDTH = 160


def explain(
    proposal: Annotated[str, typer.Argument(help="A purchase order's id.")],
    url: Annotated[
        str,
        typer.Option(envvar="RESTOCK_REPLENISHER_URL", help="Where the replenisher answers."),
    ] = "http://127.0.0.1:8000",
) -> None:
    """Show why a purchase order is as it is: policy, inputs, formula, rounding, what bound it."""
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    try:
        answer = httpx.get(f"{url}/v1/proposals/{quote(proposal, safe='')}", timeout=_PATIENCE_S)
    except httpx.HTTPError as error:
        raise typer.BadParameter(f"the replenisher at {url} does not answer: {error}") from None
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise typer.BadParameter(f"there is no purchase order {proposal!r}")
    answer.raise_for_status()
    order = answer.json()
    console.print(
        f"{order['purchase_order']}: {order['state']}, of {order['supplier']} for"
        f" {order['location']}, worth {order['value']:.2f}, {order['placed_at']}",
        highlight=False,
    )
    for line in order["lines"]:
        console.print(_table(line))


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
