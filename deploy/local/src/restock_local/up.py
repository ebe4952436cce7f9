"""`restock up`: the platform and the five services until Ctrl-C, with a little shop to try."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from restock_common.errors import Transient
from restock_local.demo.door import Door, Refused
from restock_local.folders import run_folder, state_folder
from restock_local.platform.base import declare_topics
from restock_local.platform.choose import PLATFORMS, choose
from restock_local.processes import ProcessFailed
from restock_local.sample import sample_order, sample_products, stock_shop
from restock_local.session import ToldToEnd, run_session
from restock_local.supervisor import SHOP, Supervisor

_PRODUCTS, _UNITS = 10, 25
_LOOK_EVERY_S = 0.5


def up(
    platform: Annotated[
        str, typer.Option(help=f"Broker: auto, {', '.join(PLATFORMS)}.")
    ] = "embedded",
) -> None:
    """Run the platform and the services until Ctrl-C."""
    console = Console()
    try:
        run_session(_up(platform, console))
    except ToldToEnd as told:
        console.print("Everything has been stopped and removed.")
        raise typer.Exit(0 if told.by_keyboard else told.exit_code) from None
    except (ProcessFailed, Transient, Refused, ValueError) as error:
        console.print(f"It failed: {error}", style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None


async def _up(platform_name: str, console: Console) -> None:
    with run_folder(state_folder()) as folder:
        console.print("Starting the broker and the database ...")
        async with choose(platform_name, folder) as platform:
            await declare_topics(platform.kafka)
            console.print("Starting the services ...")
            async with Supervisor(platform, folder, clock="live") as supervisor:
                await _open_shop(supervisor)
                _show(console, supervisor, platform.info(), platform.kafka.kafka_bootstrap)
                while True:
                    supervisor.check()
                    await asyncio.sleep(_LOOK_EVERY_S)


async def _open_shop(supervisor: Supervisor) -> None:
    headers = {"X-API-Key": supervisor.api_key}
    async with Door(supervisor.urls["order-ingest"], headers) as door:
        products = sample_products(_PRODUCTS)
        await stock_shop(door, products, units=_UNITS, counted_at=datetime.now(UTC))


def _show(console: Console, supervisor: Supervisor, info: dict[str, str], bootstrap: str) -> None:
    table = Table("service", "door", "log")
    for name, url in supervisor.urls.items():
        table.add_row(name, f"{url}/docs", supervisor.log(name).name)
    console.print(table)
    console.print(f"Logs: {supervisor.folder}", soft_wrap=True)
    console.print(f"{info['broker']} at {bootstrap}; {info['database']}")
    order = sample_order("1", placed_at=datetime.now(UTC).replace(microsecond=0), sku="tea-1")
    console.print("The sample shop sells tea-1 to tea-10. A first order to try:\n")
    console.print(
        f"curl -i {supervisor.urls['order-ingest']}/v1/orders \\\n"
        f"  -H 'X-API-Key: {supervisor.api_key}' -H 'Content-Type: application/json' \\\n"
        f"  -d '{order.decode()}'\n",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    ledger = supervisor.urls["stock-ledger"]
    console.print(
        f"What became of it, and what is left on the shelves:\n\n"
        f"curl {ledger}/v1/orders/{SHOP}:1\ncurl {ledger}/v1/stock/tea-1\n",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        f"Whether its books are as they were written:\n\n"
        f"restock ledger verify --database-url {supervisor.database_url('stock-ledger')}"
        f" --kafka {bootstrap}\n",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        "What shops have not told (docs/storefronts.md):\n\n"
        f"restock gaps --database-url {supervisor.database_url('order-ingest')}\n",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        "What could not be taken:\n\n"
        f"RESTOCK_DEAD_LETTER_KEYS={supervisor.dead_letter_keys}"
        f" restock dead-letters list --kafka {bootstrap}\n",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        "Routes follow a warehouse's cut-off; forecasts and purchase orders, midnight UTC."
    )
    console.print("Ctrl-C stops everything.")
